"""G2IS as the paper prints it (Zhao et al. 2025, section 3 and Algorithm 1).

Principal components of the validation gradients, each with a share of the budget in proportion to the variance that
it explains; one walk per component, each over all rows; the union of the walks. `walk.algorithm1` says how what
the paper leaves open is read.
"""

import numpy as np

from instruction_selection.selection import Components, Inputs, Selection
from instruction_selection.selection.walk import algorithm1, fast
from instruction_selection.selection.walk.growing_set import Walk
from instruction_selection.selection.walk.quantised import Quantised


def select(inputs: Inputs, budget: int, params: dict, rng: np.random.Generator) -> Selection:
    copies = Quantised(inputs.pool_gradients, inputs.memory_mib)

    def walk(components: np.ndarray, wanted: list[int]) -> list[Walk]:
        return fast.walk_algorithm1(copies, components, wanted, params["delta"])

    return algorithm1.select(inputs, Components("pool_gradients", "validation_gradients"), budget, params, walk)
