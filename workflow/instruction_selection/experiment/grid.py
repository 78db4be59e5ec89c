"""Which selections, fine-tunes and evaluations an experiment asks for, each of them once.

A result that does not depend on the model, the pool or the target has `ANY` in that place, so that the cells
of a table that share it also share its path, and nothing is computed twice.
"""

from dataclasses import dataclass, replace
from typing import Protocol, Self

from instruction_selection.core.entry_names import ANY, parts
from instruction_selection.core.features import FEATURES
from instruction_selection.core.ratios import ratio_text
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.method import Method
from instruction_selection.experiment.plan import Plan
from instruction_selection.experiment.settings import Evaluation


class Names(Protocol):
    """Snakemake's wildcards, or a dict."""

    def __getitem__(self, name: str, /) -> str: ...


@dataclass(frozen=True)
class Cell:
    """One row of a table: what was selected, and the model that was trained on it."""

    model: str
    pool: str
    target: str
    method: str
    ratio: str
    seed: int

    @classmethod
    def of(cls, wildcards: Names) -> Self:
        """The inverse of `wildcards`; more names may be there."""
        names = {name: wildcards[name] for name in ("model", "pool", "target", "method", "ratio")}
        return cls(**names, seed=int(wildcards["seed"]))

    def wildcards(self) -> dict[str, str]:
        return {**vars(self), "seed": str(self.seed)}


@dataclass(frozen=True)
class Score:
    """A cell as a table shows it: beside the others for `target`, evaluated on `benchmark`, which is a part of it."""

    target: str
    benchmark: str
    cell: Cell


def targeted(method: Method) -> bool:
    """Whether the selection depends on the target's validation rows, directly or by another method's number of rows."""
    return bool(method.sized_like) or any(FEATURES[need].side == "validation" for need in method.needs)


def uses_model(method: Method) -> bool:
    """Whether the selection depends on the model, directly or by another method's number of rows."""
    return bool(method.sized_like) or any(FEATURES[need].made_by == "model" for need in method.needs)


def evaluation_settings(experiment: Experiment, benchmark: str) -> Evaluation:
    """The experiment's `evaluation` block, with the backend that a benchmark is evaluated with."""
    settings = experiment.settings
    backend = settings.targets[benchmark].backend or settings.evaluation.backend
    return settings.evaluation.model_copy(update={"backend": backend})


def ratios(plan: Plan, method: Method) -> list[str]:
    values = plan.ratios if method.ratio is None else (method.ratio,)
    return [ratio_text(value) for value in values]


def seeds(experiment: Experiment, method: str) -> tuple[int, ...]:
    """The repetitions of a method; the untuned model has none."""
    every = experiment.settings.seeds_of.get(method, experiment.settings.seeds)
    return every if experiment.methods[method].trained else every[:1]


def cells(experiment: Experiment, plan: Plan, target: str) -> list[Cell]:
    """What a table (`plan`) shows for one target; a cell that depends on less than the table does is there once.

    A joint target's cells are selected for all its parts at once.
    """
    rows = [
        Cell(
            model=model,
            pool=pool if method.trained else ANY,
            target=target if targeted(method) else ANY,
            method=name,
            ratio=ratio,
            seed=seed,
        )
        for model in plan.models
        for pool in plan.pools
        for name, method in ((name, experiment.methods[name]) for name in plan.methods)
        for ratio in ratios(plan, method)
        for seed in seeds(experiment, name)
    ]
    return list(dict.fromkeys(rows))


def scores(experiment: Experiment, plan: Plan) -> list[Score]:
    """Everything a table shows, target by target and benchmark by benchmark."""
    return [
        Score(target, benchmark, cell)
        for target in plan.targets
        for benchmark in parts(target)
        for cell in cells(experiment, plan, target)
    ]


def only_selected_for(experiment: Experiment) -> list[str]:
    """Benchmarks that are not evaluated, so that no table can show them."""
    return [name for name, target in experiment.settings.targets.items() if target.evaluation_rows is None]


def targets(experiment: Experiment) -> list[str]:
    """Every target that a table is about, joint ones among them."""
    return list(dict.fromkeys(target for plan in experiment.tables.values() for target in plan.targets))


def selected_for(experiment: Experiment, target: str) -> list[Cell]:
    """The cells of all tables that a target's selections are compared in: those whose size the experiment chooses."""
    plans = [plan for plan in experiment.tables.values() if target in plan.targets]
    rows = [cell for plan in plans for cell in cells(experiment, plan, target)]
    return [cell for cell in dict.fromkeys(rows) if experiment.methods[cell.method].ratio is None]


def selection_of(experiment: Experiment, cell: Cell) -> Cell:
    """The selection that a cell's fine-tuning reads."""
    method = experiment.methods[cell.method]
    return Cell(
        model=cell.model if uses_model(method) else ANY,
        pool=cell.pool,
        target=cell.target if targeted(method) else ANY,
        method=cell.method,
        ratio=cell.ratio,
        seed=cell.seed if method.stochastic else seeds(experiment, cell.method)[0],
    )


def size_of(experiment: Experiment, cell: Cell) -> Cell | None:
    """The selection of another method that a selection has as many rows as, or None if its ratio says how many."""
    other = experiment.methods[cell.method].sized_like
    return selection_of(experiment, replace(cell, method=other)) if other else None
