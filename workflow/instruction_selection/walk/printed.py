"""Selection as Algorithm 1 of G2IS prints it, for whatever rows stand in for gradients.

What the paper leaves open is read as: centred PCA of the validation rows as they are, components with the sign that
scikit-learn gives them, shares of the budget rounded up (so that every component has its anchor), and rows beyond the
budget dropped from the last component. Components may choose the same row, and then fewer rows come out.
"""

import math
from collections.abc import Callable

import numpy as np

from instruction_selection.features import Rows
from instruction_selection.selection import Selection
from instruction_selection.walk.chain import Walk
from instruction_selection.walk.components import principal_components


def select(
    validation: Rows, budget: int, variance: float, choose: Callable[[np.ndarray, list[int]], list[Walk]]
) -> Selection:
    """The union of `choose(components, rows wanted of each)` over the principal components of the validation rows."""
    components, shares = principal_components(validation.unit * validation.norms[:, None], variance)
    budgets = [math.ceil(budget * share) for share in shares]
    chosen: dict[int, None] = {}
    details = []
    for share, wanted, walked in zip(shares, budgets, choose(components, budgets), strict=True):
        details.append(describe(share, wanted, walked) | {"already_chosen": len(chosen.keys() & set(walked.rows))})
        chosen.update(dict.fromkeys(walked.rows))
    return Selection(np.array(list(chosen))[:budget], {"components": details})


def describe(share: float, budget: int, walked: Walk) -> dict:
    """What `selection.json` tells of a component's walk."""
    return {
        "variance_share": float(share),
        "budget": int(budget),
        "selected": len(walked.rows),
        "shortfall": max(0, int(budget) - len(walked.rows)),
        "anchor": walked.rows[0] if walked.rows else None,
        "refused_by_conflict": walked.refused_by_conflict,
        "refused_by_consistency": walked.refused_by_consistency,
        "fallbacks": walked.fallbacks,
    }
