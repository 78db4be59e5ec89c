"""Models of shapes without weights, and the memory of what runs on them: without a GPU, and in seconds.

The code of a job runs on torch's fake tensors, which have shapes and dtypes but no values. Every storage that an
operation makes is counted until it is freed.
"""

import contextlib
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModel
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from instruction_selection.core.errors import InputError


def configuration(architecture: Mapping[str, Any], parameters: int | None, path: str | Path) -> PretrainedConfig:
    """The model's configuration from its sizes, arguments of transformers' `AutoConfig.for_model`.

    Raises `InputError` if a model of these sizes does not have so many `parameters` as the file at `path` says; with
    None, nothing is compared.
    """
    config = AutoConfig.for_model(**architecture)
    if parameters is None:
        return config
    with torch.device("meta"):
        found = sum(weight.numel() for weight in AutoModelForCausalLM.from_config(config).parameters())
    if found != parameters:
        sentence = f"a model of these sizes has {found:,} parameters, and `parameters` says {parameters:,}"
        raise InputError("other-architecture", sentence, path=path, key="architecture")
    return config


def untrained(config: PretrainedConfig, adapter: PeftConfig | None, dtype: torch.dtype) -> PreTrainedModel | PeftModel:
    """A model with new weights in `dtype`, and a new adapter in float32 if `adapter` describes one; in evaluation mode.

    Call it where weights cost nothing, on torch's `meta` device.
    """
    network = AutoModelForCausalLM.from_config(config, dtype=dtype)
    return (PeftModel(network, adapter) if adapter else network).eval()


def allocate(network: torch.nn.Module) -> None:
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


@contextlib.contextmanager
def fake_tensors() -> Iterator["Storages"]:
    """Inside of the block every tensor is fake; gives the bytes that they would take."""
    with FakeTensorMode(allow_non_fake_inputs=True), Storages() as storages:
        yield storages


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
