import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.refusals import refused
from support.table_cells import BENCHMARK, LOSS, METHODS, MODELS, POOLS, cell

from instruction_selection.tables import table

finite = st.floats(-1e6, 1e6)


def build(cells, benchmark=BENCHMARK):
    return table.build(cells, benchmark, METHODS, MODELS, POOLS)


@given(st.lists(finite, min_size=2, max_size=5))
def test_seeds_are_averaged(values):
    [row] = build([cell(seed=seed, loss=value) for seed, value in enumerate(values)])
    assert row["seeds"] == len(values)
    assert row["loss"] == pytest.approx(sum(values) / len(values), abs=1e-6)
    assert row["loss_sd"] == pytest.approx(statistics.stdev(values), abs=1e-6)
    assert row["loss_stderr"] == pytest.approx(0.1)


def test_one_seed_has_no_standard_deviation():
    [row] = build([cell(loss=2.0, stderr=0.25)])
    assert (row["seeds"], row["loss"], row["loss_stderr"], row["loss_sd"]) == (1, 2.0, 0.25, None)


@given(finite, finite, st.floats(-100, 100).filter(bool))
def test_scale_multiplies_value_and_spread(first, second, scale):
    cells = [cell(loss=first), cell(seed=1, loss=second)]
    [plain] = build(cells)
    [scaled] = build(cells, {**BENCHMARK, "metrics": [{**LOSS, "scale": scale}]})
    assert scaled["loss"] == pytest.approx(scale * plain["loss"])
    assert scaled["loss_sd"] == pytest.approx(abs(scale) * plain["loss_sd"])
    assert scaled["loss_stderr"] == pytest.approx(abs(scale) * plain["loss_stderr"])


@given(st.dictionaries(st.sampled_from(["aiw", "syllogism", "gcd", "lcm"]), st.integers(0, 1000)))
def test_family_is_the_sum_over_the_benchmarks_tasks(tasks):
    [row] = build([cell(tasks=tasks)])
    family = tasks.get("aiw", 0) + tasks.get("syllogism", 0)
    total = sum(tasks.values())
    assert (row["rows_chosen"], row["family_rows_chosen"]) == (total, family)
    assert row["family_share"] == (family / total if total else None)
    assert (row["family_rows_in_pool"], row["pool_rows"]) == (30, 100)


def test_chosen_rows_are_averaged_over_seeds():
    [row] = build([cell(tasks={"aiw": 1, "gcd": 3}), cell(seed=1, tasks={"syllogism": 2, "gcd": 3})])
    assert (row["rows_chosen"], row["family_rows_chosen"]) == (4.5, 1.5)
    assert row["family_share"] == pytest.approx(1 / 3)


def test_untuned_model_has_no_chosen_rows():
    rows = build([cell("base"), cell()])
    assert [rows[0][key] for key in list(rows[0])[-6:]] == [None] * 6


def test_untuned_model_that_is_listed_for_every_pool_is_one_result():
    [row] = build([cell("base"), cell("base")])
    assert (row["seeds"], row["loss_sd"]) == (1, None)


def test_rows_keep_the_order_of_the_cells():
    cells = [cell("random"), cell("base"), cell(), cell(ratio="0.05"), cell("random", seed=1), cell(model="big")]
    assert [(row["model"], row["method"], row["ratio"]) for row in build(cells)] == [
        ("Tiny", "Random", "0.1"),
        ("Tiny", "Untuned model", "0"),
        ("Tiny", "LESS", "0.1"),
        ("Tiny", "LESS", "0.05"),
        ("Big", "LESS", "0.1"),
    ]


def test_a_diverged_seed_shows_in_the_mean():
    [row] = build([cell(loss=1.0), cell(seed=1, loss=math.nan)])
    assert math.isnan(row["loss"])
    assert math.isnan(row["loss_sd"])


def test_a_missing_metric_is_named_with_its_benchmark():
    broken = cell()
    del broken["evaluation"]["metrics"]["loss"]
    with refused("metric-not-evaluated"):
        build([cell("base"), broken])


def test_evaluations_of_different_sizes_are_refused():
    short = cell("random")
    short["evaluation"]["samples"] = 60
    with refused("evaluations-differ"):
        build([cell(), short])
