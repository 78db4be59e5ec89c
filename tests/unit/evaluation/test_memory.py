"""Predicted memory of an evaluation is what torch's allocator reports."""

import pytest
import torch
from peft import LoraConfig
from support.allocation import peak_while
from torch.nn import functional
from transformers import AutoConfig, LlamaConfig

from instruction_selection.evaluation import memory
from instruction_selection.models import skeleton


# On a CPU, the product of a few rows and a matrix in bfloat16 allocates another copy of the matrix.
@pytest.mark.parametrize(("generates", "dtype"), [(True, "float32"), (False, "float32"), (False, "bfloat16")])
def test_peak__within_a_tenth_of_what_torch_allocates(tiny_model, generates, dtype):
    config, adapter = AutoConfig.from_pretrained(tiny_model), LoraConfig(r=4, target_modules=["q_proj"])
    network = skeleton.untrained(config, adapter, getattr(torch, dtype))
    weights = sum(weight.numel() * weight.element_size() for weight in network.parameters())
    ids = torch.zeros(4, 80, dtype=torch.long)

    @torch.inference_mode()
    def run():
        output = network(input_ids=ids, use_cache=True, logits_to_keep=int(generates))
        return functional.log_softmax(output.logits, dim=-1, dtype=torch.float32)

    found = memory.peak(config, adapter, 4, 80, dtype, generates)
    assert found == pytest.approx(weights + peak_while(run), rel=0.1)


def test_peak__scores_of_all_tokens_take_more_than_an_answer_that_is_written(tiny_model):
    config = AutoConfig.from_pretrained(tiny_model)
    written, scored = (memory.peak(config, None, 4, 80, "bfloat16", generates) for generates in (True, False))
    assert scored - written > 4 * 79 * config.vocab_size * 2


def test_vllm_minimum__is_weights_and_the_cache_of_one_row():
    """Llama-3.1-8B: 128 KiB of keys and values per token, and 131,072 tokens at most."""
    config = LlamaConfig(
        **{"vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32},
        **{"num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 131072},
    )
    assert memory.vllm_minimum(config, None, "bfloat16") == 2 * 8_030_261_248 + 131072 * 128 * 1024
    assert memory.vllm_minimum(config, None, "float32") == 2 * memory.vllm_minimum(config, None, "bfloat16")


@pytest.mark.parametrize("backend", ["hf", "vllm"])
def test_needed__by_backend(tiny_model, backend):
    config = AutoConfig.from_pretrained(tiny_model)
    job = {"backend": backend, "rows": 4, "tokens": 80, "dtype": "bfloat16", "generates": True}
    by_backend = {
        "hf": memory.peak(config, None, 4, 80, "bfloat16", True),
        "vllm": memory.vllm_minimum(config, None, "bfloat16"),
    }
    assert memory.needed(config, None, job) == by_backend[backend]
