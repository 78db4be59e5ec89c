"""Sparse approximations: the fast solver and the written-out one; planted supports."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from instruction_selection.features.matrix import InMemoryMatrix
from instruction_selection.selection.algorithms import matching_pursuit

seeds = st.integers(0, 10**6)


@settings(max_examples=200)
@given(
    seed=seeds,
    count=st.integers(1, 40),
    most=st.integers(0, 15),
    penalty=st.sampled_from([1e-3, 0.1, 1.0]),
    positive=st.booleans(),
    shared=st.sampled_from([0.0, 2.0]),
)
def test_orthogonal_matching_pursuit__same_as_reference(seed, count, most, penalty, positive, shared):
    rng = np.random.default_rng(seed)
    pool = rng.normal(size=(count, 10)) + shared * rng.normal(size=10)
    target = pool[: 1 + count // 2].mean(0) + 0.1 * rng.normal(size=10)
    rows, coefficients = matching_pursuit.orthogonal_matching_pursuit(
        InMemoryMatrix(pool), target, most, penalty, 1e-4, positive
    )
    expected_rows, expected = matching_pursuit.reference(pool, target, most, penalty, 1e-4, positive)
    assert rows.tolist() == list(expected_rows)
    assert coefficients == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert len(rows) <= most


def test_orthogonal_matching_pursuit__orthogonal_rows_come_by_their_share():
    rows, coefficients = matching_pursuit.orthogonal_matching_pursuit(
        InMemoryMatrix(np.eye(4)), np.array([1.0, 0, 3, 2]), 4, 0, 1e-6
    )
    assert rows.tolist() == [2, 3, 0]
    assert coefficients == pytest.approx([3, 2, 1])


def planted(rng: np.random.Generator, sparsity: int, count: int = 400, dimension: int = 64):
    rows = rng.normal(size=(count, dimension))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    support = rng.permutation(count)[:sparsity]
    return rows, support, rng.uniform(0.5, 2, size=sparsity) @ rows[support]


@given(seed=seeds, sparsity=st.integers(1, 4))
def test_compressive_sampling__recovers_a_sparse_support(seed, sparsity):
    rows, support, target = planted(np.random.default_rng(seed), sparsity)
    found, coefficients = matching_pursuit.compressive_sampling(rows, target, sparsity)
    assert set(found) == set(support)
    assert (coefficients > 0).all()
    assert coefficients @ rows[found] == pytest.approx(target, abs=1e-8)


@given(seed=seeds, most=st.integers(4, 20))
def test_compressive_sampling__smaller_residual_than_the_most_correlated_rows(seed, most):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(300, 64)) + 0.5 * rng.normal(size=64)
    target = rows[:150].mean(0)
    found, coefficients = matching_pursuit.compressive_sampling(rows, target, most)
    assert len(found) <= most
    assert (np.diff(coefficients) <= 0).all()
    top = np.argsort(-(rows @ target))[:most]
    assert np.linalg.norm(target - coefficients @ rows[found]) <= nnls(rows[top].T, target)[1] + 1e-9


def test_compressive_sampling__empty_where_nothing_correlates():
    found, coefficients = matching_pursuit.compressive_sampling(-np.eye(3), np.ones(3), 2)
    assert len(found) == len(coefficients) == 0
