"""The job: files in, the chosen examples and their summary out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from instruction_selection.core import example, files, provenance, worked
from instruction_selection.core.errors import InputError
from instruction_selection.core.features import FEATURES
from instruction_selection.core.ratios import selected_count
from instruction_selection.features.matrix import FeatureMatrix
from instruction_selection.models import dataset_layout
from instruction_selection.selection import chosen, reading, scores
from instruction_selection.selection.contract import Checkpoint, Inputs, Selection
from instruction_selection.selection.examples import Examples
from instruction_selection.selection.run import renamed, run_method
from instruction_selection.selection.walk import diagnostics

#: Rows of a gradient store among which the share of negative cosines is counted.
SAMPLED_ROWS = 512
#: What `selection.json` repeats of a checkpoint's entry in checkpoints.json.
REPORTED = ("step", "mean_learning_rate", "second_moments_below_epsilon")
LIBRARIES = ("numpy", "scikit-learn", "scipy", "h5py", "numba")


@dataclass(frozen=True)
class CheckpointFiles:
    """Files of features under one checkpoint, and its entry in checkpoints.json, or {} if there is none."""

    features: Mapping[str, Sequence[str]]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def made_with(self) -> dict[str, Any]:
        return {key: self.about[key] for key in ("model", "adapter") if key in self.about}


def checkpoint_files(
    features: Sequence[Mapping[str, Sequence[str]]], written: str | Path | None
) -> list[CheckpointFiles]:
    """`features` of the last checkpoints, oldest first, each with its entry in `written`, a checkpoints.json."""
    if not features:
        return []
    about = files.read_json(written)["checkpoints"] if written else [{}] * len(features)
    return list(map(CheckpointFiles, features, about[-len(features) :]))


@dataclass(frozen=True)
class Job:
    """A selection: which method chooses from which files.

    `implementation` is the module that selects, or None if `chosen` lists what a rule of the method's own chose
    (`selection.chosen`); `method` is what the experiment calls it. The budget is floor(`ratio` *
    examples in the pool), or what was chosen in the selection whose summary is `sized_like`. `validation` has several
    files for a joint target. `features` maps each feature of the method to its files, one per file of examples that
    it belongs to; those under checkpoints are in `checkpoints`, oldest first. `made_with` is what the stores must say
    of themselves; with None they are only compared with each other. The method may use `memory_mib` MiB, and
    the GPU `device`, if any.
    """

    method: str
    implementation: str | None
    ratio: float
    seed: int
    params: Mapping[str, Any]
    pool: str
    validation: Sequence[str] = ()
    features: Mapping[str, Sequence[str]] = field(default_factory=dict)
    checkpoints: Sequence[CheckpointFiles] = ()
    made_with: Mapping[str, Any] | None = None
    sized_like: str | None = None
    chosen: str | None = None
    memory_mib: int = 8000
    device: str | None = None


@worked.timed()
def execute(job: Job, run: str | Path, code: Mapping[str, str] | None) -> None:
    """Select, and write the chosen examples, their summary, `scores.parquet`, and `dataset_info.json`, in which
    LLaMA-Factory finds the examples as the data set `selected`, to the folder `run`; `code` has the hashes of the code
    that selects.
    """
    selected = Path(run, "selected.jsonl")
    choice = choose(job)
    found = choice.summary(job)
    parameters = {
        "method": {"params": job.params},
        "ratio": job.ratio,
        "seed": job.seed,
        "features": job.made_with,
    }
    inputs = {"pool": job.pool} | {f"validation of {Path(path).parent.name}": path for path in job.validation}
    inputs |= {"chosen": job.chosen} if job.chosen else {}
    found["provenance"] = provenance.record(inputs, parameters, code, LIBRARIES)
    choice.pool.copy(choice.result.indices, selected)
    stores = [path for name, [path] in _pool_files(job) if FEATURES[name].reader == "gradient_store"]
    validation = [name for path in job.validation for name in Examples.read(path).ids]
    scores.write(
        Path(run, "scores.parquet"), choice.pool, validation, choice.inputs, choice.result, next(iter(stores), None)
    )
    [first] = example.read(selected, 0, 1)
    dataset = {"selected": {"file_name": selected.name, **dataset_layout(first)}}
    files.write_json(Path(run, "dataset_info.json"), dataset)
    files.write_json(Path(run, "selection.json"), {**found, "sha256": files.sha256(selected)})


def _pool_files(job: Job) -> list[tuple[str, Sequence[str]]]:
    """Files of the pool's features under the last checkpoint."""
    features = job.checkpoints[-1].features if job.checkpoints else {}
    return [(name, paths) for name, paths in features.items() if FEATURES[name].side == "pool"]


def select(job: Job) -> tuple[Examples, np.ndarray, dict[str, Any]]:
    """The pool, the indices (n,) of the chosen examples in order of choice, and the summary of the choice."""
    choice = choose(job)
    return choice.pool, choice.result.indices, choice.summary(job)


