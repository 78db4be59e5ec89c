"""Models of shapes without weights: their sizes are checked, and every storage is counted once until it is freed."""

import json

import pytest
import torch
import yaml
from support.rejections import rejected
from transformers import AutoConfig

from instruction_selection.core import packages
from instruction_selection.models import skeleton

HUB_MODELS = ["llama-3.1-8b", "gemma-7b", "mistral-7b-v0.3", "smollm2-135m"]


@pytest.mark.parametrize("name", HUB_MODELS)
def test_configuration__of_every_model_has_its_number_of_parameters(repository, name):
    path = repository / f"config/models/{name}.yaml"
    entry = yaml.safe_load(path.read_text())
    skeleton.configuration(entry["architecture"], entry["parameters"], path)
    with rejected("other-architecture", path=path, key="architecture"):
        skeleton.configuration({**entry["architecture"], "num_hidden_layers": 3}, entry["parameters"], path)


def test_configuration__the_sizes_of_smollm2_are_those_of_its_file(repository):
    entry = yaml.safe_load((repository / "config/models/smollm2-135m.yaml").read_text())
    path = packages.path_in_package(entry["source"]["package"], entry["source"]["file"])
    config = AutoConfig.from_pretrained(path.parent, gguf_file=path.name)
    assert {key: getattr(config, key) for key in entry["architecture"]} == entry["architecture"]


def test_allocate__tied_weights_stay_one(tiny_model):
    with torch.device("meta"):
        network = skeleton.untrained(AutoConfig.from_pretrained(tiny_model), None, torch.bfloat16)
    with skeleton.fake_tensors() as storages:
        skeleton.allocate(network)
    weights = list(network.parameters())
    assert network.get_input_embeddings().weight is network.get_output_embeddings().weight
    buffers = sum(buffer.nbytes for buffer in network.buffers())
    assert storages.live == sum(weight.nbytes for weight in weights) + buffers


def test_storages__views_share_one_and_a_freed_one_is_taken_off():
    with skeleton.Storages() as storages:
        first = torch.zeros(1000)
        view = first[10:].view(3, 330)
        assert storages.live == 4000
        second = view + 1
        assert (storages.live, storages.peak) == (4000 + 3960, 7960)
        del second
        assert (storages.live, storages.peak) == (4000, 7960)


def test_configuration__of_a_prepared_model_by_its_own_file(tiny_model):
    """As `cost.memory` reads it; what a model of its sizes has is not stated."""
    architecture = json.loads((tiny_model / "config.json").read_text())
    config = skeleton.configuration(architecture, None, "config/models/any.yaml")
    with torch.device("meta"):
        network = skeleton.untrained(config, None, torch.float32)
    assert sum(weight.numel() for weight in network.parameters()) == 1591456
