"""GPU memory of an evaluation by lm-eval, without a GPU and without weights: its pass runs on fake tensors."""

import torch
from peft import PeftConfig
from torch.nn import functional
from transformers import PretrainedConfig

from instruction_selection.models import skeleton


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
    and not written, also the log-probabilities of the whole vocabulary at every token (lm-eval's `HFLM`).
    """
    with torch.device("meta"):
        network = skeleton.untrained(config, adapter, getattr(torch, dtype))
    with skeleton.fake_tensors() as storages, torch.inference_mode():
        skeleton.allocate(network)
        output = network(
            input_ids=torch.zeros(rows, tokens, dtype=torch.long), use_cache=True, logits_to_keep=int(generates)
        )
        functional.log_softmax(output.logits, dim=-1)
    return storages.peak
