"""Taking turns, fast and written out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from instruction_selection import round_robin


@st.composite
def similarities(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    values = rng.normal(size=(draw(st.integers(1, 25)), draw(st.integers(1, 6))))
    return np.round(values) if draw(st.booleans()) else values


@given(similarity=similarities(), budget=st.integers(0, 30))
def test_fast_is_reference(similarity, budget):
    for fast, forfeit in ((round_robin.never_loses, False), (round_robin.may_lose, True)):
        chosen = fast(similarity, budget).tolist()
        assert chosen == round_robin.reference(similarity, budget, forfeit)
        assert len(set(chosen)) == len(chosen) == min(budget, len(similarity))


def test_a_query_that_comes_too_late_takes_its_next_row_or_loses_its_turn():
    similarity = np.array([[0.9, 0.9], [0.8, 0.1], [0.7, 0.2], [0.1, 0.7]])
    assert round_robin.never_loses(similarity, 3).tolist() == [0, 3, 1]
    assert round_robin.may_lose(similarity, 3).tolist() == [0, 1, 3]


def test_every_query_gets_its_best_row_where_nobody_else_wants_it():
    assert round_robin.may_lose(np.eye(4), 4).tolist() == [0, 1, 2, 3]
