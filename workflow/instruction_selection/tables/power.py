"""How small a difference between two methods a comparison can show, from the differences of a finished one.

The difference of two methods on evaluation row i in draw j is δ + row_i + draw_j + rest_ij, with independent, normal
effects (two-way random effects without replication). ``docs/study.md`` uses this for planning.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from instruction_selection.tables.statistics import LEVEL

POWER = 0.8
#: Of a numerical integral.
POINTS = 2000


@dataclass(frozen=True)
class Components:
    """Variances of a difference between two methods, in squared units of the metric."""

    rows: float
    draws: float
    #: Of what a draw changes in single rows, measurement error included.
    rest: float

    @classmethod
    def of(cls, differences: np.ndarray) -> Self:
        """Estimated from `differences`, of shape (draws, rows), both at least 2, by the analysis of variance.

        Each component is its mean square's expectation solved for it (Searle, Casella and McCulloch, "Variance
        Components", 1992, section 4.3); a negative estimate becomes 0.
        """
        differences = np.asarray(differences, dtype=float)
        draws, rows = differences.shape
        if draws < 2 or rows < 2:
            raise ValueError(f"{draws} draws of {rows} rows have no variance components")
        of_draws, of_rows = differences.mean(axis=1), differences.mean(axis=0)
        rest = differences - of_draws[:, None] - of_rows + differences.mean()
        mean_square = float((rest**2).sum()) / ((draws - 1) * (rows - 1))
        return cls(
            rows=max(0.0, float(of_rows.var(ddof=1)) - mean_square / draws),
            draws=max(0.0, float(of_draws.var(ddof=1)) - mean_square / rows),
            rest=mean_square,
        )

    @classmethod
    def mean(cls, found: list[Self]) -> Self:
        """Of several pairs of methods."""
        return cls(*(float(np.mean([getattr(each, name) for each in found])) for name in ("rows", "draws", "rest")))

    def levels(self, rows: int, draws: int) -> tuple[tuple[float, int], tuple[float, int]]:
        """The two expected variances that `statistics.two_levels` adds, of the means over rows and over draws, with
        their degrees of freedom. What draws change in single rows is in both."""
        both = self.rest / (rows * draws)
        return (self.rows / rows + both, rows - 1), (self.draws / draws + both, draws - 1)

    def standard_error(self, rows: int, draws: int) -> float:
        """Of the mean difference."""
        return math.sqrt(self.rows / rows + self.draws / draws + self.rest / (rows * draws))


def power(difference: float, components: Components, rows: int, draws: int, level: float = LEVEL) -> float:
    """The probability that `statistics.two_levels` finds a true `difference`, in its direction, at `level`.

    Its statistic is taken as noncentral t, with Satterthwaite's degrees of freedom at the expected variances. The test
    counts `Components.rest` twice, which its critical value is scaled for.
    """
    parts = components.levels(rows, draws)
    tested = sum(part for part, _ in parts)
    freedom = tested**2 / sum(part**2 / degrees for part, degrees in parts)
    error = components.standard_error(rows, draws)
    critical = float(stats.t.ppf(1 - level / 2, freedom)) * math.sqrt(tested) / error
    away = abs(difference) / error
    # Noncentral t, integrated over the estimated variance; SciPy's own gives NaN far out.
    estimated = stats.chi2.ppf((np.arange(POINTS) + 0.5) / POINTS, freedom) / freedom
    return float(stats.norm.sf(critical * np.sqrt(estimated) - away).mean())


def smallest_difference(
    components: Components, rows: int, draws: int, comparisons: int = 1, wanted: float = POWER
) -> float:
    """The smallest true difference that is found with probability `wanted`, in the metric's units.

    `comparisons` is the number in the table: the level is then that of Holm's first step, `LEVEL` / `comparisons`.
    """
    error, level = components.standard_error(rows, draws), LEVEL / comparisons
    if not error:
        return 0.0
    # With few draws a multiple of the error grows with the critical value; its power there is all but 1.
    most = error
    while power(most, components, rows, draws, level) < wanted:
        most *= 2
    size = brentq(lambda size: power(size, components, rows, draws, level) - wanted, 0, most)
    return float(size)  # pyright: ignore[reportArgumentType] (a tuple only with full_output)
