"""Rows of a table: compared with its baseline on the same samples, and beside published numbers."""

import csv
import io
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rejections import rejected
from support.table_cells import BENCHMARK, LOSS, METHODS, SCORE, cell, collect, spec

from instruction_selection.experiment.published import AVERAGE
from instruction_selection.tables import results

IDS = [str(number) for number in range(40)]


def values(right: int, loss: float = 1.0) -> dict:
    """The first `right` of the rows are right."""
    return {
        "acc": {name: float(place < right) for place, name in enumerate(IDS)},
        "loss": {name: loss + place % 3 for place, name in enumerate(IDS)},
    }


def by_method(rows):
    return {row.method: row for row in rows}


def compared(row, metric="acc"):
    return row.metrics[metric].comparison


def test_collect__compares_every_method_with_the_baseline():
    cells = [cell("base", values=values(0)), cell("random", values=values(10)), cell("less", values=values(35, 0.5))]
    rows = by_method(collect(cells, baseline="random"))
    assert {name: row.baseline for name, row in rows.items()} == {
        "Untuned model": "Random",
        "Random": None,
        "LESS": "Random",
    }
    assert rows["Untuned model"].metrics["acc"].comparison.difference == pytest.approx(-25)
    assert rows["LESS"].metrics["acc"].comparison.difference == pytest.approx(62.5)
    assert rows["LESS"].metrics["acc"].comparison.low < 62.5 < rows["LESS"].metrics["acc"].comparison.high
    assert (rows["LESS"].metrics["acc"].comparison.test, rows["LESS"].metrics["loss"].comparison.test) == (
        "mcnemar",
        "permutation",
    )
    assert rows["LESS"].metrics["loss"].comparison.difference == pytest.approx(-0.5)
    assert compared(rows["Random"]) is None


def test_collect__identical_results_do_not_differ():
    [_, row] = collect([cell("random", values=values(9)), cell("less", values=values(9))], baseline="random")
    for metric in ("acc", "loss"):
        found = compared(row, metric)
        assert (found.difference, found.low, found.high, found.p, found.p_adjusted) == (0, 0, 0, 1, 1)


def test_correction__counts_all_comparisons_of_a_table():
    def adjusted(*others):
        cells = [cell("random", values=values(10)), cell("less", values=values(18)), *others]
        benchmarks = {"logic": replace(BENCHMARK, metrics=(SCORE,))}
        return compared(by_method(collect(cells, benchmarks, baseline="random"))["LESS"])

    alone, among = adjusted(), adjusted(cell("base", values=values(11)), cell("full", values=values(12)))
    assert alone.p == alone.p_adjusted == among.p
    assert among.p_adjusted == pytest.approx(3 * among.p)


def test_collect__one_seed_on_a_side_averages_seeds_before_rows_are_paired():
    cells = [cell("random", values=values(10)), cell("less", 0, values=values(10)), cell("less", 1, values=values(30))]
    row = by_method(collect(cells, baseline="random"))["LESS"]
    assert row.metrics["acc"].comparison.difference == pytest.approx(25)
    # Halves are neither right nor wrong.
    assert row.metrics["acc"].comparison.test == "permutation"
    assert row.metrics["acc"].comparison.welch_p is row.metrics["acc"].comparison.bootstrap_low is None


def test_collect__seeds_count_on_both_sides_in_any_number():
    def difference(less, random):
        cells = [cell("random", seed, values=values(right)) for seed, right in enumerate(random)]
        cells += [cell("less", seed, values=values(right)) for seed, right in enumerate(less)]
        return by_method(collect(cells, baseline="random"))["LESS"]

    steady, shaky = difference([20, 21], [10, 10, 11]), difference([5, 36], [10, 10, 11])
    assert steady.metrics["acc"].comparison.test == shaky.metrics["acc"].comparison.test == "two-level"
    assert steady.metrics["acc"].comparison.difference == pytest.approx(shaky.metrics["acc"].comparison.difference)
    assert steady.metrics["acc"].comparison.p < 0.01 < 0.2 < shaky.metrics["acc"].comparison.p
    assert shaky.metrics["acc"].comparison.low < 0 < steady.metrics["acc"].comparison.low
    assert steady.metrics["acc"].comparison.welch_p < 0.05 < shaky.metrics["acc"].comparison.welch_p
    assert (
        shaky.metrics["acc"].comparison.bootstrap_low
        < shaky.metrics["acc"].comparison.difference
        < shaky.metrics["acc"].comparison.bootstrap_high
    )


def test_collect__untuned_model_needs_no_seeds():
    cells = [cell("base", values=values(0)), *(cell("random", seed, values=values(15 + seed)) for seed in range(3))]
    row = by_method(collect(cells, baseline="random"))["Untuned model"]
    assert row.metrics["acc"].comparison.test == "two-level"
    # One seed of a trained model is another matter.
    cells[0] = cell("full", values=values(0))
    assert compared(by_method(collect(cells, baseline="random"))["All data"]).test == "permutation"


