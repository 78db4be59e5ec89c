"""G2IS without gradients: the walk as printed over sentence embeddings (Zhao et al. 2025, section 5.2, an ablation).

The paper does not name the encoder.
"""

import numpy as np

from instruction_selection.selection import Inputs, Selection
from instruction_selection.walk import fast, printed
from instruction_selection.walk.quantised import Quantised


def select(inputs: Inputs, budget: int, params: dict, rng: np.random.Generator) -> Selection:
    copies = Quantised(inputs.pool_embeddings, inputs.memory_mb)
    return printed.select(
        inputs.validation_embeddings,
        budget,
        params,
        lambda components, wanted: fast.walk(copies, components, wanted, params["delta"]),
    )
