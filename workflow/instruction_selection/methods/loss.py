"""Examples with the highest loss after the warm-up, which gradients are computed with. Looks at no target.

The simplest score of difficulty. For classifiers, EL2N (Paul et al. 2021) takes the norm of the error instead; a
language model has one error per token, and the store keeps the mean of their losses.
"""

import numpy as np

from instruction_selection.selection import Inputs


def score(inputs: Inputs, rng: np.random.Generator) -> np.ndarray:
    return inputs.pool_gradient_losses