def test_correction__leaves_out_metrics_that_are_not_shown():
    cells = [cell("random", values=values(10)), cell("less", values=values(18, 0.9)), cell("full", values=values(12))]
    shown = by_method(collect(cells, baseline="random", kind="benchmarks"))["LESS"]
    assert compared(shown).p_adjusted == pytest.approx(2 * compared(shown).p)
    assert compared(shown, "loss").p is not None
    assert compared(shown, "loss").p_adjusted is None


def test_collect__checkpoints_are_those_of_the_selection():
    cells = [cell("less", checkpoints=2), cell("random", checkpoints=2)]
    assert [row.checkpoints for row in collect(cells)] == [2, None]
    assert [row.checkpoints for row in collect([cell("base"), cell("less")])] == [None, None]


def test_collect__negative_scale_turns_the_interval_round():
    cells = [cell("random", values=values(5, 1.0)), cell("less", values=values(5, 3.0))]
    turned = {"logic": replace(BENCHMARK, metrics=(LOSS.model_copy(update={"scale": -1}),))}
    row = by_method(collect(cells, turned, baseline="random"))["LESS"]
    assert row.metrics["loss"].comparison.difference == pytest.approx(-2)
    assert (
        row.metrics["loss"].comparison.low
        <= row.metrics["loss"].comparison.difference
        <= row.metrics["loss"].comparison.high
    )


def test_collect__rejects_results_of_other_rows():
    other = {name: {"x": 1.0, "y": 0.0} for name in ("acc", "loss")}
    with rejected("results-of-other-rows"):
        collect([cell("random", values=values(5)), cell("less", values=other)], baseline="random")


def test_collect__without_a_single_baseline_nothing_is_compared():
    cells = [
        cell("random", ratio="0.1"),
        cell("random", ratio="0.2"),
        cell("less", ratio="0.1"),
        cell("less", ratio="0.2"),
        cell("base"),
        cell("less", model="big"),
    ]
    rows = collect(cells, baseline="random")
    assert [row.baseline for row in rows] == [None, None, "Random", "Random", None, None]
    assert compared(rows[-1]) is None


def test_collect__baseline_with_one_ratio_serves_every_other():
    cells = [cell("full"), cell("less", ratio="0.1"), cell("less", ratio="0.2"), cell("less", pool="q")]
    assert [row.baseline for row in collect(cells, baseline="full")] == [None, "All data", "All data", None]


def test_collect__published_number_belongs_to_its_own_cell():
    cells = [
        cell(target="logic+maths"),
        cell(target="logic+maths", benchmark="maths"),
        cell(ratio="0.2"),
    ]
    numbers = {
        ("tiny", "p", "logic+maths", "maths", "less", "0.1"): 51.0,
        ("tiny", "p", "x", "maths", "less", "1"): 0.0,
    }
    rows = collect(cells, published=numbers)
    assert [row.published for row in rows] == [None, 51.0, None]


def test_relative_average__is_the_mean_over_benchmarks_of_the_ratio_to_the_reference():
    scores = {("less", "logic"): 0.4, ("less", "maths"): 0.1, ("random", "logic"): 0.2, ("random", "maths"): 0.2}
    cells = [cell(method, acc=acc, benchmark=benchmark) for (method, benchmark), acc in scores.items()]
    numbers = {("tiny", "p", None, AVERAGE, "random", "0.1"): 0.9}
    rows = collect(cells, relative_to="less", published=numbers)
    averages = by_method([row for row in rows if row.benchmark == AVERAGE])
    assert averages["LESS"].metrics["relative"].value == pytest.approx(1)
    assert averages["Random"].metrics["relative"].value == pytest.approx((0.2 / 0.4 + 0.2 / 0.1) / 2)
    assert (averages["LESS"].published, averages["Random"].published) == (None, 0.9)


def test_relative_average__is_nan_where_the_reference_is_zero():
    [_, average] = collect([cell(acc=0.0)], relative_to="less")
    assert math.isnan(average.metrics["relative"].value)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3))
def test_csv__has_a_line_per_metric_and_every_digit(losses):
    cells = [cell("base"), *(cell(seed=seed, loss=value) for seed, value in enumerate(losses))]
    rows = collect(cells, published={("tiny", "p", "logic", "logic", "less", "0.1"): 49.5}, relative_to="less")
    lines = list(csv.DictReader(io.StringIO(results.to_csv(rows, spec()))))
    shown = [(line["benchmark"], line["method"], line["metric"]) for line in lines]
    assert shown == [
        *[("logic", METHODS[method].label, metric) for method in ("base", "less") for metric in ("acc", "loss")],
        (AVERAGE, "LESS", "relative"),
    ]
    untuned, _, first, second, _ = lines
    assert (untuned["pool"], untuned["rows_chosen"], untuned["published"]) == ("", "", "")
    assert float(second["value"]) == rows[1].metrics["loss"].value
    assert second["sd"] == ("" if len(losses) == 1 else str(rows[1].metrics["loss"].sd))
    # Only the first metric has a published number.
    assert (first["published"], float(first["published_difference"]), second["published"]) == ("49.5", 0.5, "")
