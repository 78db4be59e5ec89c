"""DeepSpeed ZeRO-2 with two processes on the CPU leaves the same moments as one process."""

import os
import shutil

import pytest
import torch
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.data import sampling
from instruction_selection.features.gradients import moments, parameters
from instruction_selection.training import checkpoints, llamafactory

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("c++") is None, reason="DeepSpeed compiles its collectives for the processor at first use"
    ),
]

ARGUMENTS = {
    **{"stage": "sft", "finetuning_type": "lora", "lora_rank": 4, "lora_alpha": 16, "lora_dropout": 0.0},
    **{"lora_target": "q_proj,k_proj,v_proj,o_proj", "learning_rate": 1.0e-2, "max_steps": 3},
    **{"effective_batch": 4, "per_device_train_batch_size": 2},
    **{"disable_gradient_checkpointing": True, "logging_steps": 1},
}


@pytest.fixture(scope="module")
def train(tiny_model, repository, tmp_path_factory):
    """train(folder, processes), each with four rows per step."""
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    files.write_jsonl(path, sampling.sample("reasoning-gym", ["chain_sum", "aiw"], "pool", 12, seed=0))
    arguments = {**ARGUMENTS, "deepspeed": str(repository / "config/training/zero2.json")}
    return lambda folder, processes: llamafactory.train(
        path, tiny_model, "smollm_eot", 256, arguments, 0, folder, processes=processes
    )


@pytest.fixture(scope="module")
def outputs(train, tmp_path_factory):
    """(one process, two processes)"""
    folder = tmp_path_factory.mktemp("zero")
    one = train(folder / "one", 1)
    # As a run leaves it that is killed while DeepSpeed compiles.
    lock = folder / "two" / "torch_extensions" / "deepspeed_shm_comm" / "lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    return one, train(folder / "two", 2)


def read(output, tiny_model):
    return moments.from_checkpoint(checkpoints.find(output)[-1], parameters.shapes(tiny_model, output))


def test_moments__are_the_same_by_name(outputs, tiny_model):
    one, two = (read(output, tiny_model) for output in outputs)
    assert not (checkpoints.find(outputs[1])[-1] / "optimizer.pt").exists()
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        assert tensor.any(), name
        assert torch.allclose(tensor, two[name], rtol=1e-3, atol=1e-3 * float(tensor.abs().max())), name


def test_missing_rank__is_named(outputs, tiny_model):
    checkpoint = checkpoints.find(outputs[1])[-1]
    [path] = checkpoint.glob("*/zero_pp_rank_1_*")
    hidden = path.with_suffix(".away")
    path.rename(hidden)
    try:
        with rejected("rank-missing"):
            read(outputs[1], tiny_model)
    finally:
        hidden.rename(path)


def test_state_file__that_would_run_code_is_not_unpickled(outputs, tiny_model, tmp_path):
    """A state file that would run code is rejected."""

    class Attack:
        def __reduce__(self):
            return (print, ("this must not run",))

    (tmp_path / "latest").write_text("step")
    (tmp_path / "step").mkdir()
    torch.save({"optimizer_state_dict": Attack()}, tmp_path / "step" / "zero_pp_rank_0_mp_rank_00_optim_states.pt")
    with pytest.raises(Exception, match="Weights only load failed"):
        moments.from_checkpoint(tmp_path, parameters.shapes(tiny_model, outputs[1]))


class Command:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_training__resumes_from_its_checkpoint_and_runs_nothing_in_it(outputs, train, tmp_path, capfd):
    shutil.copytree(outputs[1].parent, tmp_path / "two")
    train(tmp_path / "two", 2)
    assert "Resuming training from checkpoint with epoch" in "".join(capfd.readouterr())
    [checkpoint] = checkpoints.find(tmp_path / "two" / "output")
    for path in checkpoint.glob("*/zero_pp_rank_*_optim_states.pt"):
        torch.save({"optimizer_state_dict": Command(tmp_path / "made")}, path)
    with rejected("failed"):
        train(tmp_path / "two", 2)
    assert "Weights only load failed" in "".join(capfd.readouterr())
    assert not (tmp_path / "made").exists()


def test_parameter__cut_over_two_ranks_is_put_together(tmp_path):
    from deepspeed.utils.tensor_fragment import fragment_address

    flat = {kind: torch.randn(10) for kind in moments.STATES}
    # Parameter a has 4 numbers, b has 6; the cut after 5 goes through b.
    cuts = [
        (slice(0, 5), {"a": fragment_address(numel=4, start=0), "b": fragment_address(numel=1, start=4)}),
        (slice(5, 10), {"b": fragment_address(numel=5, start=0)}),
    ]
    (tmp_path / "latest").write_text("step\n")
    (tmp_path / "step").mkdir()
    for rank, (part, mapping) in enumerate(cuts):
        state = {
            "partition_count": [2],
            "param_slice_mappings": [mapping],
            "base_optimizer_state": {"state": {0: {kind: flat[kind][part] for kind in moments.STATES}}},
        }
        name = f"bf16_zero_pp_rank_{rank}_mp_rank_00_optim_states.pt"
        torch.save({"optimizer_state_dict": state}, tmp_path / "step" / name)
    read_back = moments.from_checkpoint(tmp_path, {"a": torch.Size([2, 2]), "b": torch.Size([3, 2])})
    for kind in moments.STATES:
        assert torch.equal(read_back[f"a.{kind}"], flat[kind][:4].reshape(2, 2))
        assert torch.equal(read_back[f"b.{kind}"], flat[kind][4:].reshape(3, 2))
