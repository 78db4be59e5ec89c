"""Examples by the base model's perplexity of the response, given the instruction. Looks at no target.

Marion et al. 2023 ("When Less is More") keep texts of a pretraining corpus whose perplexity is lowest, in the middle or
highest; the middle was best. Perplexity is exp(loss), so examples are ordered by loss. The middle is what lies around
the median.
"""

from typing import Literal

import numpy as np

from instruction_selection.selection import Inputs, Selection


def select(
    inputs: Inputs, budget: int, rng: np.random.Generator, *, keep: Literal["lowest", "middle", "highest"]
) -> Selection:
    losses = inputs.pool_losses[:, 0]
    order = np.argsort(-losses if keep == "highest" else losses, kind="stable")
    start = (len(order) - min(budget, len(order))) // 2 if keep == "middle" else 0
    chosen = order[start : start + budget]
    details = {"lowest": float(np.exp(losses[chosen].min())), "highest": float(np.exp(losses[chosen].max()))}
    return Selection(chosen, {"perplexity": details})
