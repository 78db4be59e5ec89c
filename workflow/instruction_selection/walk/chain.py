"""One component's set of rows while it grows, with both rules of the walk, looking at as few rows as it can.

For the set with sum S, a candidate z of norm n and unit row u has
    cos(S + z, v) = (S.v + n u.v) / sqrt(|S|^2 + 2 n u.S + n^2),
so u.S and u.v are all that the consistency rule needs. Quantised copies bound u.S and the similarity with the row taken
last for all rows at once. Rows are then looked at in order of their upper bounds, until the next bound is below the
best similarity of a row that passes: what the bounds leave open is decided by the rows themselves. A row that surely
opposes a member is out for good; for others the conflict rule is checked only if they come that far, against the
members that joined since they were last checked.
"""

from dataclasses import dataclass

import numpy as np

from instruction_selection import kernels
from instruction_selection.walk.quantised import Quantised

#: Rows looked at first; each further look is at so many times more.
FIRST, MORE = 64, 8
#: Rows whose exact products are taken together.
TOGETHER = 8


@dataclass
class Walk:
    """What a walk chose, and how often its rules acted.

    At every step, rows more similar to the last one than the row taken were refused: by consistency those that would
    turn the set away, by conflict those that only the conflict rule refuses. A fallback is a step to a row that is no
    neighbour.
    """

    rows: list[int]
    refused_by_conflict: int = 0
    refused_by_consistency: int = 0
    fallbacks: int = 0


@dataclass
class Query:
    """A vector (D,) with which `estimates` float32 (N,) of products with all rows are off by at most
    `norm` * errors + `slack`."""

    vector: np.ndarray
    estimates: np.ndarray
    norm: float
    slack: float


