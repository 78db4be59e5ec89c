"""What a job's result depends on in the config: the only way from a config file to a rule's `params`.

A key that is listed nowhere here plans no job when it changes. Keys marked `About` cannot be listed.
"""

from collections.abc import Mapping
from typing import Any

from instruction_selection.core.features import FEATURES
from instruction_selection.experiment import grid
from instruction_selection.experiment.base import Section
from instruction_selection.experiment.experiment import Experiment

#: Every key that is given and not marked `About`, of arguments that another program defines.
EVERY: tuple[str, ...] = ()

GRADIENT = {"model": ("template",), "settings": ("cutoff_len",), "gradients": ("projection", "precision")}
HIDDEN_STATE = {"model": ("template",), "settings": ("cutoff_len",)}
EMBEDDING = {"encoder": ("source",)}
EVALUATION = {
    "benchmark": ("harness", "metrics"),
    "target_size": ("evaluation_rows",),
    "evaluation": ("backend", "dtype", "chat_template"),
}
#: Rule -> section of the experiment (`_section`) -> keys.
KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "prepare_model": {"model": ("template", "source")},
    "sample_pool": {"pool": ("reader", "tasks", "rows"), "pool_size": ("rows",), "settings": ("data_seed",)},
    "sample_target": {
        "benchmark": ("reader", "tasks", "validation", "evaluation", "shared_source"),
        "target_size": ("validation_rows", "evaluation_rows"),
        "settings": ("data_seed",),
    },
    "check_overlap": {"target_size": ("overlap",)},
    "sample_warmup": {"warmup": ("rows",), "settings": ("data_seed",)},
    "warmup": {
        "model": ("template",),
        "settings": ("cutoff_len", "data_seed"),
        "warmup": ("checkpoints",),
        "warmup_training": EVERY,
    },
    "pool_gradients": {**GRADIENT, "gradients": ("pool_kinds", "projection", "precision")},
    "gather_pool_gradients": {"pool_size": ("rows",)},
    "validation_gradients": GRADIENT,
    "pool_hidden_states": HIDDEN_STATE,
    "validation_hidden_states": HIDDEN_STATE,
    "pool_embeddings": EMBEDDING,
    "validation_embeddings": EMBEDDING,
    "select_rows": {"method": ("params",)},
    "finetune": {"model": ("template",), "settings": ("cutoff_len",), "finetune_training": EVERY},
    "harness_tasks": {"benchmark": ("fewshot", "harness", "metrics")},
    "evaluate": EVALUATION,
    "evaluate_with_vllm": EVALUATION,
}


def of_job(experiment: Experiment, rule: str, wildcards: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The values, as plain data by section, on which the result of a rule's job depends."""
    return {
        name: _section(experiment, name, wildcards).inputs(*keys)
        if keys != EVERY
        else _section(experiment, name, wildcards).all_inputs()
        for name, keys in KEYS[rule].items()
    }


def features(names: tuple[str, ...]) -> dict[str, list[str | None]]:
    """How features are read, by name: a selection depends on it, and not on other entries of the list of features."""
    return {name: [FEATURES[name].reader, FEATURES[name].dataset] for name in names}


def _section(experiment: Experiment, name: str, wildcards: Mapping[str, str]) -> Section:
    settings = experiment.settings
    match name:
        case "settings":
            return settings
        case "warmup":
            return settings.warmup
        case "gradients":
            return settings.gradients
        case "model":
            return experiment.models[wildcards["model"]]
        case "encoder":
            assert experiment.encoder is not None
            return experiment.encoder
        case "pool":
            return experiment.pools[wildcards["pool"]]
        case "pool_size":
            return settings.pools[wildcards["pool"]]
        case "benchmark":
            return experiment.benchmarks[_benchmark(wildcards)]
        case "target_size":
            return settings.targets[_benchmark(wildcards)]
        case "evaluation":
            return grid.evaluation_settings(experiment, _benchmark(wildcards))
        case "method":
            return experiment.methods[wildcards["method"]]
        case "warmup_training":
            return experiment.training["warmup"]
        case "finetune_training":
            return experiment.training["finetune"]
    raise ValueError(f"{name!r} is not a section of an experiment")


def _benchmark(wildcards: Mapping[str, str]) -> str:
    """The benchmark that a job is about; an evaluation's target is what its examples were selected for."""
    return wildcards["benchmark"] if "benchmark" in wildcards else wildcards["target"]
