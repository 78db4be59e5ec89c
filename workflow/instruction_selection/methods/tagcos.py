"""TAGCOS: k-means over gradients, then in each cluster a pursuit of its centre (Zhang et al. 2025). Looks at no target.

Published with the weighted mean of three checkpoints early in the warm-up; here with those of the ends of epochs that
the experiment keeps. `clusters` has the selection as published and mended, and says how they differ. Unlike the
published k-means, this one is seeded, and makes fewer clusters of a small pool: each cluster's share is rounded down,
and of shares of a row or two nothing would be left. k-means wants all rows in memory, in single precision.
"""

import math

import numpy as np

from instruction_selection import clusters
from instruction_selection.errors import InputError
from instruction_selection.selection import Inputs, Selection

#: Rows to choose per cluster, on average; the paper has far more.
LEAST_SHARE = 5
#: Of all rows, besides those of each checkpoint: their mean over checkpoints, and that in another order.
COPIES = 2


def select(inputs: Inputs, budget: int, params: dict, rng: np.random.Generator) -> Selection:
    checkpoints = inputs.checkpoints
    wanted = (len(checkpoints) + COPIES) * 4 * math.prod(checkpoints[-1].pool_gradients.shape) >> 20
    if wanted > inputs.memory_mb:
        raise InputError(f"TAGCOS holds all rows in memory, {wanted} MiB; selection.memory_mb is {inputs.memory_mb}.")
    rows = clusters.mean_gradients(
        [checkpoint.pool_gradients.unit for checkpoint in checkpoints],
        [checkpoint.weight for checkpoint in checkpoints],
    )
    count = max(1, min(params["clusters"], budget // LEAST_SHARE))
    labels, centres = clusters.k_means(rows, count, int(rng.integers(2**31)))
    share = budget if params["mended"] else budget / len(rows)
    choose = clusters.select_mended if params["mended"] else clusters.select_as_published
    chosen, details = choose(rows, labels, centres, share, params["penalty"], params["tolerance"])
    lost = budget - sum(cluster["budget"] for cluster in details)
    return Selection(chosen, {"clusters": details, "lost_to_rounding": lost})
