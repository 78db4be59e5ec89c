"""Rows of a table: compared with its baseline on the same samples, and beside published numbers."""

import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.refusals import refused
from support.table_cells import BENCHMARK, LOSS, METHODS, SCORE, cell, collect

from instruction_selection.experiment.published import AVERAGE
from instruction_selection.tables import results

IDS = [str(number) for number in range(40)]


def values(right: int, loss: float = 1.0) -> dict:
    """The first `right` of the rows are right."""
    return {
        "acc": {name: float(place < right) for place, name in enumerate(IDS)},
        "loss": {name: loss + place % 3 for place, name in enumerate(IDS)},
    }


def by_method(rows: list[dict]) -> dict[str, dict]:
    return {row["method"]: row for row in rows}


def test_every_method_is_compared_with_the_baseline():
    cells = [cell("base", values=values(0)), cell("random", values=values(10)), cell("less", values=values(35, 0.5))]
    rows = by_method(collect(cells, baseline="random"))
    assert {name: row["baseline"] for name, row in rows.items()} == {
        "Untuned model": "Random",
        "Random": None,
        "LESS": "Random",
    }
    assert rows["Untuned model"]["acc_difference"] == pytest.approx(-25)
    assert rows["LESS"]["acc_difference"] == pytest.approx(62.5)
    assert rows["LESS"]["acc_low"] < 62.5 < rows["LESS"]["acc_high"]
    assert (rows["LESS"]["acc_test"], rows["LESS"]["loss_test"]) == ("mcnemar", "permutation")
    assert rows["LESS"]["loss_difference"] == pytest.approx(-0.5)
    assert rows["Random"]["acc_p"] is rows["Random"]["acc_p_adjusted"] is None


def test_identical_results_do_not_differ():
    [_, row] = collect([cell("random", values=values(9)), cell("less", values=values(9))], baseline="random")
    for metric in ("acc", "loss"):
        found = [row[f"{metric}_{column}"] for column in ("difference", "low", "high", "p", "p_adjusted")]
        assert found == [0, 0, 0, 1, 1]


def test_the_correction_counts_all_comparisons_of_a_table():
    def adjusted(*others):
        cells = [cell("random", values=values(10)), cell("less", values=values(18)), *others]
        return by_method(collect(cells, {"logic": {**BENCHMARK, "metrics": [SCORE]}}, baseline="random"))["LESS"]

    alone, among = adjusted(), adjusted(cell("base", values=values(11)), cell("full", values=values(12)))
    assert alone["acc_p"] == alone["acc_p_adjusted"] == among["acc_p"]
    assert among["acc_p_adjusted"] == pytest.approx(3 * among["acc_p"])


def test_with_one_seed_on_a_side_seeds_are_averaged_before_rows_are_paired():
    cells = [cell("random", values=values(10)), cell("less", 0, values=values(10)), cell("less", 1, values=values(30))]
    row = by_method(collect(cells, baseline="random"))["LESS"]
    assert row["acc_difference"] == pytest.approx(25)
    # Halves are neither right nor wrong.
    assert row["acc_test"] == "permutation"
    assert row["acc_welch_p"] is row["acc_bootstrap_low"] is None


def test_seeds_count_on_both_sides_and_may_be_of_different_number():
    def difference(less, random):
        cells = [cell("random", seed, values=values(right)) for seed, right in enumerate(random)]
        cells += [cell("less", seed, values=values(right)) for seed, right in enumerate(less)]
        return by_method(collect(cells, baseline="random"))["LESS"]

    steady, shaky = difference([20, 21], [10, 10, 11]), difference([5, 36], [10, 10, 11])
    assert steady["acc_test"] == shaky["acc_test"] == "two-level"
    assert steady["acc_difference"] == pytest.approx(shaky["acc_difference"])
    assert steady["acc_p"] < 0.01 < 0.2 < shaky["acc_p"]
    assert shaky["acc_low"] < 0 < steady["acc_low"]
    assert steady["acc_welch_p"] < 0.05 < shaky["acc_welch_p"]
    assert shaky["acc_bootstrap_low"] < shaky["acc_difference"] < shaky["acc_bootstrap_high"]


def test_the_untuned_model_needs_no_seeds():
    cells = [cell("base", values=values(0)), *(cell("random", seed, values=values(15 + seed)) for seed in range(3))]
    row = by_method(collect(cells, baseline="random"))["Untuned model"]
    assert row["acc_test"] == "two-level"
    # One seed of a trained model is another matter.
    cells[0] = cell("full", values=values(0))
    assert by_method(collect(cells, baseline="random"))["All data"]["acc_test"] == "permutation"


def test_what_a_table_does_not_show_does_not_count():
    cells = [cell("random", values=values(10)), cell("less", values=values(18, 0.9)), cell("full", values=values(12))]
    shown = by_method(collect(cells, baseline="random", kind="benchmarks"))["LESS"]
    assert shown["acc_p_adjusted"] == pytest.approx(2 * shown["acc_p"])
    assert shown["loss_p"] is not None
    assert shown["loss_p_adjusted"] is None


