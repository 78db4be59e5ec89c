"""Which selections, fine-tunes and evaluations an experiment asks for, each of them once.

A result that does not depend on the model, the pool or the target has `ANY` in that place, so that the cells
of a table that share it also share its path, and nothing is computed twice.
"""

from dataclasses import dataclass

from instruction_selection.config import ANY, Experiment

NEEDS_MODEL = {
    "pool_gradients",
    "pool_sgd_gradients",
    "validation_gradients",
    "pool_hidden_states",
    "validation_hidden_states",
}


@dataclass(frozen=True)
class Cell:
    """One row of a table: what was selected, and the model that was trained on it."""

    model: str
    pool: str
    target: str
    method: str
    ratio: str
    seed: int

    def wildcards(self) -> dict[str, str]:
        return {**vars(self), "seed": str(self.seed)}


def parts(target: str) -> list[str]:
    """The benchmarks of a target; a joint one, selected for all at once, is written `bbh+gsm8k`."""
    return target.split("+")


def targeted(method: dict) -> bool:
    """Whether the selection depends on the target's validation rows."""
    return any(need.startswith("validation_") for need in method["needs"])


def uses_model(method: dict) -> bool:
    return bool(NEEDS_MODEL & set(method["needs"]))


def trained(method: dict) -> bool:
    """A method whose ratio is fixed to 0 selects nothing and trains nothing: the untuned model."""
    return method.get("ratio") != 0


def ratios(experiment: Experiment, method: dict) -> list[str]:
    values = [method["ratio"]] if "ratio" in method else experiment.settings["ratios"]
    return [str(value).removesuffix(".0") for value in values]


def cells(experiment: Experiment, target: str) -> list[Cell]:
    """The rows of a target's table; one that depends on less than the table does is there once."""
    rows = [
        Cell(
            model=model,
            pool=pool if trained(method) else ANY,
            target=target if targeted(method) else ANY,
            method=name,
            ratio=ratio,
            seed=seed,
        )
        for model in experiment.models
        for pool in experiment.pools
        for name, method in experiment.methods.items()
        for ratio in ratios(experiment, method)
        for seed in (experiment.settings["seeds"] if trained(method) else experiment.settings["seeds"][:1])
    ]
    return list(dict.fromkeys(rows))


def selection_of(experiment: Experiment, cell: Cell) -> Cell:
    """The selection that a cell's fine-tuning reads."""
    method = experiment.methods[cell.method]
    return Cell(
        model=cell.model if uses_model(method) else ANY,
        pool=cell.pool,
        target=cell.target,
        method=cell.method,
        ratio=cell.ratio,
        seed=cell.seed if method["stochastic"] else experiment.settings["seeds"][0],
    )
