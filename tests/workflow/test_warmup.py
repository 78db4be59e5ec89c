"""Warm-ups other than the smoke experiment's: of the whole model, and with several checkpoints kept."""

import json

import h5py
import pytest
from safetensors import safe_open

pytestmark = pytest.mark.slow


def test_whole_model__is_warmed_up_and_the_gradients_under_every_checkpoint_are_read(copy):
    copy.edit("config/experiments/smoke.yaml", "gradients:\n", "gradients:\n  parameters: full\n")
    copy.edit("config/experiments/smoke.yaml", "  rows: 8\n", "  rows: 8\n  checkpoints: 2\n")
    # Of the warm-up only.
    copy.edit("config/training/warmup.yaml", "num_train_epochs: 4", "num_train_epochs: 2")
    copy.edit("config/experiments/smoke.yaml", "    num_train_epochs: 1\n", "")
    selection = "results/smoke/runs/tiny-llama/reasoning/logic/less/0.1/seed0/selection.json"
    result = copy.snakemake("--", selection)
    assert result.returncode == 0, result.stdout + result.stderr
    warmup = copy.path / "results/smoke/warmup/tiny-llama/reasoning"
    gradients = copy.path / "results/smoke/gradients/tiny-llama/reasoning"
    identities = []
    for checkpoint in ("checkpoint1", "checkpoint2"):
        assert not (warmup / checkpoint / "adapter" / "adapter_config.json").exists()
        with safe_open(warmup / checkpoint / "moments.safetensors", "np") as moments:
            names = {name.rsplit(".", 1)[0] for name in moments.keys()}  # noqa: SIM118
            count = sum(moments.get_tensor(f"{name}.exp_avg").size for name in names)
        assert {"model.embed_tokens.weight", "model.norm.weight"} <= names
        with h5py.File(gradients / checkpoint / "pool.h5") as file:
            identities.append(json.loads(file.attrs["identity"]))
            assert file["finite"][:].all()
        assert identities[-1]["parameters"]["count"] == count > 1_000_000
    for key in ("adapter", "moments"):
        assert identities[0][key] != identities[1][key]
    first, second = json.loads((warmup / "checkpoints.json").read_text())["checkpoints"]
    assert first["step"] < second["step"]
    assert first["mean_learning_rate"] != second["mean_learning_rate"]
    assert 0 < second["second_moments_below_epsilon"] <= first["second_moments_below_epsilon"] <= 1
    told = json.loads((copy.path / selection).read_text())
    assert told["selected"] == 7
    for kept, read in zip((first, second), told["checkpoints"], strict=True):
        rates = first["mean_learning_rate"] + second["mean_learning_rate"]
        assert read["weight"] == pytest.approx(kept["mean_learning_rate"] / rates)
        assert {name: read[name] for name in read if name != "weight"} == {
            name: kept[name] for name in ("step", "mean_learning_rate", "second_moments_below_epsilon")
        }


def test_checkpoints__are_awaited_only_by_methods_that_read_them(copy):
    copy.edit("config/experiments/smoke.yaml", "  rows: 8\n", "  rows: 8\n  checkpoints: 2\n")
    copy.edit("config/experiments/smoke.yaml", "num_train_epochs: 1", "num_train_epochs: 2")
    assert copy.planned()["pool_gradients"] == 4
    assert copy.planned()["validation_gradients"] == 4
    copy.edit("config/experiments/smoke.yaml", "sbert, less, g2is", "sbert, g2is")
    assert copy.planned()["pool_gradients"] == 2


def test_checkpoints__cannot_be_more_than_epochs(copy):
    copy.edit("config/experiments/smoke.yaml", "  rows: 8\n", "  rows: 8\n  checkpoints: 2\n")
    result = copy.snakemake("--dry-run")
    assert result.returncode != 0
    assert "smoke.yaml: warmup.checkpoints: " in result.stdout + result.stderr
