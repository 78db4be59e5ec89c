"""lm-eval's task files, command line and results."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from instruction_selection import files
from instruction_selection.errors import InputError

#: What is evaluated with which packages.
PACKAGES = {"hf": ("lm_eval", "transformers", "peft", "torch"), "vllm": ("lm_eval", "transformers", "vllm", "torch")}

#: vLLM's choices of `max_lora_rank` (vllm.config.lora.MaxLoRARanks, 0.22.1).
VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


def task(name: str, harness: dict, rows_path: str | Path) -> str:
    """An lm-eval task file for the held-out rows of a benchmark."""
    return yaml.safe_dump(
        {
            "task": name,
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": str(Path(rows_path).resolve())}},
            "test_split": "test",
            **harness,
        },
        sort_keys=False,
    )


def evaluate(
    name: str, task_file: str | Path, model: str | Path, adapter: str | Path | None, settings: dict
) -> tuple[dict, list[dict]]:
    """Run ``lm-eval`` on one task; returns its results file and its per-sample rows.

    `settings` is an experiment's `evaluation` block.
    """
    arguments = model_arguments(model, adapter, settings)
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "lm_eval", "run"),
            *("--model", settings["backend"], "--model_args", ",".join(f"{key}={arguments[key]}" for key in arguments)),
            *("--tasks", name, "--include_path", str(Path(task_file).parent)),
            # vLLM batches requests as they come.
            *("--batch_size", str(settings["batch_size"]) if settings["backend"] == "hf" else "auto"),
            *(["--apply_chat_template"] if settings["chat_template"] else []),
            *("--log_samples", "--output_path", folder),
        ]
        print("+", *command, flush=True)
        environment = {
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_OFFLINE": "1",
            # The rows are read from a file: a cache shared with other runs would only be a way to read stale ones.
            "HF_DATASETS_CACHE": str(Path(folder) / "cache"),
            "TOKENIZERS_PARALLELISM": "false",
        }
        status = subprocess.run(command, env=environment, check=False).returncode
        if status != 0:
            raise InputError(f"lm-eval ended with exit status {status} on {task_file}.")
        return files.read_json(_only(folder, "results_*.json")), files.read_jsonl(
            _only(folder, f"samples_{name}_*.jsonl")
        )


def model_arguments(model: str | Path, adapter: str | Path | None, settings: dict) -> dict[str, str | int]:
    """What lm-eval's `hf` or `vllm` model is made with."""
    arguments = {"pretrained": str(model), "dtype": settings["dtype"]}
    if adapter is None:
        return arguments
    if settings["backend"] == "hf":
        return {**arguments, "peft": str(adapter)}
    rank = files.read_json(Path(adapter) / "adapter_config.json")["r"]
    room = next((size for size in VLLM_RANKS if size >= rank), None)
    if room is None:
        raise InputError(f"{adapter}: vLLM takes LoRA adapters of rank {VLLM_RANKS[-1]} at most, and this has {rank}.")
    return {**arguments, "lora_local_path": str(adapter), "max_lora_rank": room}


def _only(folder: str, pattern: str) -> Path:
    found = list(Path(folder).rglob(pattern))
    if len(found) != 1:
        raise InputError(f"lm-eval wrote {len(found)} files {pattern} where one was expected.")
    return found[0]


def summarise(name: str, results: dict, samples: list[dict], metrics: list[dict], expected_samples: int) -> dict:
    """What a table needs of one evaluation. Raises `InputError` if samples or metrics are missing."""
    if len(samples) != expected_samples:
        raise InputError(f"lm-eval scored {len(samples)} of the {expected_samples} rows of {name}.")
    values = results["results"][name]
    summary = {}
    for metric in metrics:
        key = metric["name"]
        if f"{key},none" not in values:
            raise InputError(f"{name}: lm-eval gave no metric {key!r}; it gave {', '.join(sorted(values))}.")
        stderr = values.get(f"{key}_stderr,none")
        summary[key] = {"value": values[f"{key},none"], "stderr": stderr if isinstance(stderr, float) else None}
    return {
        "benchmark": name,
        "samples": len(samples),
        "metrics": summary,
        "task_version": results["versions"][name],
        "task_hash": results["task_hashes"].get(name),
    }
