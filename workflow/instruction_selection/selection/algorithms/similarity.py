"""Similarity of pool rows to a target that has subtasks, over one or several checkpoints."""

from collections.abc import Sequence
from functools import reduce
from operator import add

import numpy as np

from instruction_selection.features.matrix import FeatureMatrix


def weighted_best_subtask_mean(
    pools: Sequence[np.ndarray | FeatureMatrix],
    validations: Sequence[np.ndarray],
    weights: Sequence[float] | np.ndarray,
    subtasks: np.ndarray,
) -> np.ndarray:
    """For each pool row the mean similarity to a subtask's validation rows, for the subtask where it is largest.

    Per checkpoint unit rows (N, D) of the pool and (M, D) of the target; similarities are averaged over checkpoints
    with `weights`, scaled to sum 1, before the maximum is taken. `subtasks` (M,) are names; subtasks may have different
    numbers of rows. Returns float32 (N,). The mean of inner products is the inner product with the mean row. (LESS: Xia
    et al. 2024, section 4.2, and matching.py of their code.)
    """
    names = np.unique(subtasks)
    scores = np.zeros((len(pools[0]), len(names)), dtype=np.float32)
    for pool, validation, weight in zip(pools, validations, _shares(weights), strict=True):
        means = np.stack([validation[subtasks == name].mean(0, dtype=np.float32) for name in names])
        scores += weight * (pool @ means.T)
    return scores.max(1)


def weighted_cosines(
    pools: Sequence[np.ndarray | FeatureMatrix],
    validations: Sequence[np.ndarray],
    weights: Sequence[float] | np.ndarray,
) -> np.ndarray:
    """Similarity of every pool row with every validation row, float32 (N, M), averaged over checkpoints likewise."""
    checkpoints = zip(pools, validations, _shares(weights), strict=True)
    return reduce(add, (weight * (pool @ validation.T) for pool, validation, weight in checkpoints))


def best_subtask_mean(pool: np.ndarray | FeatureMatrix, validation: np.ndarray, subtasks: np.ndarray) -> np.ndarray:
    """`weighted_best_subtask_mean` of a single checkpoint."""
    return weighted_best_subtask_mean([pool], [validation], [1], subtasks)


def _shares(weights: Sequence[float] | np.ndarray) -> np.ndarray:
    """float32 (T,) of sum 1."""
    return np.asarray(weights, dtype=np.float32) / np.float32(np.sum(weights))
