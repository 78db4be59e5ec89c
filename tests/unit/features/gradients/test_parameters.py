"""Names, shapes and order of the trainable parameters."""

import pytest
import torch
from safetensors.torch import load_file

from instruction_selection.features.gradients import parameters


def test_shapes__without_weights_are_those_with_weights(tiny_model, tiny_adapter):
    network = parameters.load(tiny_model, tiny_adapter, torch.device("cpu"), "fp32")
    loaded = {name: weight.shape for name, weight in parameters.trainable(network).items()}
    assert list(parameters.shapes(tiny_model, tiny_adapter).items()) == list(loaded.items())
    assert len(loaded) == 2 * 4 * 2
    assert all("lora_" in name and "default" not in name for name in loaded)


def test_whole_model__has_its_matrices_first_and_its_norms_last(tiny_model):
    network = parameters.load(tiny_model, tiny_model, torch.device("cpu"), "fp32")
    loaded = {name: weight.shape for name, weight in parameters.trainable(network).items()}
    assert list(parameters.shapes(tiny_model, tiny_model).items()) == list(loaded.items())
    assert sum(shape.numel() for shape in loaded.values()) == sum(p.numel() for p in network.parameters())
    dimensions = [len(shape) for shape in loaded.values()]
    assert dimensions == sorted(dimensions, reverse=True)
    assert set(dimensions) == {1, 2}


@pytest.mark.parametrize(("precision", "dtype"), parameters.DTYPES.items())
def test_load__the_model_in_the_precision_of_its_use_and_an_adapter_exactly(tiny_model, tiny_adapter, precision, dtype):
    network = parameters.load(tiny_model, tiny_adapter, torch.device("cpu"), precision)
    adapter = parameters.trainable(network)
    saved = load_file(tiny_adapter / "adapter_model.safetensors")
    assert adapter.keys() == saved.keys()
    assert all(torch.equal(weight, saved[name]) for name, weight in adapter.items())
    frozen = [weight for weight in network.parameters() if not weight.requires_grad]
    assert {weight.dtype for weight in frozen} == {dtype}
    whole = parameters.load(tiny_model, tiny_model, torch.device("cpu"), precision)
    assert {weight.dtype for weight in parameters.trainable(whole).values()} == {dtype}


@pytest.mark.filterwarnings("ignore:.*copying from a non-meta parameter")
@pytest.mark.parametrize("warmup", ["tiny_adapter", "tiny_model"])
def test_load__everything_is_on_the_device_without_hooks_that_move_it(tiny_model, warmup, request):
    """`meta` stands for a GPU."""
    network = parameters.load(tiny_model, request.getfixturevalue(warmup), torch.device("meta"), "bf16")
    assert {weight.device.type for weight in network.parameters()} == {"meta"}
    assert not any(hasattr(module, "_hf_hook") for module in network.modules())


def test_hash__depends_on_names_shapes_and_order():
    named = {"a": torch.Size([2, 3]), "b": torch.Size([3, 2])}
    variants = [
        named,
        {"b": named["b"], "a": named["a"]},
        {"a": named["b"], "b": named["a"]},
        {"a": named["a"], "c": named["b"]},
    ]
    assert len({parameters.order_hash(variant) for variant in variants}) == len(variants)
