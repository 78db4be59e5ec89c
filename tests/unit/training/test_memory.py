"""Predicted memory of a training is what torch's allocator reports, and ZeRO-2's share is split over the processes."""

import json

import pytest
import torch
from support.allocation import peak_while
from support.rejections import rejected
from transformers import AutoConfig

from instruction_selection.models import skeleton
from instruction_selection.training import memory

ARGUMENTS = {
    "lora_rank": 4,
    "lora_target": "q_proj,k_proj,v_proj,o_proj",
    "per_device_train_batch_size": 3,
    "bf16": True,
}
LENGTH = 100


@pytest.fixture(scope="module")
def config(tiny_model):
    return AutoConfig.from_pretrained(tiny_model)


@pytest.fixture(scope="module")
def zero2(repository):
    return json.loads((repository / "config/training/zero2.json").read_text())


def bytes_of(tensors) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


@pytest.mark.parametrize("recomputed", [True, False])
@pytest.mark.parametrize("finetuning_type", ["lora", "full"])
def test_peak__within_a_tenth_of_what_torch_allocates(config, finetuning_type, recomputed):
    arguments = {**ARGUMENTS, "finetuning_type": finetuning_type, "disable_gradient_checkpointing": not recomputed}
    network = skeleton.untrained(config, memory.adapter(arguments), torch.bfloat16).train()
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in trained:
        weight.data = weight.data.float()
    if recomputed:
        network.gradient_checkpointing_enable({"use_reentrant": True})
        network.enable_input_require_grads()
    # Of the moments of Adam, two numbers per weight.
    before = bytes_of(network.parameters()) + 2 * bytes_of(trained)
    ids = torch.zeros(3, LENGTH, dtype=torch.long)

    def step():
        with torch.autocast("cpu", torch.bfloat16):
            loss = network(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()

    found = memory.peak(config, arguments, LENGTH, 1, None)
    assert found == pytest.approx(before + peak_while(step), rel=0.1)


def test_peak__zero2_splits_what_it_keeps_over_the_processes(config, zero2):
    arguments = {**ARGUMENTS, "finetuning_type": "full"}
    trained = 1_591_456
    one, two, four = (memory.peak(config, arguments, LENGTH, count, zero2) for count in (2, 4, 8))
    # Float32 weights and moments, and a gradient in bfloat16.
    assert one - two == pytest.approx(14 * trained / 4, rel=1e-3)
    assert two - four == pytest.approx(14 * trained / 8, rel=1e-3)
    # DeepSpeed's bucket of half a billion numbers is there in any case.
    assert four > 2 * memory.REDUCE_BUCKET_SIZE


def test_peak__grows_with_rows_and_their_length(config, zero2):
    def peak(rows, length):
        return memory.peak(config, {**ARGUMENTS, "per_device_train_batch_size": rows}, length, 2, zero2)

    assert peak(1, 50) < peak(1, 100) < peak(2, 100)


@pytest.mark.parametrize("stage", [0, 1, 3])
def test_peak__another_stage_is_rejected(config, stage):
    with rejected("other-zero-stage", key="deepspeed"):
        memory.peak(config, ARGUMENTS, LENGTH, 2, {"zero_optimization": {"stage": stage}})


@pytest.mark.parametrize(("target", "layers"), [("all", 7), ("q_proj, v_proj", 2)])
def test_adapter__of_the_layers_that_llamafactory_trains(config, target, layers):
    with torch.device("meta"):
        network = skeleton.untrained(config, memory.adapter({"lora_target": target}), torch.float32)
    trained = [name for name, weight in network.named_parameters() if weight.requires_grad]
    assert len(trained) == 2 * layers * config.num_hidden_layers
    assert memory.adapter({"finetuning_type": "full"}) is None
