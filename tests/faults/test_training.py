"""Numbers that are not finite, examples without a response, a checkpoint that is incomplete."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from support.rejections import rejected
from support.running import RESULTS, damage, digest, sentence

from instruction_selection.core import files
from instruction_selection.evaluation import harness
from instruction_selection.features.gradients import compute
from instruction_selection.models import checksummed_folder
from instruction_selection.training import checkpoints

pytestmark = pytest.mark.slow

RANDOM = f"{RESULTS}/runs/tiny-llama/reasoning/any/random/0.25/seed0"
SETTINGS = {
    "projection": {"kind": "sjlt", "dimension": 32, "seed": 0},
    "precision": "fp32",
    "batch_tokens": 256,
}


def spoil(model: Path) -> None:
    """One weight of a model that every row goes through is not a number, since the model was prepared."""
    with checksummed_folder.create(model) as partial:
        shutil.copytree(model, partial, dirs_exist_ok=True)
        weights = load_file(model / "model.safetensors")
        weights["model.norm.weight"][0] = torch.nan
        save_file(weights, partial / "model.safetensors", {"format": "pt"})


@pytest.fixture
def rows(some_rows, tmp_path) -> list[dict]:
    files.write_jsonl(tmp_path / "rows.jsonl", some_rows)
    return some_rows


def test_example__whose_gradient_is_not_finite_is_named_and_left_out(tiny_model, tiny_adapter, rows, tmp_path, capfd):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    spoil(model)
    arguments = ((0, 1), model, tiny_adapter, ["sgd"], None, "smollm_eot", 256, SETTINGS)
    with rejected("no-finite-gradient", path="rows.jsonl"):
        compute.fill(tmp_path / "0.h5", tmp_path / "rows.jsonl", *arguments)
    assert f"the loss of example {rows[0]['id']} is not finite" in "".join(capfd.readouterr())
    assert not (tmp_path / "0.h5").exists()


def test_rows__whose_response_is_cut_away_are_rejected(tiny_model, tiny_adapter, rows, tmp_path):
    """The first token of a row is never predicted, so a row of one token has nothing to learn from."""
    arguments = ((0, 1), tiny_model, tiny_adapter, ["sgd"], None, "smollm_eot", 1, SETTINGS)
    with rejected("no-response", path="rows.jsonl", key="cutoff_len"):
        compute.fill(tmp_path / "0.h5", tmp_path / "rows.jsonl", *arguments)
    assert not (tmp_path / "0.h5").exists()


def test_training__that_diverges_is_stopped(copy, undisturbed, tmp_path):
    model = copy.results / "models/tiny-llama"
    whole = shutil.copytree(model, tmp_path / "whole")
    spoil(model)
    shutil.rmtree(copy.path / RANDOM / "adapter")
    done = copy.snakemake("--", f"{RANDOM}/adapter")
    sentence(done, "selected.jsonl: training on these examples was stopped at step 1, because loss was nan")
    assert not (copy.path / RANDOM / "adapter").exists()
    assert not list((copy.path / RANDOM / "training/output").glob("checkpoint-*"))

    shutil.rmtree(model)
    shutil.copytree(whole, model)
    copy.finish()
    assert copy.tables() == undisturbed.tables()


def test_training__on_a_selection_that_was_cut_is_rejected_before_it_begins(copy):
    shutil.rmtree(copy.path / RANDOM / "adapter")
    # Models share a random draw.
    selected = copy.path / RANDOM.replace("tiny-llama", "any") / "selected.jsonl"
    damage(selected, lambda content: b"".join(content.splitlines(keepends=True)[:-1]))
    done = copy.snakemake("--", f"{RANDOM}/adapter")
    sentence(done, "selected.jsonl: has 11 rows, and is not the file of 12 rows that")
    assert not (copy.path / RANDOM / "training").exists()


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_score__that_is_not_finite_is_rejected(value):
    metric = {"name": "acc", "task": "one", "metric": None, "filter": "none"}
    samples = [{"id": "a", "task": "one", "filter": "none", "acc": 1.0}]
    samples.append({"id": "b", "task": "one", "filter": "none", "acc": value})
    results = {"results": {"logic-one": {"acc,none": value}}, "group_subtasks": {}, "versions": {}, "task_hashes": {}}
    with rejected("score-not-finite", key="logic: example b"):
        harness.summarise("logic", {"harness": {"one": {}}, "metrics": [metric]}, results, samples, 2)


def test_checkpoint__that_is_incomplete_is_not_resumed_from(copy, undisturbed):
    shutil.rmtree(copy.path / RANDOM / "adapter")
    done = copy.snakemake("--", f"{RANDOM}/adapter", kill_at="open */checkpoint-6/trainer_state.json")
    sentence(done, "LLaMA-Factory was killed by SIGKILL (out of memory?) while running")
    output = copy.path / RANDOM / "training/output"
    assert (output / "checkpoint-6/adapter_model.safetensors").exists()
    assert not (output / "checkpoint-6/trainer_state.json").exists()
    copy.finish("--", f"{RANDOM}/adapter")
    log = copy.log("finetune/tiny-llama/reasoning/any/random/0.25/0.log")
    assert "checkpoint-6: removed, because it is incomplete" in log
    assert re.search(r"Resuming training from .*checkpoint-3", log)
    name = f"{RANDOM}/adapter/adapter_model.safetensors"
    assert digest(copy.path / name) == digest(undisturbed.path / name)
    copy.finish()
    assert copy.tables() == undisturbed.tables()


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "optimizer.pt", "rng_state.pth", "trainer_state.json"])
def test_checkpoint__that_a_power_cut_left_short_is_removed(name, tmp_path):
    for step in (3, 6):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        save_file({"a": torch.zeros(100)}, folder / "adapter_model.safetensors")
        torch.save({"state": {}}, folder / "optimizer.pt")
        torch.save({"state": np.zeros(100).tolist()}, folder / "rng_state.pth")
        (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    last = tmp_path / "checkpoint-6" / name
    last.write_bytes(last.read_bytes()[:-5])
    checkpoints.remove_partial(tmp_path, 2)
    assert [path.name for path in checkpoints.find(tmp_path)] == ["checkpoint-3"]
