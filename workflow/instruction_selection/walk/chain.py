"""One component's set of rows while it grows, with both rules of the walk for all rows at once.

For the set with sum S, a candidate z of norm n and unit row u has
    cos(S + z, v) = (S.v + n u.v) / sqrt(|S|^2 + 2 n u.S + n^2),
so u.S for all rows, kept up to date by adding each chosen row's product, is all that the consistency rule needs; the
conflict rule is a running AND over the same products. A step costs one product of the store and one row.
"""

from dataclasses import dataclass

import numpy as np


@dataclass
class Walk:
    """What a walk chose and how often its rules acted. A fallback is a step to a row that is no neighbour."""

    rows: list[int]
    refused_by_conflict: int = 0
    refused_by_consistency: int = 0
    fallbacks: int = 0


class Chain:
    """A walk along `component` (D,) over rows `unit` (N, D) of norm 1 with gradient norms `norms` (N,).

    `free` bool (N,) says which rows may be taken; it is changed in place, and may be shared between chains.
    """

    def __init__(self, unit: np.ndarray, norms: np.ndarray, component: np.ndarray, delta: float, free: np.ndarray):
        self._unit, self._norms, self._delta = unit, norms.astype(np.float64), delta
        self._to_component = _products(unit, (component / np.linalg.norm(component)).astype(unit.dtype))
        self._compatible = np.ones(len(unit), dtype=bool)
        self._dot_sum = np.zeros(len(unit))
        self._sum_squared = self._sum_dot_component = 0.0
        self._to_last = self._to_component
        self.free = free
        self.result = Walk([])

    @property
    def last(self) -> int:
        return self.result.rows[-1]

    def take(self, row: int) -> None:
        products = _products(self._unit, self._unit[row])
        norm = self._norms[row]
        self._sum_squared += 2 * norm * self._dot_sum[row] + norm**2
        self._sum_dot_component += norm * self._to_component[row]
        self._dot_sum += norm * products
        self._compatible &= products >= 0
        self._to_last = products
        self.free[row] = False
        self.result.rows.append(row)

    def closest(self) -> int:
        """The free row closest to the component, by no rule."""
        return int(np.argmax(np.where(self.free, self._to_component, -np.inf)))

    def step(self, neighbours: np.ndarray | None = None) -> int | None:
        """The row to go to from the last one by both rules, or None; counts the rows refused on the way.

        Of `neighbours`, row numbers in the order in which they are tried; without, of all rows, by similarity.
        """
        consistent = self._consistent()
        feasible = self.free & self._compatible & consistent
        if neighbours is None:
            following = int(np.argmax(np.where(feasible, self._to_last, -np.inf))) if feasible.any() else None
            tried = self.free if following is None else self.free & (self._to_last > self._to_last[following])
        else:
            passed = np.flatnonzero(feasible[neighbours])
            following = int(neighbours[passed[0]]) if len(passed) else None
            tried = np.zeros_like(self.free)
            tried[neighbours[: passed[0] if len(passed) else None]] = True
            tried &= self.free
        self._count(tried, consistent)
        return following

    def fallback(self) -> int | None:
        """The free row closest to the component that passes both rules, or None; counts likewise."""
        consistent = self._consistent()
        feasible = self.free & self._compatible & consistent
        following = int(np.argmax(np.where(feasible, self._to_component, -np.inf))) if feasible.any() else None
        closer = self.free if following is None else self.free & (self._to_component > self._to_component[following])
        self._count(closer, consistent)
        return following

    def _consistent(self) -> np.ndarray:
        """Whether a row would keep |cos(S, v)| at `delta` of what it is, or more."""
        norms = self._norms
        alignment = abs(self._sum_dot_component) / np.sqrt(self._sum_squared)
        new_squared = self._sum_squared + 2 * norms * self._dot_sum + norms**2
        new_norm = np.sqrt(np.maximum(new_squared, np.finfo(float).tiny))
        return np.abs(self._sum_dot_component + norms * self._to_component) >= self._delta * alignment * new_norm

    def _count(self, tried: np.ndarray, consistent: np.ndarray) -> None:
        self.result.refused_by_conflict += int((tried & ~self._compatible).sum())
        self.result.refused_by_consistency += int((tried & self._compatible & ~consistent).sum())


def _products(unit: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Inner products, float64 (N,), the same for equal rows wherever they stand: a matrix product's may differ in the
    last digit, and then the first of two duplicates would not win.
    """
    return np.vecdot(unit, vector).astype(np.float64)
