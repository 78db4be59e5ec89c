"""GIST: cosine of plain gradients inside the subspace of the validation gradients (Min et al. 2026).

The subspace is that of the leading singular vectors of the validation gradients, not centred and with their norms; the
score is the largest cosine with a validation row, or with a subtask's mean row. Rank and maximum over rows are the
paper's by default; the authors' code takes a fixed rank, and the mean of each subtask where all have as many rows.
Cosines are averages over the checkpoints that the experiment keeps (warmup.checkpoints; the authors' scripts have 1).
The gradients are those of the store, randomly projected, where GIST has all coordinates. Beware of a target whose rows
all but agree: where one direction holds the share asked for, every cosine inside it is 1 or -1, and ties decide.
"""

import numpy as np

from instruction_selection.core.parameters import Count, ProperShare
from instruction_selection.selection import Inputs
from instruction_selection.selection.algorithms import subspace


def score(inputs: Inputs, rng: np.random.Generator, *, rank: ProperShare | Count, mean_of_subtasks: bool) -> np.ndarray:
    pools, targets, weights = inputs.over_checkpoints("pool_sgd_gradients", "validation_gradients")
    return subspace.scores(
        pools,
        [target.unit * target.norms[:, None] for target in targets],
        weights,
        rank,
        targets[-1].subtasks if mean_of_subtasks else None,
    )
