"""The fast walks take the rows that they take as written out, in the same order, and count alike."""

import h5py
import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.rejections import rejected

from instruction_selection.features import matrix, products
from instruction_selection.features.matrix import FeatureMatrix, Hdf5Matrix, InMemoryMatrix
from instruction_selection.selection.walk import fast, int8_dot, reference
from instruction_selection.selection.walk.copies import DeviceCopies
from instruction_selection.selection.walk.growing_set import Walk, WalkSettings
from instruction_selection.selection.walk.quantised import Quantised

#: Bytes of six float32 rows of 12 dimensions.
SIX_ROWS = 6 * 12 * 4
#: So small that a few rows are several of everything.
SMALL = WalkSettings(initial_candidates=2, growth_factor=2, exact_batch_rows=3, product_cache_bytes=SIX_ROWS)


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
def small_blocks(monkeypatch):
    """A few rows are several blocks."""
    monkeypatch.setattr(matrix, "BLOCK", 7)


many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


#: Without torch, and what runs on a GPU as well.
DEVICES = [None, "cpu"]


@st.composite
def cases(draw) -> tuple[np.ndarray, Quantised, np.ndarray, float, np.random.Generator]:
    """Gradients, copies of them, components and a delta to walk with."""
    rng = np.random.default_rng(draw(seeds))
    gradients = rows_of(draw(regimes), draw(counts), rng)
    components = rng.normal(size=(draw(st.integers(1, 4)), 12))
    copies = copies_of(gradients, draw(st.sampled_from([0, 1])), draw(st.sampled_from(DEVICES)))
    return gradients, copies, components, draw(deltas), rng


def copies_of(gradients: np.ndarray, memory_mib: int = 1, device: str | None = None) -> Quantised:
    """In memory, or with 0 MiB in a file, or on a device of torch's."""
    norms = np.linalg.norm(gradients, axis=1)
    return small_copies(InMemoryMatrix(gradients / norms[:, None], norms).on(device), memory_mib)


def small_copies(rows: FeatureMatrix, memory_mib: int) -> Quantised:
    return Quantised(rows, memory_mib, reserved_mib=0, min_cache_bytes=SIX_ROWS)


@many
@given(case=cases())
def test_algorithm1__same_order_as_reference(case):
    gradients, copies, components, delta, rng = case
    budgets = rng.integers(1, 45, size=len(components)).tolist()
    expected = [
        reference.walk_algorithm1(gradients, component, budget, delta)
        for component, budget in zip(components, budgets, strict=True)
    ]
    assert fast.walk_algorithm1(copies, components, budgets, delta, SMALL) == expected


@many
@given(case=cases(), nearest=st.one_of(st.none(), st.integers(1, 6)))
def test_author_code__same_order_as_reference(case, nearest):
    _, copies, components, delta, rng = case
    unit = copies.rows.unit
    budgets = rng.integers(0, 12, size=len(components))
    # As the authors' graph may, it lists a row among its own neighbours.
    graph = None if nearest is None else np.argsort(-(unit @ unit.T), axis=1, kind="stable")[:, :nearest]
    walks = fast.walk_author_code(copies, components, budgets, delta, graph, SMALL)
    assert walks == reference.walk_author_code(unit, components, budgets, delta, graph)
    rows = [row for walked in walks for row in walked.indices]
    assert len(set(rows)) == len(rows)
    for walked, budget in zip(walks, budgets, strict=True):
        assert len(walked.indices) <= budget


@many
@given(case=cases(), budget=st.integers(1, 45))
def test_robust__same_order_as_reference(case, budget):
    _, copies, components, delta, rng = case
    shares = rng.dirichlet(np.ones(len(components)))
    walks = fast.walk_robust(copies, components, shares, budget, delta, SMALL)
    assert walks == reference.walk_robust(copies.rows.unit, components, shares, budget, delta)
    assert len({row for walked in walks for row in walked.indices}) == min(budget, len(copies.rows))


