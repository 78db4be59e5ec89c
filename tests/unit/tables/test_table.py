"""A row is the mean of its group's seeds, with what was chosen of the target's family."""

import math
import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rejections import rejected
from support.table_cells import BENCHMARK, LOSS, POOLS, cell, spec

from instruction_selection.tables import table

finite = st.floats(-1e6, 1e6)


def build(cells, benchmark=BENCHMARK):
    return list(table.build(cells, spec({"logic": benchmark}), POOLS).values())


@given(st.lists(finite, min_size=2, max_size=5))
def test_build__averages_seeds(values):
    [row] = build([cell(seed=seed, loss=value) for seed, value in enumerate(values)])
    loss = row.metrics["loss"]
    assert row.seeds == len(values)
    assert loss.by_seed == tuple(values)
    assert loss.value == pytest.approx(sum(values) / len(values), abs=1e-6)
    assert loss.sd == pytest.approx(statistics.stdev(values), abs=1e-6)
    assert loss.stderr == pytest.approx(0.1)


def test_build__one_seed_has_no_standard_deviation():
    [row] = build([cell(loss=2.0, stderr=0.25)])
    loss = row.metrics["loss"]
    assert (row.seeds, loss.value, loss.stderr, loss.sd) == (1, 2.0, 0.25, None)


@given(finite, finite, st.floats(-100, 100).filter(bool))
def test_build__scale_multiplies_value_and_spread(first, second, scale):
    cells = [cell(loss=first), cell(seed=1, loss=second)]
    [plain] = build(cells)
    [scaled] = build(cells, replace(BENCHMARK, metrics=(LOSS.model_copy(update={"scale": scale}),)))
    assert scaled.metrics["loss"].value == pytest.approx(scale * plain.metrics["loss"].value)
    assert scaled.metrics["loss"].sd == pytest.approx(abs(scale) * plain.metrics["loss"].sd)
    assert scaled.metrics["loss"].stderr == pytest.approx(abs(scale) * plain.metrics["loss"].stderr)


@given(st.dictionaries(st.sampled_from(["aiw", "syllogism", "gcd", "lcm"]), st.integers(0, 1000)))
def test_build__family_is_the_sum_over_the_benchmarks_tasks(tasks):
    [row] = build([cell(tasks=tasks)])
    family = tasks.get("aiw", 0) + tasks.get("syllogism", 0)
    total = sum(tasks.values())
    assert (row.chosen.rows, row.chosen.family_rows) == (total, family)
    assert row.chosen.family_share == (family / total if total else None)
    assert (row.chosen.family_rows_in_pool, row.chosen.pool_rows) == (30, 100)


def test_build__chosen_rows_are_averaged_over_seeds():
    [row] = build([cell(tasks={"aiw": 1, "gcd": 3}), cell(seed=1, tasks={"syllogism": 2, "gcd": 3})])
    assert (row.chosen.rows, row.chosen.family_rows) == (4.5, 1.5)
    assert row.chosen.family_share == pytest.approx(1 / 3)


def test_build__untuned_model_has_no_chosen_rows():
    untuned, _ = build([cell("base"), cell()])
    assert (untuned.pool, untuned.chosen, untuned.checkpoints) == (None, None, None)


def test_build__untuned_model_of_every_pool_is_one_result():
    [row] = build([cell("base"), cell("base")])
    assert (row.seeds, row.metrics["loss"].sd) == (1, None)


def test_build__rows_keep_the_order_of_the_cells():
    cells = [cell("random"), cell("base"), cell(), cell(ratio="0.05"), cell("random", seed=1), cell(model="big")]
    assert [(row.model, row.method, row.ratio) for row in build(cells)] == [
        ("Tiny", "Random", "0.1"),
        ("Tiny", "Untuned model", "0"),
        ("Tiny", "LESS", "0.1"),
        ("Tiny", "LESS", "0.05"),
        ("Big", "LESS", "0.1"),
    ]


def test_build__diverged_seed_makes_the_mean_nan():
    [row] = build([cell(loss=1.0), cell(seed=1, loss=math.nan)])
    assert math.isnan(row.metrics["loss"].value)
    assert math.isnan(row.metrics["loss"].sd)


def test_build__rejects_evaluations_of_different_sizes():
    with rejected("evaluations-differ"):
        build([cell(), cell("random", rows=60)])
