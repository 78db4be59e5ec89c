"""Memory of a gradient job, without a GPU and without weights: its code runs on fake tensors (`models.skeleton`)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from peft import PeftConfig
from transformers import PretrainedConfig

from instruction_selection.features.gradients import parameters, per_sample, projection
from instruction_selection.features.gradients.sketches import Sketches
from instruction_selection.models import placement, skeleton
from instruction_selection.models.tokenized_example import IGNORE_INDEX, TokenizedExample


@dataclass(frozen=True)
class Memory:
    """Bytes on the device that computes.

    `weights` are those of the model and its adapter, `resident` is what stays from batch to batch (weights, moments and
    signs of the projection), and `peak` the most that is allocated at a time, resident memory included.
    """

    weights: int
    resident: int
    peak: int


def of_gradients(
    config: PretrainedConfig,
    adapter: PeftConfig | None,
    batch: Sequence[tuple[int, int]],
    kinds: Sequence[str],
    precision: str,
    dimension: int,
) -> Memory:
    """Memory of `compute.fill` while it computes one batch.

    config     the model's configuration; no weights are read
    adapter    the LoRA adapter whose gradients are computed, or None for those of the whole model
    batch      (tokens, response tokens) of each example; responses are at the end
    kinds, precision, dimension
               as for `compute.fill`; the projection is `sjlt`

    What torch itself allocates is counted, as it would be on a CPU. A GPU's allocator rounds sizes up and fragments,
    and CUDA with its libraries takes some 0.5 to 1 GB more.
    """
    with torch.device("meta"):
        network = skeleton.untrained(config, adapter, parameters.DTYPES[precision])
    with skeleton.fake_tensors() as storages:
        skeleton.allocate(network)
        weights = storages.live
        sizes = [weight.numel() for weight in parameters.trainable(network).values()]
        sketch = projection.SparseJL(
            dimension,
            shifts=[torch.empty(math.ceil(size / dimension), dtype=torch.int64) for size in sizes],
            signs=[torch.empty(size, dtype=torch.int8) for size in sizes],
        )
        states = [(torch.empty(size), torch.empty(size)) for size in sizes] if "adam" in kinds else []
        resident = storages.live
        sketches = Sketches(kinds, sketch, states)
        sketches.start(len(batch))
        per_sample.Batched(network, precision, sketches.add).run(examples(batch))
    return Memory(weights, resident, storages.peak)


def worst_peak(
    config: PretrainedConfig,
    adapter: PeftConfig | None,
    batch_tokens: int,
    cutoff_len: int,
    kinds: Sequence[str],
    precision: str,
    dimension: int,
    gpus: int = 1,
) -> int:
    """Peak bytes of the worst batches that can occur when a batch has `batch_tokens` at most.

    One is of long examples, of `cutoff_len` tokens, that are all response; it has at least one. With gradients of the
    whole model, memory grows with the number of examples, so the other is of as many short ones as there can be.

    If the model is split over `gpus`, that is counted on `placement.fullest` of it.
    """
    config = placement.fullest(config, parameters.DTYPES[precision], gpus)

    def peak(examples: int, tokens: int) -> int:
        batch = [(tokens, tokens - 1)] * examples
        return of_gradients(config, adapter, batch, kinds, precision, dimension).peak

    rows = max(1, batch_tokens // cutoff_len)
    found = peak(rows, cutoff_len)
    if adapter is None and cutoff_len > SHORT_EXAMPLE:
        found = max(found, peak(rows * cutoff_len // SHORT_EXAMPLE, SHORT_EXAMPLE))
    return found


#: Tokens of a short example: a template, and a few words.
SHORT_EXAMPLE = 32


def examples(batch: Sequence[tuple[int, int]]) -> list[TokenizedExample]:
    """Examples of as many (tokens, response tokens)."""
    return [
        TokenizedExample([0] * tokens, [IGNORE_INDEX] * (tokens - response) + [0] * response)
        for tokens, response in batch
    ]
