"""The walks of `reference` with one product of the store and one row per step."""

import numpy as np

from instruction_selection.apportion import largest_remainder
from instruction_selection.walk.chain import Chain, Walk


def walk(unit: np.ndarray, norms: np.ndarray, component: np.ndarray, budget: int, delta: float) -> Walk:
    """Walk along `component` (D,) over rows `unit` (N, D) of norm 1 with gradient norms `norms` (N,), as printed.

    A refusal is counted for every row that was closer to the last one than the row taken.
    """
    chain = Chain(unit, norms, component, delta, np.ones(len(unit), dtype=bool))
    chain.take(chain.closest())
    while len(chain.result.rows) < min(budget, len(unit)):
        _take_or_fall_back(chain)
    return chain.result


def walk_official(
    unit: np.ndarray,
    components: np.ndarray,
    budgets: np.ndarray,
    delta: float,
    neighbours: np.ndarray | None = None,
) -> list[Walk]:
    """Walk along every one of `components` (k, D) with a budget, in their order, as the authors' code does.

    `neighbours` (N, n) lists for each row others by decreasing similarity; without it a row's neighbours are all rows.
    A walk may end before its budget. A walk without budget is empty.
    """
    free, norms = np.ones(len(unit), dtype=bool), np.ones(len(unit))
    walks = []
    for component, budget in zip(components, budgets, strict=True):
        if not budget or not free.any():
            walks.append(Walk([]))
            continue
        chain = Chain(unit, norms, component, delta, free)
        chain.take(chain.closest())
        while len(chain.result.rows) < budget and free.any():
            following = chain.step(None if neighbours is None else neighbours[chain.last])
            # Among all rows there is no other feasible one to fall back to.
            if following is None and neighbours is not None:
                following = chain.fallback()
                chain.result.fallbacks += following is not None
            if following is None:
                break
            chain.take(following)
        walks.append(chain.result)
    return walks


def walk_robust(unit: np.ndarray, components: np.ndarray, shares: np.ndarray, budget: int, delta: float) -> list[Walk]:
    """Walk along `components` (k, D), whose `shares` (k,) of the budget are given, until `budget` rows are chosen.

    No row is chosen twice. What a walk that finds no feasible row leaves of its budget goes to the walks that still
    do, in proportion to their shares; once none does, each goes on as printed, with untested rows.
    """
    budget = min(budget, len(unit))
    free, norms = np.ones(len(unit), dtype=bool), np.ones(len(unit))
    chains = [Chain(unit, norms, component, delta, free) for component in components]
    active = list(range(len(chains)))
    while (left := budget - _chosen(chains)) and active:
        for number, more in zip(active, largest_remainder(left, shares[active]), strict=True):
            if not _extend(chains[number], more):
                active = [other for other in active if other != number]
    for chain, more in zip(chains, largest_remainder(budget - _chosen(chains), shares), strict=True):
        for _ in range(more):
            _take_or_fall_back(chain)
    return [chain.result for chain in chains]


def _chosen(chains: list[Chain]) -> int:
    return sum(len(chain.result.rows) for chain in chains)


def _extend(chain: Chain, more: int) -> bool:
    """Take `more` feasible rows; False if there are not so many."""
    for _ in range(more):
        following = chain.step() if chain.result.rows else chain.closest()
        if following is None:
            return False
        chain.take(following)
    return True


def _take_or_fall_back(chain: Chain) -> None:
    following = chain.step()
    if following is None:
        following = chain.closest()
        chain.result.fallbacks += 1
    chain.take(following)
