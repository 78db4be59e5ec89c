"""The walks of `reference` over a sketch of the rows: the same rows in the same order, with the same counts.

Each walk is a generator that hands over a chain whenever it needs the products of the row taken last with all rows.
`advance` runs any number of them side by side and reads the sketch once for all that wait: `printed` ones of several
components, and any of several targets, deltas and budgets. (`official` and `robust` walks along the components of one
target depend on each other, so these take turns. A `printed` walk with a smaller budget is the beginning of one with a
larger; of the others this holds for the first component only.)
"""

from collections.abc import Generator, Sequence

import numpy as np
from tqdm import tqdm

from instruction_selection.apportion import largest_remainder
from instruction_selection.walk.chain import Chain, Walk
from instruction_selection.walk.sketch import Sketch

Walker = Generator[Chain, None, list[Walk]]


def advance(sketch: Sketch, walkers: Sequence[Walker], budget: int) -> list[list[Walk]]:
    """Run walkers, with `budget` rows to choose in all, to their end; a bar on the error stream tells the time left."""
    results: list[list[Walk]] = [[] for _ in walkers]
    active = dict(enumerate(walkers))
    with tqdm(total=budget, desc="walk", unit="row", mininterval=2) as bar:
        while active:
            waiting: dict[int, Chain] = {}
            for number, walker in active.items():
                try:
                    waiting[number] = next(walker)
                except StopIteration as end:
                    results[number] = end.value
            chains = list(waiting.values())
            if chains:
                for chain, found in zip(chains, sketch.estimates([chain.query for chain in chains]), strict=True):
                    chain.seen(found)
            bar.update(len(active))
            active = {number: active[number] for number in waiting}
    return results


def walk(sketch: Sketch, components: np.ndarray, budgets: Sequence[int], delta: float) -> list[Walk]:
    """Walk along each of `components` (k, D), as printed, each knowing only its own rows."""
    toward = products(sketch, components)
    walkers = [printed(sketch, *told, delta) for told in zip(components, toward, budgets, strict=True)]
    return [walks[0] for walks in advance(sketch, walkers, sum(budgets))]


def walk_official(
    sketch: Sketch, components: np.ndarray, budgets: np.ndarray, delta: float, neighbours: np.ndarray | None = None
) -> list[Walk]:
    """Walk along every one of `components` (k, D) with a budget, in their order, as the authors' code does.

    `neighbours` (N, n) lists for each row others by decreasing similarity; without it a row's neighbours are all rows.
    A walk may end before its budget. A walk without budget is empty.
    """
    walker = official(sketch, components, products(sketch, components), budgets, delta, neighbours)
    return advance(sketch, [walker], int(np.sum(budgets)))[0]


def walk_robust(sketch: Sketch, components: np.ndarray, shares: np.ndarray, budget: int, delta: float) -> list[Walk]:
    """Walk along `components` (k, D), whose `shares` (k,) of the budget are given, until `budget` rows are chosen.

    No row is chosen twice. What a walk that finds no feasible row leaves of its budget goes to the walks that still
    do, in proportion to their shares; once none does, each goes on as printed, with untested rows.
    """
    walker = robust(sketch, components, products(sketch, components), shares, budget, delta)
    return advance(sketch, [walker], budget)[0]


def products(sketch: Sketch, components: np.ndarray) -> np.ndarray:
    """Products of all rows with `components` (k, D) scaled to norm 1, float32 (k, N); the rows are read once."""
    unit = components / np.linalg.norm(components, axis=1, keepdims=True)
    return np.ascontiguousarray((sketch.rows @ unit.T.astype(np.float32)).T, dtype=np.float32)


def printed(sketch: Sketch, component: np.ndarray, toward: np.ndarray, budget: int, delta: float) -> Walker:
    """Along one component (D,), to which the rows have the products `toward` (N,)."""
    free = np.ones(len(toward), dtype=bool)
    chain = Chain(sketch, sketch.rows.norms.astype(np.float64), component, toward, delta, free)
    chain.take(chain.closest())
    while len(chain.result.rows) < min(budget, len(toward)):
        yield from _take_or_fall_back(chain)
    return [chain.result]


def official(
    sketch: Sketch,
    components: np.ndarray,
    toward: np.ndarray,
    budgets: np.ndarray,
    delta: float,
    neighbours: np.ndarray | None = None,
) -> Walker:
    """As `walk_official`; `toward` (k, N) are `products`."""
    free, norms = np.ones(toward.shape[1], dtype=bool), np.ones(toward.shape[1])
    walks = []
    for component, closeness, budget in zip(components, toward, budgets, strict=True):
        if not budget or not free.any():
            walks.append(Walk([]))
            continue
        chain = Chain(sketch, norms, component, closeness, delta, free)
        chain.take(chain.closest())
        while len(chain.result.rows) < budget and free.any():
            yield from _ready(chain)
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


def robust(
    sketch: Sketch, components: np.ndarray, toward: np.ndarray, shares: np.ndarray, budget: int, delta: float
) -> Walker:
    """As `walk_robust`; `toward` (k, N) are `products`."""
    count = toward.shape[1]
    budget, free, norms = min(budget, count), np.ones(count, dtype=bool), np.ones(count)
    chains = [Chain(sketch, norms, *told, delta, free) for told in zip(components, toward, strict=True)]
    active = list(range(len(chains)))
    while (left := budget - _chosen(chains)) and active:
        for number, more in zip(active, largest_remainder(left, shares[active]), strict=True):
            if not (yield from _extend(chains[number], more)):
                active = [other for other in active if other != number]
    for chain, more in zip(chains, largest_remainder(budget - _chosen(chains), shares), strict=True):
        for _ in range(more):
            yield from _take_or_fall_back(chain)
    return [chain.result for chain in chains]


def _chosen(chains: list[Chain]) -> int:
    return sum(len(chain.result.rows) for chain in chains)


def _ready(chain: Chain) -> Generator[Chain, None, None]:
    """Wait for the products of the row that the chain took last."""
    if chain.query is not None:
        yield chain


def _extend(chain: Chain, more: int) -> Generator[Chain, None, bool]:
    """Take `more` feasible rows; False if there are not so many."""
    for _ in range(more):
        if chain.result.rows:
            yield from _ready(chain)
            following = chain.step()
        else:
            following = chain.closest()
        if following is None:
            return False
        chain.take(following)
    return True


def _take_or_fall_back(chain: Chain) -> Generator[Chain, None, None]:
    """Take a feasible row or, if there is none, the one closest to the component."""
    yield from _ready(chain)
    following = chain.step()
    if following is None:
        following = chain.closest()
        chain.result.fallbacks += 1
    chain.take(following)
