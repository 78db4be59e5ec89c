"""Principal components of a sample, for all rows."""

import numpy as np
import pytest

from instruction_selection.features.matrix import InMemoryMatrix
from instruction_selection.selection.page import plane


def test_of_features__are_the_principal_components_of_the_sample():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 6)) * [5, 3, 1, 1, 1, 1]
    pool, validation = InMemoryMatrix.normalised(rows), InMemoryMatrix.normalised(rng.normal(size=(3, 6)))
    places = rng.permutation(50)
    found = plane.of_features(pool, validation, places, 40)
    sample = pool.unit[places[:40]]
    _, strengths, axes = np.linalg.svd(sample - sample.mean(0), full_matrices=False)
    assert found.variance == pytest.approx((strengths[:2] ** 2).sum() / (strengths**2).sum(), rel=1e-3)
    for mapped, features in ((found.pool, pool.unit[places]), (found.validation, validation.unit)):
        expected = (features - sample.mean(0)) @ axes[:2].T
        # The sign of an axis is free.
        np.testing.assert_allclose(np.abs(mapped), np.abs(expected), atol=1e-3)


def test_of_features__leaves_out_validation_rows_that_cannot_be_used():
    rng = np.random.default_rng(0)
    validation = rng.normal(size=(3, 4))
    validation[1] = 0
    pair = map(InMemoryMatrix.normalised, (rng.normal(size=(9, 4)), validation))
    assert plane.of_features(*pair, np.arange(9), 9).validation.shape == (2, 2)


def test_of_words__puts_texts_with_the_same_words_together():
    texts = ["the red apple", "a blue car", "red the apple", "car blue a"]
    found = plane.of_words(texts, ["apple red the"], 4)
    np.testing.assert_allclose(found.pool[[0, 1]], found.pool[[2, 3]], atol=1e-5)
    np.testing.assert_allclose(found.validation[0], found.pool[0], atol=1e-5)
    assert np.abs(found.pool[0] - found.pool[1]).max() > 0.1


@pytest.mark.parametrize("texts", [["one"], ["same", "same", "same"], ["", ""]])
def test_of_words__of_texts_that_do_not_differ_is_nothing(texts):
    assert plane.of_words(texts, [], len(texts)) is None
