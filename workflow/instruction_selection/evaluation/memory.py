"""GPU memory of an evaluation by lm-eval, without a GPU and without weights."""

from typing import TypedDict

import torch
from peft import PeftConfig
from torch.nn import functional
from transformers import PretrainedConfig

from instruction_selection.models import skeleton


class Evaluation(TypedDict):
    """What decides the memory of an evaluation: `rows` of `tokens` tokens each, written ones included, in a batch."""

    backend: str
    rows: int
    tokens: int
    dtype: str
    generates: bool


def needed(config: PretrainedConfig, adapter: PeftConfig | None, evaluation: Evaluation) -> int:
    """Bytes that an evaluation needs of a GPU: its peak; with vLLM, which takes what there is, `vllm_minimum`."""
    if evaluation["backend"] == "vllm":
        return vllm_minimum(config, adapter, evaluation["dtype"])
    batch = evaluation["rows"], evaluation["tokens"]
    return peak(config, adapter, *batch, evaluation["dtype"], evaluation["generates"])


def vllm_minimum(config: PretrainedConfig, adapter: PeftConfig | None, dtype: str) -> int:
    """Bytes without which vLLM does not start: weights, adapter, and the cache of one row of the greatest length.

    Activations, which vLLM measures, come on top. The length is the model's `max_position_embeddings`.
    """
    kind = getattr(torch, dtype)
    with torch.device("meta"):
        network = skeleton.untrained(config, adapter, kind)
    # vLLM keeps an adapter in the precision of the model.
    weights = sum(weight.numel() for weight in network.parameters()) * kind.itemsize
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    keys_and_values = 2 * config.num_hidden_layers * config.num_key_value_heads * head
    return weights + config.max_position_embeddings * keys_and_values * kind.itemsize


def peak(
    config: PretrainedConfig,
    adapter: PeftConfig | None,
    rows: int,
    tokens: int,
    dtype: str,
    generates: bool,
) -> int:
    """Peak bytes of a batch of `rows` of `tokens` tokens each, written ones included, with transformers.

    Weights and an adapter, the cache of keys and values, and the largest layer's activations. Where answers are scored
    and not written, also the log-probabilities of the whole vocabulary at every token, in float32: what lm-eval's
    `HFLM` needs for choices, and more than `answers.HeadAtAnswers` does.
    """
    with torch.device("meta"):
        network = skeleton.untrained(config, adapter, getattr(torch, dtype))
    # Not in inference mode, in which operations that consist of others are counted without what these allocate.
    with skeleton.fake_tensors() as storages, torch.no_grad():
        skeleton.allocate(network)
        output = network(
            input_ids=torch.zeros(rows, tokens, dtype=torch.long), use_cache=True, logits_to_keep=int(generates)
        )
        functional.log_softmax(output.logits, dim=-1, dtype=torch.float32)
    return storages.peak
