"""LESS: cosine of Adam gradients with the validation gradients (Xia et al. 2024, section 4).

Mean over the validation rows of a subtask, then the maximum over subtasks, as in the authors' code; with a single
checkpoint, the end of the warm-up. `similarity.weighted_best_subtask_mean` takes several.
"""

import numpy as np

from instruction_selection.selection import Inputs
from instruction_selection.similarity import best_subtask_mean


def score(inputs: Inputs, params: dict, rng: np.random.Generator) -> np.ndarray:
    validation = inputs.validation_gradients
    return best_subtask_mean(inputs.pool_gradients.unit, validation.unit, validation.subtasks)
