"""The fast walks take the rows that they take as written out, in the same order, and count alike."""

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instruction_selection import features
from instruction_selection.features import Rows, Stored
from instruction_selection.walk import chain, fast, reference, sketch
from instruction_selection.walk.chain import Walk
from instruction_selection.walk.sketch import Sketch


def rows_of(regime: str, count: int, rng: np.random.Generator, dimension: int = 12) -> np.ndarray:
    rows = rng.normal(size=(count, dimension))
    if regime == "shared direction":
        rows += 2 * rng.normal(size=dimension)
    elif regime in ("topics", "near duplicates"):
        spread = {"topics": 0.5, "near duplicates": 0.01}[regime]
        rows = rng.normal(size=(4, dimension))[rng.integers(4, size=count)] * 2 + spread * rows
    elif regime == "positive":
        rows = np.abs(rows)
    rows = rows * np.exp(rng.normal(size=(count, 1)))
    return rows[rng.integers(max(1, count // 3), size=count)] if regime == "duplicates" else rows


regimes = st.sampled_from(["isotropic", "shared direction", "topics", "near duplicates", "positive", "duplicates"])
counts = st.integers(1, 40)
# At exactly 1, a duplicate stands on the threshold, and rounding decides.
deltas = st.sampled_from([0.0, 0.5, 0.8, 0.95, 0.999])
seeds = st.integers(0, 10**6)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """So small that a few rows are several of everything."""
    monkeypatch.setattr(features, "BLOCK", 7)
    monkeypatch.setattr(sketch, "DIRECTIONS", 12)
    monkeypatch.setattr(sketch, "SAMPLE", 2)
    monkeypatch.setattr(sketch, "BESIDES", 0)
    monkeypatch.setattr(sketch, "CACHE", 6 * 12 * 4)
    monkeypatch.setattr(chain, "FIRST", 2)
    monkeypatch.setattr(chain, "MORE", 2)
    monkeypatch.setattr(chain, "TOGETHER", 3)


many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def cases(draw) -> tuple[np.ndarray, Sketch, np.ndarray, float, np.random.Generator]:
    """Gradients, a sketch of them, components and a delta to walk with."""
    rng = np.random.default_rng(draw(seeds))
    gradients = rows_of(draw(regimes), draw(counts), rng)
    components = rng.normal(size=(draw(st.integers(1, 4)), 12))
    sketched = sketch_of(gradients, draw(st.sampled_from([0, 1])), draw(st.sampled_from([1, 3, 12])))
    return gradients, sketched, components, draw(deltas), rng


def sketch_of(gradients: np.ndarray, memory_mb: int = 1, directions: int = 3) -> Sketch:
    """With as many directions, if there are so many."""
    norms = np.linalg.norm(gradients, axis=1)
    return Sketch(Rows(gradients / norms[:, None], norms), memory_mb, directions)


@many
@given(case=cases())
def test_fast_is_reference(case):
    gradients, sketched, components, delta, rng = case
    budgets = rng.integers(1, 45, size=len(components)).tolist()
    expected = [reference.walk(gradients, *told, delta) for told in zip(components, budgets, strict=True)]
    assert fast.walk(sketched, components, budgets, delta) == expected


@many
@given(case=cases(), nearest=st.one_of(st.none(), st.integers(1, 6)))
def test_fast_official_is_reference(case, nearest):
    _, sketched, components, delta, rng = case
    unit = sketched.rows.unit
    budgets = rng.integers(0, 12, size=len(components))
    # As the authors' graph may, it lists a row among its own neighbours.
    graph = None if nearest is None else np.argsort(-(unit @ unit.T), axis=1, kind="stable")[:, :nearest]
    walks = fast.walk_official(sketched, components, budgets, delta, graph)
    assert walks == reference.walk_official(unit, components, budgets, delta, graph)
    rows = [row for walked in walks for row in walked.rows]
    assert len(set(rows)) == len(rows)
    for walked, budget in zip(walks, budgets, strict=True):
        assert len(walked.rows) <= budget


@many
@given(case=cases(), budget=st.integers(1, 45))
def test_fast_robust_is_reference(case, budget):
    _, sketched, components, delta, rng = case
    shares = rng.dirichlet(np.ones(len(components)))
    walks = fast.walk_robust(sketched, components, shares, budget, delta)
    assert walks == reference.walk_robust(sketched.rows.unit, components, shares, budget, delta)
    assert len({row for walked in walks for row in walked.rows}) == min(budget, len(sketched.rows))


def test_walks_side_by_side_are_the_walks_alone():
    """Two targets, two deltas and two budgets, of all three kinds."""
    rng = np.random.default_rng(0)
    sketched = sketch_of(rows_of("topics", 60, rng))
    walkers, alone = [], []
    for delta in (0.5, 0.9):
        for budget in (5, 30):
            components = rng.normal(size=(3, 12))
            toward = fast.products(sketched, components)
            shares, budgets = np.array([0.5, 0.3, 0.2]), [budget // 2, budget // 3, 1]
            walkers += [
                fast.printed(sketched, components[0], toward[0], budget, delta),
                fast.official(sketched, components, toward, budgets, delta),
                fast.robust(sketched, components, toward, shares, budget, delta),
            ]
            alone += [
                fast.walk(sketched, components[:1], [budget], delta),
                fast.walk_official(sketched, components, budgets, delta),
                fast.walk_robust(sketched, components, shares, budget, delta),
            ]
    assert fast.advance(sketched, walkers, 0) == alone


def test_a_printed_walk_begins_with_the_walk_of_a_smaller_budget():
    rng = np.random.default_rng(0)
    sketched, component = sketch_of(rows_of("topics", 60, rng)), rng.normal(size=(1, 12))
    [short], [long] = (fast.walk(sketched, component, [budget], 0.8) for budget in (12, 40))
    assert long.rows[:12] == short.rows


def test_rows_in_a_file_are_walked_like_rows_in_memory(tmp_path):
    """In half precision, of a pool some of whose rows cannot be used."""
    rng = np.random.default_rng(0)
    gradients = rows_of("topics", 50, rng, 100)
    half = (gradients / np.linalg.norm(gradients, axis=1, keepdims=True)).astype(np.float16)
    usable = np.setdiff1d(np.arange(50), [0, 7, 8, 30])
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file.create_dataset("adam", data=half, chunks=(4, 100))
        stored = Rows(Stored(file["adam"], tmp_path / "rows.h5"), np.ones(50)).at(usable)
        walks = [
            fast.walk(Sketch(rows, 0, 10), np.eye(100)[:2], [20, 10], 0.8)
            for rows in (stored, Rows(half[usable].astype(np.float32), np.ones(46)))
        ]
    assert walks[0] == walks[1]


def test_bounds_hold_and_are_tight_where_the_directions_hold_all(monkeypatch):
    monkeypatch.setattr(sketch, "DIRECTIONS", 200)
    rng = np.random.default_rng(0)
    gradients = rows_of("shared direction", 300, rng, 200)
    for directions, widest in ((20, 2.0), (200, 0.1)):
        sketched = sketch_of(gradients, 1, directions)
        vector = 3 * sketched.rows.unit[5]
        expected = sketched.rows.unit @ vector
        query = sketched.query(vector)
        half = sketched.inside * query.of_inside + sketched.outside * query.of_outside + query.slack
        assert (np.abs(sketched.estimates([query])[0] - expected) <= half).all()
        assert half.max() < widest
        found, off = sketched.closer(np.arange(300), vector)
        assert (np.abs(found - expected) <= off).all()
        assert off.max() < 0.05


def test_a_robust_walk_that_cannot_go_on_leaves_its_budget_to_the_others():
    """Along x there is one row that everything else conflicts with; along y there are enough."""
    sketched = sketch_of(np.array([[1.0, 0.0], [-0.1, 1.0], [-0.1, 0.9], [-0.1, 0.8], [-0.1, 0.7]]))
    walks = fast.walk_robust(sketched, np.eye(2), np.array([0.5, 0.5]), 4, 0.5)
    assert [walked.rows[:1] for walked in walks] == [[0], [1]]
    assert [len(walked.rows) for walked in walks] == [1, 3]
    assert [walked.fallbacks for walked in walks] == [0, 0]


def test_it_follows_the_paper_on_a_case_done_by_hand():
    """v = (1, 0). Row 0 is the anchor. Row 1 opposes it, row 2 is its neighbour, row 3 turns the set away."""
    gradients = np.array([[1.0, 0.1], [-1.0, 0.2], [0.9, 0.3], [0.1, 5.0]])
    # After 0 and 2 no row passes: 1 conflicts with 0, 3 is off course. So the one closest to v comes, untested; with
    # it 1, which conflicts, would turn the set away too.
    expected = Walk([0, 2, 3, 1], refused_by_conflict=1, refused_by_consistency=2, fallbacks=2)
    assert fast.walk(sketch_of(gradients), np.array([[1.0, 0.0]]), [4], 0.8) == [expected]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_common_scale_of_the_gradients_does_not_matter(scale):
    rng = np.random.default_rng(0)
    gradients, component = rows_of("topics", 40, rng), rng.normal(size=(1, 12))
    plain = fast.walk(sketch_of(gradients), component, [15], 0.8)
    assert fast.walk(sketch_of(gradients * scale), component * 3, [15], 0.8) == plain


def test_without_tests_it_is_a_nearest_neighbour_chain():
    """Rows that all agree and delta 0: every step goes to the closest free row."""
    sketched = sketch_of(rows_of("positive", 25, np.random.default_rng(1)))
    unit, [walked] = sketched.rows.unit, fast.walk(sketched, np.ones((1, 12)), [25], 0.0)
    for step, (last, taken) in enumerate(zip(walked.rows, walked.rows[1:], strict=False), start=1):
        free = [row for row in range(25) if row not in walked.rows[:step]]
        assert unit[last] @ unit[taken] == pytest.approx(max(unit[last] @ unit[row] for row in free))
