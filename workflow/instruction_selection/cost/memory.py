"""GPU memory of an experiment's jobs: what is to be predicted, and on which cards that fits.

The prediction itself needs torch, so a job makes it (`scripts/predict_memory.py`).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from instruction_selection.core import files
from instruction_selection.core.features import FEATURES
from instruction_selection.cost import prices
from instruction_selection.experiment import grid
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.model import Model
from instruction_selection.experiment.paths import Layout
from instruction_selection.experiment.sources import ModelFolder, RandomWeights

GIB = 2**30
#: What the rules that train do.
TRAININGS = {"warmup": "warm-up", "finetune": "fine-tuning"}
#: Sizes of cards in GB, as their names have them.
CARDS = (16, 24, 40, 48, 80, 141)


def room(card_gb: int) -> float:
    """Bytes of a card that a prediction may take: some are CUDA's, and an allocator cannot use every last one."""
    return (prices.CARD_SHARE.typical * card_gb - prices.CUDA_GIB.typical) * GIB


def fitting(peak: float) -> list[int]:
    """The cards of `CARDS` with room for so many bytes."""
    return [card for card in CARDS if peak <= room(card)]


def questions(experiment: Experiment, results: str = "results") -> dict[str, dict[str, Any]]:
    """By model, what decides the memory of its jobs, as plain data. Models of unknown architecture are left out.

    `results` may have models that are prepared, and whose configuration therefore says it.
    """
    prepared = Layout(experiment.folder, results).model
    return {
        name: {
            "architecture": architecture,
            # What a user counted is compared; a configuration is right.
            "parameters": model.parameters if _stated(model) else None,
            "cutoff_len": experiment.settings.cutoff_len,
            # None: the most for which a card has room.
            "batch_tokens": experiment.settings.batch_tokens,
            "room": room(experiment.settings.gpus.card) if experiment.settings.gpus.card else None,
            "gradients": _gradients(experiment),
            "losses": _losses(experiment),
            "trainings": {stage: _training(experiment, stage) for stage in experiment.training},
            "evaluations": _evaluations(experiment),
        }
        for name, model in experiment.models.items()
        if (architecture := _stated(model) or _read(model, Path(prepared.format(model=name))))
    }


def _stated(model: Model) -> dict[str, Any] | None:
    """The architecture in a file of config/models."""
    return model.source.config if isinstance(model.source, RandomWeights) else model.architecture


def _read(model: Model, prepared: Path) -> dict[str, Any] | None:
    """The architecture in the configuration of a model that is on this machine: prepared, or a folder of the user's."""
    own = [Path(model.source.folder)] if isinstance(model.source, ModelFolder) else []
    found = [path for folder in (prepared, *own) if (path := folder / "config.json").is_file()]
    return files.read_json(found[0]) if found else None


def _gradients(experiment: Experiment) -> dict[str, Any]:
    gradients = experiment.settings.gradients
    return {
        "kinds": list(gradients.pool_kinds),
        "precision": gradients.precision,
        "dimension": gradients.projection.dimension,
        "gpus": max(1, experiment.settings.gpus.gradients),
    }


def _losses(experiment: Experiment) -> bool:
    """Whether a method needs losses or hidden states of the base model."""
    needed = {FEATURES[need] for method in experiment.methods.values() for need in method.needs}
    return any(feature.made_by == "model" and not feature.per_checkpoint for feature in needed)


def _training(experiment: Experiment, stage: Any) -> dict[str, Any]:
    settings, training = experiment.settings, experiment.training[stage]
    path = training.deepspeed
    return {
        "arguments": training.plain(),
        "processes": max(1, settings.gpus.training * settings.nodes.training),
        "deepspeed": json.loads(Path(path).read_text(encoding="utf-8")) if path else None,
    }


def _evaluations(experiment: Experiment) -> dict[str, dict[str, Any]]:
    found = {}
    for name in experiment.settings.targets:
        benchmark, evaluation = experiment.benchmarks[name], grid.evaluation_settings(experiment, name)
        read = (benchmark.prompt_tokens or benchmark.tokens) * prices.LONGEST_ROW.typical
        found[name] = {
            "backend": evaluation.backend,
            "rows": evaluation.batch_size,
            "tokens": int(read + benchmark.generated_tokens * prices.LONGEST_ROW.typical),
            "dtype": evaluation.dtype,
            "generates": benchmark.generated_tokens > 0,
        }
    return found


def text(experiment: Experiment, path: str | Path) -> str:
    """The predictions that `scripts/predict_memory.py` wrote to `path`, and the cards that they fit, for people."""
    lines = ["Memory of a GPU at its peak, and the cards (GB) that it fits"]
    card = experiment.settings.gpus.card
    predictions = files.read_json(path)
    for model in experiment.models:
        lines.append(f"  {model}")
        if model not in predictions:
            lines.append(
                "    unknown, because its file in config/models has no `architecture` and it is not prepared yet"
            )
            continue
        for job, peak in _lines(predictions[model]):
            if peak is None:
                lines.append(f"    {job:42}  unknown: predicted for ZeRO-2 alone")
                continue
            cards = ", ".join(map(str, fitting(peak))) or f"none of {', '.join(map(str, CARDS))}"
            note = f"; not the {card} of gpus.card" if card and peak > room(card) else ""
            lines.append(f"    {job:42}{peak / GIB:8.1f} GiB  {cards}{note}")
    training = max(1, experiment.settings.gpus.training * experiment.settings.nodes.training)
    lines += [
        f"  Counted, with fake tensors; a card has {prices.CARD_SHARE.typical:.0%} of its size less "
        f"{prices.CUDA_GIB.typical:.0f} GiB to give. Trainings are on {training} GPU{'s'[: training > 1]}.",
        "  Gradients, trainings: batches of examples of cutoff_len tokens, all response. Evaluations: rows of",
        f"  {prices.LONGEST_ROW.typical:.0f} times the mean length with transformers. vLLM takes 92 % of a card and",
        "  computes as many rows at once as fit; shown is the least: weights, and the cache of one row of the model's",
        "  greatest length.",
    ]
    if (gpus := experiment.settings.gpus.gradients) > 1:
        lines.append(f"  Gradients: the fullest of the {gpus} GPUs that a model is split over.")
    return "\n".join(lines)


def _lines(found: dict[str, Any]) -> Iterator[tuple[str, int | None]]:
    yield f"gradients, batches of {found['batch_tokens']:,} tokens", found["gradients"]
    if "losses" in found:
        yield "losses and hidden states, the same", found["losses"]
    for stage, peak in found["trainings"].items():
        yield TRAININGS[stage], peak
    for name, peak in found["evaluations"].items():
        yield f"evaluation, {name}", peak
