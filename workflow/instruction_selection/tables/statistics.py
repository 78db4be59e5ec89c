"""Is a method better than another, as far as rows and seeds can say? ``docs/statistics.md`` explains the choices.

All methods are scored on the same rows, so differences are taken row by row. A trained method has one run per seed, and
the runs of two methods are independent of each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

#: Adjusted p below which a difference is marked, and 1 - the confidence of intervals.
LEVEL = 0.05
RESAMPLES = 9999
#: Of the hierarchical bootstrap, which takes longer and decides nothing.
HIERARCHICAL_RESAMPLES = 1999
#: Numbers that a batch of resamples may hold.
BATCH = 4_000_000
#: The test that knows rows and seeds; the others know rows.
TWO_LEVELS = "two-level"


@dataclass(frozen=True)
class Comparison:
    """A mean difference with its 95 % interval and the p-value of no difference, both unadjusted.

    `p_adjusted` is set by Holm's method for the comparisons that a table shows, and None for others.

    `test` is `TWO_LEVELS`, or of rows alone: ``mcnemar`` (exact; every value is 0 or 1) or ``permutation`` (of the
    signs of the differences). Beside `TWO_LEVELS` over seeds, and otherwise None: `welch_p` of the seeds' means, and
    the percentile interval of the hierarchical bootstrap.
    """

    difference: float
    low: float
    high: float
    p: float
    test: str
    welch_p: float | None = None
    bootstrap_low: float | None = None
    bootstrap_high: float | None = None
    p_adjusted: float | None = None

    def scaled(self, scale: float) -> Self:
        """In units of `scale`. A negative one turns the metric round, and the intervals' ends with it."""
        low, high = sorted((scale * self.low, scale * self.high))
        changed = replace(self, difference=scale * self.difference, low=low, high=high)
        if self.bootstrap_low is None or self.bootstrap_high is None:
            return changed
        low, high = sorted((scale * self.bootstrap_low, scale * self.bootstrap_high))
        return replace(changed, bootstrap_low=low, bootstrap_high=high)


def permutations(comparisons: int) -> int:
    """Enough that the smallest p there can be, two of them, is below half of `LEVEL` after `holm`."""
    return max(RESAMPLES, math.ceil(4 * comparisons / LEVEL))


def compare(
    first: np.ndarray,
    second: np.ndarray,
    comparisons: int = 1,
    trained: tuple[bool, bool] = (True, True),
    *,
    draws: bool = False,
) -> Comparison | None:
    """`first` minus `second`, of shapes (seeds, N) with the same N rows in the same order; numbers of seeds may differ.

    With `draws`, both have shape (draws, N), with the same draws in the same order, and what is said of seeds below
    holds for draws: as the methods of a draw share its pool, differences are taken within draws (`two_levels`).

    `trained` says whether a side has been trained at all: the untuned model has one run and no variance over seeds.
    Where a trained side has one run, that variance cannot be estimated, and the result is that of `paired`, of rows
    alone. Otherwise the variance of the difference is the sum of those of its mean over rows and of each trained side's
    mean over seeds, with Satterthwaite's degrees of freedom (1946), as in Welch's test (1947). What seeds change in
    single rows is in both terms, as in the bootstrap of rows and columns (Owen, "The pigeonhole bootstrap", 2007), so
    the test errs towards no difference. `p` is the larger of this test's and that of `paired`, which holds where few
    rows differ.

    None if there are fewer than two rows, or if a value is not finite, as a diverged model's is.
    """
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    rows = paired(first.mean(axis=0), second.mean(axis=0), comparisons)
    runs = [side for side, seeded in zip((first, second), trained, strict=True) if seeded]
    if rows is None or not runs or min(map(len, runs)) < 2:
        return rows
    if draws:
        low, high, p = two_levels(first - second)
        return Comparison(rows.difference, low, high, max(p, rows.p), TWO_LEVELS)
    differences = _differences(first.mean(axis=0), second.mean(axis=0))
    seeds = [_of_mean(side.mean(axis=1)) for side in runs]
    over_rows = _of_mean(differences)
    low, high, p = _satterthwaite(rows.difference, [over_rows, *seeds])
    return Comparison(
        rows.difference,
        low,
        high,
        max(p, rows.p),
        TWO_LEVELS,
        _satterthwaite(rows.difference, seeds)[2],
        *hierarchical_bootstrap(first, second),
    )


def two_levels(differences: np.ndarray) -> tuple[float, float, float]:
    """(low, high, p) of the mean of `differences`, of shape (draws, N): the 95 % interval, and the t-test.

    The variance is the sum of that of the mean over rows, after averaging over draws, and that of the mean over draws.
    """
    levels = [_of_mean(differences.mean(axis=axis)) for axis in (0, 1)]
    return _satterthwaite(float(differences.mean()), levels)


