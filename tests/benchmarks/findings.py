"""The tables of docs/findings.md, from the measurements in docs/findings.

.venv/bin/python tests/benchmarks/findings.py

writes them into the page. Each is below a comment with its name, `<!-- table: representations -->`. ablations.py,
datamodels_compared.py, `snakemake datamodels`, `snakemake distances` and the tables of the study's draws measure.
"""

import re

from findings_datamodels import of_datamodels, of_pairs
from findings_families import Families, of_families, of_long_warmup
from findings_measured import DOCS, read
from findings_study import Study, of_distances, of_study

PAGE = DOCS / "findings.md"
#: A table below its name, and the blank line that ends it: without one, Markdown takes what follows for its rows.
PLACE = re.compile(r"<!-- table: (?P<name>[\w-]+) -->\n\n(?:\|.*\n)*\n?")


def tables() -> dict[str, str]:
    families, study = Families("families"), Study(1)
    return {
        **of_families(families),
        **of_long_warmup(families, Families("families-long")),
        **of_study(study),
        **of_distances(study),
        **of_datamodels(read("datamodels-combinations"), read("datamodels")),
        **of_pairs(read("datamodels-compared")),
    }


def with_tables(page: str) -> str:
    """Raises `KeyError` for a name that no table has."""
    found = tables()
    return PLACE.sub(lambda match: f"<!-- table: {match['name']} -->\n\n{found[match['name']]}\n", page)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
