"""The fast walks take the rows that they take as written out, in the same order, and count alike."""

import h5py
import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instruction_selection import features, integer_dot
from instruction_selection.errors import InputError
from instruction_selection.features import Rows, Stored
from instruction_selection.walk import chain, fast, quantised, reference
from instruction_selection.walk.chain import Walk
from instruction_selection.walk.quantised import Quantised


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
    monkeypatch.setattr(quantised, "BESIDES", 0)
    monkeypatch.setattr(quantised, "CACHE", 6 * 12 * 4)
    monkeypatch.setattr(fast, "KNOWN", 6 * 12 * 4)
    monkeypatch.setattr(chain, "FIRST", 2)
    monkeypatch.setattr(chain, "MORE", 2)
    monkeypatch.setattr(chain, "TOGETHER", 3)


many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def cases(draw) -> tuple[np.ndarray, Quantised, np.ndarray, float, np.random.Generator]:
    """Gradients, copies of them, components and a delta to walk with."""
    rng = np.random.default_rng(draw(seeds))
    gradients = rows_of(draw(regimes), draw(counts), rng)
    components = rng.normal(size=(draw(st.integers(1, 4)), 12))
    copies = copies_of(gradients, draw(st.sampled_from([0, 1])))
    return gradients, copies, components, draw(deltas), rng


def copies_of(gradients: np.ndarray, memory_mb: int = 1) -> Quantised:
    norms = np.linalg.norm(gradients, axis=1)
    return Quantised(Rows(gradients / norms[:, None], norms), memory_mb)


@many
@given(case=cases())
def test_fast_is_reference(case):
    gradients, copies, components, delta, rng = case
    budgets = rng.integers(1, 45, size=len(components)).tolist()
    expected = [reference.walk(gradients, *told, delta) for told in zip(components, budgets, strict=True)]
    assert fast.walk(copies, components, budgets, delta) == expected


@many
@given(case=cases(), nearest=st.one_of(st.none(), st.integers(1, 6)))
def test_fast_official_is_reference(case, nearest):
    _, copies, components, delta, rng = case
    unit = copies.rows.unit
    budgets = rng.integers(0, 12, size=len(components))
    # As the authors' graph may, it lists a row among its own neighbours.
    graph = None if nearest is None else np.argsort(-(unit @ unit.T), axis=1, kind="stable")[:, :nearest]
    walks = fast.walk_official(copies, components, budgets, delta, graph)
    assert walks == reference.walk_official(unit, components, budgets, delta, graph)
    rows = [row for walked in walks for row in walked.rows]
    assert len(set(rows)) == len(rows)
    for walked, budget in zip(walks, budgets, strict=True):
        assert len(walked.rows) <= budget


@many
@given(case=cases(), budget=st.integers(1, 45))
def test_fast_robust_is_reference(case, budget):
    _, copies, components, delta, rng = case
    shares = rng.dirichlet(np.ones(len(components)))
    walks = fast.walk_robust(copies, components, shares, budget, delta)
    assert walks == reference.walk_robust(copies.rows.unit, components, shares, budget, delta)
    assert len({row for walked in walks for row in walked.rows}) == min(budget, len(copies.rows))


def test_walks_side_by_side_are_the_walks_alone():
    """Two targets, two deltas and two budgets, of all three kinds."""
    rng = np.random.default_rng(0)
    copies = copies_of(rows_of("topics", 60, rng))
    walkers, alone = [], []
    for delta in (0.5, 0.9):
        for budget in (5, 30):
            components = rng.normal(size=(3, 12))
            toward = fast.products(copies, components)
            shares, budgets = np.array([0.5, 0.3, 0.2]), [budget // 2, budget // 3, 1]
            walkers += [
                fast.printed(copies, components[0], toward[0], budget, delta),
                fast.official(copies, components, toward, budgets, delta),
                fast.robust(copies, components, toward, shares, budget, delta),
            ]
            alone += [
                fast.walk(copies, components[:1], [budget], delta),
                fast.walk_official(copies, components, budgets, delta),
                fast.walk_robust(copies, components, shares, budget, delta),
            ]
    assert fast.advance(copies, walkers, 0) == alone


def test_a_printed_walk_begins_with_the_walk_of_a_smaller_budget():
    rng = np.random.default_rng(0)
    copies, component = copies_of(rows_of("topics", 60, rng)), rng.normal(size=(1, 12))
    [short], [long] = (fast.walk(copies, component, [budget], 0.8) for budget in (12, 40))
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
            fast.walk(Quantised(rows, 0), np.eye(100)[:2], [20, 10], 0.8)
            for rows in (stored, Rows(half[usable].astype(np.float32), np.ones(46)))
        ]
    assert walks[0] == walks[1]


