"""LESS's preconditioning."""

import numpy as np
import torch

from instruction_selection.features.gradients import adam


def test_adam__is_the_formula_element_by_element():
    rng = np.random.default_rng(0)
    gradients, exp_avg, exp_avg_sq = rng.normal(size=(3, 5)), rng.normal(size=5), rng.random(5) * 1e-6
    result = adam.precondition(*map(torch.from_numpy, (gradients, exp_avg, exp_avg_sq))).numpy()
    for row in range(3):
        for column in range(5):
            gradient = gradients[row, column]
            first = 0.9 * exp_avg[column] + 0.1 * gradient
            second = 0.999 * exp_avg_sq[column] + 0.001 * gradient**2
            assert np.isclose(result[row, column], first / (second + 1e-8) ** 0.5, rtol=1e-12)


def test_adam__takes_no_step_without_gradient_and_moments():
    zeros = torch.zeros(4)
    assert torch.equal(adam.precondition(zeros, zeros, zeros), zeros)
