"""Selection as Algorithm 1 of G2IS prints it, for whatever rows stand in for gradients.

"The first 50 % of principal components" (section 3.1) reads as a share of their number, "the top k % by cumulative
variance ratio" (Algorithm 1) as one of the variance that they explain. Algorithm 1 is the more exact of the two and is
what the authors' code does by default, so `g2is` follows it; `g2is-count` takes the other reading. The difference is
large: of 24 validation rows, half of the variance is often in 2 or 3 components, and half of the components are 12.

What the paper leaves open is read as: centred PCA of the validation rows as they are, components with the sign that
scikit-learn gives them, shares of the budget rounded up (so that every component has its anchor), and rows beyond the
budget dropped from the last component. Components may choose the same row, and then fewer rows come out.
"""

import math
from collections.abc import Callable

import numpy as np

from instruction_selection.features.matrix import FeatureMatrix
from instruction_selection.selection.contract import Components, Inputs, Selection
from instruction_selection.selection.walk.growing_set import Walk


def select(
    inputs: Inputs,
    followed: Components,
    budget: int,
    decompose: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    choose: Callable[[np.ndarray, list[int]], list[Walk]],
) -> Selection:
    """The union of `choose(components, rows wanted of each)` over the principal components of the validation rows.

    `followed` names the features. `decompose` gives components (k, D) of rows (M, D), and their shares (k,) of the
    budget, as in `components`.
    """
    validation: FeatureMatrix = getattr(inputs, followed.validation)
    components, shares = decompose(validation.unit * validation.norms[:, None])
    budgets = [math.ceil(budget * share) for share in shares]
    chosen: dict[int, None] = {}
    details = []
    for share, wanted, walked in zip(shares, budgets, choose(components, budgets), strict=True):
        details.append(describe(share, wanted, walked) | {"already_chosen": len(chosen.keys() & set(walked.indices))})
        chosen.update(dict.fromkeys(walked.indices))
    return Selection(np.array(list(chosen))[:budget], {"components": details}, followed)


def describe(share: float, budget: int, walked: Walk) -> dict[str, float | int | None]:
    """The entry of a component's walk in `selection.json`."""
    return {
        "variance_share": float(share),
        "budget": int(budget),
        "selected": len(walked.indices),
        "shortfall": max(0, int(budget) - len(walked.indices)),
        "anchor": walked.indices[0] if walked.indices else None,
        "rejected_by_conflict": walked.rejected_by_conflict,
        "rejected_by_consistency": walked.rejected_by_consistency,
        "fallbacks": walked.fallbacks,
    }
