"""The reconstruction in the style of GTP."""

import numpy as np
import pytest
from scipy.optimize import nnls

from instruction_selection.selection.algorithms import trajectory
from instruction_selection.selection.algorithms.subspace import unit


def test_pursue__finds_planted_rows_over_several_checkpoints():
    """Validation rows span a few directions; their mean is a sum of six pool rows at each of three checkpoints."""
    rng = np.random.default_rng(0)
    support = rng.permutation(500)[:6]
    pools, validations = [], []
    for _ in range(3):
        pool = unit(rng.normal(size=(500, 96)))
        validation = unit(rng.normal(size=(12, 96)))
        validation += pool[support].sum(0) - validation.mean(0)
        pools.append(pool)
        validations.append(validation)
    rows, target = trajectory.system(pools, validations, [1, 2, 3], rank=64)
    assert rows.shape == (500, 3 * 12)
    chosen, [details] = trajectory.pursue(rows, target, 6, 20, 1e-3)
    assert set(chosen) == set(support)
    assert details["residual"] < 1e-6 * details["residual_before"]


def test_pursue__smaller_residual_than_the_most_correlated_rows():
    rng = np.random.default_rng(1)
    pool = unit(rng.normal(size=(400, 64)) + 0.5 * rng.normal(size=64))
    validation = unit(rng.normal(size=(40, 64)) + rng.normal(size=64))
    rows, target = trajectory.system([pool], [validation], [1], rank=32)
    _, [details] = trajectory.pursue(rows, target, 12, 20, 1e-3)
    top = np.argsort(-(rows @ target))[:12]
    assert details["residual"] < nnls(rows[top].T, target)[1]


def test_system__checkpoints_count_with_their_weight():
    rng = np.random.default_rng(2)
    pools, validations = rng.normal(size=(2, 30, 8)), rng.normal(size=(2, 5, 8))
    rows, target = trajectory.system(pools, validations, [1, 3], rank=8)
    cosines = [pool @ np.linalg.pinv(v) @ v @ v.mean(0) for pool, v in zip(pools, validations, strict=True)]
    assert rows @ target == pytest.approx(0.25 * cosines[0] + 0.75 * cosines[1])


@pytest.mark.parametrize("budget", [1, 17, 60, 200])
def test_pursue__exactly_the_budget_also_beyond_the_rank(budget):
    rng = np.random.default_rng(3)
    rows, target = rng.normal(size=(150, 10)), rng.normal(size=10)
    chosen, details = trajectory.pursue(rows, target, budget, 20, 1e-3)
    assert len(set(chosen)) == len(chosen) == min(budget, 150)
    assert sum(part["selected"] for part in details) == len(chosen)
