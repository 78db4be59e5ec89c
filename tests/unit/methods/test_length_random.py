"""Random rows of given lengths."""

import numpy as np
import pytest

from instruction_selection import selection
from instruction_selection.selection import Inputs

RNG = np.random.default_rng([0, 1])


def chosen(pool: np.ndarray, validation: np.ndarray, budget: int, seed: int = 0) -> selection.Selection:
    inputs = Inputs.of(len(pool), pool_lengths=pool, validation_lengths=validation)
    return selection.run_method("length_random", inputs, budget, {}, seed)


def test_length_random__lengths_distributed_as_the_target_s_not_as_the_pool_s():
    pool = RNG.integers(1, 1000, size=5000)
    validation = RNG.normal(200, 50, size=200).astype(int)
    result = chosen(pool, validation, 300)
    lengths = pool[result.indices]
    assert len(result.indices) == 300
    assert result.details["of_other_lengths"] == 0
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert np.quantile(lengths, share) == pytest.approx(np.quantile(validation, share), abs=20)


def test_length_random__any_row_of_fitting_length_may_be_drawn():
    pool, validation = np.repeat([10, 20, 500], 20), np.array([10, 20, 20, 10])
    drawn = np.concatenate([chosen(pool, validation, 10, seed).indices for seed in range(60)])
    assert set(drawn) == set(range(40))


def test_length_random__fills_up_with_other_lengths_and_counts_them():
    pool, validation = np.array([10] * 3 + [500] * 30), np.full(8, 10)
    result = chosen(pool, validation, 12)
    assert len(result.indices) == 12
    assert {0, 1, 2} <= set(result.indices)
    assert result.details["of_other_lengths"] == 9


def test_length_random__budget_beyond_the_pool_takes_all():
    assert sorted(chosen(np.array([1, 2, 3]), np.array([2]), 10).indices) == [0, 1, 2]
