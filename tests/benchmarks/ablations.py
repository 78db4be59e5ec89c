"""What representations and ways of choosing find, each combined with each, without training on what is chosen.

.venv/bin/python tests/benchmarks/ablations.py families families docs/findings/families.csv
.venv/bin/python tests/benchmarks/ablations.py families families-long docs/findings/families-long.csv
.venv/bin/python tests/benchmarks/ablations.py datamodels datamodels docs/findings/datamodels-combinations.csv

The second argument is an experiment, the third where the numbers go. `families` needs the features of some of its
draws, and counts how many of the chosen rows are of the target's own kinds, of those that could be: a line for each
draw, target, representation, way of choosing and ratio. `datamodels` needs some of its random subsets, and correlates
the sums of their rows' scores with the metric of the models that were tuned on them, as `snakemake datamodels` does for
methods as they are published. findings.py makes the tables of docs/findings.md from both.

The code of a method is given another representation under the names of the gradients.
"""

import csv
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "workflow"))

from instruction_selection.core import files  # noqa: E402
from instruction_selection.experiment import load  # noqa: E402
from instruction_selection.experiment.wiring import Wiring  # noqa: E402
from instruction_selection.features.matrix import InMemoryMatrix  # noqa: E402
from instruction_selection.methods import bm25, g2is_robust, gist, gtp_style, less, less_round_robin  # noqa: E402
from instruction_selection.selection import Components, Inputs, Selection, reading  # noqa: E402
from instruction_selection.selection.algorithms.similarity import weighted_cosines  # noqa: E402
from instruction_selection.selection.contract import Checkpoint  # noqa: E402
from instruction_selection.selection.examples import Examples  # noqa: E402
from instruction_selection.selection.walk import algorithm1, fast  # noqa: E402
from instruction_selection.selection.walk.components import principal_components, towards, uncentred_components  # noqa: E402
from instruction_selection.selection.walk.growing_set import Walk  # noqa: E402
from instruction_selection.selection.walk.quantised import Quantised  # noqa: E402
from instruction_selection.tables import datamodel_text, datamodels  # noqa: E402
from instruction_selection.tables.datamodeling import linear_datamodeling_score  # noqa: E402

# Representations.
ADAM, ADAM_LAST = "Adam gradients, all checkpoints", "Adam gradients, last checkpoint"
PLAIN, PLAIN_LAST = "plain gradients, all checkpoints", "plain gradients, last checkpoint"
CENTRED = "Adam gradients, last checkpoint, minus their mean"
EMBEDDINGS, HIDDEN, WORDS = "sentence embeddings", "hidden states", "words"
# Ways of choosing.
LESS, NEAREST, GIST, BM25 = "mean of the closest subtask", "closest row", "closest row in the subspace (GIST)", "BM25"
TURNS, PURSUIT = "validation rows in turns", "pursuit (GTP-style)"
CLOSEST, CLOSEST_TURNED = "closest to components", "closest to components turned to the mean"
WALK, TURNED, AWAY = "walk (G2IS)", "walk, turned to the mean", "walk, turned away"
UNCENTRED, UNCENTRED_TURNED = "walk, not centred", "walk, not centred, turned to the mean"
UNCENTRED_AWAY = "walk, not centred, turned away"
UNTESTED, ROBUST = "walk without consistency", "robust walk"

SIDES = [
    f"{side}_{name}" for name in ("embeddings", "hidden_states", "text", "lengths") for side in ("pool", "validation")
]
GRADIENTS = ("pool_gradients", "pool_sgd_gradients", "validation_gradients")
RATIOS = (0.05, 0.2)
#: As config/methods has them.
VARIANCE, DELTA = 0.5, 0.8
RNG = np.random.default_rng(0)


def features(wiring: Wiring, target: str) -> tuple[Inputs, Examples]:
    """All representations of an experiment's only pool, and of a target."""
    [model], [pool_name] = wiring.experiment.models, wiring.experiment.pools
    named = {"model": model, "pool": pool_name, "encoder": wiring.settings.encoder, "target": target}
    pool = Examples.read(wiring.paths.pool.format(**named))
    validation = Examples.read(wiring.paths.validation.format(**named))
    source = reading.Source({"pool": [pool], "validation": [validation]}, [np.array(validation.tasks)], {})

    def read(*names: str, checkpoint: int | None = None) -> dict:
        paths = {name: [wiring.paths.feature(name).format(**named, checkpoint=checkpoint)] for name in names}
        return reading.read({name: path for name, path in paths.items() if Path(path[0]).is_file()}, source)[0]

    checkpoints = [
        Checkpoint(read(*GRADIENTS, checkpoint=number), entry["mean_learning_rate"])
        for number, entry in zip(wiring.checkpoints, warmed_up(wiring), strict=True)
    ]
    return Inputs(len(pool), read(*SIDES), tuple(checkpoints)), pool


