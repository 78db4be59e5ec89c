"""GraNd: examples with the largest gradients (Paul et al. 2021, "Deep Learning on a Data Diet"). Looks at no target.

The norm is that of the raw gradient of an example's mean loss, over the weights that the warm-up trains; of the
projected gradient, which has the same in expectation. The paper takes the mean over ten models early in training; this
is one, at the end of the warm-up. Short responses have larger gradients, because the loss is a mean over tokens.
"""

import numpy as np

from instruction_selection.selection import Inputs


def score(inputs: Inputs, rng: np.random.Generator) -> np.ndarray:
    return inputs.pool_sgd_gradients.norms
