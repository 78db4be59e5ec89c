"""Greedy round-robin: queries take turns, and each takes the row that is most similar to it."""

import numpy as np


def take_turns(similarity: np.ndarray, budget: int, *, skip_taken: bool) -> np.ndarray:
    """Row numbers, int64 (min(budget, N),), in order of choice; `similarity` (N, M) is of N rows with M queries.

    At its turn a query takes its most similar row, of equal rows the first. If that row is taken already, then with
    `skip_taken` it takes its best row that is not taken ("A Critical Look at Targeted Instruction Selection", 2026, the
    authors' code); without, it strikes the row off its list and takes nothing until its next turn (RDS+, Ivison et al.
    2025, the authors' code).
    """
    rows, queries = similarity.shape
    budget = min(budget, rows)
    # A query's first `budget` rows are enough: others can have taken no more than `budget` - 1 of them.
    ranking = np.stack([np.argsort(-column, kind="stable")[:budget] for column in similarity.T])
    following = np.zeros(queries, dtype=np.int64)
    free = np.ones(rows, dtype=bool)
    chosen: list[int] = []
    while len(chosen) < budget:
        for query in range(queries):
            if skip_taken:
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


def reference(similarity: np.ndarray, budget: int, *, skip_taken: bool) -> list[int]:
    """`take_turns` written out with a list per query."""
    rows, queries = similarity.shape
    lists = [sorted(range(rows), key=lambda row: -similarity[row, query]) for query in range(queries)]
    chosen: list[int] = []
    while len(chosen) < min(budget, rows):
        for ranked in lists:
            if skip_taken:
                ranked[:] = [row for row in ranked if row not in chosen]
            if ranked:
                row = ranked.pop(0)
                if row not in chosen:
                    chosen.append(row)
    return chosen[:budget]
