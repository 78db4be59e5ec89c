"""TAGCOS's clusters and what is chosen in them."""

import h5py
import numpy as np
import pytest

from instruction_selection.features import matrix, products
from instruction_selection.features.matrix import Hdf5Matrix, InMemoryMatrix, WeightedMean
from instruction_selection.selection.algorithms import clusters


@pytest.fixture
def case():
    """Four groups of rows of different sizes, their labels and centres."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(4), [25, 45, 61, 19]))
    rows = 3 * rng.normal(size=(4, 16))[labels] + rng.normal(size=(150, 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows, labels, np.stack([rows[labels == label].mean(0) for label in range(4)])


def test_k_means__finds_the_groups_in_any_order_of_rows(case):
    rows, labels, _ = case
    order = np.random.default_rng(1).permutation(len(rows))
    found, centres = clusters.k_means(InMemoryMatrix(rows), 4, seed=0)
    again, same_centres = clusters.k_means(InMemoryMatrix(rows[order]), 4, seed=0)
    assert (found[order] == again).all()
    assert np.array_equal(centres, same_centres)
    assert all(len(set(found[labels == label])) == 1 for label in range(4))


def test_k_means__more_rows_than_the_sample_same_groups(case):
    rows, labels, _ = case
    order = np.random.default_rng(1).permutation(len(rows))
    found, centres = clusters.k_means(InMemoryMatrix(rows), 4, seed=0, sample_rows_per_cluster=5)
    again, _ = clusters.k_means(InMemoryMatrix(rows[order]), 4, seed=0, sample_rows_per_cluster=5)
    assert (found[order] == again).all()
    assert all(len(set(found[labels == label])) == 1 for label in range(4))
    expected = np.stack([rows[found == label].mean(0) for label in range(4)])
    assert centres == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("free", [0, 56 * 16 * 8, 1 << 40])
def test_k_means__same_clusters_to_the_last_bit_on_a_device(case, monkeypatch, free):
    """With room for none, for some and for all of the blocks on the device."""
    monkeypatch.setattr(matrix, "BLOCK", 7)
    monkeypatch.setattr(matrix.Resident, "RESERVED_BYTES", 0)
    held = []
    monkeypatch.setattr(products, "free_bytes", lambda device: 0 if device is None else free - sum(held))
    copied_to = products.copied_to
    monkeypatch.setattr(
        products, "copied_to", lambda device, block: held.append(block.nbytes) or copied_to(device, block)
    )
    rows = InMemoryMatrix(case[0])
    labels, centres = clusters.k_means(rows, 4, seed=0, sample_rows_per_cluster=2)
    assert not held
    again, same_centres = clusters.k_means(rows.on("cpu"), 4, seed=0, sample_rows_per_cluster=2)
    assert np.array_equal(labels, again)
    assert np.array_equal(centres, same_centres)
    assert len(held) == {0: 0, 1 << 40: 3}.get(free, 1)


@pytest.mark.parametrize("choose", [clusters.select_as_published, clusters.select_exact_budget])
@pytest.mark.parametrize("memory_mib", [0, 1])
def test_select__stores_like_their_mean_in_memory(case, choose, memory_mib, tmp_path):
    rows, labels, centres = case
    other = np.random.default_rng(2).normal(size=rows.shape).astype(np.float16)
    share = 15 if choose is clusters.select_exact_budget else 0.1
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["one"], file["other"] = rows.astype(np.float16), other
        stores = [Hdf5Matrix(file[name], name) for name in ("one", "other")]
        mean = WeightedMean(stores, [3, 1])
        kept = InMemoryMatrix(mean.unit)
        assert kept.unit == pytest.approx(0.75 * rows + 0.25 * other, abs=1e-3)
        assert (clusters.k_means(mean, 4, 0)[0] == clusters.k_means(kept, 4, 0)[0]).all()
        found, _ = choose(mean, labels, centres, share, 1e-3, 1e-4, memory_mib)
    assert found.tolist() == choose(kept, labels, centres, share, 1e-3, 1e-4)[0].tolist()


def test_select_as_published__shares_rounded_down(case):
    rows, labels, centres = case
    chosen, details = clusters.select_as_published(InMemoryMatrix(rows), labels, centres, 0.1, 1.0, 1e-4)
    assert len(set(chosen)) == len(chosen)
    assert [part["cluster"] for part in details] == list(dict.fromkeys(labels))
    assert {part["cluster"]: part["budget"] for part in details} == {0: 2, 1: 4, 2: 6, 3: 1}
    for part in details:
        assert (labels[chosen] == part["cluster"]).sum() == part["selected"] <= part["budget"]


@pytest.mark.parametrize("budget", [1, 15, 149, 150, 200])
@pytest.mark.parametrize("penalty", [1.0, 1e-3])
def test_select_exact_budget__whole_budget_shared_among_clusters(case, budget, penalty):
    rows, labels, centres = case
    chosen, details = clusters.select_exact_budget(InMemoryMatrix(rows), labels, centres, budget, penalty, 1e-4)
    assert len(set(chosen)) == len(chosen) == min(budget, len(rows))
    for part in details:
        assert part["shortfall"] == 0
        assert abs(part["budget"] - min(budget, 150) * part["rows"] / 150) < 1


def test_select_exact_budget__near_duplicates_come_last():
    """One row is close to the centre and there many times; another one has what is missing."""
    near = np.array([[1.0, 0.1, 0.0]] + [[1.0, 0.1001, 0.0]] * 5)
    rows = np.vstack([near, [[0.4, 0.0, 0.9]]])
    centre = np.array([[1.0, 0.1, 0.5]])
    labels = np.zeros(len(rows), dtype=int)
    chosen, _ = clusters.select_exact_budget(InMemoryMatrix(rows), labels, centre, 2, 1e-6, 1e-4)
    assert 6 in chosen


def test_select__ends_a_cluster_in_which_nothing_correlates():
    rows, labels = -np.eye(2)[[0, 0, 1]], np.zeros(3, dtype=int)
    chosen, [details] = clusters.select_as_published(
        InMemoryMatrix(rows), labels, np.array([[1.0, 1.0]]), 1.0, 1.0, 1e-4
    )
    assert len(chosen) == details["selected"] <= 3
    exact, _ = clusters.select_exact_budget(InMemoryMatrix(rows), labels, np.array([[1.0, 1.0]]), 3, 1.0, 1e-4)
    assert sorted(exact) == [0, 1, 2]
