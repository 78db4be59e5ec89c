"""LESS: cosine of Adam gradients with the validation gradients (Xia et al. 2024, section 4).

Averages over the checkpoints that the experiment keeps (warmup.checkpoints; published: 4 epochs), weighted with their
epochs' mean learning rates, and over the validation rows of a subtask, then takes the maximum over subtasks, as in the
authors' code. A target without subtasks is one: then that is the mean gradient. A joint target has the subtasks of all
its parts: of BBH and GSM8K the maximum is over 28.
"""

import numpy as np

from instruction_selection.selection import Inputs
from instruction_selection.selection.algorithms.similarity import weighted_best_subtask_mean


def score(inputs: Inputs, params: dict, rng: np.random.Generator) -> np.ndarray:
    checkpoints = inputs.checkpoints
    return weighted_best_subtask_mean(
        [checkpoint.pool_gradients for checkpoint in checkpoints],
        [checkpoint.validation_gradients.unit for checkpoint in checkpoints],
        [checkpoint.weight for checkpoint in checkpoints],
        inputs.validation_gradients.subtasks,
    )
