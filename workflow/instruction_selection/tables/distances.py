"""What the distance of a selection to its target says of the metric that it leads to: rank correlations.

Selections are compared within a draw, model, pool, target and ratio: more rows lower a loss, and change a distance.
"""

import csv
import io
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from instruction_selection.core.errors import InputError
from instruction_selection.experiment.benchmark import Metric
from instruction_selection.experiment.chain import Chain
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.wiring import Wiring
from instruction_selection.tables import lineage
from instruction_selection.tables.cells import CellFiles, EvaluatedCell
from instruction_selection.tables.markup import NOTHING, Cell, Column, escaped, markdown
from instruction_selection.tables.spec import TableSpec
from instruction_selection.tables.statistics import LEVEL
from instruction_selection.tables.table import arrow

#: A draw with fewer cells has no correlation, and a mean of fewer draws has no interval.
LEAST_CELLS, LEAST_DRAWS = 5, 3
#: Measure -> what is above it in the table, and its sign: +1 where more is closer.
MEASURES = {"mean_similarity": ("Mean similarity", 1), "distance_of_means": ("Distance of means", -1)}
#: What names a cell among measured distances.
NAMES = ("draw", "model", "pool", "target", "method", "ratio", "seed")


@dataclass(frozen=True)
class Point:
    """A fine-tuned and evaluated selection in one representation.

    `value` is of the benchmark's first metric, as tables show it; `difference` is from the mean of the baseline's seeds
    in the same draw and at the same ratio, None without a baseline. `rows` are the usable ones of the selection.
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


@dataclass(frozen=True)
class Line:
    """The rank correlation of a measure with the metric; + means that closer is better.

    `cells` has the number of cells of each draw; `by_draw` the correlation in each that has one. `mean`, `low` and
    `high` are over these draws, with a 95 % interval if there are enough.
    """

    panel: Panel
    ratio: str
    representation: str
    measure: str
    cells: tuple[int, ...]
    by_draw: tuple[float, ...]
    mean: float | None
    low: float | None
    high: float | None


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


def correlate(found: Iterable[Point], spec: TableSpec) -> list[Line]:
    """A line for each panel, ratio, representation and measure.

    Cells of one seed whose numbers are all equal are one: methods may choose the same rows, as a control of another's
    size does where that has no shortfall.
    """
    groups: dict[tuple[Panel, str, str], dict[int | None, dict[tuple, Point]]] = {}
    for point in found:
        draws = groups.setdefault((panel_of(point), point.ratio, point.representation), {})
        cells = draws.setdefault(point.draw, {})
        # A diverged model has no score.
        if math.isfinite(point.value):
            cells[point.seed, point.mean_similarity, point.distance_of_means, point.value] = point
    lines = []
    for (panel, ratio, representation), draws in groups.items():
        better = 1 if spec.first_metric(panel.benchmark).higher_is_better else -1
        for measure, (_, closer) in MEASURES.items():
            each = [
                correlation(
                    [closer * getattr(point, measure) for point in cells.values()],
                    [better * point.value for point in cells.values()],
                )
                for cells in draws.values()
            ]
            values = tuple(value for value in each if value is not None)
            counts = tuple(map(len, draws.values()))
            lines.append(Line(panel, ratio, representation, measure, counts, values, *over_draws(values)))
    return lines


def correlation(closeness: Sequence[float], goodness: Sequence[float]) -> float | None:
    """Spearman's (1904), with mean ranks for equal values; None for fewer than `LEAST_CELLS` cells, or if all are equal
    on one side."""
    if len(closeness) < LEAST_CELLS or 0 in (np.ptp(closeness), np.ptp(goodness)):
        return None
    # The first of a pair that SciPy has no type for.
    return float(np.asarray(stats.spearmanr(closeness, goodness))[0])


def over_draws(values: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Mean, and the ends of its 95 % interval by Student's t, cut at -1 and 1; None where there are too few values."""
    if not values:
        return None, None, None
    mean = statistics.mean(values)
    if len(values) < LEAST_DRAWS:
        return mean, None, None
    half = float(stats.t.ppf(1 - LEVEL / 2, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    return mean, max(-1.0, mean - half), min(1.0, mean + half)


def to_markdown(lines: Sequence[Line], spec: TableSpec, name: str) -> str:
    """A pipe table with a line for each of `lines`, of the experiment `name`, and below it what its numbers mean."""
    columns = [
        Column(heading, [Cell(label) for label in labels], right=False)
        for heading, labels in (
            ("Model", [spec.models[line.panel.model].label for line in lines]),
            ("Pool", [line.panel.pool for line in lines]),
        )
        if len(set(labels)) > 1
    ]
    columns += [
        Column("Target", [Cell(target_label(line.panel, spec)) for line in lines], right=False),
        Column("Metric", [Cell(metric_label(spec.first_metric(line.panel.benchmark))) for line in lines], right=False),
        Column("Ratio", [Cell(line.ratio) for line in lines]),
        Column("Representation", [Cell(line.representation) for line in lines], right=False),
        Column("Measure", [Cell(MEASURES[line.measure][0]) for line in lines], right=False),
        Column("Cells", [Cell(_range(line.cells)) for line in lines]),
        Column("Draws", [Cell(str(len(line.by_draw))) for line in lines]),
        Column("Correlation", [Cell(shown(line)) for line in lines]),
    ]
    notes = (
        "Spearman's rank correlation, over selections of one ratio, of a measure with the metric of the model that was "
        "tuned on the selection; + means that closer to the target's validation rows is better. Mean similarity: the "
        "mean cosine of all pairs of a chosen and a validation row. Distance of means: 1 - the cosine of the mean "
        "chosen row and the mean validation row, rows having norm 1.",
        f"One correlation per draw; their mean, and from {LEAST_DRAWS} draws on its 95 % interval (Student's t). An "
        "experiment without draws counts as one. "
        f"{NOTHING}: fewer than {LEAST_CELLS} cells, or all of them equal. A cell is a method and a seed; methods that "
        "chose the same rows are one.",
    )
    return "\n\n".join([f"## {escaped(name)}: what distance predicts", markdown(columns), *map(escaped, notes)]) + "\n"


def _range(counts: Sequence[int]) -> str:
    """Of cells in a draw."""
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def shown(line: Line) -> str:
    """The correlation, with its interval if it has one."""
    if line.mean is None:
        return NOTHING
    interval = "" if line.low is None else f" ({line.low:+.2f} to {line.high:+.2f})"
    return f"{line.mean:+.2f}{interval}"


def target_label(panel: Panel, spec: TableSpec) -> str:
    """The benchmark, and the joint target that rows were selected for."""
    label = spec.benchmark(panel.benchmark).label
    return label if panel.target == panel.benchmark else f"{label} (for {panel.target})"


def metric_label(metric: Metric) -> str:
    return f"{metric.label}\u00a0{arrow(metric)}"


def to_csv(found: Iterable[Point]) -> str:
    """The points, a line for each selection and representation; a value that is not there is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [each.name for each in fields(Point)]
    writer.writerow(names)
    writer.writerows(["" if (value := getattr(point, name)) is None else value for name in names] for point in found)
    return text.getvalue()
