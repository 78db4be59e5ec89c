"""Cosine of sentence embeddings with the validation rows', the gradient-free baseline of the G2IS paper.

The paper names neither encoder nor aggregation; this is LESS's aggregation over embeddings. An encoder sees no more of
a row than its window (see config/encoders), and the instruction comes first: of long rows it does not see the response.
"""

import numpy as np

from instruction_selection.selection import Inputs
from instruction_selection.selection.algorithms.similarity import best_subtask_mean


def score(inputs: Inputs, rng: np.random.Generator) -> np.ndarray:
    validation = inputs.validation_embeddings
    return best_subtask_mean(inputs.pool_embeddings, validation.unit, validation.subtasks)
