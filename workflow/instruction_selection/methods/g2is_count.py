"""G2IS with the other reading of its components: a share of their number, not of the variance that they explain.

Section 3.1 of the paper says "first 50 % of principal components" (Zhao et al. 2025). All else is as in `g2is`.
"""

from functools import partial

import numpy as np

from instruction_selection.core.parameters import PositiveShare, Share
from instruction_selection.selection import Components, Inputs, Selection
from instruction_selection.selection.walk import algorithm1, fast
from instruction_selection.selection.walk.components import counted_components
from instruction_selection.selection.walk.quantised import Quantised


def select(inputs: Inputs, budget: int, rng: np.random.Generator, *, count: PositiveShare, delta: Share) -> Selection:
    followed = Components("pool_gradients", "validation_gradients")
    decompose = partial(counted_components, share=count)
    walk = partial(fast.walk_algorithm1, Quantised(inputs.pool_gradients, inputs.memory_mib), delta=delta)
    return algorithm1.select(inputs, followed, budget, decompose, walk)
