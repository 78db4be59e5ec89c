"""The walks written out, line by line. Slow: every step looks at every row and every row chosen before."""

import numpy as np

from instruction_selection.apportion import largest_remainder


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def _passes(gradients: np.ndarray, chosen: list[int], candidate: int, component: np.ndarray, delta: float) -> bool:
    """The conflict rule and the consistency rule."""
    alignment = abs(_cosine(gradients[chosen].mean(0), component))
    return (
        all(_cosine(gradients[candidate], gradients[member]) >= 0 for member in chosen)
        and abs(_cosine(gradients[[*chosen, candidate]].mean(0), component)) >= delta * alignment
    )


def _first_that_passes(gradients, order, taken: set, chosen: list[int], component, delta) -> int | None:
    for candidate in order:
        if candidate not in taken and _passes(gradients, chosen, candidate, component, delta):
            return int(candidate)
    return None


def _by_similarity(gradients: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return np.argsort([-_cosine(row, vector) for row in gradients], kind="stable")


def walk(gradients: np.ndarray, component: np.ndarray, budget: int, delta: float) -> list[int]:
    """Algorithm 1: row numbers in the order chosen; `gradients` is (N, D), not scaled, and `component` (D,)."""
    by_component = _by_similarity(gradients, component)
    chosen = [int(by_component[0])]
    while len(chosen) < min(budget, len(gradients)):
        by_last = _by_similarity(gradients, gradients[chosen[-1]])
        following = _first_that_passes(gradients, by_last, set(chosen), chosen, component, delta)
        if following is None:
            following = next(int(row) for row in by_component if row not in chosen)
        chosen.append(following)
    return chosen


def walk_official(
    unit: np.ndarray, components: np.ndarray, budgets: np.ndarray, delta: float, neighbours: np.ndarray | None = None
) -> list[list[int]]:
    """The authors' code: rows (N, D) of norm 1, one exclusion set for all components, both rules for the fallback."""
    if neighbours is None:
        neighbours = np.array([_by_similarity(unit, row) for row in unit])
    taken: set[int] = set()
    walks: list[list[int]] = []
    for component, budget in zip(components, budgets, strict=True):
        by_component = _by_similarity(unit, component)
        chosen: list[int] = []
        while len(chosen) < budget and len(taken) < len(unit):
            if not chosen:
                following = next(int(row) for row in by_component if row not in taken)
            else:
                following = _first_that_passes(unit, neighbours[chosen[-1]], taken, chosen, component, delta)
                if following is None:
                    following = _first_that_passes(unit, by_component, taken, chosen, component, delta)
            if following is None:
                break
            chosen.append(following)
            taken.add(following)
        walks.append(chosen)
    return walks


def walk_robust(
    unit: np.ndarray, components: np.ndarray, shares: np.ndarray, budget: int, delta: float
) -> list[list[int]]:
    """`fast.walk_robust`, written out."""
    walks: list[list[int]] = [[] for _ in components]

    def feasible(number: int) -> int | None:
        taken, chosen = {row for rows in walks for row in rows}, walks[number]
        if not chosen:
            return untested(number)
        by_last = _by_similarity(unit, unit[chosen[-1]])
        return _first_that_passes(unit, by_last, taken, chosen, components[number], delta)

    def untested(number: int) -> int | None:
        taken = {row for rows in walks for row in rows}
        return next((int(row) for row in _by_similarity(unit, components[number]) if row not in taken), None)

    def left() -> int:
        return min(budget, len(unit)) - sum(map(len, walks))

    active = list(range(len(components)))
    while left() and active:
        for number, more in zip(tuple(active), largest_remainder(left(), shares[active]), strict=True):
            for _ in range(more):
                following = feasible(number)
                if following is None:
                    active.remove(number)
                    break
                walks[number].append(following)
    for number, more in enumerate(largest_remainder(left(), shares)):
        for _ in range(more):
            following = feasible(number)
            walks[number].append(untested(number) if following is None else following)
    return walks
