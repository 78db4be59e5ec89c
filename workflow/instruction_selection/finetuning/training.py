"""One training run through LLaMA-Factory's command line.

Imports no torch: the training happens in a process of its own, and the one that waits for it should be small.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from instruction_selection import files
from instruction_selection.errors import InputError
from instruction_selection.rows import LLAMAFACTORY_COLUMNS

CLI = Path(__file__).with_name("llamafactory_cli.py")

# glibc returns large freed blocks to the kernel and faults them in again at every step. On a CPU, SmolLM2-135M trained
# 6 % (batches of 2) to 17 % (batches of 8) faster without.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592"}


def train(
    rows: str | Path,
    model: str | Path,
    template: str,
    cutoff_len: int,
    arguments: dict,
    seed: int,
    folder: str | Path,
    processes: int = 1,
    checkpoints: int = 1,
) -> Path:
    """Train on a JSON-lines file and return `folder`/output, which holds adapter, logs and checkpoints.

    `arguments` are LLaMA-Factory's; with a `deepspeed` configuration among them, `processes` share the training. A
    run that was interrupted goes on from the last checkpoint that it finds there. The checkpoints of the last
    `checkpoints` epochs stay.
    """
    configuration = write_arguments(
        rows, model, template, cutoff_len, {"save_total_limit": checkpoints, **arguments}, seed, folder
    )
    launcher = (
        [] if processes == 1 else ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    )
    command = [sys.executable, *launcher, str(CLI), "train", str(configuration)]
    print("+", *command, flush=True)
    environment = {**MALLOC, **os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    status = subprocess.run(command, env=environment, check=False).returncode
    if status != 0:
        raise InputError(f"LLaMA-Factory ended with exit status {status} on {configuration}.")
    return configuration.parent / "output"


def write_arguments(
    rows: str | Path, model: str | Path, template: str, cutoff_len: int, arguments: dict, seed: int, folder: str | Path
) -> Path:
    """Write LLaMA-Factory's data set description and its argument file to `folder`; returns the latter's path."""
    folder = Path(folder).resolve()
    files.write_json(
        folder / "dataset_info.json",
        {"rows": {"file_name": str(Path(rows).resolve()), "columns": LLAMAFACTORY_COLUMNS}},
    )
    settings = {
        "model_name_or_path": str(Path(model).resolve()),
        "do_train": True,
        "dataset": "rows",
        "dataset_dir": str(folder),
        "template": template,
        "cutoff_len": cutoff_len,
        "output_dir": str(folder / "output"),
        "save_strategy": "epoch",
        "report_to": "none",
        "seed": seed,
        **arguments,
    }
    files.write_text(folder / "train.yaml", yaml.safe_dump(settings, sort_keys=False))
    return folder / "train.yaml"


def checkpoints(output: str | Path) -> list[Path]:
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
