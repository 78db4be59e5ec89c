"""How far chosen rows are from validation rows: against all pairs, and what must not change it."""

import numpy as np
import pytest
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.features.gradients import store
from instruction_selection.features.matrix import Hdf5Matrix, InMemoryMatrix
from instruction_selection.selection import distances
from instruction_selection.selection.examples import Examples

DIMENSION = 6
IDENTITY = dict.fromkeys(["model", "adapter", "moments", "parameters", "template", "cutoff_len", "precision", "code"])
#: Rows of the pool without a gradient.
UNUSABLE = (3, 7)


def between(chosen, validation):
    return distances.between(*(distances.Sum.of(InMemoryMatrix(np.asarray(side))) for side in (chosen, validation)))


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_between__is_the_mean_cosine_of_all_pairs_and_the_cosine_of_the_means(rng):
    chosen, validation = rng.normal(size=(9, DIMENSION)), rng.normal(1, 1, size=(4, DIMENSION))
    found = between(chosen, validation)
    first, second = unit(chosen), unit(validation)
    assert found.mean_similarity == pytest.approx(np.mean([a @ b for a in first for b in second]))
    means = unit(np.array([first.mean(axis=0), second.mean(axis=0)]))
    assert found.distance_of_means == pytest.approx(1 - means[0] @ means[1])
    assert found.rows == 9


def test_between__equal_sets_have_no_distance_and_opposite_ones_the_largest(rng):
    rows = rng.normal(size=(5, DIMENSION))
    assert between(rows, rows).distance_of_means == pytest.approx(0, abs=1e-12)
    assert between(rows, -rows).distance_of_means == pytest.approx(2)
    one = rows[:1]
    assert between(one, one).mean_similarity == pytest.approx(1)


def test_between__neither_scale_nor_order_of_rows_changes_it(rng):
    chosen, validation = rng.normal(size=(300, DIMENSION)), rng.normal(size=(4, DIMENSION))
    expected = between(chosen, validation)
    scaled = (chosen * rng.uniform(0.1, 9, size=(300, 1)))[rng.permutation(300)]
    found = between(scaled, validation)
    assert found.mean_similarity == pytest.approx(expected.mean_similarity)
    assert found.distance_of_means == pytest.approx(expected.distance_of_means)


@pytest.mark.parametrize("bad", [0, np.nan, np.inf])
def test_between__unusable_rows_are_left_out(rng, bad):
    chosen, validation = rng.normal(size=(5, DIMENSION)), rng.normal(size=(4, DIMENSION))
    with_bad = np.insert(chosen, 2, bad, axis=0)
    assert between(with_bad, validation) == between(chosen, validation)
    assert between(np.full((2, DIMENSION), bad), validation) is None


@pytest.fixture
def case(tmp_path, rng):
    """A pool of 20 rows and a target of 4, and their gradients, on the disk."""
    folder = {"pool": 20, "validation": 4}
    gradients = {side: rng.normal(size=(count, DIMENSION)).astype(np.float32) for side, count in folder.items()}
    gradients["pool"][list(UNUSABLE)] = 0
    examples, pair = {}, {}
    for side, kind in (("pool", "adam"), ("validation", "sgd")):
        rows = [{"id": f"{side}{n}", "task": "t", "instruction": str(n), "response": "r"} for n in range(folder[side])]
        files.write_jsonl(tmp_path / f"{side}.jsonl", rows)
        examples[side] = Examples.read(tmp_path / f"{side}.jsonl")
        path = tmp_path / f"{side}.h5"
        identity = {**IDENTITY, "projection": "sjlt", "rows": examples[side].sha256}
        with store.Writer(path, examples[side].ids, DIMENSION, [kind], identity) as writer:
            count = len(rows)
            writer.write(list(range(count)), {kind: gradients[side]}, np.ones(count), [1] * count)
        pair[f"{side}_gradients"] = [str(path)]
    return examples["pool"], [examples["validation"]], pair, gradients


def test_measure__is_of_the_rows_that_were_chosen(case):
    pool, validation, pair, gradients = case
    selections = [np.array([9, 2, 14]), np.array([5])]
    found = distances.measure(pool, validation, pair, {"projection": "sjlt"}, selections)
    for places, measured in zip(selections, found, strict=True):
        expected = between(gradients["pool"][places], gradients["validation"])
        # Stores have half precision.
        assert measured.mean_similarity == pytest.approx(expected.mean_similarity, abs=2e-3)
        assert measured.distance_of_means == pytest.approx(expected.distance_of_means, abs=2e-3)


def test_measure__rows_without_a_gradient_do_not_count(case):
    pool, validation, pair, _ = case
    few, more, none = distances.measure(
        pool, validation, pair, {}, [np.array([1, 2]), np.array([2, 7, 1, 3]), np.array(UNUSABLE)]
    )
    assert few == more
    assert few.rows == 2
    assert none is None


def test_measure__reads_the_chosen_rows_alone(case, monkeypatch):
    pool, validation, pair, _ = case
    read, reading = [], Hdf5Matrix._read

    def seen(matrix, places, out):
        if matrix._path == pair["pool_gradients"][0]:
            read.extend(places.tolist())
        return reading(matrix, places, out)

    monkeypatch.setattr(Hdf5Matrix, "_read", seen)
    distances.measure(pool, validation, pair, {}, [np.array([12, 4])])
    assert read == [4, 12]


def test_measure__stores_of_other_rows_or_settings_are_rejected(case):
    pool, validation, pair, _ = case
    with rejected("store-outdated", path="pool.h5", key="projection"):
        distances.measure(pool, validation, pair, {"projection": "other"}, [np.array([1])])
    with rejected("store-outdated", path="validation.h5", key="rows"):
        distances.measure(pool, [pool], pair, {}, [np.array([1])])


def test_places__are_those_of_the_pool_in_the_order_of_choice(case, tmp_path):
    pool, *_ = case
    pool.copy([11, 0, 5], tmp_path / "selected.jsonl")
    assert distances.places(tmp_path / "selected.jsonl", pool).tolist() == [11, 0, 5]
    files.write_jsonl(tmp_path / "selected.jsonl", [{"id": "stranger"}])
    with rejected("selected-from-another-pool", path="selected.jsonl"):
        distances.places(tmp_path / "selected.jsonl", pool)
