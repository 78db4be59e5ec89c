"""A reconstruction in the style of Gradient Trajectory Pursuit (Deng, Li and Li 2024); it is not GTP.

Of GTP neither code nor full text was available. What its abstract says, and this does: rows are chosen jointly, so
that a non-negative combination of few of them (an L0 constraint) matches the target's gradient in a subspace, by
compressive sampling. What is guessed: the subspace (leading right singular vectors of the unit validation rows, of each
checkpoint), the target (their mean), rank, iterations and multiplier (CoSaMP's 2), and the rounds. Coefficients of more
rows than the subspace has dimensions are not determined, so a round chooses at most half as many, and the next starts
from what is left, or, once hardly anything is left, from the target again. The trajectory is
that of the checkpoints that the experiment keeps (warmup.checkpoints); with one it is a point.
"""

import numpy as np

from instruction_selection.core.parameters import Count, NotNegative
from instruction_selection.selection import Inputs, Selection
from instruction_selection.selection.algorithms import trajectory


def select(
    inputs: Inputs,
    budget: int,
    rng: np.random.Generator,
    *,
    rank: Count,
    iterations: Count,
    tolerance: NotNegative,
) -> Selection:
    pools, targets, weights = inputs.over_checkpoints("pool_gradients", "validation_gradients")
    rows, target = trajectory.system(pools, [target.unit for target in targets], weights, rank)
    chosen, details = trajectory.pursue(rows, target, budget, iterations, tolerance)
    return Selection(chosen, {"rounds": details})