@pytest.mark.parametrize("settings", [SMALL, WalkSettings()])
def test_algorithm1__walks_side_by_side_are_the_walks_alone(settings):
    rng = np.random.default_rng(0)
    copies, components = copies_of(rows_of("topics", 60, rng)), rng.normal(size=(4, 12))
    budgets = [5, 30, 1, 17]
    together = fast.walk_algorithm1(copies, components, budgets, 0.9, settings)
    for component, budget, walked in zip(components, budgets, together, strict=True):
        assert fast.walk_algorithm1(copies, component[None], [budget], 0.9, settings) == [walked]


def test_algorithm1__begins_with_the_walk_of_a_smaller_budget():
    rng = np.random.default_rng(0)
    copies, component = copies_of(rows_of("topics", 60, rng)), rng.normal(size=(1, 12))
    [short], [long] = (fast.walk_algorithm1(copies, component, [budget], 0.8) for budget in (12, 40))
    assert long.indices[:12] == short.indices


def test_algorithm1__rows_in_a_file_like_rows_in_memory(tmp_path):
    """In half precision, of a pool some of whose rows cannot be used."""
    rng = np.random.default_rng(0)
    gradients = rows_of("topics", 50, rng, 100)
    half = (gradients / np.linalg.norm(gradients, axis=1, keepdims=True)).astype(np.float16)
    usable = np.setdiff1d(np.arange(50), [0, 7, 8, 30])
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file.create_dataset("adam", data=half, chunks=(4, 100))
        stored = Hdf5Matrix(file["adam"], tmp_path / "rows.h5").at(usable)
        walks = [
            fast.walk_algorithm1(small_copies(rows, 0), np.eye(100)[:2], [20, 10], 0.8)
            for rows in (InMemoryMatrix(half[usable].astype(np.float32)), stored, stored.on("cpu"))
        ]
    assert walks[0] == walks[1] == walks[2]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("count", "dimension"), [(1, 1), (7, 64), (300, 200)])
def test_quantised__bounds_hold_and_are_tight(count, dimension, device):
    rng = np.random.default_rng(0)
    copies = copies_of(rows_of("shared direction", count, rng, dimension), device=device)
    unit, numbers = copies.rows.unit, np.arange(min(count, 9))
    expected = unit[numbers] @ unit.T
    half = copies.errors + copies.slack(copies.errors[numbers])[:, None]
    estimates = np.array([copies.fetched(products) for products in copies.estimates(numbers)])
    assert (np.abs(estimates - expected) <= half).all()
    assert half.max() < 0.05
    vector = 3 * unit[0]
    found, off = copies.closer(np.arange(count), vector)
    assert (np.abs(found - unit @ vector) <= off).all()
    assert off.max() < 0.05


@pytest.mark.parametrize("regime", ["topics", "duplicates"])
def test_quantised__same_estimates_to_the_last_bit_on_a_device(regime, monkeypatch):
    """In several products of matrices, for more rows than one pass takes, of which some are zero but for a number."""
    monkeypatch.setattr(DeviceCopies, "_PASS_ROWS", 64)
    gradients = rows_of(regime, 300, np.random.default_rng(0), 200)
    gradients[::7, 1:] = 0
    host, device = (copies_of(gradients, device=device) for device in DEVICES)
    numbers = np.arange(0, 300, 5)
    assert host.queries_per_pass != device.queries_per_pass
    for ours, theirs in zip(host.estimates(numbers), device.estimates(numbers), strict=True):
        assert np.array_equal(host.fetched(ours), device.fetched(theirs))
    assert np.array_equal(host.errors, device.errors)
    assert all(np.array_equal(host.row(number), device.row(number)) for number in (0, 8, 299))


def test_quantised__rejects_rows_that_do_not_fit_on_a_gpu(monkeypatch):
    monkeypatch.setattr(products, "free_bytes", lambda _: 8 << 30)
    with rejected("copies-exceed-gpu", key="gpus.selection"):
        DeviceCopies(10**6, 8192, "cuda")


