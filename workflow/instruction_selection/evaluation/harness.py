"""lm-eval's task files, command line and results."""

import importlib.util
import math
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, TypedDict

import yaml

from instruction_selection.core import files, worked
from instruction_selection.core.errors import InputError
from instruction_selection.core.example import Example
from instruction_selection.core.packages import path_in_package
from instruction_selection.core.processes import check_exit, environment
from instruction_selection.core.processes import run as run_program
from instruction_selection.models import checksummed_folder, summary

#: The packages that an evaluation depends on, by backend.
PACKAGES = {"hf": ("lm_eval", "transformers", "peft", "torch"), "vllm": ("lm_eval", "transformers", "vllm", "torch")}

#: The file in a folder of tasks that says what they were made from (`provenance.record`).
RECORD = "made_from.json"

CLI = Path(__file__).with_name("lm_eval_cli.py")

#: vLLM's choices of `max_lora_rank` (vllm.config.lora.MaxLoRARanks, 0.22.1).
VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


class Metric(TypedDict):
    """A score that tables show: `metric`, or else `name`, of a task of `Scoring.harness`, after lm-eval's `filter`."""

    name: str
    task: str
    metric: str | None
    filter: str


class Scoring(TypedDict):
    """How a benchmark is scored (config/benchmarks, as plain data); `harness` has lm-eval's keys by task."""

    harness: dict[str, dict[str, Any]]
    metrics: list[Metric]


class EvaluationSettings(TypedDict):
    """An experiment's `evaluation` block, as plain data."""

    backend: str
    batch_size: int
    dtype: str
    chat_template: bool


def write_tasks(name: str, scoring: Scoring, rows: list[Example], fewshot: list[Example], folder: str | Path) -> None:
    """Write lm-eval's files for a benchmark: one task file per entry of its `harness`, and their documents.

    A document has the source's columns (`record`), overridden by the example's own fields. `fewshot` becomes the split
    `train`, from which lm-eval takes the examples of a prompt. An entry whose `include` contains {task} becomes a group
    of one task per subtask. lm-eval's own task files are used unchanged, except that their documents are read from
    `folder`, as it is given, so that results with relative paths can be moved.
    """
    folder = Path(folder)
    for entry, keys in scoring["harness"].items():
        task = task_name(name, entry)
        if "{task}" not in keys.get("include", ""):
            _write_task(folder, task, keys, rows, fewshot)
            continue
        subtasks = sorted({row["task"] for row in rows})
        for subtask in subtasks:
            # It comes from the data and becomes part of a file's name.
            if not re.fullmatch(r"\w[\w.-]*", subtask):
                sentence = f"the subtask {subtask!r} in its examples may only have letters, digits, '_', '.' and '-'"
                raise InputError("subtask-name", sentence, key=name)
        for subtask in subtasks:
            own = {**keys, "include": keys["include"].format(task=subtask)}
            documents = [[row for row in given if row["task"] == subtask] for given in (rows, fewshot)]
            _write_task(folder, f"{task}-{subtask}", own, *documents)
        group = {
            "group": task,
            "task": [f"{task}-{subtask}" for subtask in subtasks],
            "aggregate_metric_list": [
                {
                    "metric": metric["metric"] or metric["name"],
                    "aggregation": "mean",
                    "weight_by_size": True,
                    "filter_list": metric["filter"],
                }
                for metric in scoring["metrics"]
                if metric["task"] == entry
            ],
            "metadata": {"version": 1.0},
        }
        files.write_text(folder / f"{task}.yaml", yaml.safe_dump(group, sort_keys=False))


