"""Rows drawn uniformly without replacement."""

import numpy as np

from instruction_selection.selection import Inputs, Selection


def select(inputs: Inputs, budget: int, rng: np.random.Generator) -> Selection:
    return Selection(rng.permutation(inputs.pool_size)[:budget])
