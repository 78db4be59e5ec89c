"""Names, shapes and order of the trainable parameters."""

import torch

from instruction_selection.features.gradients import parameters


def test_shapes__without_weights_are_those_with_weights(tiny_model, tiny_adapter):
    network = parameters.load(tiny_model, tiny_adapter, torch.device("cpu"))
    loaded = {name: weight.shape for name, weight in parameters.trainable(network).items()}
    assert list(parameters.shapes(tiny_model, tiny_adapter).items()) == list(loaded.items())
    assert len(loaded) == 2 * 4 * 2
    assert all("lora_" in name and "default" not in name for name in loaded)


def test_whole_model__has_its_matrices_first_and_its_norms_last(tiny_model):
    network = parameters.load(tiny_model, tiny_model, torch.device("cpu"))
    loaded = {name: weight.shape for name, weight in parameters.trainable(network).items()}
    assert list(parameters.shapes(tiny_model, tiny_model).items()) == list(loaded.items())
    assert sum(shape.numel() for shape in loaded.values()) == sum(p.numel() for p in network.parameters())
    dimensions = [len(shape) for shape in loaded.values()]
    assert dimensions == sorted(dimensions, reverse=True)
    assert set(dimensions) == {1, 2}


def test_hash__depends_on_names_shapes_and_order():
    named = {"a": torch.Size([2, 3]), "b": torch.Size([3, 2])}
    variants = [
        named,
        {"b": named["b"], "a": named["a"]},
        {"a": named["b"], "b": named["a"]},
        {"a": named["a"], "c": named["b"]},
    ]
    assert len({parameters.order_hash(variant) for variant in variants}) == len(variants)
