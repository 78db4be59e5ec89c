"""The walks of `reference` over quantised copies of the rows: the same rows in the same order, with the same counts.

Each step needs the products of the row added last with all rows, which takes a pass over the copies. A pass takes
hardly longer for a few rows than for one, so `ProductCache` makes it for all sets that need one at a time, and for rows
that are likely to be added next. Walks by Algorithm 1 do not depend on each other and take their steps side by side;
walks by the authors' code and robust ones exclude each other's rows and take turns.

Arguments that all three walks have: `copies` of the N rows; `components` (k, D), of any norm; `delta`, the share of the
set's alignment with its component that a step must keep (0.8 in the paper, section 3.2); `settings`, on which no
result depends. Row numbers are those of `copies`. A bar on the error stream estimates the time left.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from instruction_selection.core.apportion import largest_remainder
from instruction_selection.selection.walk.growing_set import GrowingSet, Walk, WalkSettings
from instruction_selection.selection.walk.quantised import Quantised

DEFAULTS = WalkSettings()


def walk_algorithm1(
    copies: Quantised, components: np.ndarray, budgets: Sequence[int], delta: float, settings: WalkSettings = DEFAULTS
) -> list[Walk]:
    """Walk along each component as the paper's Algorithm 1 does, each walk knowing only its own rows.

    Each chooses as many rows as its entry of `budgets` (k,), one at least, or all N. A walk with a smaller budget is
    the beginning of one with a larger.
    """
    count, norms = len(copies.rows), copies.rows.norms.astype(np.float64)
    sets = [
        GrowingSet(copies, norms, component, to_component, delta, np.ones(count, dtype=bool), settings)
        for component, to_component in zip(components, component_products(copies, components), strict=True)
    ]
    cache = ProductCache(copies, settings.product_cache_bytes)
    with _progress(sum(budgets)) as bar:
        for growing in sets:
            growing.add(growing.closest_to_component())
            bar.update()
        while unfinished := [
            growing for growing, budget in zip(sets, budgets, strict=True) if len(growing) < min(budget, count)
        ]:
            cache.supply(unfinished)
            for growing in unfinished:
                _add_next_or_closest(growing)
                bar.update()
    return [growing.result for growing in sets]


def walk_author_code(
    copies: Quantised,
    components: np.ndarray,
    budgets: Sequence[int] | np.ndarray,
    delta: float,
    neighbours: np.ndarray | None = None,
    settings: WalkSettings = DEFAULTS,
) -> list[Walk]:
    """Walk along every component with a budget, in their order, as the authors' code does.

    `neighbours` int (N, n) lists for each row others by decreasing similarity; without it a row's neighbours are all
    rows. A walk may end before its budget. A walk without budget is empty.
    """
    count = len(copies.rows)
    free, norms = np.ones(count, dtype=bool), np.ones(count)
    cache = ProductCache(copies, settings.product_cache_bytes)
    walks = []
    with _progress(int(np.sum(budgets))) as bar:
        for component, to_component, budget in zip(
            components, component_products(copies, components), budgets, strict=True
        ):
            if not budget or not free.any():
                walks.append(Walk([]))
                continue
            growing = GrowingSet(copies, norms, component, to_component, delta, free, settings)
            growing.add(growing.closest_to_component())
            bar.update()
            while len(growing) < budget and free.any():
                cache.supply([growing])
                row = growing.next_neighbour(None if neighbours is None else neighbours[growing.last])
                # Among all rows there is no other one to fall back to that passes.
                if row is None and neighbours is not None:
                    row = growing.closest_that_passes()
                    growing.result.fallbacks += row is not None
                if row is None:
                    break
                growing.add(row)
                bar.update()
            walks.append(growing.result)
    return walks


def walk_robust(
    copies: Quantised,
    components: np.ndarray,
    shares: np.ndarray,
    budget: int,
    delta: float,
    settings: WalkSettings = DEFAULTS,
) -> list[Walk]:
    """Walk along components whose `shares` (k,) of the budget are given, until min(budget, N) rows are chosen.

    No row is chosen twice. What a walk that finds no row by both rules leaves of its budget goes to the walks that
    still do, in proportion to their shares; once none does, each continues as by Algorithm 1, with untested rows.
    """
    count = len(copies.rows)
    budget, free, norms = min(budget, count), np.ones(count, dtype=bool), np.ones(count)
    sets = [
        GrowingSet(copies, norms, component, to_component, delta, free, settings)
        for component, to_component in zip(components, component_products(copies, components), strict=True)
    ]
    cache = ProductCache(copies, settings.product_cache_bytes)
    active = list(range(len(sets)))
    with _progress(budget) as bar:
        while (left := budget - sum(map(len, sets))) and active:
            for number, more in zip(tuple(active), largest_remainder(left, shares[active]), strict=True):
                added = _extend(sets[number], more, cache)
                bar.update(added)
                if added < more:
                    active.remove(number)
        left = budget - sum(map(len, sets))
        for growing, more in zip(sets, largest_remainder(left, shares), strict=True):
            for _ in range(more):
                cache.supply([growing])
                _add_next_or_closest(growing)
                bar.update()
    return [growing.result for growing in sets]


def component_products(copies: Quantised, components: np.ndarray) -> np.ndarray:
    """Products of all rows with `components` (k, D) scaled to norm 1, float32 (k, N); the rows are read once."""
    unit = components / np.linalg.norm(components, axis=1, keepdims=True)
    return np.ascontiguousarray((copies.rows @ unit.T.astype(np.float32)).T, dtype=np.float32)


class ProductCache:
    """Products of all rows with members and likely members of sets; the last ones, as many as fit into `size` bytes."""

    def __init__(self, copies: Quantised, size: int):
        self._copies = copies
        #: By row, oldest first: entries of `Quantised.estimates`.
        self._products: dict[int, Any] = {}
        self._max_entries = size // (4 * max(1, len(copies.rows)))

    def supply(self, sets: Sequence[GrowingSet]) -> None:
        """Give each of the sets that needs them the products of the row that it added last."""
        sets = [growing for growing in sets if growing.needs_products]
        missing = {growing.last: growing for growing in sets if growing.last not in self._products}
        if missing:
            self._compute(missing)
        for growing in sets:
            growing.receive_products(self._copies.fetched(self._products[growing.last]))
        while len(self._products) > self._max_entries:
            del self._products[next(iter(self._products))]

    def _compute(self, missing: dict[int, GrowingSet]) -> None:
        """One pass for the rows `missing`, which these sets added last, and for likely ones while the pass has room."""
        wanted = dict.fromkeys(missing)
        # Several for a set or two, fewer for each of many.
        more = (self._copies.queries_per_pass - len(missing)) // len(missing)
        if more > 0:
            for growing in missing.values():
                wanted.update(dict.fromkeys(growing.prefetch_candidates(more).tolist()))
        rows = [row for row in wanted if row not in self._products]
        self._products.update(zip(rows, self._copies.estimates(rows), strict=True))


def _progress(total: int) -> tqdm:
    return tqdm(total=total, desc="walk", unit="row", mininterval=2)


def _extend(growing: GrowingSet, more: int, cache: ProductCache) -> int:
    """Add at most `more` rows that pass both rules (the first by none); how many were found."""
    for added in range(more):
        if growing.result.indices:
            cache.supply([growing])
            row = growing.next_neighbour()
        else:
            row = growing.closest_to_component()
        if row is None:
            return added
        growing.add(row)
    return more


def _add_next_or_closest(growing: GrowingSet) -> None:
    """Add the next row by both rules or, if there is none, the one closest to the component."""
    row = growing.next_neighbour()
    if row is None:
        row = growing.closest_to_component()
        growing.result.fallbacks += 1
    growing.add(row)
