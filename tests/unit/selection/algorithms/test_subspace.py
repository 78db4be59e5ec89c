"""The subspace of validation gradients, and cosines inside it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_selection.selection.algorithms import subspace

RNG = np.random.default_rng(0)
POOL, VALIDATION = RNG.normal(size=(30, 20)), RNG.normal(size=(8, 20)) * np.linspace(4, 1, 8)[:, None]


@given(rank=st.one_of(st.integers(1, 30), st.floats(0.05, 1)))
def test_basis__orthonormal_and_of_the_rank_or_share_given(rank):
    directions = subspace.basis(VALIDATION, rank)
    assert np.allclose(directions.T @ directions, np.eye(directions.shape[1]))
    explained = ((VALIDATION @ directions) ** 2).sum() / (VALIDATION**2).sum()
    if isinstance(rank, int):
        assert directions.shape[1] == min(rank, 8)
    else:
        assert explained >= rank - 1e-9
        assert ((VALIDATION @ directions[:, :-1]) ** 2).sum() / (VALIDATION**2).sum() < rank


def test_basis__leaves_out_directions_of_no_extent():
    assert subspace.basis(np.vstack([VALIDATION, VALIDATION]), 16).shape[1] == 8


def written_out(pools, validations, weights, rank, groups):
    """The authors' procedure: eigenvectors of the Gram matrix, projection, cosine."""
    total = 0
    for pool, validation, weight in zip(pools, validations, weights, strict=True):
        values, vectors = np.linalg.eigh(validation @ validation.T)
        values, vectors = values[::-1][:rank], vectors[:, ::-1][:, :rank]
        inside_pool = pool @ validation.T @ vectors / np.sqrt(values)
        inside_validation = vectors * np.sqrt(values)
        scores = []
        for group in groups:
            query = inside_validation[group].mean(0)
            norms = np.linalg.norm(inside_pool, axis=1) * np.linalg.norm(query)
            scores.append(inside_pool @ query / norms)
        total = total + weight / sum(weights) * np.array(scores).T
    return total.max(1)


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_scores__those_of_the_authors_procedure(rank):
    pools, validations = [POOL, POOL[::-1]], [VALIDATION, VALIDATION * 2]
    rows = [[number] for number in range(8)]
    found = subspace.scores(pools, validations, [1, 3], rank)
    assert found == pytest.approx(written_out(pools, validations, [1, 3], rank, rows), abs=1e-6)
    subtasks = np.array(["a", "b", "a", "c", "c", "c", "b", "a"])
    groups = [np.flatnonzero(subtasks == name) for name in "abc"]
    found = subspace.scores(pools, validations, [1, 3], rank, subtasks)
    assert found == pytest.approx(written_out(pools, validations, [1, 3], rank, groups), abs=1e-6)


def test_scores__zero_outside_the_subspace():
    flat = np.hstack([VALIDATION[:, :5], np.zeros((8, 15))])
    outside = np.zeros((1, 20))
    outside[0, 10] = 1
    assert subspace.scores([outside], [flat], [1], 5).tolist() == [0]
