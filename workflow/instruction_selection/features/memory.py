"""Memory of jobs that compute features in batches, without a GPU and without weights (`models.skeleton`)."""

import bisect
from collections.abc import Callable

import torch
from transformers import PretrainedConfig

from instruction_selection.features.gradients.memory import examples
from instruction_selection.models import placement, skeleton
from instruction_selection.models.response_loss import response_losses

#: Tokens of a batch beyond which no GPU is expected to be faster; assumed.
MOST_TOKENS = 16384


def of_losses(config: PretrainedConfig, batch_tokens: int, cutoff_len: int, gpus: int = 1) -> int:
    """Peak bytes of a losses job (float32) in its worst batch: long examples, all response. Hidden states take less.

    If the model is split over `gpus`, that is counted on `placement.fullest` of it.
    """
    config = placement.fullest(config, torch.float32, gpus)
    with torch.device("meta"):
        network = skeleton.untrained(config, None, torch.float32)
    # Not in inference mode, in which operations that consist of others are counted without what these allocate.
    with skeleton.fake_tensors() as storages, torch.no_grad():
        skeleton.allocate(network)
        batch = examples([(cutoff_len, cutoff_len - 1)] * max(1, batch_tokens // cutoff_len))
        response_losses(network, batch, torch.device("cpu"))
    return storages.peak


def most_tokens(peak: Callable[[int], float], room: float, cutoff_len: int) -> int:
    """The most tokens of a batch, in multiples of `cutoff_len`, for which `peak` is no more than `room` bytes.

    `peak` must not fall as tokens grow. The result is one multiple at least, even if that does not fit, because an
    example is never split; and no more than `MOST_TOKENS`.
    """
    sizes = range(cutoff_len, max(cutoff_len, MOST_TOKENS) + 1, cutoff_len)
    return cutoff_len * max(1, bisect.bisect(sizes, room, key=peak))
