"""LESS's similarities, but validation rows take turns to choose.

From "A Critical Look at Targeted Instruction Selection" (2026), where it is the best on average at small budgets. At
every turn a validation row takes the row most similar to it that nobody has; as in that paper's code, it never loses a
turn. Similarities are averages over the checkpoints that the experiment keeps (warmup.checkpoints; LESS's: 4 epochs).
"""

import numpy as np

from instruction_selection.selection import Inputs, Selection
from instruction_selection.selection.algorithms.round_robin import take_turns
from instruction_selection.selection.algorithms.similarity import weighted_cosines


def select(inputs: Inputs, budget: int, rng: np.random.Generator) -> Selection:
    pools, targets, weights = inputs.over_checkpoints("pool_gradients", "validation_gradients")
    cosines = weighted_cosines(pools, [target.unit for target in targets], weights)
    return Selection(take_turns(cosines, budget, skip_taken=True))
