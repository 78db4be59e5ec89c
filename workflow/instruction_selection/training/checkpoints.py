"""The checkpoints that LLaMA-Factory leaves."""

import json
import shutil
import zipfile
from pathlib import Path

from instruction_selection.core import files
from instruction_selection.core.uncoded_errors import InputError


def remove_partial(output: Path, wanted: int) -> None:
    """Remove what a kill left of a checkpoint that was being written or, being older than the last `wanted`, removed.

    The trainer writes its own state last; after a power cut, what was written before it may be cut short all the same.
    """
    whole = []
    for path in sorted(output.glob("checkpoint-*"), key=_step):
        if _is_whole(path):
            whole.append(path)
        else:
            print(f"{path}: only half written, and removed.", flush=True)
            shutil.rmtree(path)
    for path in whole[:-wanted]:
        shutil.rmtree(path)


def _is_whole(checkpoint: Path) -> bool:
    """Whether the trainer's state is there and no file of weights or states lacks its end; their bytes are not read."""
    # Not every environment whose jobs read the experiment, for which this module is imported, trains.
    from safetensors import SafetensorError, safe_open

    try:
        files.read_json(checkpoint / "trainer_state.json")
        for path in checkpoint.rglob("*.safetensors"):
            with safe_open(path, "np"):
                pass
    except (FileNotFoundError, json.JSONDecodeError, SafetensorError):
        return False
    return all(zipfile.is_zipfile(path) for path in checkpoint.rglob("*.pt*") if path.suffix in {".pt", ".pth"})


def find(output: str | Path) -> list[Path]:
    """The checkpoints that a training left, oldest first; the last one is its end."""
    found = sorted(Path(output).glob("checkpoint-*"), key=_step)
    if not found:
        raise InputError(f"{output}: LLaMA-Factory left no checkpoint.")
    return found


def mean_learning_rates(kept: list[Path]) -> list[float]:
    """For each checkpoint the mean learning rate over the epoch that it ends: LESS's weights."""
    state = json.loads((kept[-1] / "trainer_state.json").read_text())
    rates = {entry["step"]: entry["learning_rate"] for entry in state["log_history"] if "learning_rate" in entry}
    steps = round(state["global_step"] / state["epoch"])
    means = []
    for end in map(_step, kept):
        epoch = [rate for step, rate in rates.items() if end - steps < step <= end]
        if not epoch:
            raise InputError(f"{kept[-1]}: no learning rate was logged in the epoch that ended at step {end}.")
        means.append(sum(epoch) / len(epoch))
    return means


def mean_loss(output: str | Path) -> float:
    """Mean of the losses that were logged; the trainer's own `train_loss` forgets what was before an interruption."""
    last = find(output)[-1]
    history = files.read_json(last / "trainer_state.json")["log_history"]
    losses = [entry["loss"] for entry in history if "loss" in entry]
    if not losses:
        raise InputError(f"{last}: no loss was logged; logging_steps is too large.")
    return sum(losses) / len(losses)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rsplit("-", 1)[1])


def keep_weights(output: str | Path, folder: str | Path) -> None:
    """Copy what was trained out of a training folder: an adapter, or a whole model."""
    output, folder = Path(output), Path(folder)
    adapter = (output / "adapter_config.json").is_file()
    names = ["adapter_config.json"] if adapter else ["config.json", *_names(output, "model.safetensors.index.json")]
    names += _names(output, "adapter_model*.safetensors" if adapter else "model*.safetensors")
    partial = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name in names:
        shutil.copy2(output / name, partial / name)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _names(folder: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))
