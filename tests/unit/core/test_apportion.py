"""Shares become whole numbers that sum up and stay close."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from instruction_selection.core.apportion import largest_remainder

shares = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20)


@given(total=st.integers(0, 10**6), shares=shares)
def test_largest_remainder__sums_to_the_total_and_no_part_is_off_by_one(total, shares):
    parts = largest_remainder(total, np.array(shares))
    assert parts.sum() == total
    exact = total * np.array(shares) / np.sum(shares)
    assert (np.abs(parts - exact) < 1 + 1e-6).all()


def test_largest_remainder__rest_to_the_largest_fractions_first_of_equal_ones():
    assert largest_remainder(10, np.array([0.25, 0.25, 0.5])).tolist() == [3, 2, 5]
    assert largest_remainder(2, np.array([1, 1, 1])).tolist() == [1, 1, 0]
    assert largest_remainder(7, np.array([0.61, 0.39])).tolist() == [4, 3]
