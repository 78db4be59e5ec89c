"""One component's set of rows while it grows, with both rules of the walk, looking at as few rows as it can.

For the set with sum S, a candidate of gradient norm n and unit row u has

    cos(S + n u, v) = (S.v + n u.v) / sqrt(|S|^2 + 2 n u.S + n^2),

so u.S and u.v are all that the consistency rule needs. Quantised copies bound u.S and the similarity with the row added
last, for all rows at once. Rows are then looked at in order of their upper bounds, until the next bound is below the
best similarity of a row that passes: what the bounds leave open is decided by the rows themselves. A row that surely
opposes a member is out for good; for others the conflict rule is checked only if they come that far, against the
members that joined since they were last checked.
"""

from dataclasses import dataclass

import numpy as np

from instruction_selection.selection.walk import kernels
from instruction_selection.selection.walk.kernels import BoundedProducts, SetSum
from instruction_selection.selection.walk.quantised import Quantised


@dataclass(frozen=True)
class WalkSettings:
    """What a walk's time and memory depend on, and its result does not."""

    #: Rows that are looked at first, by decreasing upper bound.
    initial_candidates: int = 64
    #: Each further look is at so many times more.
    growth_factor: int = 8
    #: Rows whose exact products are taken together.
    exact_batch_rows: int = 8
    #: Memory for products of all rows with members and with rows that may become members.
    product_cache_bytes: int = 512 << 20


@dataclass
class Walk:
    """What a walk chose, and how often its rules acted.

    At every step, rows more similar to the last one than the row added were rejected: by consistency those that would
    turn the set away, by conflict those that only the conflict rule rejects. A fallback is a step to a row that is not
    a neighbour.
    """

    #: Row numbers in the order chosen.
    indices: list[int]
    rejected_by_conflict: int = 0
    rejected_by_consistency: int = 0
    fallbacks: int = 0


