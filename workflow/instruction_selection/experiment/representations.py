"""What there is to measure of a finished experiment: its selections by target, and the representations on the disk."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from instruction_selection.core import entry_names
from instruction_selection.core.features import FEATURES
from instruction_selection.experiment import grid
from instruction_selection.experiment.wiring import Wiring

#: By what it is called: (feature of the pool, feature of the target).
PAIRS = {
    "Adam gradients": ("pool_gradients", "validation_gradients"),
    "raw gradients": ("pool_sgd_gradients", "validation_gradients"),
    "hidden states": ("pool_hidden_states", "validation_hidden_states"),
    "sentence embeddings": ("pool_embeddings", "validation_embeddings"),
}


@dataclass(frozen=True)
class Representation:
    """Files by the name of the feature, one per file of examples; those under a checkpoint are under the last.

    `made_with` is what the files must say of themselves, `checkpoints` the path of the warm-up's summary, or None if
    they do not depend on the warm-up.
    """

    name: str
    features: dict[str, list[str]]
    made_with: dict[str, Any]
    checkpoints: str | None


@dataclass(frozen=True)
class Case:
    """The selections from a pool that are compared for a model and a target, and the representations of both sides.

    Files of examples are each (rows, their summary); `validation` has several for a joint target.
    """

    model: str
    pool: str
    target: str
    pool_rows: tuple[str, str]
    validation: list[tuple[str, str]]
    representations: list[Representation]
    #: By the cell's (method, ratio, seed).
    selections: dict[tuple[str, str, int], tuple[str, str]] = field(default_factory=dict)


def cases(wiring: Wiring) -> Iterator[Case]:
    """By model, pool and target."""
    found: dict[tuple[str, str, str], Case] = {}
    for score in compared(wiring):
        cell = score.cell
        key = (cell.model, cell.pool, score.target)
        if key not in found:
            found[key] = _case(wiring, *key)
        selection = grid.selection_of(wiring.experiment, cell).wildcards()
        files = (wiring.paths.selected.format(**selection), wiring.paths.selection.format(**selection))
        found[key].selections[cell.method, cell.ratio, cell.seed] = files
    yield from found.values()


def compared(wiring: Wiring) -> list[grid.Score]:
    """What the tables show of part of a pool, at a ratio that the experiment chooses, each once."""
    experiment = wiring.experiment
    scores = {score: None for plan in experiment.tables.values() for score in grid.scores(experiment, plan)}
    chosen = {score.cell.ratio for score in scores if experiment.methods[score.cell.method].ratio is None}
    # All rows of a pool are the same selection, whatever the method.
    return [score for score in scores if score.cell.ratio in chosen and 0 < float(score.cell.ratio) < 1]


def _case(wiring: Wiring, model: str, pool: str, target: str) -> Case:
    paths, parts = wiring.paths, entry_names.parts(target)
    return Case(
        model,
        pool,
        target,
        (paths.pool.format(pool=pool), paths.pool_summary.format(pool=pool)),
        [(paths.validation.format(target=part), paths.target_summary.format(target=part)) for part in parts],
        list(_on_disk(wiring, model, pool, parts)),
    )


def _on_disk(wiring: Wiring, model: str, pool: str, targets: list[str]) -> Iterator[Representation]:
    """Those whose files of both sides exist."""
    settings = wiring.settings
    checkpoint = settings.warmup.checkpoints
    named = {"model": model, "pool": pool, "encoder": settings.encoder, "checkpoint": checkpoint}
    for name, pair in PAIRS.items():
        of_pool, of_target = (FEATURES[feature] for feature in pair)
        if of_pool.per_checkpoint and of_pool.dataset not in settings.gradients.pool_kinds:
            continue
        features = {
            of_pool.name: [wiring.paths.feature(of_pool.name).format(**named)],
            of_target.name: [wiring.paths.feature(of_target.name).format(target=part, **named) for part in targets],
        }
        if all(Path(path).is_file() for files in features.values() for path in files):
            made_with = wiring.made_with((of_pool, of_target), model if of_pool.made_by == "model" else None)
            checkpoints = wiring.paths.warmup_checkpoints.format(**named) if of_pool.per_checkpoint else None
            yield Representation(name, features, made_with, checkpoints)
