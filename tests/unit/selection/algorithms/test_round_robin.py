"""Taking turns, fast and written out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from instruction_selection.selection.algorithms.round_robin import reference, take_turns


@st.composite
def similarities(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    values = rng.normal(size=(draw(st.integers(1, 25)), draw(st.integers(1, 6))))
    return np.round(values) if draw(st.booleans()) else values


@given(similarity=similarities(), budget=st.integers(0, 30))
def test_take_turns__same_order_as_reference(similarity, budget):
    for skip_taken in (True, False):
        chosen = take_turns(similarity, budget, skip_taken=skip_taken).tolist()
        assert chosen == reference(similarity, budget, skip_taken=skip_taken)
        assert len(set(chosen)) == len(chosen) == min(budget, len(similarity))


def test_take_turns__query_whose_row_is_taken_takes_its_next_or_loses_its_turn():
    similarity = np.array([[0.9, 0.9], [0.8, 0.1], [0.7, 0.2], [0.1, 0.7]])
    assert take_turns(similarity, 3, skip_taken=True).tolist() == [0, 3, 1]
    assert take_turns(similarity, 3, skip_taken=False).tolist() == [0, 1, 3]


def test_take_turns__different_best_rows_are_all_taken():
    assert take_turns(np.eye(4), 4, skip_taken=False).tolist() == [0, 1, 2, 3]
