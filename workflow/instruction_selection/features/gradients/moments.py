"""Adam's moments by parameter name, read from LLaMA-Factory's checkpoint."""

import contextlib
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.features.gradients import adam

STATES = ("exp_avg", "exp_avg_sq")


def from_checkpoint(checkpoint: str | Path, named_shapes: dict[str, torch.Size]) -> dict[str, torch.Tensor]:
    """`<name>.exp_avg` and `<name>.exp_avg_sq`, float32 and of the parameter's shape, for every name of `named_shapes`.

    `named_shapes` is `parameters.shapes` of the same model and adapter. The checkpoint may be that of one process or
    the partitioned one of DeepSpeed ZeRO-1 or -2. Raises `InputError` if moments are missing, have other shapes or are
    not finite.
    """
    checkpoint = Path(checkpoint)
    single, zero = checkpoint / "optimizer.pt", checkpoint / "latest"
    if single.is_file():
        states = _of_one_process(single, list(named_shapes))
    elif zero.is_file():
        states = _of_zero(checkpoint / zero.read_text().strip())
    else:
        sentence = "this checkpoint has no optimizer state: neither optimizer.pt nor DeepSpeed's files"
        raise InputError("no-optimizer-state", sentence, path=checkpoint)
    if len(states) != len(named_shapes) or states.keys() - named_shapes.keys():
        raise _other_tensors(checkpoint, len(states), len(named_shapes))
    moments = {}
    for name, shape in named_shapes.items():
        for kind in STATES:
            tensor = states[name][kind].float()
            if tensor.numel() != shape.numel() or (tensor.dim() > 1 and tensor.shape != shape):
                sentence = f"has shape {tuple(tensor.shape)}, but the parameter has {tuple(shape)}"
                raise InputError("moment-shape", sentence, path=checkpoint, key=f"{name}.{kind}")
            if not torch.isfinite(tensor).all():
                sentence = "is not finite, so the warm-up has diverged; lower its learning_rate"
                raise InputError("moment-not-finite", sentence, path=checkpoint, key=f"{name}.{kind}")
            moments[f"{name}.{kind}"] = tensor.reshape(shape).contiguous()
    return moments


def _of_one_process(path: Path, names: list[str]) -> dict[str, dict[str, torch.Tensor]]:
    """Moments by name; the optimizer numbers them in the order of the model's trainable parameters (`names`)."""
    states = torch.load(path, map_location="cpu", weights_only=True)["state"]
    if len(states) != len(names):
        raise _other_tensors(path, len(states), len(names))
    return {name: states[number] for number, name in enumerate(names)}


def _other_tensors(path: Path, found: int, expected: int) -> InputError:
    sentence = f"has moments of {found} tensors, but the trained weights have {expected}; delete it and run again"
    return InputError("moments-of-other-weights", sentence, path=path)


def _of_zero(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    """Moments by name, joined from the ranks' files.

    ZeRO splits one flat vector per parameter group over the ranks and records where each piece of a parameter is. A
    parameter that was split is in several files, in the order of their ranks.
    """
    # Imported here, because DeepSpeed is slow to import.
    from instruction_selection.models import deepspeed_checkpoint

    def rank(path: Path) -> int:
        return int(re.findall(r"zero_pp_rank_(\d+)_", path.name)[0])

    paths = sorted(folder.glob("*zero_pp_rank_*_optim_states.pt"), key=rank)
    if [rank(path) for path in paths] != list(range(len(paths))) or not paths:
        sentence = f"the optimizer states of some ranks are missing; {len(paths)} files are there"
        raise InputError("rank-missing", sentence, path=folder)
    pieces: dict[str, list[dict[str, torch.Tensor]]] = {}
    for path in paths:
        with torch.serialization.safe_globals(deepspeed_checkpoint.SAFE_GLOBALS):
            saved = torch.load(path, map_location="cpu", weights_only=True)["optimizer_state_dict"]
        if max(saved["partition_count"]) != len(paths):
            sentence = f"written by {max(saved['partition_count'])} ranks, but {len(paths)} files are there"
            raise InputError("rank-missing", sentence, path=folder)
        for group, mapping in enumerate(saved["param_slice_mappings"]):
            flat = saved["base_optimizer_state"]["state"][group]
            for name, at in mapping.items():
                piece = {kind: flat[kind][at.start : at.start + at.numel] for kind in STATES}
                pieces.setdefault(name.replace(".default.", "."), []).append(piece)
    return {
        name: {kind: torch.cat([part[kind] for part in parts]) for kind in STATES} for name, parts in pieces.items()
    }


def share_below_epsilon(moments: dict[str, torch.Tensor]) -> float:
    """The fraction (0 to 1) of second moments that are smaller than the epsilon in LESS's root (`adam.EPSILON`).

    There epsilon dominates the root for every parameter, so the feature is a scaled gradient plus a scaled momentum,
    not a preconditioned gradient. Without bias correction, a short warm-up leaves nearly all second moments that small.
    """
    second = [tensor for name, tensor in moments.items() if name.endswith(".exp_avg_sq")]
    below = sum(int((tensor < adam.EPSILON).sum()) for tensor in second)
    return below / sum(tensor.numel() for tensor in second)


def write(moments: dict[str, torch.Tensor], path: str | Path) -> None:
    """Write the moments of `from_checkpoint` to a safetensors file, with a checksum in its header."""
    digest = hashlib.sha256()
    for name in sorted(moments):
        _add(digest, name, moments[name])
    with files.replacing(path) as temporary:
        save_file(moments, temporary, {files.CHECKSUM: digest.hexdigest()})


def checksum(path: str | Path) -> str:
    """The checksum in a file's header; `read` verifies it. Raises `InputError` for a file that cannot be read."""
    with _opened(path) as file:
        return _expected(file, path)


def read(
    path: str | Path, names: list[str], device: torch.device | Sequence[torch.device]
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Pairs (exp_avg, exp_avg_sq), flattened to float32 (P,), for each of `names` in order.

    `device` is that of all, or a list with the device of each.

    Raises `InputError` for a file that is damaged.
    """
    digest, moments = hashlib.sha256(), {}
    devices = dict(zip(names, [device] * len(names) if isinstance(device, torch.device) else device, strict=True))
    with _opened(path) as file:
        for name in sorted(file.keys()):
            tensor = file.get_tensor(name)
            _add(digest, name, tensor)
            moments[name] = tensor.flatten().to(devices.get(name.rpartition(".")[0]))
        if digest.hexdigest() != _expected(file, path):
            raise files.damaged(path, "its content does not match its checksum")
    return [tuple(moments[f"{name}.{kind}"] for kind in STATES) for name in names]


@contextlib.contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    try:
        with safe_open(path, "pt") as file:
            yield file
    except SafetensorError as error:
        raise files.damaged(path, str(error)) from error


def _expected(file: Any, path: str | Path) -> str:
    header = file.metadata() or {}
    if files.CHECKSUM not in header:
        raise files.damaged(path, "it has no checksum")
    return header[files.CHECKSUM]


def _add(digest: Any, name: str, tensor: torch.Tensor) -> None:
    """Add the name, shape, type and bytes of a tensor."""
    digest.update(f"{name} {list(tensor.shape)} {tensor.dtype}\0".encode())
    digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy())
