"""Adam's moments by parameter name, out of LLaMA-Factory's checkpoint."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from instruction_selection import files
from instruction_selection.errors import InputError

STATES = ("exp_avg", "exp_avg_sq")


def from_checkpoint(checkpoint: str | Path, named_shapes: dict[str, torch.Size]) -> dict[str, torch.Tensor]:
    """`<name>.exp_avg` and `<name>.exp_avg_sq` for every parameter of `named_shapes`.

    The optimizer numbers its states in the order of the model's trainable parameters.
    """
    path = Path(checkpoint) / "optimizer.pt"
    if not path.is_file():
        raise InputError(f"{path}: not there, so the warm-up's Adam moments cannot be read.")
    state = torch.load(path, map_location="cpu", weights_only=True)["state"]
    if len(state) != len(named_shapes):
        raise InputError(f"{path}: moments of {len(state)} tensors, but the adapter has {len(named_shapes)}.")
    moments = {}
    for number, (name, shape) in enumerate(named_shapes.items()):
        for kind in STATES:
            tensor = state[number][kind].float()
            if tensor.shape != shape:
                raise InputError(f"{path}: {kind} {number} has shape {tuple(tensor.shape)}, {name} {tuple(shape)}.")
            if not torch.isfinite(tensor).all():
                raise InputError(f"{path}: {kind} of {name} is not finite; the warm-up diverged.")
            moments[f"{name}.{kind}"] = tensor.contiguous()
    return moments


def write(moments: dict[str, torch.Tensor], path: str | Path) -> None:
    with files.replacing(path) as temporary:
        save_file(moments, temporary)


def read(path: str | Path, names: list[str], device: torch.device) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """(exp_avg, exp_avg_sq), flattened, for each name in order."""
    moments = load_file(path, device=str(device))
    return [tuple(moments[f"{name}.{kind}"].flatten() for kind in STATES) for name in names]
