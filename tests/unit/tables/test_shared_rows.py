"""What selections have in common."""

import csv
import io

from instruction_selection.core.entry_names import ANY
from instruction_selection.tables import shared_rows


def cell(method: str, ids: str, **others: str) -> tuple[dict[str, str], set[str]]:
    return {"model": "m", "pool": "p", "ratio": "0.1", "seed": "0", "method": method, **others}, set(ids)


def test_every_pair_of_methods_is_counted_both_ways():
    rows = shared_rows.build([cell("less", "abcd"), cell("sbert", "cd", model=ANY)])
    assert [(row["method"], row["other"], row["shared"], row["share"]) for row in rows] == [
        ("less", "sbert", 2, 0.5),
        ("sbert", "less", 2, 1.0),
    ]


def test_only_selections_for_the_same_model_pool_ratio_and_seed_are_compared():
    for key in shared_rows.SAME:
        assert shared_rows.build([cell("less", "ab"), cell("random", "ab", **{key: "another"})]) == []


def test_the_file_has_a_line_per_pair():
    text = shared_rows.to_csv(shared_rows.build([cell("less", "ab"), cell("random", "bc"), cell("g2is", "x")]))
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == 6
    assert {line["share"] for line in lines} == {"0.5", "0.0"}
    assert shared_rows.to_csv([]).startswith("model,")
