"""Rows of pools and targets for plans and limits: as many as the experiment says, or for `all` a guess from files."""

from pathlib import Path

from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.rows import Rows

#: Bytes of a row with its response in a file; compressed files have more rows.
BYTES_PER_ROW = 1000
#: Rows of files that are not on disk yet.
UNKNOWN = 100_000


def pool_rows(experiment: Experiment, name: str) -> int:
    """Of a pool."""
    wanted = experiment.settings.pools[name].rows
    return _guess(experiment.pools[name].rows) if wanted == "all" else wanted


def validation_rows(experiment: Experiment, name: str) -> int:
    """Of a target's validation set."""
    wanted = experiment.settings.targets[name].validation_rows
    return _guess(experiment.benchmarks[name].validation) if wanted == "all" else wanted


def _guess(rows: Rows | None) -> int:
    if rows is None or rows.source.kind != "folder":
        return UNKNOWN
    found = {path for name in rows.source.files for path in Path(rows.source.folder).glob(name)}
    return max(1, sum(path.stat().st_size for path in found) // BYTES_PER_ROW)
