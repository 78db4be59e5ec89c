"""Adam's preconditioning of one example's gradient, as in LESS."""

import torch

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def precondition(gradient: torch.Tensor, exp_avg: torch.Tensor, exp_avg_sq: torch.Tensor) -> torch.Tensor:
    """The direction of Adam's next step if `gradient` came next: Gamma in LESS (Xia et al. 2024, section 4.1).

        m' = beta1 m + (1 - beta1) g      v' = beta2 v + (1 - beta2) g^2      Gamma = m' / sqrt(v' + epsilon)

    `gradient` is g, float32 (..., P), in units of loss per unit of weight; `exp_avg` (m) and `exp_avg_sq` (v) are the
    optimizer's moments at the checkpoint, float32 (P,). Returns float32 (..., P), without a unit; the inputs are not
    changed. As in LESS's published code, epsilon is inside the root and there is no bias correction; torch's AdamW
    differs in both.

    After few steps nearly all second moments are below epsilon (98 % after the demo's 12; a warm-up's checkpoints.json
    has the share), so the result is hardly preconditioned: such a run cannot compare Adam's gradients with plain ones.
    """
    first = torch.add(BETA1 * exp_avg, gradient, alpha=1 - BETA1)
    second = torch.addcmul(BETA2 * exp_avg_sq + EPSILON, gradient, gradient, value=1 - BETA2)
    # In place, because memory traffic dominates on a CPU.
    return first.div_(second.sqrt_())
