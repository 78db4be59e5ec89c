"""An evaluated cell: the numbers that a table needs of its evaluation and its selection, read from their files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.experiment.benchmark import Metric
from instruction_selection.experiment.grid import Cell
from instruction_selection.tables import samples


class CellFiles(NamedTuple):
    """Paths of an evaluated cell's results; the untuned model has neither selection nor training."""

    evaluation: str
    samples: str
    selection: str | None
    training: str | None


class Group(NamedTuple):
    """Names that the seeds of a table's row share."""

    model: str
    pool: str
    method: str
    ratio: str


@dataclass(frozen=True)
class Evaluated:
    """A metric of one evaluation, as lm-eval reported it; `stderr` is over evaluation rows."""

    value: float
    stderr: float | None


@dataclass(frozen=True)
class SelectionSummary:
    """What a ``selection.json`` has, or the mean of several: how many examples were selected, of which tasks, and how
    many checkpoints were read (None if it does not say, as a method with its own rule need not)."""

    selected: float
    tasks: Mapping[str, float]
    checkpoints: int | None = None

    @classmethod
    def read(cls, path: str | Path) -> Self:
        content = files.read_json(path)
        checkpoints = content.get("checkpoints")
        return cls(content["selected"], content["tasks"], None if checkpoints is None else len(checkpoints))


@dataclass(frozen=True)
class PoolSummary:
    """What a ``pool.json`` has: the number of examples in the pool and in each of its tasks."""

    rows: int
    #: Means, of the pools of several draws.
    tasks: Mapping[str, float]

    @classmethod
    def read(cls, path: str | Path) -> tuple[str, Self]:
        """(the pool's name, its summary)."""
        content = files.read_json(path)
        return content["pool"], cls(content["rows"], content["tasks"])


@dataclass(frozen=True)
class EvaluatedCell:
    """A cell evaluated on `benchmark`, shown among the cells of `target`.

    `rows` is the number of evaluation rows. `values` has for each metric the value of every evaluation row, by its id.
    """

    cell: Cell
    target: str
    benchmark: str
    rows: int
    metrics: dict[str, Evaluated]
    values: dict[str, dict[str, float]]
    selection: SelectionSummary | None

    @classmethod
    def read(cls, names: dict[str, str], paths: CellFiles, metrics: tuple[Metric, ...]) -> Self:
        """From the results at `paths`. `names` are the cell's wildcards, its `benchmark` and `shown_for`, the target.

        Raises `InputError` if the evaluation lacks one of `metrics`.
        """
        evaluation = files.read_json(paths.evaluation)
        evaluated = {
            name: Evaluated(entry["value"], entry.get("stderr")) for name, entry in evaluation["metrics"].items()
        }
        for metric in metrics:
            if metric.name not in evaluated:
                there = ", ".join(sorted(evaluated)) or "none"
                sentence = f"the evaluation has no metric {metric.name!r} (it has: {there}); delete it and run again"
                raise InputError("metric-not-evaluated", sentence, path=paths.evaluation, key="metrics")
        return cls(
            cell=Cell.of(names),
            target=names["shown_for"],
            benchmark=names["benchmark"],
            rows=evaluation["samples"],
            metrics=evaluated,
            values=samples.read(paths.samples, metrics, evaluation.get("samples_sha256")),
            selection=SelectionSummary.read(paths.selection) if paths.selection else None,
        )

    @property
    def group(self) -> Group:
        return Group(self.cell.model, self.cell.pool, self.cell.method, self.cell.ratio)