def _of_mean(values: np.ndarray) -> tuple[float, int]:
    """The variance of the mean, and its degrees of freedom."""
    # Rounding gives equal numbers a variance.
    spread = np.ptp(values) > 1e-12 * np.abs(values).max(initial=0)
    return (values.var(ddof=1) / len(values) if spread else 0.0), len(values) - 1


def _satterthwaite(difference: float, parts: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """(low, high, p) by Student's t; `parts` are independent variances that add up, with their degrees of freedom."""
    variance = sum(part for part, _ in parts)
    if not variance:
        return difference, difference, float(difference == 0)
    freedom = 1 / sum((part / variance) ** 2 / degrees for part, degrees in parts)
    error = math.sqrt(variance)
    half = float(stats.t.ppf(1 - LEVEL / 2, freedom)) * error
    return difference - half, difference + half, float(2 * stats.t.sf(abs(difference) / error, freedom))


def hierarchical_bootstrap(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """The percentile interval of the difference of means over resampled rows and, on each side, resampled seeds.

    Shapes as in `compare`. Rows are resampled together on both sides, because they are paired. With few seeds the
    interval is too short (resamples of n have (n - 1) / n of the variance, and n are few), so nothing is decided by it.
    """
    rng = np.random.default_rng(0)
    runs = np.concatenate([first, second])
    count = runs.shape[1]
    found = []
    for start in range(0, HIERARCHICAL_RESAMPLES, step := max(1, BATCH // count)):
        size = min(step, HIERARCHICAL_RESAMPLES - start)
        means = rng.multinomial(count, np.full(count, 1 / count), size) @ runs.T / count
        weights = [rng.multinomial(len(side), np.full(len(side), 1 / len(side)), size) for side in (first, second)]
        signed = np.hstack([weights[0] / len(first), -weights[1] / len(second)])
        found.append((means * signed).sum(axis=1))
    low, high = np.quantile(np.concatenate(found), (LEVEL / 2, 1 - LEVEL / 2))
    return float(low), float(high)


def paired(first: np.ndarray, second: np.ndarray, comparisons: int = 1) -> Comparison | None:
    """`first` minus `second`, both (N,) and of the same rows in the same order, as one of so many `comparisons`.

    The interval is the percentile bootstrap's over rows (Efron 1979); the test is McNemar's (1947) exact one, or a
    permutation of signs (Fisher 1935; Dror et al., "The Hitchhiker's Guide to Testing Statistical Significance in NLP",
    ACL 2018). None if there are fewer than two rows, or if a value is not finite, as a diverged model's is.
    """
    difference = _differences(first, second)
    if len(difference) < 2 or not np.isfinite(difference).all():
        return None
    batch = max(1, BATCH // len(difference))
    interval = stats.bootstrap(
        (difference,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=batch,
        confidence_level=1 - LEVEL,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    if np.isin(first, (0, 1)).all() and np.isin(second, (0, 1)).all():
        # Pairs in which both are right or both are wrong do not count.
        only_first, only_second = int((difference > 0).sum()), int((difference < 0).sum())
        table = [[0, only_first], [only_second, 0]]
        test, p = "mcnemar", mcnemar(table, exact=True).pvalue  # pyright: ignore[reportAttributeAccessIssue] (a Bunch)
    else:
        # One sample: SciPy changes the signs of its values at random.
        test, p = (
            "permutation",
            stats.permutation_test(
                (difference,),
                np.mean,
                permutation_type="samples",
                vectorized=True,
                n_resamples=permutations(comparisons),
                batch=batch,
                rng=np.random.default_rng(0),
            ).pvalue,
        )
    return Comparison(float(difference.mean()), float(interval.low), float(interval.high), float(p), test)


def _differences(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    # Means of three and of five equal numbers may differ in their last digit.
    return np.where(np.isclose(first, second, rtol=1e-12, atol=0), 0, first - second)


def holm(p_values: list[float]) -> list[float]:
    """The p-values of one table, adjusted for their number (Holm 1979), in the same order."""
    return np.asarray(multipletests(p_values, alpha=LEVEL, method="holm")[1]).tolist() if p_values else []


def wilson(share: float, rows: int) -> tuple[float, float]:
    """The 95 % interval (Wilson 1927) of a `share` (0 to 1) of so many rows.

    Unlike share ± standard error it stays within 0 and 1, and has a length at both (Brown, Cai and DasGupta,
    "Interval Estimation for a Binomial Proportion", 2001).
    """
    low, high = np.asarray(proportion_confint(share * rows, rows, alpha=LEVEL, method="wilson"), float)
    # Rounding may leave the share itself out at both ends.
    return min(max(0.0, float(low)), share), max(min(1.0, float(high)), share)
