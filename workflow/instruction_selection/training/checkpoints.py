"""The checkpoints that LLaMA-Factory leaves."""

import json
import shutil
import zipfile
from pathlib import Path

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.models import checksummed_folder


def remove_partial(output: Path, wanted: int) -> None:
    """Remove checkpoints that a killed run left incomplete, and those older than the last `wanted`.

    The trainer writes its own state last; after a power cut, files written before it may be truncated nevertheless.
    """
    whole = []
    for path in sorted(output.glob("checkpoint-*"), key=step_of):
        if _is_whole(path):
            whole.append(path)
        else:
            print(f"{path}: removed, because it is incomplete.", flush=True)
            shutil.rmtree(path)
    for path in whole[:-wanted]:
        shutil.rmtree(path)


def _is_whole(checkpoint: Path) -> bool:
    """Whether the trainer's state exists and no file of weights or states is truncated; their content is not read."""
    # Imported here, because jobs in environments without safetensors import this module.
    from safetensors import SafetensorError, safe_open

    try:
        files.read_json(checkpoint / "trainer_state.json")
        for path in checkpoint.rglob("*.safetensors"):
            with safe_open(path, "np"):
                pass
    except (FileNotFoundError, InputError, SafetensorError):
        return False
    return all(zipfile.is_zipfile(path) for path in checkpoint.rglob("*.pt*") if path.suffix in {".pt", ".pth"})


def find(output: str | Path) -> list[Path]:
    """The checkpoints of a finished training, oldest first; the last one is from its end."""
    found = sorted(Path(output).glob("checkpoint-*"), key=step_of)
    if not found:
        raise InputError("no-checkpoint", "LLaMA-Factory wrote no checkpoint here", path=output)
    return found


def mean_learning_rates(kept: list[Path]) -> list[float]:
    """For each checkpoint the mean learning rate of the epoch that ends there: LESS's weights (Xia et al. 2024)."""
    state = files.read_json(kept[-1] / "trainer_state.json")
    rates = {entry["step"]: entry["learning_rate"] for entry in state["log_history"] if "learning_rate" in entry}
    steps = round(state["global_step"] / state["epoch"])
    means = []
    for end in map(step_of, kept):
        epoch = [rate for step, rate in rates.items() if end - steps < step <= end]
        if not epoch:
            sentence = f"no learning rate was logged in the epoch that ended at step {end}; lower logging_steps"
            raise InputError("no-learning-rate", sentence, path=kept[-1])
        means.append(sum(epoch) / len(epoch))
    return means


def describe(kept: list[Path]) -> list[dict]:
    """For each checkpoint its optimizer `step` and the `mean_learning_rate` of its epoch."""
    rates = mean_learning_rates(kept)
    return [{"step": step_of(path), "mean_learning_rate": rate} for path, rate in zip(kept, rates, strict=True)]


def mean_loss(output: str | Path) -> float:
    """Mean of the logged losses; the trainer's own `train_loss` omits the steps before an interruption."""
    last = find(output)[-1]
    history = files.read_json(last / "trainer_state.json")["log_history"]
    losses = [entry["loss"] for entry in history if "loss" in entry]
    if not losses:
        raise InputError("no-loss", "no loss was logged; lower logging_steps", path=last)
    return sum(losses) / len(losses)


def step_of(checkpoint: Path) -> int:
    """The number of optimizer steps before a checkpoint."""
    return int(checkpoint.name.rsplit("-", 1)[1])


def keep_weights(output: str | Path, folder: str | Path) -> None:
    """Copy the trained weights, an adapter's or a whole model's, out of a training folder.

    The same training gives the same bytes wherever it runs.
    """
    output = Path(output)
    adapter = (output / "adapter_config.json").is_file()
    names = ["adapter_config.json"] if adapter else ["config.json", *_names(output, "model.safetensors.index.json")]
    names += _names(output, "adapter_model*.safetensors" if adapter else "model*.safetensors")
    with checksummed_folder.create(folder) as partial:
        for name in names:
            shutil.copy2(output / name, partial / name)
        if adapter:
            files.write_text(partial / "adapter_config.json", _portable(output / "adapter_config.json"))


def _portable(path: Path) -> str:
    """An adapter's configuration (JSON) without the path of its base model, and with sets in alphabetical order.

    PEFT writes a set in an order that differs from run to run.
    """
    settings = {**files.read_json(path), "base_model_name_or_path": None}
    for key, value in settings.items():
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            settings[key] = sorted(value)
    return json.dumps(settings, indent=2, sort_keys=True) + "\n"


def _names(folder: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))
