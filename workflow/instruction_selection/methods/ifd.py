"""IFD, instruction-following difficulty: how little the instruction helps with the response (Li et al. 2024, "From
Quantity to Quality"). Looks at no target.

The score is the loss of the response given the instruction over its loss alone. The highest are chosen among those
below 1: above, the instruction makes the response less likely, as where they do not belong together. Then fewer
examples than the budget may be chosen. Published with a model that was first trained on 1,000 examples of the pool;
this is the base model, untrained as in the authors' later "Superfiltering" (2024).
"""

import numpy as np

from instruction_selection.selection import Inputs, Selection


def select(inputs: Inputs, budget: int, rng: np.random.Generator) -> Selection:
    given, alone = inputs.pool_losses.T
    # A response that is certain without the instruction is not made more likely by it.
    ratios = np.divide(given, alone, out=np.full_like(given, np.inf), where=alone > 0)
    order = np.argsort(-ratios, kind="stable")
    helped = order[ratios[order] < 1]
    scores = np.where(ratios < 1, ratios, np.nan).astype(np.float32)
    return Selection(helped[:budget], {"not_below_one": len(order) - len(helped)}, scores=scores)
