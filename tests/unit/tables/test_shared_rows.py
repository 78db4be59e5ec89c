"""What selections have in common."""

from dataclasses import replace

import pytest

from instruction_selection.core.entry_names import ANY
from instruction_selection.experiment.grid import Cell
from instruction_selection.tables import shared_rows
from instruction_selection.tables.shared_rows import SharedRows


def selected(method: str, ids: str, model: str = "m") -> tuple[Cell, set[str]]:
    return Cell(model=model, pool="p", target="t", method=method, ratio="0.1", seed=0), set(ids)


def test_build__every_pair_is_counted_both_ways():
    assert shared_rows.build([selected("less", "abcd"), selected("sbert", "cd", model=ANY)]) == [
        SharedRows("m", "p", "0.1", 0, "less", "sbert", rows=4, shared=2, share=0.5),
        SharedRows(ANY, "p", "0.1", 0, "sbert", "less", rows=2, shared=2, share=1.0),
    ]


@pytest.mark.parametrize("other", [{"model": "n"}, {"pool": "q"}, {"ratio": "0.2"}, {"seed": 1}])
def test_build__compares_only_the_same_model_pool_ratio_and_seed(other):
    cell, ids = selected("random", "ab")
    assert shared_rows.build([selected("less", "ab"), (replace(cell, **other), ids)]) == []


def test_csv__reads_back(tmp_path):
    pairs = shared_rows.build([selected("less", "ab"), selected("random", "bc"), selected("g2is", "xyz")])
    assert len(pairs) == 6
    for written in (pairs, []):
        (tmp_path / "shared.csv").write_text(shared_rows.to_csv(written))
        assert shared_rows.read(tmp_path / "shared.csv") == written
