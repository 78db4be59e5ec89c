"""G2IS without its graph: per principal component the rows closest to it (Zhao et al. 2025, section 5.2, an ablation).

Everything but the walk is as in `g2is`: components, shares of the budget, and a row that several components choose.
"""

from functools import partial

import numpy as np

from instruction_selection.core.parameters import ProperShare
from instruction_selection.selection import Components, Inputs, Selection
from instruction_selection.selection.walk import algorithm1
from instruction_selection.selection.walk.components import principal_components
from instruction_selection.selection.walk.growing_set import Walk


def select(inputs: Inputs, budget: int, rng: np.random.Generator, *, variance: ProperShare) -> Selection:
    def closest(components: np.ndarray, wanted: list[int]) -> list[Walk]:
        products = inputs.pool_gradients @ components.T
        orders = [np.argsort(-column, kind="stable") for column in products.T]
        return [Walk(order[:count].tolist()) for order, count in zip(orders, wanted, strict=True)]

    followed = Components("pool_gradients", "validation_gradients")
    return algorithm1.select(inputs, followed, budget, partial(principal_components, variance=variance), closest)
