"""What the report draws of a walk."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from instruction_selection.features.matrix import InMemoryMatrix
from instruction_selection.selection.walk.diagnostics import explained_variance_and_similarities


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return InMemoryMatrix.normalised(rng.normal(size=(30, 8))), InMemoryMatrix.normalised(rng.normal(size=(6, 8)))


def test_explained_variance_and_similarities__of_the_components_and_the_first_walk(rows):
    pool, validation = rows
    order = np.array([7, 3, 9, 1, 2])
    found = explained_variance_and_similarities(
        pool, validation, order, {"components": [{"selected": 3}, {"selected": 2}]}, explained=True
    )
    pca = PCA(svd_solver="full").fit(validation.unit * validation.norms[:, None])
    assert found["explained_variance"] == pytest.approx(pca.explained_variance_ratio_, abs=1e-5)
    assert found["similarities"] == pytest.approx([pool.unit[7] @ pool.unit[3], pool.unit[3] @ pool.unit[9]], abs=1e-4)


def test_explained_variance_and_similarities__empty_without_components(rows):
    assert explained_variance_and_similarities(*rows, np.arange(3), {}, explained=True) == {}
    assert explained_variance_and_similarities(
        *rows, np.arange(3), {"components": [{"selected": 1}]}, explained=False
    ) == {
        "explained_variance": None,
        "similarities": [],
    }
