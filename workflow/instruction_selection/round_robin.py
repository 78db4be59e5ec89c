"""Greedy round-robin: queries take turns, and each takes the row that is most similar to it."""

import numpy as np


def never_loses(similarity: np.ndarray, budget: int) -> np.ndarray:
    """At every turn a query takes its best row that nobody has; int64 (budget,), in order of choice.

    `similarity` (N, M) of rows and queries; of equal rows the first. ("A Critical Look at Targeted Instruction
    Selection", 2026, the authors' code.)
    """
    return _take_turns(similarity, budget, forfeit=False)


def may_lose(similarity: np.ndarray, budget: int) -> np.ndarray:
    """The same, but a query whose best remaining row is taken strikes it off and loses its turn.

    (Ivison et al. 2025, RDS+, the authors' code.)
    """
    return _take_turns(similarity, budget, forfeit=True)


def _take_turns(similarity: np.ndarray, budget: int, forfeit: bool) -> np.ndarray:
    rows, queries = similarity.shape
    budget = min(budget, rows)
    # A query's first `budget` rows are enough: others can have taken no more than `budget` - 1 of them.
    ranking = np.stack([np.argsort(-column, kind="stable")[:budget] for column in similarity.T])
    following = np.zeros(queries, dtype=np.int64)
    free = np.ones(rows, dtype=bool)
    chosen: list[int] = []
    while len(chosen) < budget:
        for query in range(queries):
            if not forfeit:
                while not free[ranking[query, following[query]]]:
                    following[query] += 1
            row = int(ranking[query, following[query]])
            following[query] += 1
            if free[row]:
                free[row] = False
                chosen.append(row)
                if len(chosen) == budget:
                    break
    return np.array(chosen, dtype=np.int64)


def reference(similarity: np.ndarray, budget: int, forfeit: bool) -> list[int]:
    """Both, written out with a list per query."""
    rows, queries = similarity.shape
    lists = [sorted(range(rows), key=lambda row: -similarity[row, query]) for query in range(queries)]
    chosen: list[int] = []
    while len(chosen) < min(budget, rows):
        for ranked in lists:
            if not forfeit:
                ranked[:] = [row for row in ranked if row not in chosen]
            if ranked:
                row = ranked.pop(0)
                if row not in chosen:
                    chosen.append(row)
    return chosen[:budget]
