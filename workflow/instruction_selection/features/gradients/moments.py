"""Adam's moments by parameter name, out of LLaMA-Factory's checkpoint."""

import re
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from instruction_selection.core import files
from instruction_selection.core.uncoded_errors import InputError
from instruction_selection.features.gradients import adam

STATES = ("exp_avg", "exp_avg_sq")


def from_checkpoint(checkpoint: str | Path, named_shapes: dict[str, torch.Size]) -> dict[str, torch.Tensor]:
    """`<name>.exp_avg` and `<name>.exp_avg_sq` for every parameter of `named_shapes`, float32.

    Reads the checkpoint of a single process as well as the partitioned one of DeepSpeed ZeRO-1 or -2.
    """
    checkpoint = Path(checkpoint)
    single, zero = checkpoint / "optimizer.pt", checkpoint / "latest"
    if single.is_file():
        states = _of_one_process(single, list(named_shapes))
    elif zero.is_file():
        states = _of_zero(checkpoint / zero.read_text().strip())
    else:
        raise InputError(f"{checkpoint}: no optimizer.pt and no DeepSpeed checkpoint is there.")
    if len(states) != len(named_shapes) or states.keys() - named_shapes.keys():
        raise InputError(f"{checkpoint}: moments of {len(states)} tensors, but the adapter has {len(named_shapes)}.")
    moments = {}
    for name, shape in named_shapes.items():
        for kind in STATES:
            tensor = states[name][kind].float()
            if tensor.numel() != shape.numel() or (tensor.dim() > 1 and tensor.shape != shape):
                raise InputError(f"{checkpoint}: {kind} of {name} has shape {tuple(tensor.shape)}, not {tuple(shape)}.")
            if not torch.isfinite(tensor).all():
                raise InputError(f"{checkpoint}: {kind} of {name} is not finite; the warm-up diverged.")
            moments[f"{name}.{kind}"] = tensor.reshape(shape).contiguous()
    return moments


def _of_one_process(path: Path, names: list[str]) -> dict[str, dict[str, torch.Tensor]]:
    """The optimizer numbers its states in the order of the model's trainable parameters."""
    states = torch.load(path, map_location="cpu", weights_only=True)["state"]
    if len(states) != len(names):
        raise InputError(f"{path}: moments of {len(states)} tensors, but the adapter has {len(names)}.")
    return {name: states[number] for number, name in enumerate(names)}


def _of_zero(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    """ZeRO cuts one flat vector per parameter group over the ranks, and notes which piece of which parameter is where.

    A parameter that was cut in two is in two files, whose ranks give the order.
    """
    # The notes are objects of DeepSpeed's, which is slow to import.
    from instruction_selection.models import deepspeed_checkpoint

    def rank(path: Path) -> int:
        return int(re.search(r"zero_pp_rank_(\d+)_", path.name)[1])

    paths = sorted(folder.glob("*zero_pp_rank_*_optim_states.pt"), key=rank)
    if [rank(path) for path in paths] != list(range(len(paths))) or not paths:
        raise InputError(f"{folder}: the optimizer states of some ranks are missing; found {len(paths)}.")
    pieces: dict[str, list[dict[str, torch.Tensor]]] = {}
    for path in paths:
        with torch.serialization.safe_globals(deepspeed_checkpoint.SAFE_GLOBALS):
            saved = torch.load(path, map_location="cpu", weights_only=True)["optimizer_state_dict"]
        if max(saved["partition_count"]) != len(paths):
            raise InputError(
                f"{folder}: written by {max(saved['partition_count'])} ranks; {len(paths)} files are there."
            )
        for group, mapping in enumerate(saved["param_slice_mappings"]):
            flat = saved["base_optimizer_state"]["state"][group]
            for name, at in mapping.items():
                piece = {kind: flat[kind][at.start : at.start + at.numel] for kind in STATES}
                pieces.setdefault(name.replace(".default.", "."), []).append(piece)
    return {
        name: {kind: torch.cat([part[kind] for part in parts]) for kind in STATES} for name, parts in pieces.items()
    }


def share_below_epsilon(moments: dict[str, torch.Tensor]) -> float:
    """The share of second moments that are smaller than the epsilon under LESS's root (`adam.EPSILON`).

    There the root is epsilon's whatever the parameter, so the feature is a scaled gradient plus a scaled momentum and
    not preconditioned. Without bias correction a short warm-up leaves nearly all of them there.
    """
    second = [tensor for name, tensor in moments.items() if name.endswith(".exp_avg_sq")]
    below = sum(int((tensor < adam.EPSILON).sum()) for tensor in second)
    return below / sum(tensor.numel() for tensor in second)


def write(moments: dict[str, torch.Tensor], path: str | Path) -> None:
    with files.replacing(path) as temporary:
        save_file(moments, temporary)


def read(path: str | Path, names: list[str], device: torch.device) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """(exp_avg, exp_avg_sq), flattened, for each name in order."""
    moments = load_file(path, device=str(device))
    return [tuple(moments[f"{name}.{kind}"].flatten() for kind in STATES) for name in names]
