"""Similarity of pool rows to a target that has subtasks."""

import numpy as np


def best_subtask_mean(pool: np.ndarray, validation: np.ndarray, subtasks: np.ndarray) -> np.ndarray:
    """For each pool row the mean similarity to a subtask's validation rows, for the subtask where it is largest.

    `pool` (N, D) and `validation` (M, D) are unit rows, `subtasks` (M,) names; returns float32 (N,). Subtasks may
    have different numbers of rows. The mean of inner products is the inner product with the mean row.
    """
    means = np.stack([validation[subtasks == name].mean(0, dtype=np.float32) for name in np.unique(subtasks)])
    return (pool @ means.T).max(1)