class GrowingSet:
    """The rows that a walk along one component has chosen, and bounds of what every other row would do to them.

    With N rows of D dimensions, u[i] being the unit rows, n[i] the gradient norms, s the members and v the component
    scaled to norm 1. All arrays but `free` belong to the set, and are changed in place.

    ==================== ============ ==============================================================================
    array                dtype, shape what holds between two calls
    ==================== ============ ==============================================================================
    free                 bool (N,)    the row may be added; may be shared with other sets, which then exclude each
                                      other's rows
    _norms               float64 (N,) n
    _sum                 float64 (D,) S, the sum of n[s] u[s]
    _sum_of_copies       float64 (D,) the same sum of the members' quantised copies
    _sum_products        float64 (N,) estimates of u[i].S, as sums of n[s] times the estimates of u[i].u[s], over the
                                      members whose products were received. They are the products of the copies with
                                      `_sum_of_copies`: |_sum - _sum_of_copies| bounds what that changes
    _conflicting         bool (N,)    u[i].u[s] < 0 for a member s, for sure. Never becomes false again
    _checked_members     int32 (N,)   the first so many members surely do not conflict with row i
    _lowest              float32 (N,) lower bound of u[i].u[s] over the members after these, infinite if there are
                                      none
    _upper               float32 (N,) written by each search (`kernels.bound_candidates`) and used up by it
    _consistent          int8 (N,)    1 or -1: adding row i now keeps the set on course, or not; 0: not known yet.
                                      Of the last search
    _component.estimates float32 (N,) u.v, computed from the rows themselves
    _last.estimates      float32 (N,) estimates of the products with the member added last
    ==================== ============ ==============================================================================

    Numbers: `_sum_squared` is |S|^2, `_sum_dot_component` S.v, `_sum_norms` the sum of n[s], all by running sums.

    A member's products with all rows come from outside, as one pass over the copies serves several sets: after `add`,
    `receive_products` must be called before the next search. `needs_products` says whether that is due.
    """

    def __init__(
        self,
        copies: Quantised,
        norms: np.ndarray,
        component: np.ndarray,
        to_component: np.ndarray,
        delta: float,
        free: np.ndarray,
        settings: WalkSettings,
    ):
        """An empty set.

        `norms` float64 (N,) are the gradients' norms, or ones to sum unit rows. `component` (D,) is of any norm;
        `to_component` float32 (N,) are the rows' products with it once it is scaled to norm 1. `delta` is that of the
        consistency rule. `free` bool (N,) is kept, not copied.
        """
        count, width = copies.rows.shape
        self.result = Walk([])
        self.needs_products = False
        self.free = free
        self._copies, self._norms, self._delta, self._settings = copies, norms, delta, settings
        unit = component.astype(np.float64) / np.linalg.norm(component)
        self._component = BoundedProducts(unit, to_component, 0.0, 2 * copies.rounding)
        self._last = self._component
        self._sum, self._sum_of_copies, self._sum_products = np.zeros(width), np.zeros(width), np.zeros(count)
        self._sum_squared = self._sum_dot_component = self._sum_norms = 0.0
        self._lowest = np.full(count, np.inf, np.float32)
        self._conflicting = np.zeros(count, dtype=bool)
        self._checked_members = np.zeros(count, dtype=np.int32)
        self._upper, self._consistent = np.empty(count, np.float32), np.zeros(count, np.int8)

    def __len__(self) -> int:
        return len(self.result.indices)

    @property
    def last(self) -> int:
        """The row added last."""
        return self.result.indices[-1]

    def add(self, row: int) -> None:
        """Make a row a member, by no rule. `receive_products` is due before the next search."""
        [vector] = self._copies.exact([row])
        norm = self._norms[row]
        self._sum_squared += 2 * norm * (vector @ self._sum) + norm**2
        self._sum_dot_component += norm * (vector @ self._component.vector)
        self._sum += norm * vector
        self._sum_of_copies += norm * self._copies.row(row)
        self._sum_norms += norm
        self.free[row] = False
        self.result.indices.append(row)
        self.needs_products = True

    def receive_products(self, estimates: np.ndarray) -> None:
        """`estimates` float32 (N,): `Quantised.estimates` of the row added last, fetched."""
        slack = self._copies.slack(self._copies.errors[self.last])
        kernels.include_member(
            estimates,
            self._copies.errors,
            slack,
            self._norms[self.last],
            self._lowest,
            self._conflicting,
            self._sum_products,
        )
        self._last = BoundedProducts(self._copies.exact([self.last])[0], estimates, 1.0, slack)
        self.needs_products = False

    def prefetch_candidates(self, count: int) -> np.ndarray:
        """At most `count` rows likely to be added soon, whose products are worth a place in the pass that is due.

        These are the rows that may still pass and are most similar to the member before the last one: the similarities
        of the last one are not known before the pass.
        """
        possible = np.flatnonzero(self.free & ~self._conflicting & (self._consistent >= 0))
        if len(possible) <= count:
            return possible
        return possible[np.argpartition(self._last.estimates[possible], len(possible) - count)[-count:]]

    def closest_to_component(self) -> int:
        """The free row closest to the component, by no rule; of equal rows the first."""
        values = np.where(self.free, self._component.estimates, -np.inf)
        rows = np.flatnonzero(values >= values.max() - 2 * self._component.slack)
        return int(rows[np.argmax(self._copies.exact_products(rows, self._component.vector))])

    def next_neighbour(self, neighbours: np.ndarray | None = None) -> int | None:
        """The row to go to from the last one by both rules, or None; counts the rows rejected on the way.

        Of `neighbours`, row numbers in the order in which they are tried; without, of all rows, by similarity.
        """
        if neighbours is None:
            return self._most_similar(self._last)
        self._bound(self._last)
        for row in neighbours[self.free[neighbours]].tolist():
            if self._passes(row, self._copies.exact([row])[0]):
                return row
            self._count(np.array([row]))
        return None

    def closest_that_passes(self) -> int | None:
        """The free row closest to the component that passes both rules, or None; counts likewise."""
        return self._most_similar(self._component)

    def _most_similar(self, query: BoundedProducts) -> int | None:
        """The free row with the largest product with `query` that passes both rules; of equal rows the first."""
        self._bound(query)
        settings = self._settings
        best: int | None = None
        upper, value, count = self._upper, np.float64(-np.inf), settings.initial_candidates
        rejected: list[tuple[float, int]] = []
        while len(rows := np.flatnonzero((upper >= value) & (upper > -np.inf))):
            if len(rows) > count:
                rows = rows[np.argpartition(upper[rows], -count)[-count:]]
                count *= settings.growth_factor
            bounds = upper[rows]
            upper[rows] = -np.inf
            order = np.lexsort((rows, -bounds))
            for start in range(0, len(order), settings.exact_batch_rows):
                batch = order[start : start + settings.exact_batch_rows]
                batch = rows[batch[bounds[batch] >= value]]
                if not len(batch):
                    break
                exact = self._copies.exact_products(batch, query.vector)
                for place in np.lexsort((batch, -exact)):
                    row, similarity = int(batch[place]), np.float64(exact[place])
                    if similarity > value or (best is not None and similarity == value and row < best):
                        if self._passes(row, self._copies.exact([row])[0]):
                            best, value = row, similarity
                        else:
                            rejected.append((similarity, row))
        self._count(np.array([row for similarity, row in rejected if similarity > value], dtype=np.int64))
        self._count(self._rejected_by_bounds(value, query))
        return best

    def _bound(self, query: BoundedProducts) -> None:
        """Set `_upper` and `_consistent` for a search by similarity with `query`."""
        copies = self._copies
        # Of u.S: the set's sum of copies instead of rows, and every estimate's rounding, by its member's norm.
        slack = copies.slack(np.linalg.norm(self._sum - self._sum_of_copies)) + 4 * copies.rounding * self._sum_norms
        total = SetSum(
            self._sum_products, float(np.linalg.norm(self._sum)), slack, self._sum_dot_component, self._sum_squared
        )
        kernels.bound_candidates(
            query,
            self._component,
            total,
            self._delta * self._alignment(),
            copies.errors,
            self._norms,
            self.free,
            self._conflicting,
            self._upper,
            self._consistent,
        )

    def _alignment(self) -> float:
        """|cos(S, v)|"""
        return abs(self._sum_dot_component) / np.sqrt(self._sum_squared)

    def _passes(self, row: int, vector: np.ndarray) -> bool:
        """Both rules, by the row itself, `vector` float64 (D,)."""
        return self._keeps_course(row, vector) and not self._conflicts(row, vector)

    def _keeps_course(self, row: int, vector: np.ndarray) -> bool:
        """The consistency rule, by the row itself where the bounds left it open; the answer is kept."""
        if not self._consistent[row]:
            norm = self._norms[row]
            squared = self._sum_squared + 2 * norm * (vector @ self._sum) + norm**2
            turned = abs(self._sum_dot_component + norm * (vector @ self._component.vector))
            kept = turned >= self._delta * self._alignment() * np.sqrt(max(squared, np.finfo(float).tiny))
            self._consistent[row] = 1 if kept else -1
        return bool(self._consistent[row] > 0)

    def _conflicts(self, row: int, vector: np.ndarray) -> bool:
        """Whether the row opposes a member: by the members' copies, and where that is not enough by the members."""
        if self._conflicting[row] or self._lowest[row] >= 0:
            return bool(self._conflicting[row])
        members = np.array(self.result.indices[self._checked_members[row] :])
        found, off = self._copies.closer(members, vector)
        unsure = members[found - off < 0]
        self._conflicting[row] = (found + off < 0).any() or (self._copies.exact_products(unsure, vector) < 0).any()
        self._checked_members[row], self._lowest[row] = len(self), np.inf
        return bool(self._conflicting[row])

    def _rejected_by_bounds(self, value: float, query: BoundedProducts) -> np.ndarray:
        """Free rows that the bounds alone reject, and whose product with `query` is above `value`."""
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

    def _count(self, rejected: np.ndarray) -> None:
        """Count rows that were passed over, by the rule that rejected them."""
        unsure = rejected[self._consistent[rejected] == 0]
        for row in unsure.tolist():
            self._keeps_course(row, self._copies.exact([row])[0])
        by_consistency = int((self._consistent[rejected] < 0).sum())
        self.result.rejected_by_consistency += by_consistency
        self.result.rejected_by_conflict += len(rejected) - by_consistency
