"""TAGCOS: clusters of gradients, and within each the rows that approximate its centre (Zhang et al. 2025).

Rows are a `FeatureMatrix` (N, D), here of any norm, that is read by blocks: k-means passes over a store in each of its
iterations, and only one cluster's rows are held at a time, if `memory_mib` MiB are enough.

Both selections take clusters `labels` int (N,) with `centres` (k, D), and the `penalty` and `tolerance` of
`matching_pursuit.orthogonal_matching_pursuit`. Both return row numbers int64 (n,) in order of choice, and an entry per
cluster for `selection.json`.
"""

import numpy as np
from sklearn.cluster import KMeans

from instruction_selection.core.apportion import largest_remainder
from instruction_selection.core.ratios import selected_count
from instruction_selection.features.matrix import FeatureMatrix, InMemoryMatrix, Resident
from instruction_selection.features.products import Rounded, on_host
from instruction_selection.selection.algorithms.matching_pursuit import orthogonal_matching_pursuit

#: Sample on which k-means begins, as many rows per cluster.
SAMPLE_ROWS_PER_CLUSTER = 100
#: Most iterations of k-means on all rows.
MAX_ITERATIONS = 300
#: k-means ends when the squares of its centres' moves sum to less than this share of the rows' mean variance per
#: dimension, as scikit-learn's does.
CENTRE_TOLERANCE = 1e-4


def k_means(
    rows: FeatureMatrix, count: int, seed: int, sample_rows_per_cluster: int = SAMPLE_ROWS_PER_CLUSTER
) -> tuple[np.ndarray, np.ndarray]:
    """Labels int64 (N,) and centres (count, D). Seeded, and the same clusters whatever the order of the rows.

    Begins with scikit-learn's k-means on a sample of `sample_rows_per_cluster` * `count` rows, if there are more.
    k-means++ draws rows by number; so the rows are first sorted by a random projection.
    """
    key = rows @ np.random.default_rng(seed).normal(size=(rows.shape[1], 1)).astype(rows.dtype)
    order = np.argsort(key[:, 0], kind="stable")
    sample = order[np.linspace(0, len(rows) - 1, min(len(rows), sample_rows_per_cluster * count)).astype(int)]
    fitted = KMeans(count, random_state=seed).fit(rows.take(sample))
    labels, centres = np.empty(len(rows), dtype=np.int64), fitted.cluster_centers_
    labels[sample] = np.asarray(fitted.labels_)
    return (labels, centres) if len(sample) == len(rows) else _lloyd(rows, centres)


def _lloyd(rows: FeatureMatrix, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """k-means (Lloyd) on all rows from given centres (k, D); a cluster that becomes empty keeps its centre.

    Returns labels int64 (N,) and centres (k, D). Inner products and the sums of clusters are exact for rows that are
    rounded as in `features.products`, and so the same on every device.
    """
    labels, resident = np.empty(len(rows), dtype=np.int64), Resident(rows)
    for _ in range(MAX_ITERATIONS):
        before, half = labels.copy(), 0.5 * np.vecdot(centres, centres, dtype=np.float64)
        sums, sizes, squares = 0.0, np.zeros(len(centres)), 0.0
        rounded_centres = Rounded(centres, rows.device)
        for start, block in resident.blocks():
            rounded = Rounded(block, rows.device)
            found = np.argmax(rounded.products(rounded_centres) - half, axis=1)
            labels[start : start + len(found)] = found
            members = np.eye(len(centres))[found]
            sums = sums + rounded.sums(members)
            sizes += members.sum(0)
            squares += float(rounded.squares().sum())
        sums = on_host(sums)
        moved = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
        mean = sums.sum(0) / len(rows)
        variance = (squares / len(rows) - mean @ mean) / rows.shape[1]
        still = ((moved - centres) ** 2).sum() <= CENTRE_TOLERANCE * variance
        centres = moved.astype(centres.dtype)
        if still or np.array_equal(before, labels):
            break
    return labels, centres


def _members(rows: FeatureMatrix, numbers: np.ndarray, memory_mib: int) -> FeatureMatrix:
    """The rows `numbers`, in memory if they fit."""
    members = rows.at(numbers)
    fits = np.prod(members.shape) * rows.dtype.itemsize <= memory_mib << 20
    return InMemoryMatrix(members.unit) if fits else members


def select_as_published(
    rows: FeatureMatrix,
    labels: np.ndarray,
    centres: np.ndarray,
    ratio: float,
    penalty: float,
    tolerance: float,
    memory_mib: int = 8000,
) -> tuple[np.ndarray, list[dict]]:
    """The selection as in the authors' script (utils/omp.py of their code at 93a5a38), rows in its order.

    Clusters come in the order in which they first appear. Each has floor(ratio * size) rows to choose: the rows with a
    coefficient in a pursuit of the centre, by row number, and if they are too few, those of a pursuit of the same
    centre by the rows that remain. Where such a pursuit finds nothing, their script never ends; this ends the cluster.
    """
    chosen, details = [], []
    for label in _by_appearance(labels):
        members = np.flatnonzero(labels == label)
        held = _members(rows, members, memory_mib)
        budget = selected_count(ratio, len(members))
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
        details.append(_summary(label, members, budget, found, restarts))
        chosen += found
    return np.array(chosen, dtype=np.int64), details


def select_exact_budget(
    rows: FeatureMatrix,
    labels: np.ndarray,
    centres: np.ndarray,
    budget: int,
    penalty: float,
    tolerance: float,
    memory_mib: int = 8000,
) -> tuple[np.ndarray, list[dict]]:
    """The same with three changes, so that exactly min(budget, N) rows are chosen.

    The budget is shared among clusters by largest remainder. A pursuit that ends early resumes from its residual
    instead of the centre, so that it does not pick near-duplicates of what it has. Where nothing correlates with the
    residual any more, the rows closest to the centre fill up the share.
    """
    order, sizes = np.unique(labels, return_counts=True)
    chosen, details = [], []
    for label, share in zip(order, largest_remainder(min(budget, len(rows)), sizes), strict=True):
        members = np.flatnonzero(labels == label)
        held = _members(rows, members, memory_mib)
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
        details.append(_summary(label, members, share, found, restarts))
        chosen += found
    return np.array(chosen, dtype=np.int64), details


def _by_appearance(labels: np.ndarray) -> np.ndarray:
    """The different labels, in the order in which they first appear."""
    names, first = np.unique(labels, return_index=True)
    return names[np.argsort(first)]


def _summary(label: int, members: np.ndarray, budget: int, found: list[int], restarts: int) -> dict[str, int | None]:
    """A cluster's entry in `selection.json`."""
    return {
        "cluster": int(label),
        "rows": len(members),
        "budget": int(budget),
        "selected": len(found),
        "shortfall": int(budget) - len(found),
        "anchor": found[0] if found else None,
        "restarts": max(0, restarts),
    }
