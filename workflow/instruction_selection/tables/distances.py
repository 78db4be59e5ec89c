"""Finished selections with their distance to the target and the metric that they lead to."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from instruction_selection.core.errors import InputError
from instruction_selection.experiment.chain import Chain
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.wiring import Wiring
from instruction_selection.tables import lineage
from instruction_selection.tables.cells import CellFiles, EvaluatedCell
from instruction_selection.tables.spec import TableSpec

#: What names a cell among measured distances.
NAMES = ("draw", "model", "pool", "target", "method", "ratio", "seed")


@dataclass(frozen=True)
class Point:
    """A fine-tuned and evaluated selection in one representation.

    `value` is of the benchmark's first metric, as tables show it; `difference` is from the mean of the baseline's seeds
    in the same draw and at the same ratio, None without a baseline. `rows` are the usable ones of the selection, and
    `response_length` is the mean number of characters of the responses of all its rows.
    """

    draw: int | None
    model: str
    pool: str
    target: str
    benchmark: str
    method: str
    ratio: str
    seed: int
    representation: str
    rows: int
    response_length: float
    mean_similarity: float
    distance_of_means: float
    metric: str
    value: float
    difference: float | None = None


class Panel(NamedTuple):
    """What points share that are drawn together, whatever their ratio and representation."""

    model: str
    pool: str
    target: str
    benchmark: str


def points(experiments: Sequence[Experiment], measured: Iterable[Mapping[str, Any]], spec: TableSpec) -> list[Point]:
    """The measured distances of these draws beside the evaluations that their selections lead to.

    Raises `InputError` where results do not belong together, and if there is none.
    """
    wirings = [Wiring(experiment) for experiment in experiments]
    made = [each for wiring in wirings for each in Chain(wiring, *wiring.experiment.tables).results()]
    lineage.check(made, experiments[0].settings.accepted_code)
    distances: dict[tuple, list[Mapping[str, Any]]] = {}
    for each in measured:
        distances.setdefault(tuple(each[name] for name in NAMES), []).append(each)
    found: dict[tuple, list[Point]] = {}
    for wiring in wirings:
        for table in wiring.experiment.tables:
            for names, evaluation, samples, selection, training in wiring.table_cells(table):
                key = tuple(_name(wiring.experiment.draw, names)[name] for name in NAMES)
                # Several tables may show a cell.
                if key in distances and (key, names["benchmark"]) not in found:
                    metric = spec.first_metric(names["benchmark"])
                    paths = CellFiles(evaluation, samples, selection, training)
                    value = EvaluatedCell.read(names, paths, (metric,)).metrics[metric.name].value
                    found[key, names["benchmark"]] = [
                        Point(**each, benchmark=names["benchmark"], metric=metric.name, value=metric.scale * value)
                        for each in distances[key]
                    ]
    if not found:
        sentence = "no selection of part of a pool has a representation of both sides on the disk"
        raise InputError("no-distances", sentence, path=f"results/{experiments[0].folder}")
    return _compared([point for several in found.values() for point in several], spec.plan.baseline)


def spec_of(experiment: Experiment) -> TableSpec:
    """What points are shown and compared by: the experiment's entries, and the baseline of its first table."""
    return TableSpec.of(experiment, next(iter(experiment.tables)))


def _name(draw: int | None, names: Mapping[str, str]) -> dict[str, Any]:
    return {**names, "draw": draw, "target": names["shown_for"], "seed": int(names["seed"])}


def _compared(found: list[Point], baseline: str | None) -> list[Point]:
    """With their differences from the baseline."""
    values: dict[tuple, list[float]] = {}
    for point in found:
        if point.method == baseline:
            values.setdefault(_group(point), []).append(point.value)
    means = {group: statistics.mean(several) for group, several in values.items()}
    return [
        replace(point, difference=point.value - means[_group(point)]) if _group(point) in means else point
        for point in found
    ]


def _group(point: Point) -> tuple:
    return point.draw, panel_of(point), point.ratio, point.representation


def panel_of(point: Point) -> Panel:
    return Panel(point.model, point.pool, point.target, point.benchmark)
