"""Whole numbers of rows from real shares."""

from collections.abc import Sequence

import numpy as np


def largest_remainder(total: int, shares: Sequence[float] | np.ndarray) -> np.ndarray:
    """int64 (k,) that sum to `total`, in proportion to `shares` (k,), which need not sum to 1.

    Every share is rounded down, and what is left is given one by one to the largest fractions, of equal ones to the
    first (Hamilton's method).
    """
    shares = np.asarray(shares, dtype=np.float64)
    exact = total * shares / shares.sum()
    parts = np.floor(exact).astype(np.int64)
    parts[np.argsort(parts - exact, kind="stable")[: total - parts.sum()]] += 1
    return parts
