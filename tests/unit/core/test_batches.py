"""The tokens of a batch are the experiment's, or else those that were predicted to fit."""

from support.rejections import rejected

from instruction_selection.core import batches, files


def test_tokens__as_given_without_a_prediction(tmp_path):
    assert batches.tokens(512, tmp_path / "none.json", "any") == 512


def test_tokens__of_the_model_as_predicted(tmp_path):
    files.write_json(tmp_path / "memory.json", {"one": {"batch_tokens": 4096}, "other": {"batch_tokens": 8192}})
    assert batches.tokens(None, tmp_path / "memory.json", "other") == 8192
    with rejected("no-prediction", path="memory.json", key="gradients.batch_tokens"):
        batches.tokens(None, tmp_path / "memory.json", "third")
    with rejected("no-prediction", path="none.json", key="gradients.batch_tokens"):
        batches.tokens(None, tmp_path / "none.json", "one")
