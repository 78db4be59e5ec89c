"""Whether the jobs of a run fit the card that the experiment names in `gpus.card`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.core.features import FEATURES
from instruction_selection.cost import memory
from instruction_selection.cost.jobs import RUNS_MODEL
from instruction_selection.experiment import grid, machines
from instruction_selection.experiment.base import either_of
from instruction_selection.experiment.experiment import Experiment

#: What a rule's prediction is called in memory.json.
PREDICTED = {
    **{"warmup": "trainings", "finetune": "trainings", "evaluate": "evaluations", "evaluate_with_vllm": "evaluations"},
    **{
        feature.rule: "gradients" if feature.per_checkpoint else "losses"
        for feature in FEATURES.values()
        if feature.made_by == "model"
    },
}
#: Rule, model and, of an evaluation, benchmark.
GpuJob = tuple[str, str, str | None]


def jobs_on_gpus(experiment: Experiment, jobs: Iterable[tuple[str, Mapping[str, str]]]) -> list[GpuJob]:
    """Those of `jobs`, rules with their wildcards, that run a model on a GPU; equal ones once."""
    found = (
        (rule, wildcards["model"], wildcards.get("benchmark"))
        for rule, wildcards in jobs
        if rule in RUNS_MODEL and machines.devices(rule, experiment.settings)[0]
    )
    return list(dict.fromkeys(found))


def reject(experiment: Experiment, path: str | Path, jobs: Iterable[GpuJob]) -> None:
    """Raise `InputError` for the first of `jobs_on_gpus` that needs more memory than the card has to give.

    `path` is what `scripts/predict_memory.py` wrote. A training with another stage of ZeRO than 2 is not predicted, and
    passes. Of vLLM, which takes what a card has, the least that it starts with is predicted.
    """
    card = experiment.settings.gpus.card
    assert card is not None, "only where a card is named"
    predictions, room = files.read_json(path), memory.room(card)
    for rule, model, benchmark in jobs:
        if model not in predictions:
            sentence = "gpus.card needs the sizes of the model's layers, to predict its memory; add them"
            raise InputError("no-architecture", sentence, path=f"config/models/{model}.yaml", key="architecture")
        name, peak = _predicted(predictions[model], rule, benchmark)
        if peak is not None and peak > room:
            needs = f"{name} of {model}: {peak / memory.GIB:.1f} GiB are needed, and a card of {card} GB has"
            changes = either_of([*_changes(experiment, rule, benchmark), "take a larger card"])
            sentence = f"no room for {needs} {max(0, room) / memory.GIB:.1f} to give; {changes}"
            file = f"config/experiments/{experiment.name}.yaml"
            raise InputError("does-not-fit", sentence, path=file, key="gpus.card")


def _predicted(found: Mapping[str, Any], rule: str, benchmark: str | None) -> tuple[str, int | None]:
    """What a rule does, and its predicted peak."""
    peaks = found[PREDICTED[rule]]
    if rule in memory.TRAININGS:
        return memory.TRAININGS[rule], peaks[rule]
    if benchmark is not None:
        return f"the evaluation on {benchmark}", peaks[benchmark]
    return {"gradients": "gradients", "losses": "losses and hidden states"}[PREDICTED[rule]], peaks


def _changes(experiment: Experiment, rule: str, benchmark: str | None) -> list[str]:
    """What would make a job smaller, and is not so already."""
    settings = experiment.settings
    if benchmark is not None:
        evaluation = grid.evaluation_settings(experiment, benchmark)
        possible = {
            # vLLM forms batches itself.
            "lower evaluation.batch_size": evaluation.backend == "hf" and evaluation.batch_size > 1,
            "set evaluation.backend: hf": evaluation.backend == "vllm",
            "set evaluation.dtype: bfloat16": evaluation.dtype == "float32",
        }
    elif rule == "warmup" or rule == "finetune":
        training = experiment.training[rule]
        arguments = training.plain()
        possible = {
            "lower per_device_train_batch_size": training.per_device_train_batch_size > 1,
            "train LoRA and not the whole model": training.finetuning_type == "full",
            "set bf16: true": not arguments.get("bf16"),
            "set disable_gradient_checkpointing: false": bool(arguments.get("disable_gradient_checkpointing")),
            "raise gpus.training": training.deepspeed is not None,
            "lower cutoff_len": True,
        }
    else:
        gradients, of_gradients = settings.gradients, PREDICTED[rule] == "gradients"
        possible = {
            "lower gradients.batch_tokens": (gradients.batch_tokens or 0) > settings.cutoff_len,
            "set gradients.parameters: lora": of_gradients and gradients.parameters == "full",
            "set gradients.precision: bf16": of_gradients and gradients.precision == "fp32",
            "raise gpus.gradients": True,
            "lower cutoff_len": True,
        }
    return [change for change, helps in possible.items() if helps]
