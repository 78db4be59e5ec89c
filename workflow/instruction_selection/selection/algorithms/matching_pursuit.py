"""Sparse approximation of a vector by rows: TAGCOS's orthogonal matching pursuit, and compressive sampling (CoSaMP)."""

import numpy as np
from scipy.optimize import nnls

from instruction_selection.features.matrix import FeatureMatrix


def orthogonal_matching_pursuit(
    pool: FeatureMatrix, target: np.ndarray, max_rows: int, penalty: float, tolerance: float, positive: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers int64 (m,) of `pool` (n, D), and coefficients (m,) with which they sum to about `target` (D,).

    m is `max_rows` at most. `penalty` is that of the ridge regression which gives the coefficients.

    The solver of TAGCOS (Zhang et al. 2025; utils/omp.py of their code at 93a5a38), as it is: the first coefficient is
    not penalised, and may be negative; with `positive`, rows whose coefficient becomes negative are dropped, the most
    negative first; the search ends at a residual below `tolerance` times the target's norm, when a row comes up that
    has been chosen, and, with the coefficients found before, when the row dropped is the one that came last. Without
    `positive`, which their script does not use but their solver has, rows are chosen by absolute correlation and none
    is dropped.
    """
    target = np.asarray(target, dtype=np.float64)
    residual, norm = target, np.linalg.norm(target)
    chosen: list[int] = []
    gram, products = np.zeros((0, 0)), np.zeros(0)
    coefficients = np.zeros(0)
    for _ in range(max_rows):
        if np.linalg.norm(residual) < tolerance * norm:
            break
        correlation = (pool @ residual[:, None])[:, 0]
        row = int(np.argmax(correlation if positive else np.abs(correlation)))
        if row in chosen:
            break
        chosen.append(row)
        rows = pool.take(np.array(chosen)).astype(np.float64)
        gram, products = _grown(gram, products, rows, target)
        if len(chosen) == 1:
            coefficients = correlation[row : row + 1] / gram[0]
        else:
            coefficients = _ridge(gram, products, penalty)
            while positive and coefficients.min() < 0:
                dropped = int(np.argmin(coefficients))
                del chosen[dropped]
                rows = np.delete(rows, dropped, 0)
                if dropped == len(chosen):
                    return np.array(chosen, dtype=np.int64), coefficients[:-1]
                gram = np.delete(np.delete(gram, dropped, 0), dropped, 1)
                products = np.delete(products, dropped)
                coefficients = _ridge(gram, products, penalty)
        residual = target - coefficients @ rows
    return np.array(chosen, dtype=np.int64), coefficients


def _grown(
    gram: np.ndarray, products: np.ndarray, rows: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Inner products of `rows` with each other and with `target`, given all but those of the last row."""
    last = rows @ rows[-1]
    grown = np.empty((len(rows), len(rows)))
    grown[:-1, :-1], grown[-1], grown[:, -1] = gram, last, last
    return grown, np.append(products, rows[-1] @ target)


def _ridge(gram: np.ndarray, products: np.ndarray, penalty: float) -> np.ndarray:
    return np.linalg.solve(gram + penalty * np.eye(len(gram)), products)


def reference(
    pool: np.ndarray, target: np.ndarray, max_rows: int, penalty: float, tolerance: float, positive: bool = True
) -> tuple[list[int], np.ndarray]:
    """`orthogonal_matching_pursuit` written out, with coefficients by least squares on the rows themselves."""

    def ridge(rows: list[int]) -> np.ndarray:
        stacked = np.vstack([pool[rows].T, np.sqrt(penalty) * np.eye(len(rows))])
        return np.linalg.lstsq(stacked, np.append(target, np.zeros(len(rows))))[0]

    chosen: list[int] = []
    coefficients = np.zeros(0)
    for _ in range(max_rows):
        residual = target - sum(
            (c * pool[row] for c, row in zip(coefficients, chosen, strict=True)), np.zeros(len(target))
        )
        if np.linalg.norm(residual) / np.linalg.norm(target) < tolerance:
            break
        correlations = [float(row @ residual if positive else abs(row @ residual)) for row in pool]
        best = int(np.argmax(correlations))
        if best in chosen:
            break
        chosen = [*chosen, best]
        if len(chosen) == 1:
            coefficients = np.array([pool[best] @ target / (pool[best] @ pool[best])])
            continue
        coefficients = ridge(chosen)
        while positive and min(coefficients) < 0:
            worst = int(np.argmin(coefficients))
            if worst == len(chosen) - 1:
                return chosen[:-1], coefficients[:-1]
            chosen = chosen[:worst] + chosen[worst + 1 :]
            coefficients = ridge(chosen)
    return chosen, coefficients


def compressive_sampling(
    pool: np.ndarray, target: np.ndarray, max_rows: int, iterations: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers int64 (m,) of `pool` (n, r), and coefficients (m,) above 0 that sum them to about `target` (r,).

    m is `max_rows` at most. CoSaMP (Needell and Tropp 2009, Algorithm 1) with non-negative least squares: each
    iteration adds the 2 * `max_rows` rows most correlated with the residual to those it has, solves, and keeps the
    `max_rows` largest; the best iterate is returned, rows by decreasing coefficient. Coefficients of more than r rows
    are not determined: choose `max_rows` well below r.
    """
    correlation = pool @ target
    top = np.argsort(-correlation, kind="stable")[:max_rows]
    # Of a solution that is no better than the most correlated rows', theirs is returned.
    best = _largest_positive(pool, target, top[correlation[top] > 0], max_rows)
    least = np.linalg.norm(target - best[1] @ pool[best[0]])
    support, residual, previous = np.zeros(0, dtype=np.int64), target, np.inf
    for _ in range(iterations):
        correlation = pool @ residual
        candidates = np.argsort(-correlation, kind="stable")[: 2 * max_rows]
        merged = np.union1d(support, candidates[correlation[candidates] > 0])
        if not len(merged):
            break
        kept, _ = _largest_positive(pool, target, merged, max_rows)
        found, coefficients = _largest_positive(pool, target, kept, max_rows)
        residual = target - coefficients @ pool[found]
        norm = np.linalg.norm(residual)
        if norm < least:
            best, least = (found, coefficients), norm
        if norm >= previous or np.array_equal(np.sort(found), np.sort(support)):
            break
        support, previous = found, norm
    return best


def _largest_positive(
    pool: np.ndarray, target: np.ndarray, rows: np.ndarray, max_rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """Of `rows` those with the largest coefficients above 0 in the non-negative least squares solution."""
    if not len(rows):
        return rows, np.zeros(0)
    coefficients = nnls(pool[rows].T, target)[0]
    order = np.argsort(-coefficients, kind="stable")[:max_rows]
    order = order[coefficients[order] > 0]
    return rows[order], coefficients[order]
