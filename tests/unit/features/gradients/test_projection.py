"""Projections keep inner products, and are the same everywhere."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, strategies
from torch.utils._python_dispatch import TorchDispatchMode

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
    network = parameters.load(tiny_model, tiny_adapter, CPU, "fp32")
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


def by_block(gradients: list[torch.Tensor], dimension: int, seed: int) -> torch.Tensor:
    """The sparse transform written plainly: one block after another, each added where its shift says.

    The last parameter comes first, as in a backward pass.
    """
    sums = torch.zeros(len(gradients[0]), 2 * dimension)
    for number, values in reversed(list(enumerate(gradients))):
        size = values.shape[1]
        rng = np.random.default_rng([seed, number])
        shifts = rng.integers(dimension, size=math.ceil(size / dimension)).tolist()
        signs = torch.from_numpy(rng.integers(2, size=size, dtype=np.int8) * np.float32(2) - np.float32(1))
        for block, shift in enumerate(shifts):
            part = slice(block * dimension, min((block + 1) * dimension, size))
            sums[:, shift : shift + len(signs[part])] += values[:, part] * signs[part]
    return sums[:, :dimension] + sums[:, dimension:]


def by_parameter(gradients: list[torch.Tensor], dimension: int, seed: int, chunk: int, device: torch.device):
    sizes = [values.shape[1] for values in gradients]
    sketch = projection.make({"kind": "sjlt", "dimension": dimension, "seed": seed}, sizes, device)
    sketch.CHUNK = chunk
    sums = sketch.accumulator(len(gradients[0]))
    for number, values in reversed(list(enumerate(gradients))):
        sketch.add(number, values.to(device), sums)
    return sketch.finish(sums)


def of_many_magnitudes(rows: int, sizes: list[int], seed: int) -> list[torch.Tensor]:
    """Gradients over many powers of ten, so that another order of additions rounds to other bits."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(rows, size, generator=generator) * 10 ** (6 * torch.rand(size, generator=generator))
        for size in sizes
    ]


@given(
    rows=strategies.integers(1, 5),
    sizes=strategies.lists(strategies.integers(1, 700), min_size=1, max_size=4),
    dimension=strategies.integers(1, 70),
    chunk=strategies.sampled_from([1, 200, projection.SparseJL.CHUNK]),
    seed=strategies.integers(0, 2**32),
)
def test_sparse_transform__has_the_bits_of_the_loop_over_blocks(rows, sizes, dimension, chunk, seed):
    gradients = of_many_magnitudes(rows, sizes, seed)
    found = by_parameter(gradients, dimension, seed, chunk, CPU)
    assert torch.equal(found, by_block(gradients, dimension, seed))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_sparse_transform__is_the_same_on_a_gpu_but_for_rounding():
    gradients = of_many_magnitudes(8, [5000, 100_000, 3 * 8192, 100], 0)
    found = by_parameter(gradients, 8192, 0, projection.SparseJL.CHUNK, torch.device("cuda"))
    expected = by_block(gradients, 8192, 0)
    assert float((found.cpu() - expected).norm() / expected.norm()) < 1e-5


def test_sparse_transform__takes_as_many_operations_for_any_number_of_blocks():
    class Calls(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.count += 1
            return func(*args, **(kwargs or {}))

    def calls(blocks: int) -> int:
        sketch = projection.make({"kind": "sjlt", "dimension": 16, "seed": 0}, [16 * blocks], CPU)
        sums, gradients = sketch.accumulator(2), torch.ones(2, 16 * blocks)
        with Calls() as counted:
            sketch.add(0, gradients, sums)
        return counted.count

    assert calls(1) == calls(1000)
