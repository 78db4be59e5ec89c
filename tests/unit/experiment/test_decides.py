"""Every config key decides the jobs that this table names, and no other."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from instruction_selection.experiment import decides, load
from instruction_selection.experiment.base import Arguments, Section
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.grid import Cell

GRADIENTS = {"pool_gradients", "validation_gradients"}
HIDDEN_STATES = {"pool_hidden_states", "validation_hidden_states"}
EMBEDDINGS = {"pool_embeddings", "validation_embeddings"}
EVALUATIONS = {"evaluate", "evaluate_with_vllm"}
TOKENS = {"warmup", *GRADIENTS, *HIDDEN_STATES, "pool_losses", "finetune"}
#: Section and key -> rules that depend on it directly; what follows is Snakemake's to find.
DECIDED: dict[tuple[str, str], set[str]] = {
    ("model", "template"): {"prepare_model", *TOKENS},
    ("model", "source"): {"prepare_model"},
    ("encoder", "source"): EMBEDDINGS,
    ("pool", "reader"): {"sample_pool"},
    ("pool", "tasks"): {"sample_pool"},
    ("pool", "rows"): {"sample_pool"},
    ("pool_size", "rows"): {"sample_pool", "gather_pool_gradients"},
    ("benchmark", "reader"): {"sample_target"},
    ("benchmark", "tasks"): {"sample_target"},
    ("benchmark", "validation"): {"sample_target"},
    ("benchmark", "evaluation"): {"sample_target"},
    ("benchmark", "shared_source"): {"sample_target"},
    ("benchmark", "fewshot"): {"harness_tasks"},
    ("benchmark", "harness"): {"harness_tasks", *EVALUATIONS},
    ("benchmark", "metrics"): {"harness_tasks", *EVALUATIONS},
    ("target_size", "validation_rows"): {"sample_target"},
    ("target_size", "evaluation_rows"): {"sample_target", *EVALUATIONS},
    ("target_size", "overlap"): {"check_overlap"},
    ("target_size", "backend"): EVALUATIONS,
    ("evaluation", "backend"): EVALUATIONS,
    ("evaluation", "dtype"): EVALUATIONS,
    ("evaluation", "chat_template"): EVALUATIONS,
    ("method", "params"): {"select_rows"},
    ("settings", "data_seed"): {"sample_pool", "sample_target", "sample_warmup", "warmup"},
    ("settings", "evaluation_seed"): {"sample_target"},
    ("settings", "cutoff_len"): TOKENS,
    ("warmup", "rows"): {"sample_warmup"},
    ("warmup", "checkpoints"): {"warmup"},
    ("gradients", "pool_kinds"): {"pool_gradients"},
    ("gradients", "precision"): GRADIENTS,
    ("gradients", "projection"): GRADIENTS,
}
#: They decide which jobs there are, or which files a job reads: other jobs stay as they are. `training` and
#: `parameters` become the arguments of a training (`DECIDED_ARGUMENTS`).
GRID = {
    *(("settings", key) for key in ("models", "encoder", "pools", "targets", "methods", "ratios", "tables", "seeds")),
    ("settings", "seeds_of"),
    *(("warmup", "training"), ("gradients", "parameters")),
    *(("method", key) for key in ("needs", "checkpoints", "stochastic", "ratio", "sized_like", "implementation")),
}
#: Sections of a section, which have keys of their own.
NESTED = {("settings", key) for key in ("warmup", "gradients", "finetune", "evaluation")}
#: Of LLaMA-Factory's arguments every one decides, whether this project has a type for it or not.
DECIDED_ARGUMENTS = {"warmup_training": {"warmup"}, "finetune_training": {"finetune"}}
WILDCARDS = {"model": "tiny-llama", "pool": "reasoning", "target": "logic", "method": "g2is", "encoder": "any"}
TARGET_RULES = {"sample_target", "check_overlap"}


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return load.load("config", "smoke")


def sections(experiment: Experiment) -> Iterator[tuple[str, Section]]:
    for name, (wildcard, find) in decides.SECTIONS.items():
        yield name, find(experiment, {**WILDCARDS, "benchmark": "logic"}[wildcard] if wildcard else "")


def keys(experiment: Experiment, wanted) -> list[tuple[str, str]]:
    return [
        (name, key)
        for name, section in sections(experiment)
        if not isinstance(section, Arguments)
        for key, field in type(section).model_fields.items()
        if wanted(section, key, field)
    ]


def changed(value: Any) -> Any:
    """Another value of the same shape."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case dict():
            return {**value, "another": 1}
        case Section():
            key = next(key for key in value.plain() if key != "kind")
            return value.model_copy(update={key: changed(getattr(value, key))})
        case _:
            return (*value, "another") if isinstance(value, tuple) else f"{value}-another"


