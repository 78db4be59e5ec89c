"""G2IS with its weaknesses corrected; not published. What it changes of the authors' code, and why:

- Validation rows are scaled to norm 1 first. A gradient is the larger the shorter the response; as they are, the
  components are those of a few short answers.
- Validation rows are not centred (unless `centred`): to subtract their mean takes away the direction that they share,
  which is the task, and leaves how they differ from each other.
- Components point where the mean validation row points. The sign of a principal component has no meaning, and on it
  depends which rows are chosen: turned away from the task, the walk collects rows that are of no use for it.
- Exactly the budget is chosen. What a walk leaves that finds no feasible row goes to the others, and in the end to
  untested rows, so that a comparison with other methods is one of equal numbers of rows.
"""

import numpy as np

from instruction_selection.core.apportion import largest_remainder
from instruction_selection.core.parameters import ProperShare, Share
from instruction_selection.selection import Components, Inputs, Selection
from instruction_selection.selection.walk import fast
from instruction_selection.selection.walk.algorithm1 import describe
from instruction_selection.selection.walk.components import principal_components, towards, uncentred_components
from instruction_selection.selection.walk.quantised import Quantised


def select(
    inputs: Inputs,
    budget: int,
    rng: np.random.Generator,
    *,
    variance: ProperShare,
    delta: Share,
    centred: bool,
) -> Selection:
    validation = inputs.validation_gradients.unit
    decompose = principal_components if centred else uncentred_components
    components, shares = decompose(validation, variance)
    components = towards(components, validation.mean(0))
    copies = Quantised(inputs.pool_gradients, inputs.memory_mib)
    walks = fast.walk_robust(copies, components, shares, budget, delta)
    budgets = largest_remainder(budget, shares)
    details = [describe(*walk) for walk in zip(shares, budgets, walks, strict=True)]
    chosen = np.array([row for walked in walks for row in walked.indices])
    # Of rows of norm 1, so that the variance of the rows as they are is not what these explain.
    followed = Components("pool_gradients", "validation_gradients", explained=False)
    return Selection(chosen, {"components": details}, followed)
