"""The fast walks take the rows that they take as written out, in the same order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruction_selection.walk import fast, reference


def rows_of(regime: str, count: int, rng: np.random.Generator, dimension: int = 12) -> np.ndarray:
    rows = rng.normal(size=(count, dimension))
    if regime == "shared direction":
        rows += 2 * rng.normal(size=dimension)
    elif regime == "topics":
        rows = rng.normal(size=(4, dimension))[rng.integers(4, size=count)] * 2 + 0.5 * rows
    rows = rows * np.exp(rng.normal(size=(count, 1)))
    return rows[rng.integers(max(1, count // 3), size=count)] if regime == "duplicates" else rows


regimes = st.sampled_from(["isotropic", "shared direction", "topics", "duplicates"])
counts = st.integers(1, 30)
# At exactly 1, a duplicate stands on the threshold, and rounding decides.
deltas = st.sampled_from([0.0, 0.5, 0.8, 0.95, 0.999])
seeds = st.integers(0, 10**6)


@settings(max_examples=500)
@given(regime=regimes, count=counts, budget=st.integers(1, 35), delta=deltas, seed=seeds)
def test_fast_is_reference(regime, count, budget, delta, seed):
    rng = np.random.default_rng(seed)
    gradients, component = rows_of(regime, count, rng), rng.normal(size=12)
    norms = np.linalg.norm(gradients, axis=1)
    walked = fast.walk(gradients / norms[:, None], norms, component, budget, delta)
    assert walked.rows == reference.walk(gradients, component, budget, delta)


@st.composite
def several_components(draw):
    """Unit rows, components, and a number of rows and a delta to walk with."""
    rng = np.random.default_rng(draw(seeds))
    gradients = rows_of(draw(regimes), draw(counts), rng)
    unit = gradients / np.linalg.norm(gradients, axis=1, keepdims=True)
    return unit, rng.normal(size=(draw(st.integers(1, 4)), 12)), draw(deltas), rng


@settings(max_examples=300)
@given(case=several_components(), nearest=st.one_of(st.none(), st.integers(1, 6)))
def test_fast_official_is_reference(case, nearest):
    unit, components, delta, rng = case
    budgets = rng.integers(0, 12, size=len(components))
    # As the authors' graph may, it lists a row among its own neighbours.
    graph = None if nearest is None else np.argsort(-(unit @ unit.T), axis=1, kind="stable")[:, :nearest]
    walks = fast.walk_official(unit, components, budgets, delta, graph)
    assert [walked.rows for walked in walks] == reference.walk_official(unit, components, budgets, delta, graph)
    rows = [row for walked in walks for row in walked.rows]
    assert len(set(rows)) == len(rows)
    for walked, budget in zip(walks, budgets, strict=True):
        assert len(walked.rows) <= budget


@settings(max_examples=300)
@given(case=several_components(), budget=st.integers(1, 35))
def test_fast_robust_is_reference(case, budget):
    unit, components, delta, rng = case
    shares = rng.dirichlet(np.ones(len(components)))
    walks = [walked.rows for walked in fast.walk_robust(unit, components, shares, budget, delta)]
    assert walks == reference.walk_robust(unit, components, shares, budget, delta)
    assert len({row for rows in walks for row in rows}) == min(budget, len(unit))


def test_a_robust_walk_that_cannot_go_on_leaves_its_budget_to_the_others():
    """Along x there is one row that everything else conflicts with; along y there are enough."""
    unit = np.array([[1.0, 0.0], [-0.1, 1.0], [-0.1, 0.9], [-0.1, 0.8], [-0.1, 0.7]])
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    walks = fast.walk_robust(unit, np.eye(2), np.array([0.5, 0.5]), 4, 0.5)
    assert [walked.rows[:1] for walked in walks] == [[0], [1]]
    assert [len(walked.rows) for walked in walks] == [1, 3]
    assert [walked.fallbacks for walked in walks] == [0, 0]


def test_it_follows_the_paper_on_a_case_done_by_hand():
    """v = (1, 0). Row 0 is the anchor. Row 1 opposes it, row 2 is its neighbour, row 3 turns the set away."""
    gradients = np.array([[1.0, 0.1], [-1.0, 0.2], [0.9, 0.3], [0.1, 5.0]])
    norms = np.linalg.norm(gradients, axis=1)
    walked = fast.walk(gradients / norms[:, None], norms, np.array([1.0, 0.0]), 4, 0.8)
    # After 0 and 2 no row passes: 1 conflicts with 0, 3 is off course. So the one closest to v comes, untested.
    assert walked.rows == [0, 2, 3, 1]
    assert walked.fallbacks == 2
    assert walked.refused_by_consistency == 1
    assert walked.refused_by_conflict >= 1


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_common_scale_of_the_gradients_does_not_matter(scale):
    rng = np.random.default_rng(0)
    gradients, component = rows_of("topics", 40, rng), rng.normal(size=12)
    norms = np.linalg.norm(gradients, axis=1)
    plain = fast.walk(gradients / norms[:, None], norms, component, 15, 0.8)
    assert fast.walk(gradients / norms[:, None], norms * scale, component * 3, 15, 0.8).rows == plain.rows


def test_without_tests_it_is_a_nearest_neighbour_chain():
    """Rows that all agree and delta 0: every step goes to the closest free row."""
    rng = np.random.default_rng(1)
    gradients = np.abs(rng.normal(size=(25, 6)))
    unit = gradients / np.linalg.norm(gradients, axis=1, keepdims=True)
    component = np.ones(6)
    walked = fast.walk(unit, np.ones(25), component, 25, 0.0).rows
    for step, (last, taken) in enumerate(zip(walked, walked[1:], strict=False), start=1):
        free = [row for row in range(25) if row not in walked[:step]]
        assert unit[last] @ unit[taken] == pytest.approx(max(unit[last] @ unit[row] for row in free))
