"""LLaMA-Factory's command line: a run, its moments, and a run that was interrupted."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig
from support.rejections import rejected
from support.unchanged import unchanged
from transformers import AutoTokenizer

from instruction_selection.core import files, processes
from instruction_selection.core.errors import InputError
from instruction_selection.features.gradients import moments, parameters, per_sample
from instruction_selection.models import checksummed_folder, tokens
from instruction_selection.training import checkpoints, llamafactory

pytestmark = pytest.mark.slow

ARGUMENTS = {
    **{"stage": "sft", "finetuning_type": "lora", "lora_rank": 4, "lora_alpha": 16, "lora_dropout": 0.0},
    **{"lora_target": "q_proj,k_proj,v_proj,o_proj", "learning_rate": 1.0e-3, "max_grad_norm": 1.0e9},
    **{"effective_batch": 1, "per_device_train_batch_size": 1},
    **{"num_train_epochs": 1, "disable_gradient_checkpointing": True},
}


@pytest.fixture(scope="module")
def rows_path(tmp_path_factory, some_rows):
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    files.write_jsonl(path, some_rows[:1])
    return path


@pytest.fixture(scope="module")
def output(tiny_model, rows_path, tmp_path_factory):
    """One step on one row."""
    return llamafactory.train(
        rows_path, tiny_model, "smollm_eot", 512, ARGUMENTS, 0, tmp_path_factory.mktemp("training")
    )


@pytest.fixture
def started(monkeypatch) -> None:
    """No training is started; each fails."""
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))


def test_moments__carry_the_names_of_their_parameters(output, tiny_model, some_rows):
    """After one step from zero, Adam's first moment is 0.1 times that step's gradient, parameter by parameter."""
    named = moments.from_checkpoint(checkpoints.find(output)[-1], parameters.shapes(tiny_model, output))
    # The gradient was taken at the start, when every B was zero and every A was what the optimizer saw: so only
    # B's gradients are not zero, and they depend on A, which one step at this rate moves by less than 1e-3.
    network = parameters.load(tiny_model, output, torch.device("cpu"), "fp32")
    weights = parameters.trainable(network)
    for name, weight in weights.items():
        if "lora_B" in name:
            torch.nn.init.zeros_(weight)
    [example] = tokens.encode(some_rows[:1], AutoTokenizer.from_pretrained(tiny_model), "smollm_eot", 512)
    gradients = dict(zip(weights, per_sample.reference(network, example), strict=True))
    assert named.keys() == {f"{name}.{kind}" for name in weights for kind in moments.STATES}
    compared = 0
    for name, gradient in gradients.items():
        moment = named[f"{name}.exp_avg"].flatten()
        if "lora_B" in name:
            assert torch.allclose(moment, 0.1 * gradient, rtol=0.05, atol=0.02 * float(moment.abs().max())), name
            compared += 1
        else:
            assert not moment.any(), name
    assert compared == 8


def test_checkpoint__that_is_wanted_stays_with_its_learning_rate(tiny_model, rows_path, tmp_path):
    arguments = {**ARGUMENTS, "num_train_epochs": 3, "lr_scheduler_type": "linear", "logging_steps": 1}
    output = llamafactory.train(rows_path, tiny_model, "smollm_eot", 512, arguments, 0, tmp_path, checkpoints=2)
    kept = checkpoints.find(output)
    # One row, so one step per epoch.
    assert [path.name for path in kept] == ["checkpoint-2", "checkpoint-3"]
    first, second = checkpoints.mean_learning_rates(kept)
    assert 0 < second < first < ARGUMENTS["learning_rate"]
    shapes = parameters.shapes(tiny_model, output)
    one, other = (moments.from_checkpoint(path, shapes) for path in kept)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_learning_rates__are_averaged_over_the_epoch_that_a_checkpoint_ends(tmp_path):
    paths = [tmp_path / f"checkpoint-{step}" for step in (20, 30)]
    paths[1].mkdir()
    history = [{"step": step, "learning_rate": float(step)} for step in range(1, 31)]
    files.write_json(paths[1] / "trainer_state.json", {"global_step": 30, "epoch": 3.0, "log_history": history})
    assert checkpoints.mean_learning_rates(paths) == [15.5, 25.5]
    assert checkpoints.describe(paths) == [
        {"step": 20, "mean_learning_rate": 15.5},
        {"step": 30, "mean_learning_rate": 25.5},
    ]


def test_epoch__without_a_logged_learning_rate_is_rejected(tmp_path):
    path = tmp_path / "checkpoint-30"
    history = [{"step": 5, "learning_rate": 1.0}]
    files.write_json(path / "trainer_state.json", {"global_step": 30, "epoch": 3.0, "log_history": history})
    with rejected("no-learning-rate", path="checkpoint-30"):
        checkpoints.describe([path])


def test_output__without_a_checkpoint_is_rejected(tmp_path):
    with rejected("no-checkpoint", path=tmp_path):
        checkpoints.find(tmp_path)


def test_moments_of_a_whole_model__carry_the_names_of_their_parameters(tiny_model, rows_path, some_rows, tmp_path):
    """With a learning rate of zero the model stays what it was, and its gradient is what the optimizer saw."""
    arguments = {key: value for key, value in ARGUMENTS.items() if not key.startswith("lora")}
    arguments |= {"finetuning_type": "full", "learning_rate": 0.0}
    output = llamafactory.train(rows_path, tiny_model, "smollm_eot", 512, arguments, 0, tmp_path / "training")
    checkpoints.keep_weights(output, tmp_path / "model")
    named = moments.from_checkpoint(checkpoints.find(output)[-1], parameters.shapes(tiny_model, tmp_path / "model"))
    network = parameters.load(tiny_model, tmp_path / "model", torch.device("cpu"), "fp32")
    [example] = tokens.encode(some_rows[:1], AutoTokenizer.from_pretrained(tiny_model), "smollm_eot", 512)
    for name, gradient in zip(parameters.trainable(network), per_sample.reference(network, example), strict=True):
        moment = named[f"{name}.exp_avg"].flatten()
        assert moment.any(), name
        assert torch.allclose(moment, 0.1 * gradient, rtol=1e-3, atol=1e-5 * float(moment.abs().max())), name


def test_moments_of_another_adapter__are_rejected(output, tiny_model):
    shapes = parameters.shapes(tiny_model, output)
    first = next(iter(shapes))
    checkpoint = checkpoints.find(output)[-1]
    with rejected("moments-of-other-weights", path="optimizer.pt"):
        moments.from_checkpoint(checkpoint, {name: shape for name, shape in shapes.items() if name != first})
    with rejected("moment-shape", path=checkpoint, key=f"{first}.exp_avg"):
        moments.from_checkpoint(checkpoint, {**shapes, first: torch.Size([1, 2])})


def test_moments__survive_the_file(output, tiny_model, tmp_path):
    shapes = parameters.shapes(tiny_model, output)
    named = moments.from_checkpoint(checkpoints.find(output)[-1], shapes)
    moments.write(named, tmp_path / "moments.safetensors")
    for (first, second), name in zip(
        moments.read(tmp_path / "moments.safetensors", list(shapes), torch.device("cpu")), shapes, strict=True
    ):
        assert torch.equal(first, named[f"{name}.exp_avg"].flatten())
        assert torch.equal(second, named[f"{name}.exp_avg_sq"].flatten())


def test_adapter__is_kept_whole(output, tmp_path):
    checkpoints.keep_weights(output, tmp_path / "adapter")
    assert sorted(path.name for path in (tmp_path / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "files.json",
    ]


def test_train__the_same_training_elsewhere_gives_the_same_adapter(output, tiny_model, rows_path, tmp_path):
    """PEFT writes the model's path, and a set in another order in each process."""
    model, rows = shutil.copytree(tiny_model, tmp_path / "model"), shutil.copy(rows_path, tmp_path / "same.jsonl")
    again = llamafactory.train(rows, model, "smollm_eot", 512, ARGUMENTS, 0, tmp_path / "training")
    checkpoints.keep_weights(output, tmp_path / "one" / "adapter")
    checkpoints.keep_weights(again, tmp_path / "other" / "adapter")
    one, other = tmp_path / "one/adapter", tmp_path / "other/adapter"
    assert checksummed_folder.identity(one) == checksummed_folder.identity(other)
    assert files.sha256(one) == files.sha256(other)
    assert LoraConfig.from_pretrained(one).target_modules == LoraConfig.from_pretrained(output).target_modules