def _write_task(folder: Path, task: str, keys: dict[str, Any], rows: list[Example], fewshot: list[Example]) -> None:
    data_files = {"test": str(folder / f"{task}.jsonl")}
    files.write_jsonl(data_files["test"], map(_document, rows))
    if fewshot:
        data_files["train"] = str(folder / f"{task}.train.jsonl")
        files.write_jsonl(data_files["train"], map(_document, fewshot))
    if keys.get("end_of_turn") and "include" in keys:
        sentence = "an included task is scored by lm-eval itself, without an end of turn; remove this key"
        raise InputError("end-of-turn-included", sentence, key=f"{task}.end_of_turn")
    if "include" in keys:
        keys = {**keys, "include": str(path_in_package("lm_eval", f"tasks/{keys['include']}"))}
    keys = {key: value for key, value in keys.items() if key != "end_of_turn"}
    split = "train" if fewshot else None
    written = {
        "task": task,
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": data_files},
        "training_split": split,
        "fewshot_split": split,
        "validation_split": None,
        "test_split": "test",
        **keys,
    }
    files.write_text(folder / f"{task}.yaml", yaml.safe_dump(written, sort_keys=False))


def _document(row: Example) -> dict[str, Any]:
    return {**row.get("record", {}), **{key: value for key, value in row.items() if key != "record"}}


def task_name(benchmark: str, entry: str) -> str:
    """The name under which lm-eval knows an entry of a benchmark's `harness`."""
    return f"{benchmark}-{entry}"


