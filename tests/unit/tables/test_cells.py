"""An evaluated cell is what its files say."""

import pytest
from support.rejections import rejected
from support.table_cells import LOSS, SCORE

from instruction_selection.core import files
from instruction_selection.experiment.grid import Cell
from instruction_selection.tables.cells import CellFiles, Evaluated, EvaluatedCell, PoolSummary, SelectionSummary

CELL = Cell(model="m", pool="p", target="any", method="less", ratio="0.1", seed=3)
NAMES = {**CELL.wildcards(), "shown_for": "logic+maths", "benchmark": "logic"}


@pytest.fixture
def paths(tmp_path):
    metrics = {"acc": {"value": 0.5, "stderr": 0.25}, "loss": {"value": 2.0, "stderr": None}}
    lines = [{"id": name, "task": "answer", "filter": "none", "acc": 1, "loss": 2.0} for name in "ab"]
    files.write_json(tmp_path / "evaluation.json", {"benchmark": "logic", "samples": 2, "metrics": metrics})
    files.write_jsonl(tmp_path / "samples.jsonl", lines)
    files.write_json(tmp_path / "selection.json", {"selected": 3, "tasks": {"t": 3}, "checkpoints": [{}, {}]})
    names = ("evaluation.json", "samples.jsonl", "selection.json", "training.json")
    return CellFiles(*(str(tmp_path / name) for name in names))


def test_read__has_the_numbers_of_every_file(paths):
    assert EvaluatedCell.read(NAMES, paths, (SCORE, LOSS)) == EvaluatedCell(
        cell=CELL,
        target="logic+maths",
        benchmark="logic",
        rows=2,
        metrics={"acc": Evaluated(0.5, 0.25), "loss": Evaluated(2.0, None)},
        values={"acc": {"a": 1.0, "b": 1.0}, "loss": {"a": 2.0, "b": 2.0}},
        selection=SelectionSummary(3, {"t": 3}, checkpoints=2),
    )


def test_read__untuned_model_has_no_selection(paths):
    untuned = EvaluatedCell.read(NAMES, paths._replace(selection=None, training=None), (SCORE,))
    assert untuned.selection is None


def test_read__names_the_evaluation_that_lacks_a_metric(paths):
    other = SCORE.model_copy(update={"name": "f1"})
    with rejected("metric-not-evaluated", path="evaluation.json", key="metrics"):
        EvaluatedCell.read(NAMES, paths, (SCORE, other))


def test_selection__need_not_report_checkpoints(tmp_path):
    files.write_json(tmp_path / "selection.json", {"selected": 0, "tasks": {}})
    assert SelectionSummary.read(tmp_path / "selection.json") == SelectionSummary(0, {}, checkpoints=None)


def test_pool__is_read_with_its_name(tmp_path):
    files.write_json(tmp_path / "pool.json", {"pool": "p", "rows": 3, "tasks": {"t": 3}})
    assert PoolSummary.read(tmp_path / "pool.json") == ("p", PoolSummary(3, {"t": 3}))