def test_train__reads_no_cache_of_another_training_and_writes_only_to_its_folder(tiny_model, tmp_path, monkeypatch):
    """The training file changes, but neither its size nor its time."""
    for name in processes.CACHES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    arguments = {**ARGUMENTS, "logging_steps": 1}
    path, losses = tmp_path / "own" / "rows.jsonl", []
    for response, folder in (("yes", "one"), ("no!", "two")):
        files.write_jsonl(path, [{"instruction": "Is it so?", "response": response}])
        os.utime(path, ns=(0, 0))
        with unchanged(tmp_path / "own", tiny_model):
            output = llamafactory.train(path, tiny_model, "smollm_eot", 512, arguments, 0, tmp_path / folder)
        losses.append(checkpoints.mean_loss(output))
    assert losses[0] != losses[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "own", "two"]


@pytest.mark.parametrize("content", [b"", b'{"rows": '])
def test_train__starts_over_if_a_power_cut_damaged_what_it_says_of_itself(started, content, tiny_model, tmp_path):
    """What is there may be of another model."""
    folder, rows = tmp_path / "training", tmp_path / "rows.jsonl"
    rows.write_text("{}")
    for written in (None, content):
        files.write_text(folder / "output" / "old", "")
        if written is not None:
            (folder / "identity.json").write_bytes(written)
        with rejected("failed"):
            llamafactory.train(rows, tiny_model, "smollm_eot", 512, ARGUMENTS, 0, folder)
        assert not (folder / "output" / "old").exists()
    files.write_text(folder / "output" / "old", "")
    with rejected("failed"):
        llamafactory.train(rows, tiny_model, "smollm_eot", 512, ARGUMENTS, 0, folder)
    assert (folder / "output" / "old").exists()