def evaluate(
    name: str,
    scoring: Scoring,
    tasks: str | Path,
    model: str | Path,
    adapter: str | Path | None,
    settings: EvaluationSettings,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run ``lm-eval`` on a benchmark's tasks, in the folder `tasks`; returns its results file and its samples.

    A sample is lm-eval's own, with the document's `id` and its `task`, the entry of the benchmark's `harness`; there is
    one per document, task and filter. The backend starts once, for all tasks. Raises `InputError` if the model or the
    adapter is damaged, vLLM is asked for and not installed, or lm-eval fails.
    """
    for folder in filter(None, (model, adapter)):
        checksummed_folder.identity(folder)
    if settings["backend"] == "vllm" and not importlib.util.find_spec("vllm"):
        sentence = (
            "vLLM is not installed in the environment of this job: run with `--sdm conda`, which makes one for it, or "
            "set evaluation.backend to hf"
        )
        raise InputError("no-vllm", sentence, key="evaluation.backend")
    arguments = {**model_arguments(model, adapter, settings), **_scored(name, scoring, model)}
    with tempfile.TemporaryDirectory() as folder:
        seconds = Path(folder) / "seconds.json"
        command = [
            *(sys.executable, str(CLI), settings["backend"], str(seconds)),
            *("run", "--model", f"{settings['backend']}-answers"),
            *("--model_args", ",".join(f"{key}={arguments[key]}" for key in arguments)),
            *("--tasks", ",".join(task_name(name, entry) for entry in scoring["harness"])),
            *("--include_path", str(tasks)),
            # vLLM forms batches itself.
            *("--batch_size", str(settings["batch_size"]) if settings["backend"] == "hf" else "auto"),
            *(["--apply_chat_template"] if settings["chat_template"] else []),
            *("--log_samples", "--output_path", folder),
        ]
        print("+", *command, flush=True)
        variables = {
            **environment(Path(folder) / "caches"),
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_OFFLINE": "1",
            # Code that a model writes is never run, even if the user's environment allows it.
            "HF_ALLOW_CODE_EVAL": "0",
            "TOKENIZERS_PARALLELISM": "false",
        }
        check_exit("lm-eval", run_program(command, variables, Path(folder) / "out-of-memory.txt", tasks), tasks)
        results = files.read_json(_only(folder, "results_*.json"))
        worked.add(worked.Work(files.read_json(seconds)["seconds"]))
        samples = [
            {"id": sample["doc"]["id"], "task": entry, **sample}
            for entry in scoring["harness"]
            for leaf in _leaves(results, task_name(name, entry))
            for sample in files.read_jsonl(_only(folder, f"samples_{leaf}_[0-9]*.jsonl"))
        ]
        return results, samples


def _leaves(results: dict[str, Any], task: str) -> list[str]:
    """The tasks of a group, or the task itself."""
    return results["group_subtasks"].get(task) or [task]


def _scored(name: str, scoring: Scoring, model: str | Path) -> dict[str, str]:
    """Arguments of `answers.ScoresAnswers`: the tasks whose answers it scores, and the tokens that end an answer."""
    own = {
        task_name(name, entry): keys.get("end_of_turn", False)
        for entry, keys in scoring["harness"].items()
        if keys.get("output_type") == "loglikelihood" and "include" not in keys
    }
    return {
        "answers": ":".join(task for task, with_end in own.items() if not with_end),
        "answers_with_end": ":".join(task for task, with_end in own.items() if with_end),
        "end_of_turn": ":".join(map(str, summary.row_form(model)["end_of_turn"])),
    }


def model_arguments(
    model: str | Path, adapter: str | Path | None, settings: EvaluationSettings
) -> dict[str, str | int]:
    """Arguments of lm-eval's `hf` or `vllm` model. Every prompt begins as training examples do."""
    arguments: dict[str, str | int] = {"pretrained": str(model), "dtype": settings["dtype"]}
    if summary.row_form(model)["bos"]:
        arguments["add_bos_token"] = True
    if settings["backend"] == "hf":
        # By default in the model's precision: in bfloat16, log-probabilities of choices have two or three digits, and
        # equal ones are decided by their order. vLLM has float32.
        arguments["softmax_dtype"] = "float32"
    if adapter is None:
        return arguments
    if settings["backend"] == "hf":
        return {**arguments, "peft": str(adapter)}
    rank = files.read_json(Path(adapter) / "adapter_config.json", adapter)["r"]
    room = next((size for size in VLLM_RANKS if size >= rank), None)
    if room is None:
        sentence = f"vLLM supports LoRA ranks up to {VLLM_RANKS[-1]}, and this adapter has {rank}; use the backend hf"
        raise InputError("rank-too-large", sentence, path=adapter, key="r")
    return {**arguments, "lora_local_path": str(adapter), "max_lora_rank": room}


def _only(folder: str, pattern: str) -> Path:
    found = list(Path(folder).rglob(pattern))
    if len(found) != 1:
        raise InputError("unexpected-output", f"lm-eval wrote {len(found)} files {pattern}, and one was expected")
    return found[0]


def summarise(
    name: str, scoring: Scoring, results: dict[str, Any], samples: list[dict[str, Any]], expected_samples: int
) -> dict[str, Any]:
    """What tables need of one evaluation. Raises `InputError` if samples or metrics are missing or not finite."""
    summary = {}
    for metric in scoring["metrics"]:
        entry, key = metric["task"], f"{metric['metric'] or metric['name']},{metric['filter']}"
        scored = [sample for sample in samples if (sample["task"], sample["filter"]) == (entry, metric["filter"])]
        if len({sample["id"] for sample in scored}) != expected_samples or len(scored) != expected_samples:
            raise InputError(
                "samples-missing",
                f"lm-eval scored {len(scored)} of {expected_samples} examples ({entry}, {key}); delete "
                f"targets/{name}/harness in the results and run again",
                key=name,
            )
        for sample in scored:
            value = sample.get(metric["metric"] or metric["name"])
            if isinstance(value, float) and not math.isfinite(value):
                raise InputError(
                    "score-not-finite",
                    f"{key} is {value}, so the model or its adapter is broken; delete the adapter and run again",
                    key=f"{name}: example {sample['id']}",
                )
        values = results["results"][task_name(name, entry)]
        if key not in values:
            sentence = f"lm-eval returned no metric {key!r}, but {', '.join(sorted(values))}"
            raise InputError("metric-missing", sentence, key=name)
        stderr = values.get(key.replace(",", "_stderr,", 1))
        summary[metric["name"]] = {"value": values[key], "stderr": stderr if isinstance(stderr, float) else None}
    leaves = [leaf for entry in scoring["harness"] for leaf in _leaves(results, task_name(name, entry))]
    return {
        "benchmark": name,
        "samples": expected_samples,
        "metrics": summary,
        "task_versions": {leaf: results["versions"].get(leaf) for leaf in leaves},
        "task_hashes": {leaf: results["task_hashes"].get(leaf) for leaf in leaves},
    }
