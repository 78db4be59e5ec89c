"""The tokens of a batch are the experiment's, or else those that were predicted to fit."""

from support.rejections import rejected

from instruction_selection.core import batch_tokens, files


def test_of_model__as_given_without_a_prediction(tmp_path):
    assert batch_tokens.of_model(512, tmp_path / "none.json", "any") == 512


def test_of_model__of_the_model_as_predicted(tmp_path):
    files.write_json(tmp_path / "memory.json", {"one": {"batch_tokens": 4096}, "other": {"batch_tokens": 8192}})
    assert batch_tokens.of_model(None, tmp_path / "memory.json", "other") == 8192
    with rejected("no-prediction", path="memory.json", key="gradients.batch_tokens"):
        batch_tokens.of_model(None, tmp_path / "memory.json", "third")
    with rejected("no-prediction", path="none.json", key="gradients.batch_tokens"):
        batch_tokens.of_model(None, tmp_path / "none.json", "one")
