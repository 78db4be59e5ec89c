"""What the report draws of a method that goes along principal components: their variance, and its first walk."""

import numpy as np

from instruction_selection.features import Rows

#: Steps of a walk, and components, that are told at most.
STEPS, COMPONENTS = 500, 100


def of(pool: Rows, validation: Rows, rows: np.ndarray, details: dict, centred: bool) -> dict:
    """For ``selection.json``; empty for a method whose `details` tell of no components.

    `explained_variance` are shares (at most `COMPONENTS`) of the variance of the validation rows as they are, in
    decreasing order; None for a method that takes components otherwise, which is not `centred`. `similarities` are the
    cosines of each row that the first component chose with the one before it; `rows` (n,) are in order of choice.
    """
    if not details.get("components"):
        return {}
    first = rows[: min(details["components"][0]["selected"], STEPS + 1)]
    walked = pool.take(first)
    return {
        "explained_variance": _shares(validation) if centred else None,
        "similarities": np.vecdot(walked[:-1], walked[1:]).astype(float).round(4).tolist(),
    }


def _shares(validation: Rows) -> list[float]:
    rows = validation.unit * validation.norms[:, None]
    variance = np.linalg.svd(rows - rows.mean(0), compute_uv=False).astype(float) ** 2
    return (variance / variance.sum()).round(6).tolist()[:COMPONENTS]
