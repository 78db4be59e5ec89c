"""Is a method really better than another? Both were scored on the same samples, so these are tests of pairs."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

#: Adjusted p below which a difference counts as real, and 1 - the interval's confidence.
LEVEL = 0.05
RESAMPLES = 9999
#: Numbers that a batch of resamples may hold.
BATCH = 4_000_000


@dataclass(frozen=True)
class Comparison:
    """A mean difference over samples, its bootstrap interval, and the p-value of no difference.

    `test` is ``mcnemar`` (exact; every value is 0 or 1) or ``permutation`` (of the signs of the differences).
    """

    difference: float
    low: float
    high: float
    p: float
    test: str


def over_seeds(runs: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each sample (id to value) over the seeds that scored it.

    So a difference is tested against what other samples would give, with the trained models as they are; how much
    training itself varies is what the standard deviation over seeds shows.
    """
    return {name: math.fsum(run[name] for run in runs) / len(runs) for name in runs[0]}


def permutations(comparisons: int) -> int:
    """Enough that the smallest p there can be, two of them, is below half of `LEVEL` after `holm`."""
    return max(RESAMPLES, math.ceil(4 * comparisons / LEVEL))


def paired(first: np.ndarray, second: np.ndarray, comparisons: int = 1) -> Comparison | None:
    """`first` minus `second`, both (N,) and of the same samples in the same order, as one of so many `comparisons`.

    The interval is the percentile bootstrap's over samples. None if there are fewer than two samples, or if a value is
    not finite, as a diverged model's is.
    """
    difference = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
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
        test, p = "mcnemar", mcnemar([[0, only_first], [only_second, 0]], exact=True).pvalue
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


def holm(p_values: list[float]) -> list[float]:
    """The p-values of one table, adjusted for their number (Holm 1979), in the same order."""
    return multipletests(p_values, alpha=LEVEL, method="holm")[1].tolist() if p_values else []
