"""TAGCOS: k-means over gradients, then in each cluster a pursuit of its centre (Zhang et al. 2025). Looks at no target.

Published with the weighted mean of three checkpoints early in the warm-up; this averages over the checkpoints that the
experiment keeps (warmup.checkpoints), which are ends of epochs. `clusters` has the selection as published and as
corrected, and says how they differ. Unlike the published k-means, this one is seeded, and makes fewer clusters of a
small pool: each cluster's share is rounded down, and of shares of a row or two nothing would be left.
"""

import numpy as np

from instruction_selection.core.parameters import Count, NotNegative
from instruction_selection.features.matrix import WeightedMean
from instruction_selection.selection import Inputs, Selection
from instruction_selection.selection.algorithms import clusters as algorithms

#: Rows to choose per cluster, on average; the paper has far more.
LEAST_SHARE = 5


def select(
    inputs: Inputs,
    budget: int,
    rng: np.random.Generator,
    *,
    clusters: Count,
    penalty: NotNegative,
    tolerance: NotNegative,
    corrected: bool,
) -> Selection:
    pools, weights = inputs.over_checkpoints("pool_gradients")
    rows = pools[0] if len(pools) == 1 else WeightedMean(pools, weights)
    count = max(1, min(clusters, budget // LEAST_SHARE))
    labels, centres = algorithms.k_means(rows, count, int(rng.integers(2**31)))
    pursuit = penalty, tolerance, inputs.memory_mib // 2
    if corrected:
        chosen, details = algorithms.select_exact_budget(rows, labels, centres, budget, *pursuit)
    else:
        chosen, details = algorithms.select_as_published(rows, labels, centres, budget / len(rows), *pursuit)
    lost = budget - sum(cluster["budget"] for cluster in details)
    return Selection(chosen, {"clusters": details, "lost_to_rounding": lost})
