"""Projections keep inner products, and are the same everywhere."""

import numpy as np
import pytest
import torch

from instruction_selection.features.gradients import parameters, per_sample, projection
from instruction_selection.models import tokens

CPU = torch.device("cpu")
#: Smaller than, equal to and larger than the dimensions below, and no multiple of them.
SIZES = [100, 256, 3000, 5001]


def project(gradients: torch.Tensor, kind: str, dimension: int, seed: int, sizes=SIZES) -> torch.Tensor:
    sketch = projection.make({"kind": kind, "dimension": dimension, "seed": seed}, sizes, CPU)
    sums = sketch.accumulator(len(gradients))
    for number, part in enumerate(gradients.split(sizes, 1)):
        sketch.add(number, part, sums)
    return sketch.finish(sums)


def some(rows: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, sum(SIZES), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", projection.KINDS)
def test_inner_products__are_unbiased_with_the_spread_of_theory(kind):
    pair = torch.nn.functional.normalize(some(2, 0) + 0.7, dim=1)
    exact = float(pair[0] @ pair[1])
    dimension, draws = 256, 200
    estimates = np.array([float(a @ b) for a, b in (project(pair, kind, dimension, seed) for seed in range(draws))])
    spread = np.sqrt((1 + exact**2) / dimension)
    assert abs(estimates.mean() - exact) < 4 * spread / np.sqrt(draws)
    # The sample's own standard deviation is known to about 1 / sqrt(2 draws).
    assert estimates.std() < spread * (1 + 4 / np.sqrt(2 * draws))


@pytest.mark.parametrize("kind", projection.KINDS)
def test_cosines__of_real_gradients_are_kept(kind, tiny_model, tiny_adapter):
    """RMS error of cosines over all pairs of real rows, and a few projections, at most 1.05 / sqrt(D)."""
    from transformers import AutoTokenizer

    from instruction_selection.data import sampling

    sampled = sampling.sample("reasoning-gym", ["chain_sum", "gsm_symbolic", "aiw", "syllogism"], "pool", 32, seed=0)
    examples = tokens.encode(sampled, AutoTokenizer.from_pretrained(tiny_model), "smollm_eot", 512)
    network = parameters.load(tiny_model, tiny_adapter, CPU)
    gradients = torch.stack([torch.cat(per_sample.reference(network, example)) for example in examples])
    sizes = [weight.numel() for weight in parameters.trainable(network).values()]
    upper = np.triu_indices(len(examples), 1)

    def cosines(matrix: torch.Tensor) -> np.ndarray:
        unit = torch.nn.functional.normalize(matrix.double(), dim=1)
        return (unit @ unit.T).numpy()[upper]

    exact, dimension = cosines(gradients), 256
    errors = [cosines(project(gradients, kind, dimension, seed, sizes)) - exact for seed in range(20)]
    assert np.sqrt(np.mean(np.square(errors))) <= 1.05 / np.sqrt(dimension)


@pytest.mark.parametrize("kind", projection.KINDS)
def test_projection__is_linear_and_fixed_by_its_seed(kind):
    rows = some(3, 1)
    summed = project(rows[:1] + rows[1:2], kind, 64, 0)
    assert torch.allclose(summed[0], project(rows, kind, 64, 0)[:2].sum(0), atol=1e-3)
    assert torch.equal(project(rows, kind, 64, 5), project(rows, kind, 64, 5))
    assert not torch.equal(project(rows, kind, 64, 5), project(rows, kind, 64, 6))


@pytest.mark.parametrize("kind", projection.KINDS)
def test_rows__of_a_batch_are_projected_independently(kind):
    rows = some(4, 2)
    assert torch.allclose(project(rows, kind, 64, 0)[2], project(rows[2:3], kind, 64, 0)[0], atol=1e-4)


def test_sparse_projection__sends_each_coordinate_to_one_output_with_a_sign():
    basis = torch.eye(300)
    projected = project(basis, "sjlt", 64, 0, [100, 200])
    assert (projected != 0).sum(1).tolist() == [1] * 300
    assert set(projected[projected != 0].tolist()) == {-1.0, 1.0}


def test_coordinates__of_different_blocks_meet_as_often_as_chance():
    """Over seeds, two coordinates of different blocks share an output with probability 1/D."""
    dimension, seeds = 16, 400
    pairs = torch.zeros(2, 40)
    pairs[0, 3], pairs[1, 20] = 1, 1
    met = sum(bool(project(pairs, "sjlt", dimension, seed, [40]).prod(0).any()) for seed in range(seeds))
    assert abs(met / seeds - 1 / dimension) < 4 * np.sqrt(1 / dimension / seeds)
