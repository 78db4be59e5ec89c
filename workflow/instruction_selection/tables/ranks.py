"""Spearman's rank correlation (1904), plain and partial, of many samples at once."""

import numpy as np
from scipy import stats

#: What is left unexplained below this is rounding.
ROUNDING = 1e-9


def correlation(first: np.ndarray, second: np.ndarray, given: np.ndarray | None = None) -> np.ndarray:
    """(B,), for each line of (B, S), ties sharing their mean rank. With `given` it is the partial correlation: what one
    says of the other beyond that. NaN where one of them has equal values only, or is ranked as `given` is, so that
    nothing is left to rank."""
    found = _spearman(first, second)
    if given is None:
        return found
    of_first, of_second = _spearman(first, given), _spearman(second, given)
    unexplained = (1 - of_first**2) * (1 - of_second**2)
    unexplained[~(unexplained > ROUNDING)] = np.nan
    return (found - of_first * of_second) / np.sqrt(unexplained)


def _spearman(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    ranks = [stats.rankdata(values, axis=1) for values in (first, second)]
    one, other = (each - each.mean(axis=1, keepdims=True) for each in ranks)
    spread = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    products = (one * other).sum(axis=1)
    return np.divide(products, spread, out=np.full(len(products), np.nan), where=spread > 0)
