"""Similarity over checkpoints and subtasks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_selection.selection.algorithms import similarity


@given(seed=st.integers(0, 10**6), checkpoints=st.integers(1, 4), subtasks=st.integers(1, 4))
def test_weighted_best_subtask_mean__is_its_definition_written_out(seed, checkpoints, subtasks):
    rng = np.random.default_rng(seed)
    pools, validations = rng.normal(size=(checkpoints, 7, 5)), rng.normal(size=(checkpoints, 9, 5))
    weights, names = rng.uniform(1e-6, 2e-5, size=checkpoints), rng.integers(subtasks, size=9)
    shares = weights / weights.sum()
    expected = []
    for row in range(7):
        cosines = [sum(shares[t] * (pools[t, row] @ validations[t, j]) for t in range(checkpoints)) for j in range(9)]
        expected.append(max(np.mean([cosines[j] for j in range(9) if names[j] == name]) for name in set(names)))
    found = similarity.weighted_best_subtask_mean(list(pools), list(validations), weights, names)
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array(expected), rel=1e-4, abs=1e-5)
    means = similarity.weighted_cosines(list(pools), list(validations), weights).mean(1)
    of_one = similarity.weighted_best_subtask_mean(list(pools), list(validations), weights, np.zeros(9))
    assert means == pytest.approx(of_one, rel=1e-4, abs=1e-5)
