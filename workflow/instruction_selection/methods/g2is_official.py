"""G2IS as its authors' code does it (gradient_walk.py of github.com/zy125413/G2IS, commit 990409b).

Differs from the paper's Algorithm 1 in what a walk may choose from (no row of an earlier component), in its set vector
(the sum of rows of norm 1), in its fallback (both rules hold for it too, so that a walk may end early, and what it
leaves goes to nobody), in shares of the budget (largest remainder; a component without budget is left out) and in the
graph, which may list only each row's nearest neighbours.
"""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from instruction_selection.apportion import largest_remainder
from instruction_selection.selection import Inputs, Selection
from instruction_selection.walk import fast
from instruction_selection.walk.components import principal_components
from instruction_selection.walk.printed import describe


def select(inputs: Inputs, budget: int, params: dict, rng: np.random.Generator) -> Selection:
    unit, validation = inputs.pool_gradients.unit, inputs.validation_gradients
    components, shares = principal_components(validation.unit * validation.norms[:, None], params["variance"])
    budgets = largest_remainder(budget, shares)
    graph = nearest(unit, params["neighbours"]) if params["neighbours"] else None
    walks = fast.walk_official(unit, components, budgets, params["delta"], graph)
    details = [describe(*told) for told in zip(shares, budgets, walks, strict=True)]
    return Selection(np.array([row for walked in walks for row in walked.rows]), {"components": details})


def nearest(unit: np.ndarray, count: int) -> np.ndarray:
    """Each row's `count` most similar other rows, int64 (N, count), by decreasing similarity."""
    # For rows of norm 1, Euclidean distance and cosine order alike. A row is its own nearest, or a duplicate of it is.
    count = min(count, len(unit) - 1)
    found = NearestNeighbors(n_neighbors=count + 1, algorithm="brute").fit(unit).kneighbors(unit, return_distance=False)
    own = found == np.arange(len(unit))[:, None]
    own[~own.any(1), -1] = True
    return found[~own].reshape(len(unit), count)
