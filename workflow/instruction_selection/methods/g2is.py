"""G2IS as the paper prints it (Zhao et al. 2025, section 3 and Algorithm 1).

Principal components of the validation gradients, each with a share of the budget in proportion to the variance that
it explains; one walk per component, each over all rows; the union of the walks. Components may choose the same row,
and then fewer rows come out than the budget. What the paper leaves open is read as: centred PCA of the validation
gradients as they are, components with the sign that scikit-learn gives them, shares rounded up (so that every
component has its anchor), and rows beyond the budget dropped from the last walk.
"""

import math

import numpy as np
from sklearn.decomposition import PCA

from instruction_selection.errors import InputError
from instruction_selection.selection import Inputs, Selection
from instruction_selection.walk import fast


def select(inputs: Inputs, budget: int, params: dict, rng: np.random.Generator) -> Selection:
    validation = inputs.validation_gradients
    components, shares = principal_components(validation.unit * validation.norms[:, None], params["variance"])
    chosen: dict[int, None] = {}
    details = []
    for component, share in zip(components, shares, strict=True):
        wanted = math.ceil(budget * share)
        walked = fast.walk(inputs.pool_gradients.unit, inputs.pool_gradients.norms, component, wanted, params["delta"])
        details.append(
            {
                "variance_share": float(share),
                "budget": wanted,
                "already_chosen": len(chosen.keys() & set(walked.rows)),
                "refused_by_conflict": walked.refused_by_conflict,
                "refused_by_consistency": walked.refused_by_consistency,
                "fallbacks": walked.fallbacks,
            }
        )
        chosen.update(dict.fromkeys(walked.rows))
    return Selection(np.array(list(chosen))[:budget], {"components": details})


def principal_components(gradients: np.ndarray, variance: float) -> tuple[np.ndarray, np.ndarray]:
    """Leading components (k, D) that explain more than `variance` of it, and their shares (k,), which sum to 1."""
    if len(gradients) < 2:
        raise InputError("G2IS needs at least two usable validation rows for principal components.")
    pca = PCA(n_components=variance, svd_solver="full").fit(gradients)
    return pca.components_, pca.explained_variance_ratio_ / pca.explained_variance_ratio_.sum()
