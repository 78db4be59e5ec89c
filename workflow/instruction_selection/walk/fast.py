"""The walks of `reference` over quantised copies of the rows: the same rows in the same order, with the same counts.

Each walk is a generator that hands over a chain whenever it needs the products of the row taken last with all rows.
`advance` runs any number of them side by side, and passes over the copies once for all that wait: `printed` ones of
several components, and any of several targets, deltas and budgets. A pass takes hardly longer for a few rows than for
one, and so it is made for rows that are likely to be taken next as well. (`official` and `robust` walks along the
components of one target depend on each other, so these take turns. A `printed` walk with a smaller budget is the
beginning of one with a larger; of the others this holds for the first component only.)
"""

from collections.abc import Generator, Sequence

import numpy as np
from tqdm import tqdm

from instruction_selection import integer_dot
from instruction_selection.apportion import largest_remainder
from instruction_selection.walk.chain import Chain, Walk
from instruction_selection.walk.quantised import Quantised

#: Bytes for products with rows that may still be taken.
KNOWN = 512 << 20

Walker = Generator[Chain, None, list[Walk]]


def advance(copies: Quantised, walkers: Sequence[Walker], budget: int) -> list[list[Walk]]:
    """Run walkers, with `budget` rows to choose in all, to their end; a bar on the error stream tells the time left."""
    results: list[list[Walk]] = [[] for _ in walkers]
    active, known = dict(enumerate(walkers)), Known(copies)
    with tqdm(total=budget, desc="walk", unit="row", mininterval=2) as bar:
        while active:
            waiting: dict[int, Chain] = {}
            for number, walker in active.items():
                try:
                    waiting[number] = next(walker)
                except StopIteration as end:
                    results[number] = end.value
            for chain, estimates in zip(waiting.values(), known.of(list(waiting.values())), strict=True):
                chain.seen(estimates)
            bar.update(len(active))
            active = {number: active[number] for number in waiting}
    return results


class Known:
    """Products of all rows with some, the last ones found."""

    def __init__(self, copies: Quantised):
        self._copies, self._of = copies, {}
        self._most = KNOWN // (4 * max(1, len(copies.rows)))

    def of(self, chains: list[Chain]) -> list[np.ndarray]:
        """For each chain, those of the row that it took last, float32 (N,)."""
        missing = {chain.last: chain for chain in chains if chain.last not in self._of}
        if missing:
            wanted = dict.fromkeys(missing)
            # Several for a chain or two, fewer for each of many.
            more = (integer_dot.TOGETHER - len(missing)) // len(missing)
            for chain in missing.values() if more > 0 else ():
                wanted.update(dict.fromkeys(chain.likely(more).tolist()))
            wanted = [row for row in wanted if row not in self._of]
            self._of.update(zip(wanted, map(np.copy, self._copies.estimates(wanted)), strict=True))
        told = [self._of[chain.last] for chain in chains]
        while len(self._of) > self._most:
            del self._of[next(iter(self._of))]
        return told


def walk(copies: Quantised, components: np.ndarray, budgets: Sequence[int], delta: float) -> list[Walk]:
    """Walk along each of `components` (k, D), as printed, each knowing only its own rows."""
    toward = products(copies, components)
    walkers = [printed(copies, *told, delta) for told in zip(components, toward, budgets, strict=True)]
    return [walks[0] for walks in advance(copies, walkers, sum(budgets))]


def walk_official(
    copies: Quantised, components: np.ndarray, budgets: np.ndarray, delta: float, neighbours: np.ndarray | None = None
) -> list[Walk]:
    """Walk along every one of `components` (k, D) with a budget, in their order, as the authors' code does.

    `neighbours` (N, n) lists for each row others by decreasing similarity; without it a row's neighbours are all rows.
    A walk may end before its budget. A walk without budget is empty.
    """
    walker = official(copies, components, products(copies, components), budgets, delta, neighbours)
    return advance(copies, [walker], int(np.sum(budgets)))[0]


def walk_robust(copies: Quantised, components: np.ndarray, shares: np.ndarray, budget: int, delta: float) -> list[Walk]:
    """Walk along `components` (k, D), whose `shares` (k,) of the budget are given, until `budget` rows are chosen.

    No row is chosen twice. What a walk that finds no feasible row leaves of its budget goes to the walks that still
    do, in proportion to their shares; once none does, each goes on as printed, with untested rows.
    """
    walker = robust(copies, components, products(copies, components), shares, budget, delta)
    return advance(copies, [walker], budget)[0]


def products(copies: Quantised, components: np.ndarray) -> np.ndarray:
    """Products of all rows with `components` (k, D) scaled to norm 1, float32 (k, N); the rows are read once."""
    unit = components / np.linalg.norm(components, axis=1, keepdims=True)
    return np.ascontiguousarray((copies.rows @ unit.T.astype(np.float32)).T, dtype=np.float32)


def printed(copies: Quantised, component: np.ndarray, toward: np.ndarray, budget: int, delta: float) -> Walker:
    """Along one component (D,), to which the rows have the products `toward` (N,)."""
    free = np.ones(len(toward), dtype=bool)
    chain = Chain(copies, copies.rows.norms.astype(np.float64), component, toward, delta, free)
    chain.take(chain.closest())
    while len(chain.result.rows) < min(budget, len(toward)):
        yield from _take_or_fall_back(chain)
    return [chain.result]


def official(
    copies: Quantised,
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
        chain = Chain(copies, norms, component, closeness, delta, free)
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
    copies: Quantised, components: np.ndarray, toward: np.ndarray, shares: np.ndarray, budget: int, delta: float
) -> Walker:
    """As `walk_robust`; `toward` (k, N) are `products`."""
    count = toward.shape[1]
    budget, free, norms = min(budget, count), np.ones(count, dtype=bool), np.ones(count)
    chains = [Chain(copies, norms, *told, delta, free) for told in zip(components, toward, strict=True)]
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
    if chain.waits:
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