def warmed_up(wiring: Wiring) -> list[dict[str, float]]:
    """What is recorded of the checkpoints that have features."""
    [model], [pool] = wiring.experiment.models, wiring.experiment.pools
    recorded = files.read_json(wiring.paths.warmup_checkpoints.format(model=model, pool=pool))["checkpoints"]
    return recorded[-len(wiring.checkpoints) :]


def of_gradients(inputs: Inputs, kind: str, checkpoints: int) -> Inputs:
    """Its last `checkpoints`, 0 being all."""
    kept = inputs.checkpoints[-checkpoints:]
    return as_gradients([(each.features[kind], each.features["validation_gradients"], each.weight) for each in kept])


def centred_gradients(inputs: Inputs) -> Inputs:
    """Without the mean row of the pool: Adam's momentum is in every row."""
    [last] = inputs.checkpoints[-1:]
    pool = last.features["pool_gradients"]
    rows = pool.unit * pool.norms[:, np.newaxis]
    centred = InMemoryMatrix.normalised(rows - rows.mean(0))
    return as_gradients([(centred, last.features["validation_gradients"], last.weight)])


def of_vectors(inputs: Inputs, name: str) -> Inputs:
    return as_gradients([(inputs.features[f"pool_{name}"], inputs.features[f"validation_{name}"], 1.0)])


def as_gradients(checkpoints: list) -> Inputs:
    found = [
        Checkpoint({"pool_gradients": pool, "pool_sgd_gradients": pool, "validation_gradients": validation}, weight)
        for pool, validation, weight in checkpoints
    ]
    return Inputs(len(checkpoints[0][0]), {}, tuple(found)).without_unusable_validation_examples()


#: What the code of a method then reads as gradients.
REPRESENTATIONS: dict[str, Callable[[Inputs], Inputs]] = {
    ADAM: partial(of_gradients, kind="pool_gradients", checkpoints=0),
    ADAM_LAST: partial(of_gradients, kind="pool_gradients", checkpoints=1),
    PLAIN: partial(of_gradients, kind="pool_sgd_gradients", checkpoints=0),
    PLAIN_LAST: partial(of_gradients, kind="pool_sgd_gradients", checkpoints=1),
    CENTRED: centred_gradients,
    EMBEDDINGS: partial(of_vectors, name="embeddings"),
    HIDDEN: partial(of_vectors, name="hidden_states"),
}


def nearest_row(inputs: Inputs) -> np.ndarray:
    pools, targets, weights = inputs.over_checkpoints("pool_gradients", "validation_gradients")
    return weighted_cosines(pools, [target.unit for target in targets], weights).max(1)


SCORES: dict[str, Callable[[Inputs], np.ndarray]] = {
    LESS: partial(less.score, rng=RNG),
    NEAREST: nearest_row,
    GIST: partial(gist.score, rng=RNG, rank=0.95, mean_of_subtasks=False),
}