@dataclass(frozen=True)
class Choice:
    """What a method was given, and what it returned; `identities` are those of the gradient stores."""

    pool: Examples
    budget: int
    inputs: Inputs
    identities: Mapping[str, dict]
    result: Selection

    def summary(self, job: Job) -> dict[str, Any]:
        return {
            **summarised(job, self.pool, self.budget, self.result),
            "sized_like": job.sized_like,
            "checkpoints": _shares(job.checkpoints, self.inputs.checkpoints),
            "not_selectable": int((~self.inputs.usable()).sum()),
            "trace": _trace(self.inputs, self.result),
            "stores": {
                name: {**identity, **self._negative_cosines(name)} for name, identity in self.identities.items()
            },
        }

    def _negative_cosines(self, name: str) -> dict[str, Any]:
        return negative_cosines(getattr(self.inputs, name)) if FEATURES[name].form == "rows" else {}


def choose(job: Job) -> Choice:
    """Raises `InputError` if none can be chosen, or for stores that `reading.read` rejects."""
    pool = Examples.read(job.pool)
    budget = _budget(job, pool)
    inputs, identities = _inputs(job, pool)
    if job.implementation is None:
        result = chosen.read(str(job.chosen), pool.ids, budget)
    else:
        result = run_method(job.implementation, inputs, budget, job.params, job.seed)
    if not len(result.indices):
        sentence = f"chose none of the {budget} rows asked for; its parameters do not fit this pool"
        raise InputError("nothing-selected", sentence, key=job.method)
    return Choice(pool, budget, inputs, identities, result)


def _budget(job: Job, pool: Examples) -> int:
    budget = selected_count(job.ratio, len(pool))
    if budget > len(pool):
        sentence = f"{budget} rows are wanted, and the pool has {len(pool)}"
        raise InputError("count-exceeds-pool", sentence, path=job.pool)
    if budget < 1:
        sentence = f"{job.ratio:g} of {len(pool)} examples selects none; raise the ratio or the size of the pool"
        raise InputError("ratio-selects-none", sentence, path=job.pool)
    return files.read_json(job.sized_like)["selected"] if job.sized_like else budget


def _inputs(job: Job, pool: Examples) -> tuple[Inputs, dict[str, dict]]:
    """What the method is given, and the identities of the gradient stores under the last checkpoint."""
    validation = [Examples.read(path) for path in job.validation]
    # Parts of a joint target may call their subtasks the same.
    prefixes = [f"{Path(path).parent.name}/" if len(validation) > 1 else "" for path in job.validation]
    source = reading.Source(
        {"pool": [pool], "validation": validation},
        [np.array([prefix + task for task in part.tasks]) for prefix, part in zip(prefixes, validation, strict=True)],
        job.made_with,
        job.device,
    )
    features, _ = reading.read(job.features, source)
    checkpoints, identities = [], {}
    for given in job.checkpoints:
        made_with = None if job.made_with is None else {**job.made_with, **given.made_with}
        found, identities = reading.read(given.features, replace(source, made_with=made_with))
        # Alone it counts for all, whatever its learning rate.
        weight = given.about.get("mean_learning_rate", 1.0) if len(job.checkpoints) > 1 else 1.0
        checkpoints.append(Checkpoint(found, weight))
    return Inputs(len(pool), features, tuple(checkpoints), job.memory_mib), identities


def _shares(given: Sequence[CheckpointFiles], checkpoints: Sequence[Checkpoint]) -> list[dict[str, Any]]:
    """What each checkpoint counts, oldest first; weights sum to 1."""
    total = sum(checkpoint.weight for checkpoint in checkpoints)
    return [
        {"weight": checkpoint.weight / total, **{key: of.about[key] for key in REPORTED if of.about}}
        for of, checkpoint in zip(given, checkpoints, strict=True)
    ]


def _trace(inputs: Inputs, result: Selection) -> dict:
    if result.components is None:
        return {}
    pool, validation = (getattr(inputs, name) for name in (result.components.pool, result.components.validation))
    return diagnostics.explained_variance_and_similarities(
        pool, validation.at(validation.usable), result.indices, result.details, result.components.explained
    )


def summarised(job: Job, pool: Examples, budget: int, result: Selection) -> dict[str, Any]:
    """What `selection.json` says of every selection."""
    return {
        "method": job.method,
        "ratio": job.ratio,
        "seed": job.seed,
        "pool_rows": len(pool),
        "budget": budget,
        "selected": len(result.indices),
        "shortfall": budget - len(result.indices),
        "tasks": dict(sorted(Counter(pool.tasks[index] for index in result.indices).items())),
        "details": renamed(result.details, pool.ids),
    }


def negative_cosines(matrix: FeatureMatrix) -> dict[str, float | int | None]:
    """The share of pairs of usable rows whose cosine is below 0, in all pairs of a sample that is always the same."""
    usable = np.flatnonzero(matrix.usable)
    sample = np.random.default_rng(0).permutation(usable)[:SAMPLED_ROWS]
    unit = matrix.take(sample)
    cosines = (unit @ unit.T)[np.triu_indices(len(sample), 1)]
    return {"sampled_pairs": len(cosines), "negative_cosines": float((cosines < 0).mean()) if len(cosines) else None}
