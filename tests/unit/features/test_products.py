"""Inner products are the same in any order of their terms, and close to the true ones."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from instruction_selection.features import products
from instruction_selection.features.products import Rounded


def vectors(seed: int, count: int, dimension: int, kind: str) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(count, dimension))
    if kind == "concentrated":
        found *= np.exp(4 * rng.normal(size=dimension))
    elif kind == "parallel":
        found = np.abs(found[:1]) + 0 * found
    elif kind == "zero":
        found[::2] = 0
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    found = np.divide(found, norms, out=found, where=norms > 0)
    if kind == "of any norm":
        found *= np.exp(8 * rng.normal(size=(count, 1)))
    return found.astype(np.float32)


@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["plain", "concentrated", "parallel", "zero", "of any norm"]),
    dimension=st.sampled_from([1, 7, 300]),
)
def test_products__exact_in_any_order_and_on_any_device(seed, kind, dimension):
    ours, theirs = vectors(seed, 9, dimension, kind), vectors(seed + 1, 5, dimension, kind)
    found = Rounded(ours).products(Rounded(theirs))
    order = np.random.default_rng(seed).permutation(dimension)
    assert np.array_equal(found, Rounded(ours[:, order]).products(Rounded(theirs[:, order])))
    assert np.array_equal(found, Rounded(ours, "cpu").products(Rounded(theirs, "cpu")))
    assert np.array_equal(found, Rounded(torch.from_numpy(ours), "cpu").products(Rounded(theirs, "cpu")))
    # Python's whole numbers have no rounding.
    whole, others = (rounded.whole.astype(np.int64).astype(object) for rounded in (Rounded(ours), Rounded(theirs)))
    assert (abs(whole @ others.T) < 2**53).all()
    assert ((abs(whole) @ abs(others).T) < 2**53).all()
    norms = np.outer(np.linalg.norm(ours, axis=1), np.linalg.norm(theirs, axis=1))
    expected = ours.astype(np.float64) @ theirs.astype(np.float64).T
    assert (np.abs(found - expected) <= 4 * np.sqrt(dimension) * 2.0**-products.BITS * norms).all()


@pytest.mark.parametrize("device", [None, "cpu"])
def test_rounded__keeps_unit_rows_in_half_precision(device):
    rows = vectors(0, 20, 300, "plain").astype(np.float16)
    rounded = Rounded(rows, device)
    whole = products.on_host(rounded.whole)
    assert np.array_equal(whole * rounded.scales[:, None] * 2.0**-products.BITS, rows.astype(np.float64))
    assert rounded.squares() == pytest.approx((rows.astype(np.float64) ** 2).sum(1), abs=0)


def test_sums__of_groups_are_the_same_on_any_device_and_in_any_parts():
    rows = vectors(0, 40, 30, "plain")
    members = np.eye(3)[np.random.default_rng(0).integers(3, size=40)]
    found = Rounded(rows).sums(members)
    assert found == pytest.approx(members.T @ rows.astype(np.float64), abs=1e-7)
    assert np.array_equal(found, products.on_host(Rounded(rows, "cpu").sums(members)))
    assert np.array_equal(found, Rounded(rows[:11]).sums(members[:11]) + Rounded(rows[11:]).sums(members[11:]))
