"""Nearest neighbours without near-duplicates, against the same by all pairs."""

import numpy as np
import pytest

from instruction_selection import selection
from instruction_selection.features.matrix import InMemoryMatrix
from instruction_selection.selection import Inputs


def embeddings(rows: int = 400, copies: int = 150):
    """A pool of which some are near-copies of others, and twelve validation rows; unit vectors."""
    rng = np.random.default_rng(0)
    pool, validation = rng.normal(size=(rows, 8)), rng.normal(size=(12, 8))
    pool[rng.permutation(rows)[:copies]] = pool[:copies] + 0.1 * rng.normal(size=(copies, 8))
    return InMemoryMatrix.normalised(pool), InMemoryMatrix.normalised(validation)


def by_all_pairs(pool, validation, budget, neighbours, epsilon) -> list[int]:
    cosines = pool @ validation.T
    scores = [np.mean(sorted(row)[-neighbours:]) for row in cosines.tolist()]
    chosen = []
    for row in sorted(range(len(pool)), key=lambda row: -scores[row]):
        if len(chosen) < budget and all(pool[row] @ pool[other] <= 1 - epsilon for other in chosen):
            chosen.append(row)
    return chosen


@pytest.mark.parametrize("epsilon", [0.01, 0.2, 0.6])
@pytest.mark.parametrize("neighbours", [1, 3, 50])
@pytest.mark.parametrize("budget", [5, 200, 400])
def test_select__is_that_of_all_pairs(budget, neighbours, epsilon):
    pool, validation = embeddings()
    params = {"neighbours": neighbours, "epsilon": epsilon}
    inputs = Inputs.of(len(pool), pool_embeddings=pool, validation_embeddings=validation)
    result = selection.run_method("knn_dedup", inputs, budget, params, seed=0)
    assert result.indices.tolist() == by_all_pairs(pool.unit, validation.unit, budget, neighbours, epsilon)


def test_select__counts_the_duplicates_that_it_left_out():
    same = np.repeat(np.eye(4, 8, dtype=np.float32), [200, 1, 100, 1], axis=0)
    pool = InMemoryMatrix.normalised(same)
    inputs = Inputs.of(
        len(same), pool_embeddings=pool, validation_embeddings=InMemoryMatrix.normalised(np.ones((1, 8)))
    )
    result = selection.run_method("knn_dedup", inputs, 300, {"neighbours": 1, "epsilon": 0.05}, seed=0)
    assert result.indices.tolist() == [0, 200, 201, 301]
    assert result.details == {"duplicates": 298}