@pytest.mark.parametrize(("count", "dimension"), [(1, 1), (7, 64), (300, 200)])
def test_bounds_hold_and_are_tight(count, dimension):
    rng = np.random.default_rng(0)
    copies = copies_of(rows_of("shared direction", count, rng, dimension))
    unit, numbers = copies.rows.unit, np.arange(min(count, 9))
    expected = unit[numbers] @ unit.T
    half = copies.errors + copies.slack(copies.errors[numbers])[:, None]
    assert (np.abs(copies.estimates(numbers) - expected) <= half).all()
    assert half.max() < 0.05
    vector = 3 * unit[0]
    found, off = copies.closer(np.arange(count), vector)
    assert (np.abs(found - unit @ vector) <= off).all()
    assert off.max() < 0.05


def test_rows_whose_sums_might_not_fit_are_refused():
    row = np.ones((1, integer_dot.WIDEST))
    assert copies_of(row).estimates([0])[0, 0] == pytest.approx(1, abs=0.05)
    with pytest.raises(InputError, match="up to 65793 numbers, and these have 65794"):
        copies_of(np.ones((1, integer_dot.WIDEST + 1)))


@pytest.mark.skipif(not integer_dot.BYTES, reason="this processor has no instruction for it")
def test_the_instruction_gives_what_the_loop_gives():
    rng = np.random.default_rng(0)
    codes, queries = rng.integers(1, 256, (8, 192), np.uint8), rng.integers(-127, 128, (8, 192), np.int8)
    expected = queries.astype(np.int64) @ codes.T.astype(np.int64)
    for tile in (integer_dot.tile, integer_dot._tile_plain):
        found = np.zeros((8, 8), np.int32)
        tiled(tile)(codes, queries, found)
        assert (found == expected).all()


def tiled(tile):
    @numba.njit
    def run(codes, queries, out):
        for row in range(0, len(codes), integer_dot.TILE):
            for query in range(0, len(queries), integer_dot.TILE):
                tile(codes, row, queries, query, out, row)

    return run


def test_a_robust_walk_that_cannot_go_on_leaves_its_budget_to_the_others():
    """Along x there is one row that everything else conflicts with; along y there are enough."""
    copies = copies_of(np.array([[1.0, 0.0], [-0.1, 1.0], [-0.1, 0.9], [-0.1, 0.8], [-0.1, 0.7]]))
    walks = fast.walk_robust(copies, np.eye(2), np.array([0.5, 0.5]), 4, 0.5)
    assert [walked.rows[:1] for walked in walks] == [[0], [1]]
    assert [len(walked.rows) for walked in walks] == [1, 3]
    assert [walked.fallbacks for walked in walks] == [0, 0]


def test_it_follows_the_paper_on_a_case_done_by_hand():
    """v = (1, 0). Row 0 is the anchor. Row 1 opposes it, row 2 is its neighbour, row 3 turns the set away."""
    gradients = np.array([[1.0, 0.1], [-1.0, 0.2], [0.9, 0.3], [0.1, 5.0]])
    # After 0 and 2 no row passes: 1 conflicts with 0, 3 is off course. So the one closest to v comes, untested; with
    # it 1, which conflicts, would turn the set away too.
    expected = Walk([0, 2, 3, 1], refused_by_conflict=1, refused_by_consistency=2, fallbacks=2)
    assert fast.walk(copies_of(gradients), np.array([[1.0, 0.0]]), [4], 0.8) == [expected]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_common_scale_of_the_gradients_does_not_matter(scale):
    rng = np.random.default_rng(0)
    gradients, component = rows_of("topics", 40, rng), rng.normal(size=(1, 12))
    plain = fast.walk(copies_of(gradients), component, [15], 0.8)
    assert fast.walk(copies_of(gradients * scale), component * 3, [15], 0.8) == plain


def test_without_tests_it_is_a_nearest_neighbour_chain():
    """Rows that all agree and delta 0: every step goes to the closest free row."""
    copies = copies_of(rows_of("positive", 25, np.random.default_rng(1)))
    unit, [walked] = copies.rows.unit, fast.walk(copies, np.ones((1, 12)), [25], 0.0)
    for step, (last, taken) in enumerate(zip(walked.rows, walked.rows[1:], strict=False), start=1):
        free = [row for row in range(25) if row not in walked.rows[:step]]
        assert unit[last] @ unit[taken] == pytest.approx(max(unit[last] @ unit[row] for row in free))
