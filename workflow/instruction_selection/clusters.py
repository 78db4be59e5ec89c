"""TAGCOS: clusters of gradients, and within each the rows that approximate its centre (Zhang et al. 2025).

Rows are float arrays (N, D) or `Rows`, here of any norm, which are read by blocks: k-means passes over a store in each
of its iterations, and only one cluster's rows are held at a time, if `memory_mb` MiB are enough.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.cluster import KMeans

from instruction_selection.apportion import largest_remainder
from instruction_selection.features import BLOCK, Rows
from instruction_selection.pursuit import orthogonal_matching_pursuit

#: Rows per cluster on which k-means begins, and its most iterations on all rows after that.
SAMPLE, ITERATIONS = 100, 300
#: k-means ends when its centres move by less than this share of the rows' mean variance, as scikit-learn's does.
MOVED = 1e-4


def mean_gradients(checkpoints: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Weighted mean over checkpoints of unit rows (N, D), in their own dtype; `weights` are scaled to sum 1.

    The mean is not scaled to norm 1 again: rows that point elsewhere at every checkpoint count less.
    """
    kind = checkpoints[0].dtype.type
    weights = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    return sum(kind(weight) * rows for weight, rows in zip(weights, checkpoints, strict=True))


class Mean:
    """`mean_gradients` of the rows of several stores, computed where they are read; the `values` of `Rows`."""

    def __init__(self, checkpoints: Sequence[Rows], weights: Sequence[float]):
        self._checkpoints, self._weights = checkpoints, weights
        self.shape, self.dtype = checkpoints[0].shape, checkpoints[0].dtype

    def __len__(self) -> int:
        return self.shape[0]

    def at(self, numbers: np.ndarray) -> "Mean":
        return Mean([rows.at(numbers) for rows in self._checkpoints], self._weights)

    def take(self, numbers: np.ndarray) -> np.ndarray:
        return mean_gradients([rows.take(numbers) for rows in self._checkpoints], self._weights)

    def blocks(self, size: int) -> Iterator[tuple[int, np.ndarray]]:
        for parts in zip(*(rows.blocks(size // BLOCK) for rows in self._checkpoints), strict=True):
            yield parts[0][0], mean_gradients([block for _, block in parts], self._weights)


def k_means(rows: np.ndarray | Rows, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels (N,) and centres (count, D). Seeded, and the same clusters whatever the order of the rows.

    Begins with scikit-learn's k-means on a sample of `SAMPLE` rows per cluster, if there are more. k-means++ draws rows
    by number; so the rows are put into an order of their own first.
    """
    rows = _as_rows(rows)
    key = rows @ np.random.default_rng(seed).normal(size=(rows.shape[1], 1)).astype(rows.dtype)
    order = np.argsort(key[:, 0], kind="stable")
    sample = order[np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE * count)).astype(int)]
    fitted = KMeans(count, random_state=seed).fit(rows.take(sample))
    labels, centres = np.empty(len(rows), dtype=np.int64), fitted.cluster_centers_
    labels[sample] = fitted.labels_
    return (labels, centres) if len(sample) == len(rows) else _lloyd(rows, centres)


def _lloyd(rows: Rows, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """k-means on all rows from given centres (k, D); a cluster that becomes empty keeps its centre."""
    labels = np.empty(len(rows), dtype=np.int64)
    for _ in range(ITERATIONS):
        before, half = labels.copy(), 0.5 * np.vecdot(centres, centres)
        sums, sizes, squares = np.zeros(centres.shape), np.zeros(len(centres)), 0.0
        for start, block in rows.blocks(pieces=8):
            found = np.argmax(block @ centres.T.astype(block.dtype) - half.astype(block.dtype), axis=1)
            labels[start : start + len(block)] = found
            # A product, as BLAS adds up rows far faster than NumPy does.
            members = np.eye(len(centres), dtype=block.dtype)[found]
            sums += members.T @ block
            sizes += members.sum(0)
            squares += float(np.vecdot(block, block).sum(dtype=np.float64))
        moved = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
        mean = sums.sum(0) / len(rows)
        variance = (squares / len(rows) - mean @ mean) / rows.shape[1]
        still = ((moved - centres) ** 2).sum() <= MOVED * variance
        centres = moved.astype(centres.dtype)
        if still or np.array_equal(before, labels):
            break
    return labels, centres


def _as_rows(rows: np.ndarray | Rows) -> Rows:
    return rows if isinstance(rows, Rows) else Rows(rows, np.ones(len(rows)))


def _members(rows: Rows, numbers: np.ndarray, memory_mb: int) -> Rows:
    """The rows `numbers`, in memory if they fit."""
    members = rows.at(numbers)
    fits = np.prod(members.shape) * rows.dtype.itemsize <= memory_mb << 20
    return _as_rows(members.unit) if fits else members


def select_as_published(
    rows: np.ndarray | Rows,
    labels: np.ndarray,
    centres: np.ndarray,
    ratio: float,
    penalty: float,
    tolerance: float,
    memory_mb: int = 8000,
) -> tuple[np.ndarray, list[dict]]:
    """Row numbers, in the order of the authors' script, and per cluster what happened.

    Clusters come in the order in which they first appear. Each has floor(ratio * size) rows to choose: the rows with a
    coefficient in a pursuit of the centre, by row number, and if they are too few, those of a pursuit of the same
    centre by what is left. (Where such a pursuit finds nothing, their script runs on forever; this ends the cluster.)
    """
    rows, chosen, details = _as_rows(rows), [], []
    for label in _by_appearance(labels):
        members = np.flatnonzero(labels == label)
        held = _members(rows, members, memory_mb)
        budget = int(ratio * len(members) + 1e-9)
        found, restarts = [], -1
        while len(found) < budget:
            free = ~np.isin(members, found)
            left = members[free]
            picked, coefficients = orthogonal_matching_pursuit(
                held.at(free), centres[label], budget - len(found), penalty, tolerance
            )
            restarts += 1
            if not np.any(coefficients):
                break
            found += left[np.sort(picked[coefficients != 0])].tolist()
        details.append(_told(label, members, budget, found, restarts))
        chosen += found
    return np.array(chosen, dtype=np.int64), details


def select_mended(
    rows: np.ndarray | Rows,
    labels: np.ndarray,
    centres: np.ndarray,
    budget: int,
    penalty: float,
    tolerance: float,
    memory_mb: int = 8000,
) -> tuple[np.ndarray, list[dict]]:
    """The same with three changes: exactly `budget` rows, shared among clusters by largest remainder; a pursuit that
    ends early goes on from its residual instead of the centre, so that it does not pick near-duplicates of what it
    has; and where nothing correlates with the residual any more, the rows closest to the centre fill up the share.
    """
    order, sizes = np.unique(labels, return_counts=True)
    rows, chosen, details = _as_rows(rows), [], []
    for label, share in zip(order, largest_remainder(min(budget, len(rows)), sizes), strict=True):
        members = np.flatnonzero(labels == label)
        held = _members(rows, members, memory_mb)
        target, found, restarts = centres[label].astype(np.float64), [], -1
        while len(found) < share:
            free = ~np.isin(members, found)
            left, candidates = members[free], held.at(free)
            picked, coefficients = orthogonal_matching_pursuit(
                candidates, target, share - len(found), penalty, tolerance
            )
            restarts += 1
            # A first coefficient may be negative: nothing correlates any more.
            if not len(picked) or coefficients.max() <= 0:
                closest = np.argsort(-(candidates @ centres[label][:, None])[:, 0], kind="stable")
                found += left[closest[: share - len(found)]].tolist()
                break
            target = target - coefficients @ candidates.take(picked)
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
