"""The same walk with one product of the store and one row per step.

For the set with sum S, a candidate z of norm n and unit row u has
    cos(S + z, v) = (S.v + n u.v) / sqrt(|S|^2 + 2 n u.S + n^2),
so u.S for all rows, kept up to date by adding each chosen row's product, is all that test (b) needs; test (a) is a
running AND over the same products.
"""

from dataclasses import dataclass

import numpy as np


@dataclass
class Walk:
    """What a walk chose and how often its rules acted."""

    rows: list[int]
    refused_by_conflict: int = 0
    refused_by_consistency: int = 0
    fallbacks: int = 0


def walk(unit: np.ndarray, norms: np.ndarray, component: np.ndarray, budget: int, delta: float) -> Walk:
    """Walk along `component` (D,) over rows `unit` (N, D) of norm 1 with gradient norms `norms` (N,).

    A refusal is counted for every row that was closer to the last one than the row taken.
    """
    norms = norms.astype(np.float64)
    component = component / np.linalg.norm(component)
    to_component = _products(unit, component.astype(unit.dtype))
    free = np.ones(len(unit), dtype=bool)
    compatible = np.ones(len(unit), dtype=bool)
    dot_sum = np.zeros(len(unit))
    sum_squared = sum_dot_component = 0.0
    result = Walk([])

    def take(row: int) -> np.ndarray:
        """Add a row to the set; returns every row's cosine with it."""
        nonlocal sum_squared, sum_dot_component
        products = _products(unit, unit[row])
        sum_squared += 2 * norms[row] * dot_sum[row] + norms[row] ** 2
        sum_dot_component += norms[row] * to_component[row]
        dot_sum[:] += norms[row] * products
        compatible[:] &= products >= 0
        free[row] = False
        result.rows.append(row)
        return products

    to_last = take(int(np.argmax(to_component)))
    while len(result.rows) < min(budget, len(unit)):
        alignment = abs(sum_dot_component) / np.sqrt(sum_squared)
        new_norm = np.sqrt(np.maximum(sum_squared + 2 * norms * dot_sum + norms**2, np.finfo(float).tiny))
        consistent = np.abs(sum_dot_component + norms * to_component) >= delta * alignment * new_norm
        feasible = free & compatible & consistent
        if feasible.any():
            following = int(np.argmax(np.where(feasible, to_last, -np.inf)))
            closer = free & (to_last > to_last[following])
        else:
            following = int(np.argmax(np.where(free, to_component, -np.inf)))
            closer = free
            result.fallbacks += 1
        result.refused_by_conflict += int((closer & ~compatible).sum())
        result.refused_by_consistency += int((closer & compatible & ~consistent).sum())
        to_last = take(following)
    return result


def _products(unit: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Inner products, float64 (N,), the same for equal rows wherever they stand: a matrix product's may differ in the
    last digit, and then the first of two duplicates would not win.
    """
    return np.vecdot(unit, vector).astype(np.float64)