def with_changed(experiment: Experiment, name: str, key: str) -> Experiment:
    """The experiment with another value of one key of a section."""
    settings = experiment.settings

    def new(section: Section) -> Section:
        return section.model_copy(update={key: changed(getattr(section, key))})

    match name:
        case "settings":
            return experiment.model_copy(update={"settings": new(settings)})
        case "warmup" | "gradients" | "evaluation":
            inner = {name: new(getattr(settings, name))}
            return experiment.model_copy(update={"settings": settings.model_copy(update=inner)})
        case "pool_size" | "target_size":
            several, entry = ("pools", "reasoning") if name == "pool_size" else ("targets", "logic")
            sizes = getattr(settings, several)
            inner = {several: {**sizes, entry: new(sizes[entry])}}
            return experiment.model_copy(update={"settings": settings.model_copy(update=inner)})
        case "encoder":
            return experiment.model_copy(update={"encoder": new(experiment.encoder)})
        case "warmup_training" | "finetune_training":
            stage = name.removesuffix("_training")
            return experiment.model_copy(
                update={"training": {**experiment.training, stage: new(experiment.training[stage])}}
            )
    several, entry = {"model": ("models", "tiny-llama"), "pool": ("pools", "reasoning"),
                      "benchmark": ("benchmarks", "logic"), "method": ("methods", "g2is")}[name]  # fmt: skip
    entries = getattr(experiment, several)
    return experiment.model_copy(update={several: {**entries, entry: new(entries[entry])}})


def decided(one: Experiment, other: Experiment) -> set[str]:
    """Rules of which a job has other settings in the two."""
    before, after = decides.Decisions(one), decides.Decisions(other)
    found = set()
    for rule in decides.KEYS:
        wildcards = WILDCARDS if rule in TARGET_RULES else {**WILDCARDS, "benchmark": "logic"}
        if before.of_job(rule, wildcards) != after.of_job(rule, wildcards):
            found.add(rule)
    return found


def test_keys__are_all_in_this_table(experiment):
    """A new key has to be marked, or put on a list, here and in `decides`."""
    unmarked = keys(experiment, lambda section, key, _: key in type(section).deciding_keys())
    assert set(unmarked) == DECIDED.keys() | GRID | NESTED


@pytest.mark.parametrize(("name", "key"), sorted(DECIDED.keys() | GRID))
def test_key__decides_what_the_table_says(experiment, name, key):
    assert decided(experiment, with_changed(experiment, name, key)) == DECIDED.get((name, key), set())


def test_keys__that_are_marked_decide_nothing(experiment):
    def is_marked(section: Section, key: str, _: FieldInfo) -> bool:
        return key not in type(section).deciding_keys()

    marked = keys(experiment, is_marked)
    assert {("pool", "label"), ("gradients", "batch_tokens"), ("settings", "threads")} <= set(marked)
    for name, key in marked:
        assert decided(experiment, with_changed(experiment, name, key)) == set(), (name, key)


@pytest.mark.parametrize("name", DECIDED_ARGUMENTS)
@pytest.mark.parametrize("key", ["learning_rate", "effective_batch", "lora_rank", "num_train_epochs"])
def test_training_arguments__decide_their_stage(experiment, name, key):
    assert decided(experiment, with_changed(experiment, name, key)) == DECIDED_ARGUMENTS[name]


@pytest.mark.parametrize("name", DECIDED_ARGUMENTS)
@pytest.mark.parametrize("key", ["per_device_train_batch_size", "deepspeed"])
def test_training_arguments__that_set_memory_decide_nothing(experiment, name, key):
    assert decided(experiment, with_changed(experiment, name, key)) == set()


def test_training_arguments__without_a_type_here_decide_too(experiment):
    training = experiment.training["finetune"]
    other = type(training).model_validate({**training.plain(), "weight_decay": 0.5})
    changed = experiment.model_copy(update={"training": {**experiment.training, "finetune": other}})
    assert decided(experiment, changed) == {"finetune"}


def test_inputs__reject_a_key_that_decides_nothing(experiment):
    with pytest.raises(ValueError, match="label"):
        experiment.models["tiny-llama"].inputs("label")


def test_described__has_what_is_shown_and_not_how_jobs_run(experiment):
    described = experiment.described()
    assert described["models"]["tiny-llama"]["label"]
    assert "threads" not in described["settings"]
    assert "batch_tokens" not in described["settings"]["gradients"]
    assert "learning_rate" in described["training"]["finetune"]


def test_cells_of_one_method__do_not_depend_on_another(experiment):
    other = with_changed(experiment, "method", "params")
    cell = Cell("tiny-llama", "reasoning", "logic", "less", "0.1", 0).wildcards()
    before, after = decides.Decisions(experiment), decides.Decisions(other)
    assert before.of_job("select_rows", cell) == after.of_job("select_rows", cell)
