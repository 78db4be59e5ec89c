"""One training run through LLaMA-Factory's command line.

This module does not import torch: the training runs in its own process, and the one that waits for it should be small.
"""

import json
import os
import shutil
import socket
import sys
from pathlib import Path

import yaml

from instruction_selection.core import example, files, worked
from instruction_selection.core.errors import InputError
from instruction_selection.core.processes import check_exit, environment
from instruction_selection.core.processes import run as run_program
from instruction_selection.models import checksummed_folder, dataset_layout
from instruction_selection.training import DIVERGED, UNKNOWN_LAYERS
from instruction_selection.training.checkpoints import remove_partial

#: What a training depends on.
PACKAGES = ("llamafactory", "transformers", "peft", "torch")

CLI = Path(__file__).with_name("llamafactory_cli.py")

# Otherwise glibc returns large freed blocks to the kernel and faults them in again at every step. On a CPU,
# SmolLM2-135M trained 6 % (batches of 2) to 17 % (batches of 8) faster with these settings.
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
    nodes: int = 1,
    checkpoints: int = 1,
) -> Path:
    """Train on a JSON-lines file and return `folder`/output, which holds adapter, logs and checkpoints.

    `arguments` are LLaMA-Factory's, plus `effective_batch`, the examples per optimizer step. The `processes`, spread
    over `nodes` of a SLURM job, share that batch; several of them use the `deepspeed` configuration in `arguments`. The
    checkpoints of the last `checkpoints` epochs are kept.

    An interrupted run resumes from its last complete checkpoint in `folder`. If a run with another training file, model
    or settings began there, `folder` is emptied first. Raises `InputError` if the model is damaged or has changed since
    it was prepared, if the training fails or diverges, or if `lora_target` names a layer that the model does not have.
    """
    shared = {"save_total_limit": checkpoints, **arguments}
    del shared["effective_batch"]
    shared["gradient_accumulation_steps"] = accumulation_steps(arguments, processes)
    if processes == 1:
        # LLaMA-Factory rejects DeepSpeed outside of torchrun.
        shared.pop("deepspeed", None)
    folder = Path(folder)
    _start_over_unless_same(folder, rows, model, [template, cutoff_len, arguments, seed, processes])
    remove_partial(folder / "output", checkpoints)
    configuration = write_arguments(
        rows, model, template=template, cutoff_len=cutoff_len, arguments=shared, seed=seed, folder=folder
    )
    command = [*_launcher(processes, nodes), str(CLI), str(configuration)]
    print("+", *command, flush=True)
    variables = {
        **MALLOC,
        **environment(folder / "caches"),
        **{"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
    }
    _unlock_extensions(variables["TORCH_EXTENSIONS_DIR"])
    if processes == 1:
        # With several visible GPUs the trainer would split every batch over them and enlarge the effective batch.
        variables["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    output = configuration.parent / "output"
    diverged, unknown_layers = output / DIVERGED, output / UNKNOWN_LAYERS
    diverged.unlink(missing_ok=True)
    unknown_layers.unlink(missing_ok=True)
    status = run_program(command, variables, output.with_name("out-of-memory.txt"), rows)
    if unknown_layers.is_file():
        names = files.read_json(unknown_layers)["layers"]
        sentence = f"{model} has no layer {', '.join(map(repr, names))}"
        raise InputError("unknown-layer", sentence, key="lora_target")
    if diverged.is_file():
        [(_, step), (name, value)] = files.read_json(diverged).items()
        raise InputError(
            "diverged",
            f"training on these examples was stopped at step {step}, because {name} was {value}; try a lower "
            f"learning_rate (see {output / 'trainer_log.jsonl'})",
            path=rows,
        )
    check_exit("LLaMA-Factory", status, configuration)
    worked.add(worked.Work(files.read_json(output / "train_results.json")["train_runtime"]))
    return output


def accumulation_steps(arguments: dict, processes: int) -> int:
    """The number of gradient accumulation steps with which `processes` together have the `effective_batch`.

    Raises `InputError` if the effective batch is not a multiple of what the processes take in one step.
    """
    per_device, batch = arguments["per_device_train_batch_size"], arguments["effective_batch"]
    if batch % (per_device * processes):
        raise InputError(
            "effective-batch",
            f"{batch} is not a multiple of {per_device * processes}, which is per_device_train_batch_size "
            f"({per_device}) times the number of processes ({processes})",
            key="effective_batch",
        )
    return batch // (per_device * processes)


def _start_over_unless_same(folder: Path, rows: str | Path, model: str | Path, settings: list) -> None:
    """Empty `folder` unless a run with the same training file, model and settings began there."""
    identity = {"rows": files.sha256(rows), "model": checksummed_folder.identity(model), "settings": settings}
    path = folder / "identity.json"
    try:
        same = files.read_json(path) == identity
    except (FileNotFoundError, InputError):
        # A power cut may have left a part of it.
        same = False
    if not same:
        shutil.rmtree(folder, ignore_errors=True)
        files.write_json(path, identity)


def _unlock_extensions(folder: str | Path) -> None:
    """Remove the locks of a killed run, for which DeepSpeed would wait without end when it compiles its extensions."""
    for lock in Path(folder).rglob("lock"):
        lock.unlink()


def _launcher(processes: int, nodes: int) -> list[str]:
    """The command that runs LLaMA-Factory: Python, torchrun, or torchrun once on every node of a SLURM job."""
    if processes == 1:
        return [sys.executable]
    torchrun = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes // nodes}"]
    if nodes == 1:
        return [*torchrun, "--standalone"]
    if "SLURM_JOB_ID" not in os.environ:
        sentence = f"training on {nodes} nodes needs SLURM; set it to 1 or run on a SLURM cluster"
        raise InputError("nodes-without-slurm", sentence, key="nodes.training")
    job = os.environ["SLURM_JOB_ID"]
    return [
        *("srun", "--overlap", f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1", "--kill-on-bad-exit=1"),
        *(*torchrun, f"--nnodes={nodes}", "--rdzv-backend=c10d", f"--rdzv-id={job}"),
        # Jobs may share a node, so each uses its own port.
        f"--rdzv-endpoint={socket.gethostname()}:{20000 + int(job) % 10000}",
    ]


def write_arguments(
    rows: str | Path, model: str | Path, template: str, cutoff_len: int, arguments: dict, seed: int, folder: str | Path
) -> Path:
    """Write LLaMA-Factory's dataset description and its argument file to `folder`; returns the argument file's path."""
    folder = Path(folder).resolve()
    [first] = example.read(rows, 0, 1)
    dataset = {"rows": {"file_name": str(Path(rows).resolve()), **dataset_layout(first)}}
    files.write_text(folder / "dataset_info.json", json.dumps(dataset, indent=2))
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
        # By default the trainer logs the previous mean in place of a loss that is not finite.
        "logging_nan_inf_filter": False,
        # Of a chat, only the last answer is learnt (`models.tokens`).
        **({"mask_history": True} if "messages" in first else {}),
        "seed": seed,
        **arguments,
    }
    files.write_text(folder / "train.yaml", yaml.safe_dump(settings, sort_keys=False))
    return folder / "train.yaml"