def test_quantised__rejects_rows_whose_sums_might_not_fit():
    row = np.ones((1, int8_dot.MAX_ROW_BYTES))
    assert copies_of(row).estimates([0])[0][0] == pytest.approx(1, abs=0.05)
    with rejected("too-many-dimensions"):
        copies_of(np.ones((1, int8_dot.MAX_ROW_BYTES + 1)))


@pytest.mark.skipif(not int8_dot.INSTRUCTION_BYTES, reason="this processor has no instruction for it")
def test_dot_tile__instruction_and_plain_code_are_exact():
    rng = np.random.default_rng(0)
    codes, queries = rng.integers(1, 256, (8, 192), np.uint8), rng.integers(-127, 128, (8, 192), np.int8)
    expected = queries.astype(np.int64) @ codes.T.astype(np.int64)
    for tile in (int8_dot.dot_tile, int8_dot.plain_tile):
        found = np.zeros((8, 8), np.int32)
        tiled(tile)(codes, queries, found)
        assert (found == expected).all()


def tiled(tile):
    @numba.njit
    def run(codes, queries, out):
        for row in range(0, len(codes), int8_dot.TILE):
            for query in range(0, len(queries), int8_dot.TILE):
                tile(codes, row, queries, query, out, row)

    return run


def test_robust__walk_without_a_feasible_row_leaves_its_budget_to_the_others():
    """Along x there is one row that everything else conflicts with; along y there are enough."""
    copies = copies_of(np.array([[1.0, 0.0], [-0.1, 1.0], [-0.1, 0.9], [-0.1, 0.8], [-0.1, 0.7]]))
    walks = fast.walk_robust(copies, np.eye(2), np.array([0.5, 0.5]), 4, 0.5)
    assert [walked.indices[:1] for walked in walks] == [[0], [1]]
    assert [len(walked.indices) for walked in walks] == [1, 3]
    assert [walked.fallbacks for walked in walks] == [0, 0]


def test_algorithm1__case_done_by_hand():
    """v = (1, 0). Row 0 is the anchor. Row 1 opposes it, row 2 is its neighbour, row 3 turns the set away."""
    gradients = np.array([[1.0, 0.1], [-1.0, 0.2], [0.9, 0.3], [0.1, 5.0]])
    # After 0 and 2 no row passes: 1 conflicts with 0, 3 is off course. So the one closest to v comes, untested; with
    # it 1, which conflicts, would turn the set away too.
    expected = Walk([0, 2, 3, 1], rejected_by_conflict=1, rejected_by_consistency=2, fallbacks=2)
    assert fast.walk_algorithm1(copies_of(gradients), np.array([[1.0, 0.0]]), [4], 0.8) == [expected]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_algorithm1__common_scale_of_gradients_does_not_matter(scale):
    rng = np.random.default_rng(0)
    gradients, component = rows_of("topics", 40, rng), rng.normal(size=(1, 12))
    plain = fast.walk_algorithm1(copies_of(gradients), component, [15], 0.8)
    assert fast.walk_algorithm1(copies_of(gradients * scale), component * 3, [15], 0.8) == plain


def test_algorithm1__nearest_neighbour_chain_where_every_row_passes():
    """Rows that all agree and delta 0: every step goes to the closest free row."""
    copies = copies_of(rows_of("positive", 25, np.random.default_rng(1)))
    unit, [walked] = copies.rows.unit, fast.walk_algorithm1(copies, np.ones((1, 12)), [25], 0.0)
    for step, (last, taken) in enumerate(zip(walked.indices, walked.indices[1:], strict=False), start=1):
        free = [row for row in range(25) if row not in walked.indices[:step]]
        assert unit[last] @ unit[taken] == pytest.approx(max(unit[last] @ unit[row] for row in free))
