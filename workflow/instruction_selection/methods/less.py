"""LESS: cosine of Adam gradients with the validation gradients (Xia et al. 2024, section 4).

Averages over the checkpoints that the experiment keeps (warmup.checkpoints; published: 4 epochs), weighted with their
epochs' mean learning rates, and over the validation rows of a subtask, then takes the maximum over subtasks, as in the
authors' code. A target without subtasks is one: then that is the mean gradient. A joint target has the subtasks of all
its parts: of BBH and GSM8K the maximum is over 28.
"""

import numpy as np

from instruction_selection.selection import Inputs
from instruction_selection.selection.algorithms.similarity import weighted_best_subtask_mean


def score(inputs: Inputs, rng: np.random.Generator) -> np.ndarray:
    pools, targets, weights = inputs.over_checkpoints("pool_gradients", "validation_gradients")
    return weighted_best_subtask_mean(pools, [target.unit for target in targets], weights, targets[-1].subtasks)
