"""Gradients of a model that is split over several devices."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from accelerate import dispatch_model
from peft import PeftModel
from transformers import AutoTokenizer

from instruction_selection.features.gradients import parameters, per_sample, projection
from instruction_selection.features.gradients.sketches import Sketches
from instruction_selection.models import tokens

CPU = torch.device("cpu")
TWO_DEVICES = Path(__file__).resolve().parents[3] / "support" / "two_devices.py"


@pytest.mark.parametrize(("trained", "parameters_by_device"), [("lora", 6 * 8), ("full", 6 * 9 + 3)])
def test_gradients__are_computed_on_the_device_of_their_layer(trained, parameters_by_device):
    command = [sys.executable, TWO_DEVICES, trained]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    consumed = json.loads(result.stdout.splitlines()[-1])
    assert consumed.keys() == {"cpu", "other:0"}
    assert sum(consumed.values()) == parameters_by_device


@pytest.mark.parametrize("warmup", ["tiny_adapter", "tiny_model"])
def test_rows__are_the_same_with_the_hooks_that_move_tensors(tiny_model, some_rows, warmup, request):
    """On one device, because this machine may have no other."""
    examples = tokens.encode(some_rows[:5], AutoTokenizer.from_pretrained(tiny_model), "smollm_eot", 512)
    rows = []
    for hooks in (False, True):
        network = parameters.load(tiny_model, request.getfixturevalue(warmup), CPU, "fp32")
        if hooks:
            base = network.get_base_model() if isinstance(network, PeftModel) else network
            dispatch_model(base, {"": CPU}, force_hooks=True)
        sizes = [weight.numel() for weight in parameters.trainable(network).values()]
        sketch = projection.make({"kind": "sjlt", "dimension": 64, "seed": 0}, sizes, CPU)
        sketches = Sketches(["sgd"], sketch, [])
        sketches.start(len(examples))
        per_sample.Batched(network, "fp32", sketches.add).run(examples)
        rows.append(torch.from_numpy(sketches.finish()["sgd"]))
    assert torch.equal(*rows)


@pytest.mark.filterwarnings("ignore:.*copying from a non-meta parameter")
@pytest.mark.parametrize("warmup", ["tiny_adapter", "tiny_model"])
def test_load__puts_layers_and_their_adapters_where_they_are_placed(tiny_model, warmup, request):
    """`meta` stands for a second GPU."""
    first = ["model.embed_tokens", "lm_head", "model.layers.0", "model.rotary_emb"]
    placed = {**dict.fromkeys(first, CPU), **dict.fromkeys(["model.layers.1", "model.norm"], torch.device("meta"))}
    network = parameters.load(tiny_model, request.getfixturevalue(warmup), placed, "bf16")
    for name, weight in network.named_parameters():
        assert weight.device.type == ("meta" if "layers.1." in name or "model.norm" in name else "cpu"), name
    assert any(hasattr(module, "_hf_hook") for module in network.modules())


@pytest.mark.parametrize("kind", projection.KINDS)
def test_projection__is_the_sum_of_what_devices_project(kind):
    sizes = [100, 64, 7, 200]
    sketch = projection.make({"kind": kind, "dimension": 32, "seed": 0}, sizes, [CPU] * len(sizes))
    gradients = [torch.randn(3, size, generator=torch.Generator().manual_seed(size)) for size in sizes]
    whole, first, second = (sketch.accumulator(3, CPU) for _ in range(3))
    for number, gradient in enumerate(gradients):
        sketch.add(number, gradient, whole)
        sketch.add(number, gradient, first if number < 2 else second)
    assert torch.allclose(sketch.finish(first + second), sketch.finish(whole), rtol=1e-6, atol=1e-5)
