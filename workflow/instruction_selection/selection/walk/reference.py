"""The walks written out, line by line. Slow: every step looks at every row and every row chosen before."""

import numpy as np

from instruction_selection.core.apportion import largest_remainder
from instruction_selection.selection.walk.growing_set import Walk


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def _keeps_course(
    gradients: np.ndarray, chosen: list[int], candidate: int, component: np.ndarray, delta: float
) -> bool:
    alignment = abs(_cosine(gradients[chosen].mean(0), component))
    return abs(_cosine(gradients[[*chosen, candidate]].mean(0), component)) >= delta * alignment


def _agrees(gradients: np.ndarray, chosen: list[int], candidate: int) -> bool:
    return all(_cosine(gradients[candidate], gradients[member]) >= 0 for member in chosen)


def _first_that_passes(
    gradients: np.ndarray, order: np.ndarray, taken: set[int], walked: Walk, component: np.ndarray, delta: float
) -> int | None:
    """The first row in `order` that is not `taken` and passes both rules; the others are counted in `walked`."""
    for candidate in order:
        if candidate in taken:
            continue
        if not _keeps_course(gradients, walked.indices, candidate, component, delta):
            walked.rejected_by_consistency += 1
        elif not _agrees(gradients, walked.indices, candidate):
            walked.rejected_by_conflict += 1
        else:
            return int(candidate)
    return None


def _by_similarity(gradients: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return np.argsort([-_cosine(row, vector) for row in gradients], kind="stable")


def walk_algorithm1(gradients: np.ndarray, component: np.ndarray, budget: int, delta: float) -> Walk:
    """Algorithm 1: row numbers in the order chosen; `gradients` is (N, D), not scaled, and `component` (D,)."""
    by_component = _by_similarity(gradients, component)
    walked = Walk([int(by_component[0])])
    while len(walked.indices) < min(budget, len(gradients)):
        by_last = _by_similarity(gradients, gradients[walked.indices[-1]])
        following = _first_that_passes(gradients, by_last, set(walked.indices), walked, component, delta)
        if following is None:
            following = next(int(row) for row in by_component if row not in walked.indices)
            walked.fallbacks += 1
        walked.indices.append(following)
    return walked


def walk_author_code(
    unit: np.ndarray, components: np.ndarray, budgets: np.ndarray, delta: float, neighbours: np.ndarray | None = None
) -> list[Walk]:
    """The authors' code: rows (N, D) of norm 1, one exclusion set for all components, both rules for the fallback.

    Without `neighbours` (N, n), all rows are neighbours, and there is no fallback: no other row could pass.
    """
    graph = neighbours if neighbours is not None else np.array([_by_similarity(unit, row) for row in unit])
    taken: set[int] = set()
    walks: list[Walk] = []
    for component, budget in zip(components, budgets, strict=True):
        by_component = _by_similarity(unit, component)
        walked = Walk([])
        walks.append(walked)
        while len(walked.indices) < budget and len(taken) < len(unit):
            if not walked.indices:
                following = next(int(row) for row in by_component if row not in taken)
            else:
                following = _first_that_passes(unit, graph[walked.indices[-1]], taken, walked, component, delta)
                if following is None and neighbours is not None:
                    following = _first_that_passes(unit, by_component, taken, walked, component, delta)
                    walked.fallbacks += following is not None
            if following is None:
                break
            walked.indices.append(following)
            taken.add(following)
    return walks


def walk_robust(unit: np.ndarray, components: np.ndarray, shares: np.ndarray, budget: int, delta: float) -> list[Walk]:
    """`fast.walk_robust`, written out: unit rows (N, D), `components` and `shares` of the budget (k, D) and (k,)."""
    walks = [Walk([]) for _ in components]

    def taken() -> set[int]:
        return {row for walked in walks for row in walked.indices}

    def feasible(number: int) -> int | None:
        walked = walks[number]
        if not walked.indices:
            return untested(number)
        by_last = _by_similarity(unit, unit[walked.indices[-1]])
        return _first_that_passes(unit, by_last, taken(), walked, components[number], delta)

    def untested(number: int) -> int:
        excluded = taken()
        return next(int(row) for row in _by_similarity(unit, components[number]) if row not in excluded)

    def left() -> int:
        return min(budget, len(unit)) - len(taken())

    active = list(range(len(components)))
    while left() and active:
        for number, more in zip(tuple(active), largest_remainder(left(), shares[active]), strict=True):
            for _ in range(more):
                following = feasible(number)
                if following is None:
                    active.remove(number)
                    break
                walks[number].indices.append(following)
    for number, more in enumerate(largest_remainder(left(), shares)):
        for _ in range(more):
            following = feasible(number)
            if following is None:
                following = untested(number)
                walks[number].fallbacks += 1
            walks[number].indices.append(following)
    return walks
