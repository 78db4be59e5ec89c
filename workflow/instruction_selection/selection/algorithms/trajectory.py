"""A target's gradient over checkpoints, matched by a sparse non-negative sum of rows (see methods/gtp_style)."""

from collections.abc import Sequence

import numpy as np

from instruction_selection.features.matrix import FeatureMatrix
from instruction_selection.selection.algorithms.matching_pursuit import compressive_sampling
from instruction_selection.selection.algorithms.subspace import basis


def system(
    pools: Sequence[np.ndarray | FeatureMatrix],
    validations: Sequence[np.ndarray],
    weights: Sequence[float] | np.ndarray,
    rank: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, r) and target (r,), float64: per checkpoint in the subspace of its validation rows, side by side.

    Per checkpoint unit rows (N, D) of the pool and (M, D) of the target; the subspace has `rank` dimensions at most
    (see `subspace.basis`), and r is their sum. The target is the mean validation row. Inner products of a checkpoint
    count with its weight, scaled to sum 1.
    """
    rows, targets = [], []
    for pool, validation, weight in zip(
        pools, validations, np.asarray(weights, np.float64) / np.sum(weights), strict=True
    ):
        directions = np.sqrt(weight) * basis(validation, rank)
        rows.append((pool @ directions.astype(pool.dtype)).astype(np.float64))
        targets.append(validation.mean(0, dtype=np.float64) @ directions)
    return np.hstack(rows), np.concatenate(targets)


def pursue(
    rows: np.ndarray, target: np.ndarray, budget: int, iterations: int, tolerance: float
) -> tuple[np.ndarray, list[dict]]:
    """int64 (min(budget, N),) row numbers of `rows` (N, r) in rounds of at most r / 2, and per round what happened.

    Each round is a compressive sampling of what is left of `target` (r,), by the rows not chosen yet, in at most
    `iterations`. A round that starts from a residual below `tolerance` times the target's norm starts from the target
    instead. Where nothing correlates with either, the rows most correlated with the target come next.
    """
    budget, rows_per_round = min(budget, len(rows)), max(1, rows.shape[1] // 2)
    left, residual = np.arange(len(rows)), target
    chosen: list[int] = []
    details: list[dict] = []
    while len(chosen) < budget:
        if np.linalg.norm(residual) <= tolerance * np.linalg.norm(target):
            residual = target
        wanted = min(rows_per_round, budget - len(chosen))
        found, coefficients = compressive_sampling(rows[left], residual, wanted, iterations)
        if not len(found) and residual is not target:
            residual = target
            continue
        if not len(found):
            found = np.argsort(-(rows[left] @ target), kind="stable")[: budget - len(chosen)]
            coefficients = np.zeros(len(found))
        after = residual - coefficients @ rows[left[found]]
        details.append(
            {
                "budget": wanted,
                "selected": len(found),
                "anchor": int(left[found[0]]),
                "residual_before": float(np.linalg.norm(residual)),
                "residual": float(np.linalg.norm(after)),
            }
        )
        chosen += left[found].tolist()
        left, residual = np.delete(left, found), after
    return np.array(chosen, dtype=np.int64), details
