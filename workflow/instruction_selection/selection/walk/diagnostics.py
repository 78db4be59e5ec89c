"""Diagnostics of a method that follows principal components: their variance, and the steps of its first walk."""

import numpy as np

from instruction_selection.features.matrix import FeatureMatrix

#: Most steps of the walk, and most components, that are reported.
MAX_STEPS, MAX_COMPONENTS = 500, 100


def explained_variance_and_similarities(
    pool: FeatureMatrix, validation: FeatureMatrix, indices: np.ndarray, details: dict, explained: bool
) -> dict[str, list[float] | None]:
    """The entry ``trace`` of ``selection.json``; empty for a method whose `details` have no components.

    `explained_variance` are shares (at most `MAX_COMPONENTS`) of the variance of the validation rows (M, D) with their
    norms, in decreasing order; None unless `explained` (see `selection.Components`). `similarities` are the cosines of
    each row that the first component chose with the one before it; `indices` int (n,) are rows of the pool in order of
    choice.
    """
    if not details.get("components"):
        return {}
    first = indices[: min(details["components"][0]["selected"], MAX_STEPS + 1)]
    walked = pool.take(first)
    return {
        "explained_variance": _variance_shares(validation) if explained else None,
        "similarities": np.vecdot(walked[:-1], walked[1:]).astype(float).round(4).tolist(),
    }


def _variance_shares(validation: FeatureMatrix) -> list[float]:
    rows = validation.unit * validation.norms[:, None]
    variance = np.linalg.svd(rows - rows.mean(0), compute_uv=False).astype(float) ** 2
    return (variance / variance.sum()).round(6).tolist()[:MAX_COMPONENTS]
