"""G2IS without gradients: Algorithm 1 over sentence embeddings (Zhao et al. 2025, section 5.2, an ablation).

The paper does not name the encoder.
"""

from functools import partial

import numpy as np

from instruction_selection.core.parameters import ProperShare, Share
from instruction_selection.selection import Components, Inputs, Selection
from instruction_selection.selection.walk import algorithm1, fast
from instruction_selection.selection.walk.components import principal_components
from instruction_selection.selection.walk.quantised import Quantised


def select(inputs: Inputs, budget: int, rng: np.random.Generator, *, variance: ProperShare, delta: Share) -> Selection:
    followed = Components("pool_embeddings", "validation_embeddings")
    decompose = partial(principal_components, variance=variance)
    walk = partial(fast.walk_algorithm1, Quantised(inputs.pool_embeddings, inputs.memory_mib), delta=delta)
    return algorithm1.select(inputs, followed, budget, decompose, walk)
