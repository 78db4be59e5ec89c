"""How well the sum of a method's scores ranks models that were trained on random subsets of a pool.

The linear datamodeling score of Park et al., "TRAK: Attributing Model Behavior at Scale", ICML 2023, section 2, after
the datamodels of Ilyas et al., ICML 2022: Spearman's rank correlation, over subsets, of the scores' sum over a subset
with the output of the model that was trained on it.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from instruction_selection.tables.statistics import BATCH, LEVEL, RESAMPLES


@dataclass(frozen=True)
class Correlation:
    """Spearman's, from -1 to 1, with the 95 % interval over subsets."""

    value: float
    low: float
    high: float


def linear_datamodeling_score(scores: np.ndarray, members: np.ndarray, outcomes: np.ndarray) -> Correlation | None:
    """Of a method's `scores`, (N,), for subsets with the rows `members`, bool (S, N), and `outcomes`, (S,).

    `outcomes` are larger where a model is better. A row without a score, NaN, counts as the mean of the others. The
    interval is the percentile bootstrap's over subsets (Efron 1979). None where all scores, all sums or all outcomes
    are equal, so that nothing is ranked.
    """
    known = np.isfinite(scores)
    # Before the sums, which rounding may make different.
    if not known.any() or np.ptp(scores[known]) == 0:
        return None
    filled = np.where(known, scores, scores[known].mean(dtype=np.float64)).astype(np.float64)
    sums = members @ filled
    value = _spearman(sums[None], outcomes[None])[0]
    return None if np.isnan(value) else Correlation(float(value), *_interval(sums, outcomes))


def _interval(sums: np.ndarray, outcomes: np.ndarray) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    found = []
    for start in range(0, RESAMPLES, step := max(1, BATCH // len(sums))):
        places = rng.integers(len(sums), size=(min(step, RESAMPLES - start), len(sums)))
        found.append(_spearman(sums[places], outcomes[places]))
    # Without resamples in which nothing is ranked.
    low, high = np.nanquantile(np.concatenate(found), (LEVEL / 2, 1 - LEVEL / 2))
    return float(low), float(high)


def _spearman(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(B,) for each line of two (B, S): the correlation of ranks, ties sharing their mean; NaN where all are equal."""
    ranks = [stats.rankdata(values, axis=1) for values in (first, second)]
    one, other = (each - each.mean(axis=1, keepdims=True) for each in ranks)
    spread = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    products = (one * other).sum(axis=1)
    return np.divide(products, spread, out=np.full(len(products), np.nan), where=spread > 0)
