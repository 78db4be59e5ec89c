"""Whole numbers of rows from real shares."""

import numpy as np


def largest_remainder(total: int, shares: np.ndarray) -> np.ndarray:
    """int64 (k,) that sum to `total`, in proportion to `shares` (k,), which need not sum to 1.

    Every share is rounded down, and what is left goes one by one to the largest fractions, of equal ones to the first
    (Hamilton's method).
    """
    shares = np.asarray(shares, dtype=np.float64)
    exact = total * shares / shares.sum()
    parts = np.floor(exact).astype(np.int64)
    parts[np.argsort(parts - exact, kind="stable")[: total - parts.sum()]] += 1
    return parts
