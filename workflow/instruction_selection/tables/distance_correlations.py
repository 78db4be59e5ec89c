"""What the distance of a selection to its target says of the metric that it leads to: rank correlations.

Selections are compared within a draw, model, pool, target and ratio: more rows lower a loss, and change a distance.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from instruction_selection.tables import ranks
from instruction_selection.tables.distances import Panel, Point, panel_of
from instruction_selection.tables.spec import TableSpec
from instruction_selection.tables.statistics import LEVEL

#: A draw with fewer cells has no correlation, and a mean of fewer draws has no interval.
LEAST_CELLS, LEAST_DRAWS = 5, 3
#: Measure -> its sign: +1 where more is closer.
MEASURES = {"mean_similarity": 1, "distance_of_means": -1}
#: Needs no representation: selections have as many rows, but longer responses have more to learn from.
CONTROL = "response_length"


@dataclass(frozen=True)
class OverDraws:
    """A correlation in each draw that has one. `mean`, `low` and `high` are over these draws, with a 95 % interval if
    there are enough."""

    by_draw: tuple[float, ...]
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Line:
    """The rank correlation of a measure with the metric; + means that closer is better.

    `given_length` is the partial one, given the mean length of a selection's responses. That length itself is the line
    of the control, where + means that longer is better; it has no representation. `cells` has the number of cells of
    each draw.
    """

    panel: Panel
    ratio: str
    representation: str | None
    measure: str
    cells: tuple[int, ...]
    correlation: OverDraws
    given_length: OverDraws | None


#: By the draw.
_Cells = Mapping[int | None, Mapping[tuple, Point]]


def correlate(found: Iterable[Point], spec: TableSpec) -> list[Line]:
    """A line for each panel, ratio, representation and measure, and after them one for each control.

    Cells of one seed whose numbers are all equal are one: methods may choose the same rows, as a control of another's
    size does where that has no shortfall.
    """
    measured: dict[tuple[Panel, str, str], dict[int | None, dict[tuple, Point]]] = {}
    controls: dict[tuple[Panel, str], dict[int | None, dict[tuple, Point]]] = {}
    for point in found:
        of_panel = (panel_of(point), point.ratio)
        of_control = controls.setdefault(of_panel, {}).setdefault(point.draw, {})
        of_measures = measured.setdefault((*of_panel, point.representation), {}).setdefault(point.draw, {})
        # A diverged model has no score.
        if math.isfinite(point.value):
            cell = (point.seed, point.value, point.response_length)
            of_control[cell] = point
            of_measures[*cell, point.mean_similarity, point.distance_of_means] = point
    return [
        *(
            _line(panel, ratio, representation, measure, draws, spec)
            for (panel, ratio, representation), draws in measured.items()
            for measure in MEASURES
        ),
        *(_line(panel, ratio, None, CONTROL, draws, spec) for (panel, ratio), draws in controls.items()),
    ]


def _line(panel: Panel, ratio: str, representation: str | None, measure: str, draws: _Cells, spec: TableSpec) -> Line:
    closer = MEASURES.get(measure, 1)
    better = 1 if spec.first_metric(panel.benchmark).higher_is_better else -1

    def columns(cells: Mapping[tuple, Point]) -> list[list[float]]:
        """Of the measure, of the metric, and of what is known without them."""
        return [
            [closer * getattr(point, measure) for point in cells.values()],
            [better * point.value for point in cells.values()],
            [point.response_length for point in cells.values()],
        ]

    each = [columns(cells) for cells in draws.values()]
    return Line(
        panel,
        ratio,
        representation,
        measure,
        tuple(map(len, draws.values())),
        over_draws([correlation(*found[:2]) for found in each]),
        None if measure == CONTROL else over_draws([correlation(*found) for found in each]),
    )


def correlation(
    closeness: Sequence[float], goodness: Sequence[float], given: Sequence[float] | None = None
) -> float | None:
    """Spearman's, partial with `given`. None for fewer than `LEAST_CELLS` cells, or if there is nothing to rank."""
    if len(closeness) < LEAST_CELLS:
        return None
    columns = [closeness, goodness] + ([] if given is None else [given])
    value = float(ranks.correlation(*(np.array([column], float) for column in columns))[0])
    return None if math.isnan(value) else value


def over_draws(values: Iterable[float | None]) -> OverDraws:
    """Mean, and the ends of its 95 % interval by Student's t, cut at -1 and 1; None where there are too few values."""
    known = tuple(value for value in values if value is not None)
    if not known:
        return OverDraws((), None, None, None)
    mean = statistics.mean(known)
    if len(known) < LEAST_DRAWS:
        return OverDraws(known, mean, None, None)
    half = float(stats.t.ppf(1 - LEVEL / 2, len(known) - 1)) * statistics.stdev(known) / math.sqrt(len(known))
    return OverDraws(known, mean, max(-1.0, mean - half), min(1.0, mean + half))