def test_killed_run__resumes_at_its_last_complete_checkpoint(tiny_model, some_rows, tmp_path, capfd):
    """Killed after its first checkpoint and with half of a second one, it ends with the same bits, dropout included."""
    files.write_jsonl(tmp_path / "rows.jsonl", some_rows)
    arguments = {**ARGUMENTS, "num_train_epochs": 3, "lora_dropout": 0.1, "logging_steps": 1}
    common = (tmp_path / "rows.jsonl", tiny_model, "smollm_eot", 256, arguments, 0)
    whole = llamafactory.train(*common, tmp_path / "whole")
    started = multiprocessing.get_context("fork").Process(target=llamafactory.train, args=(*common, tmp_path / "part"))
    started.start()
    part = tmp_path / "part" / "output"
    try:
        while not list(part.glob("checkpoint-*/trainer_state.json")):
            assert started.is_alive()
            time.sleep(0.01)
    finally:
        kill_with_children(started.pid)
        started.join()
    [checkpoint] = checkpoints.find(part)
    (part / "checkpoint-999").mkdir()
    (part / "checkpoint-999" / "trainer_state.json").write_text('{"global_step": 99')
    capfd.readouterr()
    llamafactory.train(*common, tmp_path / "part")
    assert f"Resuming training from {checkpoint}" in "".join(capfd.readouterr())
    assert files.sha256(whole / "adapter_model.safetensors") == files.sha256(part / "adapter_model.safetensors")
    assert checkpoints.mean_loss(part) == checkpoints.mean_loss(whole)