def test_how_many_checkpoints_were_read_is_what_the_selection_says():
    cells = [cell("less"), cell("random")]
    for each in cells:
        each["selection"]["checkpoints"] = [{"weight": 0.5}] * 2
    assert [row["checkpoints"] for row in collect(cells)] == [2, None]
    assert [row["checkpoints"] for row in collect([cell("base"), cell("less")])] == [None, None]


def test_a_negative_scale_turns_the_interval_round():
    cells = [cell("random", values=values(5, 1.0)), cell("less", values=values(5, 3.0))]
    turned = {"logic": {**BENCHMARK, "metrics": [{**LOSS, "scale": -1}]}}
    row = by_method(collect(cells, turned, baseline="random"))["LESS"]
    assert row["loss_difference"] == pytest.approx(-2)
    assert row["loss_low"] <= row["loss_difference"] <= row["loss_high"]


def test_different_samples_are_not_compared():
    other = {name: {"x": 1.0, "y": 0.0} for name in ("acc", "loss")}
    with refused("results-of-other-rows"):
        collect([cell("random", values=values(5)), cell("less", values=other)], baseline="random")


def test_what_has_no_single_baseline_is_not_compared():
    cells = [
        cell("random", ratio="0.1"),
        cell("random", ratio="0.2"),
        cell("less", ratio="0.1"),
        cell("less", ratio="0.2"),
        cell("base"),
        cell("less", model="big"),
    ]
    rows = collect(cells, baseline="random")
    assert [row["baseline"] for row in rows] == [None, None, "Random", "Random", None, None]
    assert rows[-1]["acc_p_adjusted"] is None


def test_a_baseline_with_one_ratio_is_compared_with_at_every_other():
    cells = [cell("full"), cell("less", ratio="0.1"), cell("less", ratio="0.2"), cell("less", pool="q")]
    assert [row["baseline"] for row in collect(cells, baseline="full")] == [None, "All data", "All data", None]


def test_a_published_number_stands_with_its_own_cell():
    cells = [
        cell(shown_for="logic+maths"),
        cell(shown_for="logic+maths", benchmark="maths"),
        cell(ratio="0.2"),
    ]
    numbers = {
        ("tiny", "p", "logic+maths", "maths", "less", "0.1"): 51.0,
        ("tiny", "p", "x", "maths", "less", "1"): 0.0,
    }
    rows = collect(cells, published=numbers)
    assert [row["published"] for row in rows] == [None, 51.0, None]


def test_the_relative_average_is_the_mean_over_benchmarks_of_the_ratio_to_the_reference():
    scores = {("less", "logic"): 0.4, ("less", "maths"): 0.1, ("random", "logic"): 0.2, ("random", "maths"): 0.2}
    cells = [cell(method, acc=acc, benchmark=benchmark) for (method, benchmark), acc in scores.items()]
    numbers = {("tiny", "p", None, AVERAGE, "random", "0.1"): 0.9}
    rows = collect(cells, relative_to="less", published=numbers)
    averages = by_method([row for row in rows if row["benchmark"] == AVERAGE])
    assert averages["LESS"]["relative"] == pytest.approx(1)
    assert averages["Random"]["relative"] == pytest.approx((0.2 / 0.4 + 0.2 / 0.1) / 2)
    assert (averages["LESS"]["published"], averages["Random"]["published"]) == (None, 0.9)


def test_a_relative_average_over_nothing_is_no_number():
    [_, average] = collect([cell(acc=0.0)], relative_to="less")
    assert math.isnan(average["relative"])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3))
def test_csv_has_a_line_per_metric_and_every_digit(losses):
    cells = [cell("base"), *(cell(seed=seed, loss=value) for seed, value in enumerate(losses))]
    rows = collect(cells, published={("tiny", "p", "logic", "logic", "less", "0.1"): 49.5}, relative_to="less")
    lines = list(csv.DictReader(io.StringIO(results.to_csv(rows, {"logic": BENCHMARK}))))
    shown = [(line["benchmark"], line["method"], line["metric"]) for line in lines]
    assert shown == [
        *[("logic", METHODS[method]["label"], metric) for method in ("base", "less") for metric in ("acc", "loss")],
        (AVERAGE, "LESS", "relative"),
    ]
    untuned, _, first, second, _ = lines
    assert (untuned["pool"], untuned["rows_chosen"], untuned["published"]) == ("", "", "")
    assert float(second["value"]) == rows[1]["loss"]
    assert second["sd"] == ("" if len(losses) == 1 else str(rows[1]["loss_sd"]))
    # Only the first metric has a published number.
    assert (first["published"], float(first["published_difference"]), second["published"]) == ("49.5", 0.5, "")
