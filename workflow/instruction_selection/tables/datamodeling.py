"""How well the sum of a method's scores ranks models that were trained on random subsets of a pool.

The linear datamodeling score of Park et al., "TRAK: Attributing Model Behavior at Scale", ICML 2023, section 2, after
the datamodels of Ilyas et al., ICML 2022: Spearman's rank correlation, over subsets, of the scores' sum over a subset
with the output of the model that was trained on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from instruction_selection.tables import ranks
from instruction_selection.tables.statistics import BATCH, LEVEL, RESAMPLES


@dataclass(frozen=True)
class Correlation:
    """Spearman's, from -1 to 1, with the 95 % interval over subsets."""

    value: float
    low: float
    high: float


def linear_datamodeling_score(
    scores: np.ndarray, members: np.ndarray, outcomes: np.ndarray, given: np.ndarray | None = None
) -> Correlation | None:
    """Of a method's `scores`, (N,), for subsets with the rows `members`, bool (S, N), and `outcomes`, (S,).

    `outcomes` are larger where a model is better. A row without a score, NaN, counts as the mean of the others. With
    `given`, (S,), it is the partial rank correlation: what the scores say beyond that number of a subset. The interval
    is the percentile bootstrap's over subsets (Efron 1979). None where all scores, all sums or all outcomes are equal,
    or ranked as `given` is, so that nothing is left to rank.
    """
    known = np.isfinite(scores)
    # Before the sums, which rounding may make different.
    if not known.any() or np.ptp(scores[known]) == 0:
        return None
    filled = np.where(known, scores, scores[known].mean(dtype=np.float64)).astype(np.float64)
    columns = [members @ filled, outcomes] + ([] if given is None else [given])
    value = ranks.correlation(*(column[None] for column in columns))[0]
    return None if np.isnan(value) else Correlation(float(value), *_interval(columns))


def _interval(columns: Sequence[np.ndarray]) -> tuple[float, float]:
    rng, count = np.random.default_rng(0), len(columns[0])
    found = []
    for start in range(0, RESAMPLES, step := max(1, BATCH // count)):
        places = rng.integers(count, size=(min(step, RESAMPLES - start), count))
        found.append(ranks.correlation(*(column[places] for column in columns)))
    # Without resamples in which nothing is ranked.
    low, high = np.nanquantile(np.concatenate(found), (LEVEL / 2, 1 - LEVEL / 2))
    return float(low), float(high)
