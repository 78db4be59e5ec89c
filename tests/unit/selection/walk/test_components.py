"""Directions of validation rows."""

import numpy as np
import pytest
from support.rejections import rejected

from instruction_selection.selection.walk import components


@pytest.fixture
def rows() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(20, 9)) * np.linspace(3, 0.5, 9) + 5


def test_components__orthonormal_and_as_few_as_explain_enough(rows):
    for decompose in (components.principal_components, components.uncentred_components):
        for variance in (0.3, 0.9):
            found, shares = decompose(rows, variance)
            assert np.allclose(found @ found.T, np.eye(len(found)))
            assert shares.sum() == pytest.approx(1)
            assert (np.diff(shares) <= 0).all()
            centred = rows - rows.mean(0) if decompose is components.principal_components else rows
            explained = ((centred @ found.T) ** 2).sum(0) / (centred**2).sum()
            assert explained.sum() > variance > explained[:-1].sum()


def test_principal_components__largest_coordinate_is_positive(rows):
    found, _ = components.principal_components(rows, 0.9)
    largest = np.take_along_axis(found, np.abs(found).argmax(1)[:, None], 1)
    assert (largest > 0).all()


def test_uncentred_components__shared_direction_comes_first(rows):
    found, _ = components.uncentred_components(rows, 0.5)
    mean = rows.mean(0) / np.linalg.norm(rows.mean(0))
    assert abs(found[0] @ mean) > 0.99
    centred, _ = components.principal_components(rows, 0.5)
    assert np.abs(centred @ mean).max() < 0.9


def test_towards__no_component_points_away(rows):
    found, _ = components.principal_components(rows, 0.9)
    direction = np.random.default_rng(1).normal(size=9)
    turned = components.towards(found, direction)
    assert (turned @ direction >= 0).all()
    assert np.allclose(np.abs(turned), np.abs(found))


def test_counted_components__share_of_those_there_are(rows):
    # Of 20 rows of 9 numbers there are 9 components, of 5 centred rows 4.
    for matrix, share, expected in ((rows, 0.5, 5), (rows, 1 / 3, 3), (rows[:5], 0.5, 2), (rows[:5], 1.0, 4)):
        found, shares = components.counted_components(matrix, share)
        assert len(found) == len(shares) == expected
        assert np.allclose(found @ found.T, np.eye(expected))
        assert shares.sum() == pytest.approx(1)
    by_variance, _ = components.principal_components(rows, 0.9)
    assert np.array_equal(components.counted_components(rows, 1.0)[0][: len(by_variance)], by_variance)


def test_principal_components__single_row_rejected():
    with rejected("too-few-validation-rows"):
        components.principal_components(np.ones((1, 4)), 0.5)
