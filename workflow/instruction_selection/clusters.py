"""TAGCOS: clusters of gradients, and within each the rows that approximate its centre (Zhang et al. 2025)."""

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans

from instruction_selection.apportion import largest_remainder
from instruction_selection.pursuit import orthogonal_matching_pursuit


def mean_gradients(checkpoints: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Weighted mean over checkpoints of unit rows (N, D), in their own dtype; `weights` are scaled to sum 1.

    The mean is not scaled to norm 1 again: rows that point elsewhere at every checkpoint count less.
    """
    kind = checkpoints[0].dtype.type
    weights = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    return sum(kind(weight) * rows for weight, rows in zip(weights, checkpoints, strict=True))


def k_means(rows: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels (N,) and centres (count, D). Seeded, and the same clusters whatever the order of the rows.

    k-means++ draws rows by number; so the rows are put into an order of their own first.
    """
    key = np.vecdot(rows, np.random.default_rng(seed).normal(size=rows.shape[1]).astype(rows.dtype))
    order = np.argsort(key, kind="stable")
    fitted = KMeans(count, random_state=seed).fit(rows[order])
    labels = np.empty(len(rows), dtype=np.int64)
    labels[order] = fitted.labels_
    return labels, fitted.cluster_centers_


def select_as_published(
    rows: np.ndarray, labels: np.ndarray, centres: np.ndarray, ratio: float, penalty: float, tolerance: float
) -> tuple[np.ndarray, list[dict]]:
    """Row numbers, in the order of the authors' script, and per cluster what happened.

    Clusters come in the order in which they first appear. Each has floor(ratio * size) rows to choose: the rows with a
    coefficient in a pursuit of the centre, by row number, and if they are too few, those of a pursuit of the same
    centre by what is left. (Where such a pursuit finds nothing, their script runs on forever; this ends the cluster.)
    """
    chosen, details = [], []
    for label in _by_appearance(labels):
        members = np.flatnonzero(labels == label)
        budget = int(ratio * len(members) + 1e-9)
        found, restarts = [], -1
        while len(found) < budget:
            left = np.setdiff1d(members, found)
            picked, coefficients = orthogonal_matching_pursuit(
                rows[left], centres[label], budget - len(found), penalty, tolerance
            )
            restarts += 1
            if not np.any(coefficients):
                break
            found += left[np.sort(picked[coefficients != 0])].tolist()
        details.append(_told(label, members, budget, found, restarts))
        chosen += found
    return np.array(chosen, dtype=np.int64), details


def select_mended(
    rows: np.ndarray, labels: np.ndarray, centres: np.ndarray, budget: int, penalty: float, tolerance: float
) -> tuple[np.ndarray, list[dict]]:
    """The same with three changes: exactly `budget` rows, shared among clusters by largest remainder; a pursuit that
    ends early goes on from its residual instead of the centre, so that it does not pick near-duplicates of what it
    has; and where nothing correlates with the residual any more, the rows closest to the centre fill up the share.
    """
    order, sizes = np.unique(labels, return_counts=True)
    chosen, details = [], []
    for label, share in zip(order, largest_remainder(min(budget, len(rows)), sizes), strict=True):
        members = np.flatnonzero(labels == label)
        target, found, restarts = centres[label].astype(np.float64), [], -1
        while len(found) < share:
            left = np.setdiff1d(members, found)
            picked, coefficients = orthogonal_matching_pursuit(
                rows[left], target, share - len(found), penalty, tolerance
            )
            restarts += 1
            # A first coefficient may be negative: nothing correlates any more.
            if not len(picked) or coefficients.max() <= 0:
                closest = np.argsort(-(rows[left] @ centres[label]), kind="stable")
                found += left[closest[: share - len(found)]].tolist()
                break
            target = target - coefficients @ rows[left[picked]]
            found += left[picked].tolist()
        details.append(_told(label, members, share, found, restarts))
        chosen += found
    return np.array(chosen, dtype=np.int64), details


def _by_appearance(labels: np.ndarray) -> np.ndarray:
    names, first = np.unique(labels, return_index=True)
    return names[np.argsort(first)]


def _told(label: int, members: np.ndarray, budget: int, found: list[int], restarts: int) -> dict:
    return {
        "cluster": int(label),
        "rows": len(members),
        "budget": int(budget),
        "selected": len(found),
        "shortfall": int(budget) - len(found),
        "anchor": found[0] if found else None,
        "restarts": max(0, restarts),
    }
