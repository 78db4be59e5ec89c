"""The subspace of validation gradients, and similarity inside it (GIST: Min et al. 2026)."""

from collections.abc import Sequence

import numpy as np

from instruction_selection.features.matrix import FeatureMatrix


def basis(validation: np.ndarray, rank: int | float) -> np.ndarray:
    """Leading right singular vectors of `validation` (M, D), not centred, as columns (D, k).

    `rank` is their number, or as a fraction the share of the squared singular values that they must reach (0.95 in the
    paper; a number in the authors' code). Directions in which no validation row extends are left out. The authors'
    code reaches the same vectors through the Gram matrix of the rows.
    """
    _, singular, right = np.linalg.svd(validation, full_matrices=False)
    significant = int((singular > singular[0] * max(validation.shape) * np.finfo(singular.dtype).eps).sum())
    if isinstance(rank, float):
        energy = np.cumsum(singular**2) / np.sum(singular**2)
        # The last sum may be a digit below 1.
        rank = int(np.searchsorted(energy, min(rank, energy[-1]))) + 1
    return right[: min(rank, significant)].T


def _queries(projected: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Unit rows (K, k): each row of `projected` (M, k), or with `groups` (M,) the mean row of each group."""
    if groups is not None:
        projected = np.stack([projected[groups == name].mean(0) for name in np.unique(groups)])
    return unit(projected)


def scores(
    pools: Sequence[np.ndarray | FeatureMatrix],
    validations: Sequence[np.ndarray],
    weights: Sequence[float] | np.ndarray,
    rank: int | float,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Cosine inside the subspace with the closest query, float32 (N,).

    Per checkpoint plain gradients (N, D) of the pool and (M, D) of the target, these with their norms. A query is a
    validation row or, with `groups` (M,), the mean of a group's. Cosines are averaged over checkpoints with `weights`,
    scaled to sum 1, before the maximum over queries. `rank` as in `basis`.
    """
    total: float | np.ndarray = 0.0
    for pool, validation, weight in zip(
        pools, validations, np.asarray(weights, np.float64) / np.sum(weights), strict=True
    ):
        directions = basis(validation, rank)
        wanted = _queries(validation @ directions, groups)
        total = total + weight * (unit(pool @ directions) @ wanted.T)
    return np.asarray(total).max(1).astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows scaled to norm 1; a row of zeros stays one."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
