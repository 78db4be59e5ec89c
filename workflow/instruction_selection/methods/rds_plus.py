"""RDS+: hidden states of the untuned model, validation rows taking turns (Ivison et al. 2025).

Rows and queries are represented alike, by the position-weighted mean of the last hidden states over prompt and response
(see `hidden_states`). As in the authors' code, a query whose best remaining row is taken loses its turn. They run the
model in bf16, this is fp32. For several tasks at once they score a row by the closest query of each task, and the tasks
take turns. Here all queries of a joint target take turns as if they were of one task, so that a part with more
validation rows gets more of the budget.
"""

import numpy as np

from instruction_selection.selection import Inputs, Selection
from instruction_selection.selection.algorithms.round_robin import take_turns


def select(inputs: Inputs, budget: int, rng: np.random.Generator) -> Selection:
    cosines = inputs.pool_hidden_states @ inputs.validation_hidden_states.unit.T
    return Selection(take_turns(cosines, budget, skip_taken=False))
