"""Selections on a GPU take the rows that they take without one: part of `make gpu`, which prints what it measures."""

import time

import numpy as np
import pytest
import torch
from support.gpu_timing import seconds_of

from instruction_selection.features import products
from instruction_selection.features.matrix import InMemoryMatrix, WeightedMean
from instruction_selection.selection.algorithms import clusters, similarity
from instruction_selection.selection.algorithms.round_robin import take_turns
from instruction_selection.selection.walk import fast, reference
from instruction_selection.selection.walk.copies import DeviceCopies
from instruction_selection.selection.walk.quantised import Quantised

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
]

GPU = "cuda"
MEMORY_MIB = 16_000


@pytest.fixture
def show(capsys):
    def line(label: str, value: str) -> None:
        with capsys.disabled():
            print(f"\n  {torch.cuda.get_device_name()}  {label:55}{value}", end="", flush=True)

    return line


def unit_rows(count: int, dimension: int, device: str = "cpu") -> np.ndarray:
    """Rows of norm 1 as a store has them, float16: a shared direction, topics, every ninth row a duplicate."""
    random = torch.Generator(device).manual_seed(0)
    drawn = {"generator": random, "device": device}
    shared = torch.randn(1, dimension, **drawn)
    topics = torch.randn(50, dimension, **drawn)
    found = np.empty((count, dimension), np.float16)
    for start in range(0, count, 10_000):
        size = min(10_000, count - start)
        block = 0.6 * shared + topics[torch.randint(50, (size,), **drawn)] + torch.randn(size, dimension, **drawn)
        block[::9] = block[0].clone()
        found[start : start + size] = (block / block.norm(dim=1, keepdim=True)).half().cpu().numpy()
    return found


def directions(rows: np.ndarray, count: int) -> np.ndarray:
    return rows[1 : count + 1].astype(np.float64) + 0.3 * rows[:64].astype(np.float64).mean(0)


@pytest.mark.parametrize("delta", [0.5, 0.95])
def test_walks__on_a_gpu_are_those_of_the_reference(delta):
    """Sizes that are no multiples of what a GPU multiplies."""
    rows = unit_rows(601, 100).astype(np.float32)
    components, shares = directions(rows, 3), np.array([0.5, 0.3, 0.2])
    copies = Quantised(InMemoryMatrix(rows).on(GPU), MEMORY_MIB)
    assert fast.walk_algorithm1(copies, components, [40, 20, 60], delta) == [
        reference.walk_algorithm1(rows, component, budget, delta)
        for component, budget in zip(components, [40, 20, 60], strict=True)
    ]
    budgets = np.array([40, 20, 60])
    assert fast.walk_author_code(copies, components, budgets, delta) == reference.walk_author_code(
        rows, components, budgets, delta
    )
    assert fast.walk_robust(copies, components, shares, 100, delta) == reference.walk_robust(
        rows, components, shares, 100, delta
    )


def test_estimates__on_a_gpu_are_those_of_the_processor_to_the_last_bit():
    """Over more rows than one product takes."""
    rows = InMemoryMatrix(unit_rows(DeviceCopies._PASS_ROWS + 1001, 1000))
    ours, theirs = (Quantised(rows.on(device), MEMORY_MIB) for device in (None, GPU))
    numbers = np.arange(0, len(rows), 2000)
    for here, there in zip(ours.estimates(numbers), theirs.estimates(numbers), strict=True):
        assert np.array_equal(ours.fetched(here), theirs.fetched(there))


def test_walk__seconds_and_share_of_the_bandwidth(show):
    count, dimension = 200_000, 8192
    rows = InMemoryMatrix(unit_rows(count, dimension, GPU))
    component = directions(rows.take(np.arange(64)), 1)
    start = time.perf_counter()
    copies = Quantised(rows.on(GPU), MEMORY_MIB)
    show(f"copies of {count:,} rows of {dimension} numbers", f"{time.perf_counter() - start:.1f} s")

    start = time.perf_counter()
    [walked] = fast.walk_author_code(copies, component, [2000], 0.8)
    seconds = time.perf_counter() - start
    show(
        f"walk, {len(walked.indices)} rows chosen",
        f"{seconds:.1f} s, {len(walked.indices) / seconds:.0f} rows a second",
    )

    numbers = np.arange(copies.queries_per_pass)
    per_pass = seconds_of(lambda: copies.estimates(numbers), 20)
    large = torch.ones(2 << 30, dtype=torch.int8, device=GPU)
    bandwidth = 2 * len(large) / seconds_of(large.clone, 10)
    rate = count * dimension / per_pass
    show("  a pass over the copies", f"{rate / 1e9:,.0f} GB/s, {rate / bandwidth:.0%} of the GPU's bandwidth")

    [expected] = fast.walk_author_code(Quantised(rows, MEMORY_MIB), component, [100], 0.8)
    assert walked.indices[:100] == expected.indices


@pytest.fixture(scope="module")
def pools() -> tuple[InMemoryMatrix, InMemoryMatrix]:
    rows = unit_rows(20_001, 1000)
    return InMemoryMatrix(rows.astype(np.float32)), InMemoryMatrix(rows[::-1].copy())


def test_less__same_scores_on_a_gpu_to_the_last_bit(pools):
    validation = [pool.take(np.arange(0, 20_000, 300)).astype(np.float32) for pool in pools]
    subtasks = np.arange(len(validation[0])) % 5
    ours, theirs = (
        similarity.weighted_best_subtask_mean([pool.on(device) for pool in pools], validation, [1, 3], subtasks)
        for device in (None, GPU)
    )
    assert np.array_equal(ours, theirs)


def test_rds_plus__same_rows_on_a_gpu(pools):
    pool, queries = pools[0], pools[1].take(np.arange(0, 20_000, 100)).astype(np.float32)
    ours, theirs = (take_turns(pool.on(device) @ queries.T, 2000, skip_taken=False) for device in (None, GPU))
    assert np.array_equal(ours, theirs)


def test_k_means__same_clusters_on_a_gpu_to_the_last_bit(pools, show):
    mean = WeightedMean(pools, [1, 3])
    found = []
    for device in (None, GPU):
        start = time.perf_counter()
        found.append(clusters.k_means(mean.on(device), 50, seed=0, sample_rows_per_cluster=20))
        show(f"k-means of {len(mean):,} rows, {device or 'processor'}", f"{time.perf_counter() - start:.1f} s")
    (labels, centres), (again, same_centres) = found
    assert np.array_equal(labels, again)
    assert np.array_equal(centres, same_centres)


def test_visible_gpu__is_the_one_that_jobs_use():
    assert products.visible_gpu() == GPU
    assert products.free_bytes(GPU) > 0