class Chain:
    """A walk along `component` (D,) over the rows of `copies` with gradient norms `norms` (N,).

    `free` bool (N,) says which rows may be taken; it is changed in place, and may be shared between chains.
    `to_component` float32 (N,) are the rows' products with the component scaled to norm 1.
    """

    def __init__(
        self,
        copies: Quantised,
        norms: np.ndarray,
        component: np.ndarray,
        to_component: np.ndarray,
        delta: float,
        free: np.ndarray,
    ):
        count, width = copies.rows.shape
        self._copies, self._norms, self._delta, self.free = copies, norms, delta, free
        unit = component.astype(np.float64) / np.linalg.norm(component)
        self._component = Query(unit, to_component, 0.0, 2 * copies.rounding)
        self._lowest = np.full(count, np.inf, np.float32)
        self._dead = np.zeros(count, dtype=bool)
        self._checked = np.zeros(count, dtype=np.int32)
        self._sum, self._sum_of_copies, self._sums = np.zeros(width), np.zeros(width), np.zeros(count)
        self._sum_squared = self._sum_dot_component = self._sum_norms = 0.0
        self._upper, self._consistent = np.empty(count, np.float32), np.zeros(count, np.int8)
        self._last = self._component
        #: Whether the products of the row taken last are still to be told.
        self.waits = False
        self.result = Walk([])

    @property
    def last(self) -> int:
        return self.result.rows[-1]

    def take(self, row: int) -> None:
        """Add a row; before the next step, `seen` must be told its products."""
        [vector] = self._copies.exact([row])
        norm = self._norms[row]
        self._sum_squared += 2 * norm * (vector @ self._sum) + norm**2
        self._sum_dot_component += norm * (vector @ self._component.vector)
        self._sum += norm * vector
        self._sum_of_copies += norm * self._copies.row(row)
        self._sum_norms += norm
        self.free[row] = False
        self.result.rows.append(row)
        self.waits = True

    def seen(self, estimates: np.ndarray) -> None:
        """Learn `Quantised.estimates` of the row taken last, float32 (N,)."""
        slack = self._copies.slack(self._copies.errors[self.last])
        known = self._lowest, self._dead, self._sums
        kernels.include(estimates, self._copies.errors, slack, self._norms[self.last], *known)
        self._last, self.waits = Query(self._copies.exact([self.last])[0], estimates, 1.0, slack), False

    def likely(self, count: int) -> np.ndarray:
        """Rows that may be taken soon: as far as is known, those most similar to the row before the last one."""
        able = self.free & ~self._dead & (self._consistent >= 0)
        rows = np.flatnonzero(able)
        if len(rows) <= count:
            return rows
        return rows[np.argpartition(self._last.estimates[rows], len(rows) - count)[-count:]]

    def closest(self) -> int:
        """The free row closest to the component, by no rule."""
        values = np.where(self.free, self._component.estimates, -np.inf)
        rows = np.flatnonzero(values >= values.max() - 2 * self._component.slack)
        return int(rows[np.argmax(self._copies.exact_products(rows, self._component.vector))])

    def step(self, neighbours: np.ndarray | None = None) -> int | None:
        """The row to go to from the last one by both rules, or None; counts the rows refused on the way.

        Of `neighbours`, row numbers in the order in which they are tried; without, of all rows, by similarity.
        """
        if neighbours is None:
            return self._best(self._last)
        self._limit(self._last)
        for row in neighbours[self.free[neighbours]].tolist():
            if self._passes(row, self._copies.exact([row])[0]):
                return row
            self._count(np.array([row]))
        return None

    def fallback(self) -> int | None:
        """The free row closest to the component that passes both rules, or None; counts likewise."""
        return self._best(self._component)

    def _best(self, query: Query) -> int | None:
        self._limit(query)
        upper, best, value, count = self._upper, None, -np.inf, FIRST
        refused: list[tuple[float, int]] = []
        while len(rows := np.flatnonzero((upper >= value) & (upper > -np.inf))):
            if len(rows) > count:
                rows = rows[np.argpartition(upper[rows], -count)[-count:]]
                count *= MORE
            bounds = upper[rows]
            upper[rows] = -np.inf
            order = np.lexsort((rows, -bounds))
            for start in range(0, len(order), TOGETHER):
                together = order[start : start + TOGETHER]
                together = rows[together[bounds[together] >= value]]
                if not len(together):
                    break
                exact = self._copies.exact_products(together, query.vector)
                for place in np.lexsort((together, -exact)):
                    row = int(together[place])
                    if exact[place] > value or (exact[place] == value and row < best):
                        if self._passes(row, self._copies.exact([row])[0]):
                            best, value = row, exact[place]
                        else:
                            refused.append((exact[place], row))
        self._count(np.array([row for similarity, row in refused if similarity > value], dtype=np.int64))
        self._count(self._others_above(value, query))
        return best

    def _limit(self, query: Query) -> None:
        """Set `_upper` and `_consistent`: see `kernels.limits`."""
        copies, length = self._copies, np.linalg.norm(self._sum)
        slack = copies.slack(np.linalg.norm(self._sum - self._sum_of_copies)) + 4 * copies.rounding * self._sum_norms
        alignment = abs(self._sum_dot_component) / np.sqrt(self._sum_squared)
        kernels.limits(
            *(query.estimates, copies.errors, query.norm, query.slack),
            *(self._norms, self._component.estimates, self._component.slack, self._sums, length, slack),
            *(self._sum_dot_component, self._sum_squared, self._delta * alignment),
            *(self.free, self._dead, self._upper, self._consistent),
        )

    def _passes(self, row: int, vector: np.ndarray) -> bool:
        """Both rules, by the row itself."""
        return self._keeps_course(row, vector) and not self._conflicts(row, vector)

    def _keeps_course(self, row: int, vector: np.ndarray) -> bool:
        if not self._consistent[row]:
            norm = self._norms[row]
            squared = self._sum_squared + 2 * norm * (vector @ self._sum) + norm**2
            alignment = abs(self._sum_dot_component) / np.sqrt(self._sum_squared)
            turned = abs(self._sum_dot_component + norm * (vector @ self._component.vector))
            kept = turned >= self._delta * alignment * np.sqrt(max(squared, np.finfo(float).tiny))
            self._consistent[row] = 1 if kept else -1
        return self._consistent[row] > 0

    def _conflicts(self, row: int, vector: np.ndarray) -> bool:
        """Whether the row opposes a member. One that does is dead for good."""
        if self._dead[row] or self._lowest[row] >= 0:
            return self._dead[row]
        members = np.array(self.result.rows[self._checked[row] :])
        found, off = self._copies.closer(members, vector)
        unsure = members[found - off < 0]
        self._dead[row] = (found + off < 0).any() or (self._copies.exact_products(unsure, vector) < 0).any()
        self._checked[row], self._lowest[row] = len(self.result.rows), np.inf
        return self._dead[row]

    def _others_above(self, value: float, query: Query) -> np.ndarray:
        """Free rows that cannot pass by the bounds alone, and whose product with `query` is above `value`."""
        rows = np.flatnonzero(np.isnan(self._upper))
        if value == -np.inf or not len(rows):
            return rows
        found, off = query.estimates[rows], self._copies.errors[rows] * query.norm + query.slack
        above, open_ = rows[found - off > value], rows[np.abs(found - value) <= off]
        if len(open_) and query is not self._component:
            found, off = self._copies.closer(open_, query.vector)
            above = np.concatenate([above, open_[found - off > value]])
            open_ = open_[np.abs(found - value) <= off]
        return np.concatenate([above, open_[self._copies.exact_products(open_, query.vector) > value]])

    def _count(self, refused: np.ndarray) -> None:
        """Count rows that were passed over, by the rule that refused them."""
        unsure = refused[self._consistent[refused] == 0]
        for row in unsure.tolist():
            self._keeps_course(row, self._copies.exact([row])[0])
        by_consistency = int((self._consistent[refused] < 0).sum())
        self.result.refused_by_consistency += by_consistency
        self.result.refused_by_conflict += len(refused) - by_consistency
