"""Memory of a gradient job, without a GPU, without weights and in seconds.

The job's own forward and backward pass, preconditioning and projection run on torch's fake tensors, which have shapes
and dtypes but no values. Every storage that an operation makes is counted until it is freed.
"""

import math
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import PretrainedConfig

from instruction_selection.features.gradients import parameters, per_sample, projection
from instruction_selection.features.gradients.sketches import Sketches
from instruction_selection.models.tokens import IGNORE_INDEX, TokenizedExample


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
    adapter: LoraConfig | None,
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
        network = parameters.untrained(config, adapter, precision)
    with FakeTensorMode(allow_non_fake_inputs=True), Storages() as storages:
        _allocate(network)
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


def examples(batch: Sequence[tuple[int, int]]) -> list[TokenizedExample]:
    """Examples of as many (tokens, response tokens)."""
    return [
        TokenizedExample([0] * tokens, [IGNORE_INDEX] * (tokens - response) + [0] * response)
        for tokens, response in batch
    ]


def _allocate(network: torch.nn.Module) -> None:
    """Move a network from `meta` to the CPU in place, tied weights together, as `Module.to` cannot for fake tensors."""
    moved: dict[torch.nn.Parameter, torch.nn.Parameter] = {}
    for module in network.modules():
        for name, weight in module.named_parameters(recurse=False, remove_duplicate=False):
            if weight not in moved:
                moved[weight] = torch.nn.Parameter(_like(weight), weight.requires_grad)
            module._parameters[name] = moved[weight]
        for name, buffer in module.named_buffers(recurse=False, remove_duplicate=False):
            module._buffers[name] = _like(buffer)


def _like(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty(tensor.shape, dtype=tensor.dtype)


class Storages(TorchDispatchMode):
    """Adds up the bytes of the storages that operations make inside of the block: `live` now, and `peak` so far."""

    def __init__(self):
        super().__init__()
        self.live = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self, func: Callable, types: Sequence[type], args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self._add(tensor.untyped_storage())
        return result

    def _add(self, storage: torch.UntypedStorage) -> None:
        # Views share a storage. Its address identifies it as long as it lives.
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._remove, key, size)

    def _remove(self, key: int, size: int) -> None:
        self._known.remove(key)
        self.live -= size
