"""G2IS as its authors' code does it (gradient_walk.py of github.com/zy125413/G2IS, commit 990409b).

Differs from the paper's Algorithm 1 in what a walk may choose from (no row of an earlier component), in its set vector
(the sum of rows of norm 1), in its fallback (both rules hold for it too, so that a walk may end early, and what it
leaves goes to nobody), in shares of the budget (largest remainder; a component without budget is left out) and in the
graph, which may list only each row's nearest neighbours.
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from instruction_selection.core.apportion import largest_remainder
from instruction_selection.core.parameters import ProperShare, Share
from instruction_selection.features.matrix import FeatureMatrix
from instruction_selection.selection import Components, Inputs, Selection
from instruction_selection.selection.walk import fast
from instruction_selection.selection.walk.algorithm1 import describe
from instruction_selection.selection.walk.components import principal_components
from instruction_selection.selection.walk.quantised import Quantised

#: FeatureMatrix whose neighbours are searched in one pass over the pool.
QUERIES_PER_PASS = 2048


def select(
    inputs: Inputs,
    budget: int,
    rng: np.random.Generator,
    *,
    variance: ProperShare,
    delta: Share,
    neighbours: Annotated[int, Field(ge=0)],
) -> Selection:
    pool, validation = inputs.pool_gradients, inputs.validation_gradients
    components, shares = principal_components(validation.unit * validation.norms[:, None], variance)
    budgets = largest_remainder(budget, shares)
    graph = nearest(pool, neighbours) if neighbours else None
    walks = fast.walk_author_code(Quantised(pool, inputs.memory_mib), components, budgets, delta, graph)
    details = [describe(*walk) for walk in zip(shares, budgets, walks, strict=True)]
    chosen = np.array([row for walked in walks for row in walked.indices])
    return Selection(chosen, {"components": details}, Components("pool_gradients", "validation_gradients"))


def nearest(pool: FeatureMatrix, count: int, queries_per_pass: int = QUERIES_PER_PASS) -> np.ndarray:
    """Each row's `count` most similar other rows, int64 (N, count), by decreasing similarity; of equal ones the first.

    The rows are read once for every `queries_per_pass` rows, and every pair is compared: N * N * D products.
    """
    count = min(count, len(pool) - 1)
    found = np.empty((len(pool), count), dtype=np.int64)
    for start in range(0, len(pool), queries_per_pass):
        numbers = np.arange(start, min(start + queries_per_pass, len(pool)))
        queries, others = pool.take(numbers).T.copy(), np.zeros((len(numbers), 0), dtype=np.int64)
        similarity = np.zeros((len(numbers), 0), dtype=np.float32)
        for first, block in pool.blocks():
            rows = np.arange(first, first + len(block))
            compared = (block @ queries).T
            compared[numbers[:, None] == rows] = -np.inf
            similarity = np.hstack([similarity, compared])
            others = np.hstack([others, np.broadcast_to(rows, compared.shape)])
            order = np.argsort(-similarity, axis=1, kind="stable")[:, :count]
            similarity, others = (np.take_along_axis(values, order, 1) for values in (similarity, others))
        found[numbers] = others
    return found
