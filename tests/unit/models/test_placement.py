"""Layers of a model that is larger than a GPU."""

import re

import pytest
import torch
from support.rejections import rejected
from transformers import LlamaConfig

from instruction_selection.models import placement

GPUS = [torch.device("cuda", number) for number in range(8)]
LLAMA_70B = {
    **{"vocab_size": 128256, "hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80},
    **{"num_attention_heads": 64, "num_key_value_heads": 8},
}


@pytest.mark.parametrize("gpus", [2, 3, 4, 8])
@pytest.mark.parametrize("tied", [False, True])
def test_over__gives_every_gpu_a_run_of_layers_and_an_equal_share_of_a_70b_model(gpus, tied):
    config = LlamaConfig(**LLAMA_70B, tie_word_embeddings=tied)
    found = placement.over(config, torch.bfloat16, GPUS[:gpus])
    layers = [found[f"model.layers.{number}"].index for number in range(80)]
    assert layers == sorted(layers)
    assert set(layers) == set(range(gpus))
    # The embedding and the head are as large as two and a half layers each.
    assert max(layers.count(gpu) for gpu in range(gpus)) <= 80 / gpus + 2.5
    assert (found["lm_head"] == found["model.embed_tokens"]) == tied


def test_over__names_every_weight_of_the_model(tiny_model):
    found = placement.of_model(tiny_model, torch.float32, 1)
    assert found == {"": torch.device("cuda:0" if torch.cuda.is_available() else "cpu")}
    config = LlamaConfig(**{**LLAMA_70B, "num_hidden_layers": 4})
    found = placement.over(config, torch.bfloat16, GPUS[:2])
    with torch.device("meta"):
        from transformers import AutoModelForCausalLM

        names = [name for name, _ in AutoModelForCausalLM.from_config(config).named_parameters()]
    assert all(any(re.match(rf"{re.escape(key)}(\.|$)", name) for key in found) for name in names)


def test_devices__are_the_processor_without_gpus_and_never_fewer_than_asked_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert placement.devices(4) == [torch.device("cpu")]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert placement.devices(0) == placement.devices(1) == GPUS[:1]
    assert placement.devices(2) == GPUS[:2]
    with rejected("too-few-gpus", key="gpus.gradients"):
        placement.devices(3)
