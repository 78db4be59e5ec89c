"""Results that do not belong together are rejected, with the file that is wrong."""

import pytest
from support.refusals import refused

from instruction_selection.core import files
from instruction_selection.tables import lineage
from instruction_selection.tables.cells import CellFiles

TRAINING, EVALUATION = {"learning_rate": 0.1}, {"dtype": "float32"}


def results(folder, **changed) -> CellFiles:
    given = {"adapter": "a", "trained_on": "r", "selected": "r", "evaluated": "a", **changed}
    files.write_json(folder / "selection.json", {"sha256": given["selected"]})
    training = {"inputs": {"rows": {"sha256": given["trained_on"]}}, "parameters": {"training": TRAINING, "seed": 0}}
    files.write_json(folder / "training.json", {"adapter": given["adapter"], "provenance": training})
    evaluation = {"inputs": {"adapter": {"sha256": given["evaluated"]}}, "parameters": EVALUATION}
    files.write_json(folder / "evaluation.json", {"provenance": evaluation})
    names = ("evaluation.json", "samples.jsonl", "selection.json", "training.json")
    return CellFiles(*(str(folder / name) for name in names))


def test_check__accepts_results_of_each_other(tmp_path):
    lineage.check(results(tmp_path), TRAINING, EVALUATION)


def test_check__accepts_a_selection_without_a_digest(tmp_path):
    cell = results(tmp_path)
    files.write_json(cell.selection, {"selected": 3})
    lineage.check(cell, TRAINING, EVALUATION)


def test_check__untuned_model_has_only_an_evaluation(tmp_path):
    lineage.check(results(tmp_path)._replace(training=None, selection=None), {}, EVALUATION)


@pytest.mark.parametrize(
    ("changed", "code", "path"),
    [
        ({"selected": "s"}, "other-selection", "training.json"),
        ({"evaluated": "b"}, "other-adapter", "evaluation.json"),
    ],
)
def test_check__rejects_results_of_something_else(tmp_path, changed, code, path):
    with refused(code, path=path):
        lineage.check(results(tmp_path, **changed), TRAINING, EVALUATION)


@pytest.mark.parametrize(
    ("training", "evaluation", "path", "key"),
    [
        ({"learning_rate": 0.2}, EVALUATION, "training.json", "learning_rate"),
        (TRAINING, {**EVALUATION, "batch_size": 2}, "evaluation.json", "batch_size"),
    ],
)
def test_check__names_the_settings_that_differ(tmp_path, training, evaluation, path, key):
    with refused("other-settings", path=path, key=key):
        lineage.check(results(tmp_path), training, evaluation)
