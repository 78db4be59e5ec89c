"""lm-eval's task files, read without importing lm-eval, which takes seconds."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import yaml

from instruction_selection.core.packages import path_in_package

#: What lm-eval computes for a task without a list of metrics (lm_eval.api.registry.DEFAULT_METRIC_REGISTRY, 0.4.13).
DEFAULT_METRICS = {
    "loglikelihood": ["perplexity", "acc"],
    "loglikelihood_rolling": ["word_perplexity", "byte_perplexity", "bits_per_byte"],
    "multiple_choice": ["acc", "acc_norm"],
    "generate_until": ["exact_match"],
}


def installed() -> bool:
    return importlib.util.find_spec("lm_eval") is not None


def included(include: str, subtasks: Sequence[str]) -> dict[str, Any] | None:
    """The keys of the task that an `include` means, with those of what it includes; None if no such file has a task.

    {task} stands for each of `subtasks`, or for any if they are not known; the keys are then those of the first.
    """
    folder = path_in_package("lm_eval", "tasks")
    if "{task}" in include and not subtasks:
        paths = sorted(folder.glob(include.replace("{task}", "*")))
    else:
        paths = [folder / include.replace("{task}", subtask) for subtask in subtasks or [""]]
    if not all(path.is_file() for path in paths):
        return None
    # Functions are named, not imported. A list of tasks is a group.
    try:
        tasks = (_load_yaml()(path, resolve_func=False) for path in paths)
        return next((task for task in tasks if not isinstance(task.get("task"), list)), None)
    except (ValueError, yaml.YAMLError):
        return None


@cache
def _load_yaml() -> Callable[..., dict[str, Any]]:
    """lm-eval's own function, from the one module of it that needs nothing else."""
    path = path_in_package("lm_eval", "tasks/_yaml_loader.py")
    spec = importlib.util.spec_from_file_location("lm_eval_yaml_loader", path)
    module = importlib.util.module_from_spec(spec)  # pyright: ignore[reportArgumentType] (a file's is never None)
    spec.loader.exec_module(module)  # pyright: ignore[reportOptionalMemberAccess]
    return module.load_yaml


def metrics(task: Mapping[str, Any]) -> list[str]:
    """The metrics of a task."""
    if task.get("metric_list"):
        return [metric["metric"] for metric in task["metric_list"]]
    return DEFAULT_METRICS.get(task.get("output_type", "generate_until"), [])


def filters(task: Mapping[str, Any]) -> list[str]:
    """The filters of answers, each of which gives every metric."""
    return [each["name"] for each in task.get("filter_list") or [{"name": "none"}]]