def along_components(
    inputs: Inputs, budget: int, sign: int, delta: float | None = DELTA, centred: bool = True
) -> Selection:
    """G2IS by Algorithm 1, with components as they come (sign 0), or turned towards (1) or away from (-1) the mean
    validation row: those of PCA, or of rows of norm 1 that are not `centred`. Without `delta` the rows closest to each
    component instead of a walk."""

    def components(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        found, shares = principal_components(rows, VARIANCE) if centred else uncentred_components(unit, VARIANCE)
        return (sign * towards(found, rows.mean(0)) if sign else found), shares

    def closest(found: np.ndarray, wanted: list[int]) -> list[Walk]:
        products = (inputs.pool_gradients @ found.T).T
        return [Walk(ranked(column)[:count].tolist()) for column, count in zip(products, wanted, strict=True)]

    if delta is None:
        choose = closest
    else:
        copies = Quantised(inputs.pool_gradients, inputs.memory_mib)
        choose = partial(fast.walk_algorithm1, copies, delta=delta)
    followed = Components("pool_gradients", "validation_gradients")
    return algorithm1.select(inputs, followed, budget, components, choose)


#: Of every checkpoint that a representation has.
OVER_CHECKPOINTS: dict[str, Callable[[Inputs, int], Selection]] = {
    TURNS: partial(less_round_robin.select, rng=RNG),
    PURSUIT: partial(gtp_style.select, rng=RNG, rank=64, iterations=20, tolerance=1e-3),
}
#: Of the last checkpoint.
WALKS: dict[str, Callable[[Inputs, int], Selection]] = {
    CLOSEST: partial(along_components, sign=0, delta=None),
    CLOSEST_TURNED: partial(along_components, sign=1, delta=None),
    WALK: partial(along_components, sign=0),
    TURNED: partial(along_components, sign=1),
    AWAY: partial(along_components, sign=-1),
    UNTESTED: partial(along_components, sign=0, delta=0.0),
    UNCENTRED: partial(along_components, sign=0, centred=False),
    UNCENTRED_TURNED: partial(along_components, sign=1, centred=False),
    UNCENTRED_AWAY: partial(along_components, sign=-1, centred=False),
    ROBUST: partial(g2is_robust.select, rng=RNG, variance=VARIANCE, delta=DELTA, centred=False),
}


def ranked(scores: np.ndarray) -> np.ndarray:
    return np.argsort(-scores, kind="stable")


def scores(inputs: Inputs) -> Iterator[tuple[str, str, np.ndarray]]:
    """(representation, way of choosing, score of each row)"""
    for representation, of in REPRESENTATIONS.items():
        seen = of(inputs)
        yield from ((representation, name, score(seen)) for name, score in SCORES.items())
    yield WORDS, BM25, bm25.score(inputs, RNG, k1=1.2, b=0.75)


def selections(inputs: Inputs, budgets: Iterable[int]) -> Iterator[tuple[str, str, int, Selection]]:
    """(representation, way of choosing, budget, what is chosen)"""
    for representation, name, values in scores(inputs):
        yield from ((representation, name, budget, Selection(ranked(values)[:budget])) for budget in budgets)
    for representation, of in REPRESENTATIONS.items():
        seen = of(inputs)
        walks = WALKS if len(seen.checkpoints) == 1 else {}
        for name, choose in (OVER_CHECKPOINTS | walks).items():
            yield from ((representation, name, budget, choose(seen, budget)) for budget in budgets)


def is_there(wiring: Wiring) -> bool:
    """Whether the features of a draw are complete."""
    [model], [pool] = wiring.experiment.models, wiring.experiment.pools
    paths = [
        wiring.paths.feature(name).format(
            model=model, pool=pool, target=target, checkpoint=checkpoint, encoder=wiring.settings.encoder
        )
        for name in (*GRADIENTS, *SIDES)
        for target in wiring.experiment.benchmarks
        for checkpoint in wiring.checkpoints
    ]
    return all(Path(path).is_file() for path in paths)


def families(name: str) -> Iterator[dict[str, object]]:
    config = REPOSITORY / "config"
    for draw in range(1, (load.load(config, name).settings.draws or 0) + 1):
        experiment = load.load(config, name, draw)
        wiring = Wiring(experiment)
        if not is_there(wiring):
            continue
        below = warmed_up(wiring)[-1]["second_moments_below_epsilon"]
        for target, benchmark in experiment.benchmarks.items():
            inputs, pool = features(wiring, target)
            own = np.isin(pool.tasks, benchmark.tasks)
            for representation, choice, budget, chosen in selections(inputs, [int(r * len(pool)) for r in RATIOS]):
                count = len(chosen.indices)
                walks = chosen.details.get("components", [])
                yield {
                    **{"draw": draw, "target": target, "representation": representation, "choice": choice},
                    **{"budget": budget, "chosen": count, "own": int(own[chosen.indices].sum())},
                    "share": own[chosen.indices].sum() / min(count, own.sum()),
                    **{
                        key: sum(walk[key] or 0 for walk in walks) if walks else ""
                        for key in ("rejected_by_conflict", "rejected_by_consistency", "fallbacks")
                    },
                    "second_moments_below_epsilon": below,
                }


class Subsets(NamedTuple):
    """The evaluated random subsets of a target: S of them, of a pool of N rows."""

    target: str
    inputs: Inputs
    #: (N,), whether a row is of the target's own tasks.
    own: np.ndarray
    #: (S, N), whether a row is in a subset.
    members: np.ndarray
    #: (S,), the metric of the tuned model, larger where it is better.
    outcomes: np.ndarray
    #: (S,), of all its responses.
    lengths: np.ndarray


def evaluated_subsets(name: str) -> Iterator[Subsets]:
    wiring = Wiring(load.load(REPOSITORY / "config", name))
    for group, cells in datamodels.cells_by_group(wiring).items():
        benchmark = wiring.experiment.benchmarks[group.benchmark]
        finished = datamodels.finished_subsets(wiring, cells)
        subsets, outcomes = datamodels.measured(wiring, finished, benchmark.metrics[0])
        inputs, pool = features(wiring, group.target)
        members = np.array([np.isin(pool.ids, list(subset)) for subset in subsets])
        own = np.isin(pool.tasks, benchmark.tasks)
        yield Subsets(group.target, inputs, own, members, outcomes, members @ inputs.pool_lengths)


def of_subsets(name: str) -> Iterator[dict[str, object]]:
    for target, inputs, _, members, outcomes, lengths in evaluated_subsets(name):
        for representation, choice, values in scores(inputs):
            found = linear_datamodeling_score(values, members, outcomes)
            given = linear_datamodeling_score(values, members, outcomes, lengths)
            yield {
                **{"target": target, "representation": representation, "choice": choice},
                "subsets": len(members),
                **datamodel_text.numbers(found, given),
            }


def write(path: str, lines: list[dict[str, object]]) -> None:
    with Path(path).open("w", newline="") as file:
        writer = csv.DictWriter(file, lines[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def main() -> None:
    command, experiment, path = sys.argv[1:]
    lines = list({"families": families, "datamodels": of_subsets}[command](experiment))
    if not lines:
        sys.exit(f"results/{experiment}: no draw has all features; see the first lines of {__file__}")
    write(path, lines)


if __name__ == "__main__":
    main()
