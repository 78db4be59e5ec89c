"""The walks written out, line by line. Slow: every step looks at every row and every row chosen before."""

import numpy as np

from instruction_selection.apportion import largest_remainder
from instruction_selection.walk.chain import Walk


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def _keeps_course(gradients: np.ndarray, chosen: list[int], candidate: int, component: np.ndarray, delta) -> bool:
    alignment = abs(_cosine(gradients[chosen].mean(0), component))
    return abs(_cosine(gradients[[*chosen, candidate]].mean(0), component)) >= delta * alignment


def _agrees(gradients: np.ndarray, chosen: list[int], candidate: int) -> bool:
    return all(_cosine(gradients[candidate], gradients[member]) >= 0 for member in chosen)


def _first_that_passes(gradients, order, taken: set, walked: Walk, component, delta) -> int | None:
    for candidate in order:
        if candidate in taken:
            continue
        if not _keeps_course(gradients, walked.rows, candidate, component, delta):
            walked.refused_by_consistency += 1
        elif not _agrees(gradients, walked.rows, candidate):
            walked.refused_by_conflict += 1
        else:
            return int(candidate)
    return None


def _by_similarity(gradients: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return np.argsort([-_cosine(row, vector) for row in gradients], kind="stable")


def walk(gradients: np.ndarray, component: np.ndarray, budget: int, delta: float) -> Walk:
    """Algorithm 1: row numbers in the order chosen; `gradients` is (N, D), not scaled, and `component` (D,)."""
    by_component = _by_similarity(gradients, component)
    walked = Walk([int(by_component[0])])
    while len(walked.rows) < min(budget, len(gradients)):
        by_last = _by_similarity(gradients, gradients[walked.rows[-1]])
        following = _first_that_passes(gradients, by_last, set(walked.rows), walked, component, delta)
        if following is None:
            following = next(int(row) for row in by_component if row not in walked.rows)
            walked.fallbacks += 1
        walked.rows.append(following)
    return walked


def walk_official(
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
        while len(walked.rows) < budget and len(taken) < len(unit):
            if not walked.rows:
                following = next(int(row) for row in by_component if row not in taken)
            else:
                following = _first_that_passes(unit, graph[walked.rows[-1]], taken, walked, component, delta)
                if following is None and neighbours is not None:
                    following = _first_that_passes(unit, by_component, taken, walked, component, delta)
                    walked.fallbacks += following is not None
            if following is None:
                break
            walked.rows.append(following)
            taken.add(following)
    return walks


def walk_robust(unit: np.ndarray, components: np.ndarray, shares: np.ndarray, budget: int, delta: float) -> list[Walk]:
    """`fast.walk_robust`, written out."""
    walks = [Walk([]) for _ in components]

    def taken() -> set[int]:
        return {row for walked in walks for row in walked.rows}

    def feasible(number: int) -> int | None:
        walked = walks[number]
        if not walked.rows:
            return untested(number)
        by_last = _by_similarity(unit, unit[walked.rows[-1]])
        return _first_that_passes(unit, by_last, taken(), walked, components[number], delta)

    def untested(number: int) -> int | None:
        excluded = taken()
        return next((int(row) for row in _by_similarity(unit, components[number]) if row not in excluded), None)

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
                walks[number].rows.append(following)
    for number, more in enumerate(largest_remainder(left(), shares)):
        for _ in range(more):
            following = feasible(number)
            if following is None:
                following = untested(number)
                walks[number].fallbacks += 1
            walks[number].rows.append(following)
    return walks
