"""Results that do not belong together are refused, each by its own sentence."""

import pytest

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.tables import lineage

TRAINING, EVALUATION = {"learning_rate": 0.1}, {"dtype": "float32"}


def results(folder, **changed) -> dict[str, str]:
    given = {"adapter": "a", "trained_on": "r", "selected": "r", "evaluated": "a", **changed}
    files.write_json(folder / "selection.json", {"sha256": given["selected"]})
    training = {"inputs": {"rows": {"sha256": given["trained_on"]}}, "parameters": {"training": TRAINING, "seed": 0}}
    files.write_json(folder / "training.json", {"adapter": given["adapter"], "provenance": training})
    evaluation = {"inputs": {"adapter": {"sha256": given["evaluated"]}}, "parameters": EVALUATION}
    files.write_json(folder / "evaluation.json", {"provenance": evaluation})
    return {name: str(folder / f"{name}.json") for name in ("selection", "training", "evaluation")}


def test_what_belongs_together_passes(tmp_path):
    cell = results(tmp_path)
    lineage.refuse_mixture(cell, TRAINING, EVALUATION)
    files.write_json(cell["selection"], {"selected": 3})
    lineage.refuse_mixture(cell, TRAINING, EVALUATION)
    lineage.refuse_mixture({**cell, "training": None, "selection": None}, {}, EVALUATION)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"selected": "s"}, r"training\.json: of other rows than .*selection\.json; delete it and run again"),
        ({"evaluated": "b"}, r"evaluation\.json: of another adapter than .*training\.json; delete it and run again"),
    ],
)
def test_a_result_of_something_else_is_named(tmp_path, changed, sentence):
    with pytest.raises(InputError, match=sentence):
        lineage.refuse_mixture(results(tmp_path, **changed), TRAINING, EVALUATION)


@pytest.mark.parametrize(
    ("training", "evaluation", "sentence"),
    [
        ({"learning_rate": 0.2}, EVALUATION, r"training\.json: .* of the fine-tuning .* \(learning_rate\)"),
        (TRAINING, {**EVALUATION, "batch_size": 2}, r"evaluation\.json: .* of the evaluation .* \(batch_size\)"),
    ],
)
def test_other_settings_are_named(tmp_path, training, evaluation, sentence):
    with pytest.raises(InputError, match=sentence):
        lineage.refuse_mixture(results(tmp_path), training, evaluation)
