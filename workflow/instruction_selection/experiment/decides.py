"""What a job's result depends on in the config: the only way from a config file to a rule's `params`.

A key that is listed nowhere here plans no job when it changes. Keys marked `About` cannot be listed.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from instruction_selection.core.features import FEATURES
from instruction_selection.experiment import grid
from instruction_selection.experiment.base import Section
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.model import Encoder

#: Every key that is given and not marked `About`, of arguments that another program defines.
EVERY: tuple[str, ...] = ()

GRADIENT = {"model": ("template",), "settings": ("cutoff_len",), "gradients": ("projection", "precision")}
FORWARD_PASS = {"model": ("template",), "settings": ("cutoff_len",)}
EMBEDDING = {"encoder": ("source",)}
EVALUATION = {
    "benchmark": ("harness", "metrics"),
    "target_size": ("evaluation_rows",),
    "evaluation": ("backend", "dtype", "chat_template"),
}
#: Rule -> section (a key of `SECTIONS`) -> keys.
KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "prepare_model": {"model": ("template", "source")},
    "sample_pool": {"pool": ("reader", "tasks", "rows"), "pool_size": ("rows",), "settings": ("data_seed",)},
    "sample_target": {
        "benchmark": ("reader", "tasks", "validation", "evaluation", "shared_source"),
        "target_size": ("validation_rows", "evaluation_rows"),
        "settings": ("data_seed", "evaluation_seed"),
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
    "pool_hidden_states": FORWARD_PASS,
    "validation_hidden_states": FORWARD_PASS,
    "pool_losses": FORWARD_PASS,
    "pool_embeddings": EMBEDDING,
    "validation_embeddings": EMBEDDING,
    "select_rows": {"method": ("params",)},
    "finetune": {"model": ("template",), "settings": ("cutoff_len",), "finetune_training": EVERY},
    "harness_tasks": {"benchmark": ("fewshot", "harness", "metrics")},
    "evaluate": EVALUATION,
    "evaluate_with_vllm": EVALUATION,
}


#: Section -> (the wildcard that names it, or None if there is only one; where it is).
SECTIONS: dict[str, tuple[str | None, Callable[[Experiment, str], Section]]] = {
    "settings": (None, lambda experiment, _: experiment.settings),
    "warmup": (None, lambda experiment, _: experiment.settings.warmup),
    "gradients": (None, lambda experiment, _: experiment.settings.gradients),
    "warmup_training": (None, lambda experiment, _: experiment.training["warmup"]),
    "finetune_training": (None, lambda experiment, _: experiment.training["finetune"]),
    "encoder": ("encoder", lambda experiment, _: _the(experiment.encoder)),
    "model": ("model", lambda experiment, name: experiment.models[name]),
    "pool": ("pool", lambda experiment, name: experiment.pools[name]),
    "pool_size": ("pool", lambda experiment, name: experiment.settings.pools[name]),
    "benchmark": ("benchmark", lambda experiment, name: experiment.benchmarks[name]),
    "target_size": ("benchmark", lambda experiment, name: experiment.settings.targets[name]),
    "evaluation": ("benchmark", grid.evaluation_settings),
    "method": ("method", lambda experiment, name: experiment.methods[name]),
}


class Decisions:
    """What decides the results of an experiment's jobs."""

    def __init__(self, experiment: Experiment):
        self._experiment = experiment
        # A grid asks for the same few sections thousands of times.
        self._sections: dict[tuple[str, str, tuple[str, ...]], dict[str, Any]] = {}

    def of_job(self, rule: str, wildcards: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """The values, as plain data by section, on which the result of a rule's job depends."""
        return {section: self._values(section, keys, wildcards) for section, keys in KEYS[rule].items()}

    def _values(self, section: str, keys: tuple[str, ...], wildcards: Mapping[str, str]) -> dict[str, Any]:
        wildcard, find = SECTIONS[section]
        name = _named(wildcard, wildcards)
        if (section, name, keys) not in self._sections:
            found = find(self._experiment, name)
            self._sections[section, name, keys] = found.all_inputs() if keys == EVERY else found.inputs(*keys)
        return self._sections[section, name, keys]


def features(names: Iterable[str]) -> dict[str, list[str | None]]:
    """How features are read, by name: a selection depends on it, and not on other entries of the list of features."""
    return {name: [FEATURES[name].reader, FEATURES[name].dataset] for name in names}


def _named(wildcard: str | None, wildcards: Mapping[str, str]) -> str:
    if wildcard is None:
        return ""
    # The target of an evaluation is what examples were selected for, and it is about a benchmark. Other jobs are about
    # a target that is one benchmark.
    return wildcards["target"] if wildcard == "benchmark" and wildcard not in wildcards else wildcards[wildcard]


def _the(encoder: Encoder | None) -> Encoder:
    assert encoder is not None, "no method asks for embeddings without an encoder"
    return encoder
