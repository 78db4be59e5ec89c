"""Adam's preconditioning of one row's gradient, as LESS does it."""

import torch

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def precondition(gradient: torch.Tensor, exp_avg: torch.Tensor, exp_avg_sq: torch.Tensor) -> torch.Tensor:
    """The step that Adam would take if this gradient came next (Xia et al. 2024, section 4.1, as in their code).

    `gradient` has shape (..., P), the moments (P,). Epsilon is inside the root and there is no bias correction,
    which is LESS's published code and not torch's AdamW. After few steps nearly all second moments are below epsilon
    (98 % after the demo's 12; a warm-up's checkpoints.json has the share), and the result is hardly preconditioned:
    such a run says little about Adam's gradients against plain ones.
    """
    first = torch.add(BETA1 * exp_avg, gradient, alpha=1 - BETA1)
    second = torch.addcmul(BETA2 * exp_avg_sq + EPSILON, gradient, gradient, value=1 - BETA2)
    # In place: on a processor this is all memory traffic.
    return first.div_(second.sqrt_())
