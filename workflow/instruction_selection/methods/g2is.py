"""G2IS as the paper prints it (Zhao et al. 2025, section 3 and Algorithm 1).

Principal components of the validation gradients, each with a share of the budget in proportion to the variance that
it explains; one walk per component, each over all rows; the union of the walks. `walk.algorithm1` says how what
the paper leaves open is read.
"""

from functools import partial

import numpy as np

from instruction_selection.core.parameters import ProperShare, Share
from instruction_selection.selection import Components, Inputs, Selection
from instruction_selection.selection.walk import algorithm1, fast
from instruction_selection.selection.walk.components import principal_components
from instruction_selection.selection.walk.quantised import Quantised


def select(inputs: Inputs, budget: int, rng: np.random.Generator, *, variance: ProperShare, delta: Share) -> Selection:
    followed = Components("pool_gradients", "validation_gradients")
    decompose = partial(principal_components, variance=variance)
    walk = partial(fast.walk_algorithm1, Quantised(inputs.pool_gradients, inputs.memory_mib), delta=delta)
    return algorithm1.select(inputs, followed, budget, decompose, walk)
