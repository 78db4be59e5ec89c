"""G2IS without gradients: Algorithm 1 over sentence embeddings (Zhao et al. 2025, section 5.2, an ablation).

The paper does not name the encoder.
"""

import numpy as np

from instruction_selection.selection import Components, Inputs, Selection
from instruction_selection.selection.walk import algorithm1, fast
from instruction_selection.selection.walk.growing_set import Walk
from instruction_selection.selection.walk.quantised import Quantised


def select(inputs: Inputs, budget: int, params: dict, rng: np.random.Generator) -> Selection:
    copies = Quantised(inputs.pool_embeddings, inputs.memory_mib)

    def walk(components: np.ndarray, wanted: list[int]) -> list[Walk]:
        return fast.walk_algorithm1(copies, components, wanted, params["delta"])

    return algorithm1.select(inputs, Components("pool_embeddings", "validation_embeddings"), budget, params, walk)
