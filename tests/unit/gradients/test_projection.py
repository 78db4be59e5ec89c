"""The projection keeps inner products, and is the same everywhere."""

import numpy as np
import torch

from instruction_selection.gradients.projection import SparseJL

CPU = torch.device("cpu")
SIZES = [3000, 5000]


def project(gradients: torch.Tensor, dimension: int, seed: int) -> torch.Tensor:
    out = torch.zeros(len(gradients), dimension)
    projection = SparseJL(SIZES, dimension, seed, CPU)
    for number, part in enumerate(gradients.split(SIZES, 1)):
        projection.add(number, part, out)
    return out


def test_inner_products_are_unbiased_with_the_spread_of_a_dense_projection():
    rng = torch.Generator().manual_seed(0)
    pair = torch.nn.functional.normalize(torch.randn(2, sum(SIZES), generator=rng) + 0.7, dim=1)
    exact = float(pair[0] @ pair[1])
    dimension = 256
    estimates = np.array([float(a @ b) for a, b in (project(pair, dimension, seed) for seed in range(300))])
    spread = np.sqrt((1 + exact**2) / dimension)
    assert abs(estimates.mean() - exact) < 4 * spread / np.sqrt(len(estimates))
    assert estimates.std() < 1.15 * spread


def test_it_is_linear_and_fixed_by_its_seed():
    rows = torch.randn(3, sum(SIZES), generator=torch.Generator().manual_seed(1))
    assert torch.allclose(project(rows[:1] + rows[1:2], 64, 0), project(rows, 64, 0)[:2].sum(0), atol=1e-4)
    assert torch.equal(project(rows, 64, 5), project(rows, 64, 5))
    assert not torch.equal(project(rows, 64, 5), project(rows, 64, 6))


def test_rows_of_a_batch_are_projected_independently():
    rows = torch.randn(4, sum(SIZES), generator=torch.Generator().manual_seed(2))
    assert torch.allclose(project(rows, 64, 0)[2], project(rows[2:3], 64, 0)[0], atol=1e-5)