def kill_with_children(process: int) -> None:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    for number in (process, *map(int, children)):
        os.kill(number, signal.SIGKILL)


def test_second_moments__below_epsilon_are_counted():
    named = {"a.exp_avg": torch.zeros(8), "a.exp_avg_sq": torch.tensor([0.0, 9e-9, 1.1e-8, 1.0])}
    named |= {"b.exp_avg": torch.zeros(4), "b.exp_avg_sq": torch.full((2, 2), 1e-9)}
    assert moments.share_below_epsilon(named) == 6 / 8


def test_run_with_other_inputs__starts_over(tiny_model, rows_path, tmp_path, capfd):
    one = {**ARGUMENTS, "num_train_epochs": 1}
    llamafactory.train(rows_path, tiny_model, "smollm_eot", 512, one, 0, tmp_path)
    llamafactory.train(rows_path, tiny_model, "smollm_eot", 512, {**one, "learning_rate": 2.0e-3}, 0, tmp_path)
    assert "Resuming training from" not in "".join(capfd.readouterr())


@given(st.integers(1, 8), st.integers(1, 512), st.integers(1, 64))
def test_effective_batch__is_the_same_for_any_number_of_processes(per_device, batch, processes):
    arguments = {"per_device_train_batch_size": per_device, "effective_batch": batch}
    if batch % (per_device * processes):
        # Not `rejected`, because the examples differ from run to run and so do their sentences.
        with pytest.raises(InputError) as caught:
            llamafactory.accumulation_steps(arguments, processes)
        assert (caught.value.code, caught.value.key) == ("effective-batch", "effective_batch")
    else:
        assert llamafactory.accumulation_steps(arguments, processes) * processes * per_device == batch


def test_trainer__is_given_the_accumulation_steps_that_the_effective_batch_needs(output):
    written = yaml.safe_load((output.parent / "train.yaml").read_text())
    assert written["gradient_accumulation_steps"] == 1
    assert "effective_batch" not in written


def test_several_nodes__without_slurm_are_rejected(tiny_model, rows_path, tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    arguments = {**ARGUMENTS, "effective_batch": 2}
    with rejected("nodes-without-slurm", key="nodes.training"):
        llamafactory.train(rows_path, tiny_model, "smollm_eot", 512, arguments, 0, tmp_path, processes=2, nodes=2)


def test_failed_run__is_named(tiny_model, rows_path, tmp_path):
    with rejected("failed") as caught:
        llamafactory.train(rows_path, tiny_model, "smollm_eot", 512, {**ARGUMENTS, "stage": "nonsense"}, 0, tmp_path)
    assert str(tmp_path / "train.yaml") in str(caught.value)


def test_training__that_runs_out_of_memory_says_so(tiny_model, rows_path, tmp_path):
    """Of an adapter with 256 GB per layer."""
    arguments = {**ARGUMENTS, "lora_rank": 10**9}
    with rejected("out-of-memory", path=rows_path):
        llamafactory.train(rows_path, tiny_model, "smollm_eot", 512, arguments, 0, tmp_path)
    # Not so a training that fails for another reason in the same folder.
    with rejected("failed"):
        llamafactory.train(rows_path, tiny_model, "smollm_eot", 512, {**arguments, "stage": "nonsense"}, 0, tmp_path)


def test_layer__that_the_model_does_not_have_is_named(tiny_model, rows_path, tmp_path):
    arguments = {**ARGUMENTS, "lora_target": "q_proj,c_attn"}
    with rejected("unknown-layer", key="lora_target") as caught:
        llamafactory.train(rows_path, tiny_model, "smollm_eot", 512, arguments, 0, tmp_path)
    assert "c_attn" in str(caught.value)
    assert "q_proj" not in str(caught.value)
