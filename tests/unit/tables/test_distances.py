"""What distance predicts: planted relations, what is too little to say, and the figure of them."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from support.table_cells import BENCHMARK, LOSS, SCORE, spec

from instruction_selection.tables import distance_correlations, distance_figure, distance_text, distances
from instruction_selection.tables.distance_correlations import CONTROL, OverDraws
from instruction_selection.tables.distances import Point

HIGHER = spec({"logic": replace(BENCHMARK, metrics=(SCORE,))}, baseline="random")
LOWER = spec({"logic": replace(BENCHMARK, metrics=(LOSS,))}, baseline="random")


def point(far, value, **names):
    """`far` is its distance, and as much less similar."""
    given = {
        "draw": None,
        "model": "tiny",
        "pool": "p",
        "target": "logic",
        "benchmark": "logic",
        "method": "less",
        "ratio": "0.1",
        "seed": 0,
        "representation": "Adam gradients",
        "rows": 7,
        "response_length": 100.0,
        "mean_similarity": 1 - far,
        "distance_of_means": far,
        "metric": "acc",
        "value": value,
    }
    return Point(**given | names)


def series(values, **names):
    """Points that are ever farther away."""
    return [point(place / 10, value, **names) for place, value in enumerate(values)]


def by_measure(points, described=HIGHER):
    """Without the control."""
    found = distance_correlations.correlate(points, described)
    return {line.measure: line for line in found if line.measure != CONTROL}


@pytest.mark.parametrize(("described", "values"), [(HIGHER, [9, 7, 6, 2, -4]), (LOWER, [-4, 2, 6, 7, 9])])
def test_correlate__closer_is_better_is_plus_one_for_each_measure_and_metric(described, values):
    found = by_measure(series(values), described)
    assert {name: line.correlation.mean for name, line in found.items()} == {
        "mean_similarity": pytest.approx(1),
        "distance_of_means": pytest.approx(1),
    }
    found = by_measure(series(values[::-1]), described)
    assert [line.correlation.mean for line in found.values()] == pytest.approx([-1, -1])


@pytest.mark.parametrize("values", [[9, 7, 6, 2], [9, 7, 6, 2, np.nan], [5, 5, 5, 5, 5]])
def test_correlate__too_few_or_equal_cells_have_none_and_not_zero(values):
    for line in by_measure(series(values)).values():
        assert line.correlation == OverDraws((), None, None, None)
        assert distance_text.shown(line.correlation) == "–"


def test_correlate__methods_that_chose_the_same_rows_are_one_cell():
    points = series([9, 7, 6, 2])
    again = replace(points[0], method="random")
    [count] = by_measure([*points, again])["mean_similarity"].cells
    assert count == 4
    [count] = by_measure([*points, replace(again, seed=1)])["mean_similarity"].cells
    assert count == 5


def test_correlate__neither_ratios_nor_representations_are_mixed():
    # Within a ratio farther is worse; across them it is better.
    few, many = series([9, 8, 7, 6, 5]), [replace(each, ratio="0.2") for each in series([109, 108, 107, 106, 105])]
    many = [replace(each, distance_of_means=each.distance_of_means + 1) for each in many]
    other = [replace(each, representation="hidden states", value=-each.value) for each in few]
    found = distance_correlations.correlate([*few, *many, *other], HIGHER)
    lines = {(line.ratio, line.representation): line for line in found if line.measure == "distance_of_means"}
    assert {key: round(line.correlation.mean, 6) for key, line in lines.items()} == {
        ("0.1", "Adam gradients"): 1,
        ("0.2", "Adam gradients"): 1,
        ("0.1", "hidden states"): -1,
    }


def drawn(*draws):
    return [each for number, values in enumerate(draws, 1) for each in series(values, draw=number)]


def test_correlate__one_value_per_draw_and_an_interval_from_three_on():
    rng = np.random.default_rng(0)
    draws = [rng.permutation(6).tolist() for _ in range(4)]
    found = by_measure(drawn(*draws))["distance_of_means"].correlation
    expected = [-stats.spearmanr(range(6), values).statistic for values in draws]
    assert found.by_draw == pytest.approx(expected)
    low, high = stats.t.interval(0.95, 3, np.mean(expected), stats.sem(expected))
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(expected), max(-1, low), min(1, high)))
    two = by_measure(drawn(*draws[:2]))["distance_of_means"].correlation
    assert two.mean == pytest.approx(np.mean(expected[:2]))
    assert (two.low, two.high) == (None, None)


def test_correlate__a_draw_with_too_few_cells_does_not_count():
    line = by_measure(drawn([5, 4, 3, 2, 1], [1, 2], [5, 4, 3, 2, 1]))["mean_similarity"]
    assert line.correlation.by_draw == pytest.approx((1, 1))
    assert line.cells == (5, 2, 5)
    text = distance_text.to_markdown([line], HIGHER, "small")
    assert [cell.strip() for cell in text.splitlines()[4].split("|")[-5:-1]] == ["2 to 5", "2", "+1.00", "–"]


def test_given_length__is_the_correlation_of_what_is_left_of_the_ranks():
    rng = np.random.default_rng(0)
    lengths, far, values = rng.normal(size=(3, 40))
    points = [
        replace(point(distance, value), response_length=length)
        for distance, value, length in zip(far, values, lengths, strict=True)
    ]
    line = by_measure(points)["distance_of_means"]
    closeness, goodness, given = map(stats.rankdata, (-far, values, lengths))
    left = [ranks - np.polyval(np.polyfit(given, ranks, 1), given) for ranks in (closeness, goodness)]
    assert line.given_length.mean == pytest.approx(np.corrcoef(left)[0, 1])
    assert line.given_length.mean != pytest.approx(line.correlation.mean, abs=1e-3)


def test_given_length__a_distance_that_only_follows_length_predicts_nothing_beyond_it():
    rng = np.random.default_rng(0)
    lengths = rng.permutation(400)
    values = lengths + rng.normal(0, 100, 400)
    points = [
        replace(point(-length - noise, value), response_length=float(length))
        for length, noise, value in zip(lengths, rng.normal(0, 100, 400), values, strict=True)
    ]
    line = by_measure(points)["mean_similarity"]
    assert line.correlation.mean > 0.5
    assert abs(line.given_length.mean) < 0.15


@pytest.mark.parametrize(("described", "sign"), [(HIGHER, 1), (LOWER, -1)])
def test_control__is_one_line_for_each_ratio_whatever_the_representations(described, sign):
    points = [
        replace(point(0.1, value, representation=name, ratio=ratio), response_length=length)
        for name in ("Adam gradients", "hidden states")
        for ratio in ("0.1", "0.2")
        for value, length in zip((9, 7, 6, 2, -4), (50.0, 40.0, 30.0, 20.0, 10.0), strict=True)
    ]
    found = distance_correlations.correlate(points, described)
    controls = [line for line in found if line.measure == CONTROL]
    assert found[-2:] == controls
    assert [(line.ratio, line.cells, line.representation, line.given_length) for line in controls] == [
        (ratio, (5,), None, None) for ratio in ("0.1", "0.2")
    ]
    assert [line.correlation.mean for line in controls] == pytest.approx([sign, sign])
    assert "| Length of the responses (control) |" in distance_text.to_markdown(found, described, "small")


def test_over_draws__interval_stays_within_what_a_correlation_can_be():
    found = distance_correlations.over_draws([1, 1, None, 0.2])
    assert found.mean == pytest.approx(2.2 / 3)
    assert -1 <= found.low < found.mean < found.high == 1


def test_markdown__names_models_and_pools_only_where_they_differ():
    points = series([5, 4, 3, 2, 1])
    one = distance_text.to_markdown(distance_correlations.correlate(points, HIGHER), HIGHER, "small")
    assert "Model" not in one
    assert "Pool" not in one
    more = [*points, *(replace(each, model="big") for each in points)]
    two = distance_text.to_markdown(distance_correlations.correlate(more, HIGHER), HIGHER, "small")
    assert "Tiny" in two
    assert "Big" in two


def test_compared__differences_are_from_the_baseline_of_the_draw_and_ratio():
    points = [
        *(point(0.5, value, method="random", draw=1, seed=seed) for seed, value in enumerate((2, 4))),
        point(0.1, 9, draw=1),
        point(0.5, 20, method="random", draw=2),
        point(0.1, 9, draw=2),
        point(0.1, 9, draw=2, ratio="0.2"),
    ]
    assert [each.difference for each in distances._compared(points, "random")] == [-1, 1, 6, 0, -11, None]
    assert all(each.difference is None for each in distances._compared(points, None))


def test_csv__has_every_point():
    points = distances._compared(series([5, 4, 3, 2, 1]), "random")
    lines = list(csv.DictReader(io.StringIO(distance_text.to_csv(points))))
    assert [(float(line["distance_of_means"]), float(line["value"])) for line in lines] == [
        (each.distance_of_means, each.value) for each in points
    ]
    assert {(line["draw"], line["difference"]) for line in lines} == {("", "")}


def some():
    """Two targets, two representations, and two ratios; one target has Random."""
    rng = np.random.default_rng(0)
    return distances._compared(
        [
            point(
                rng.uniform(),
                rng.normal(),
                method="random" if target == "logic" and n == 0 else "less",
                target=target,
                benchmark=target,
                ratio=ratio,
                seed=n,
                representation=name,
            )
            for target in ("logic", "maths")
            for ratio in ("0.05", "0.1")
            for name in ("Adam gradients", "hidden states")
            for n in range(6)
        ],
        "random",
    )


TWO = spec({"logic": BENCHMARK, "maths": replace(BENCHMARK, label="Maths", metrics=(LOSS,))}, baseline="random")


def test_figure__has_a_row_of_panels_for_each_target_and_a_column_for_each_representation():
    points = some()
    lines = distance_correlations.correlate(points, TWO)
    figure = distance_figure._figure(points, lines, TWO)
    axes = figure.axes
    assert [each.get_title() for each in axes] == ["Adam gradients", "Hidden states"] * 2
    for each in axes:
        assert sum(len(line.get_xdata()) for line in each.lines if line.get_marker() in ("o", "s")) == 12
    assert "minus" in axes[0].get_ylabel()
    # Without Random, the metric itself.
    assert "minus" not in axes[2].get_ylabel()
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["ratio 0.05", "ratio 0.1"]


def test_figure__correlations_in_a_corner_are_those_of_the_table():
    points = some()
    lines = distance_correlations.correlate(points, TWO)
    first = distance_figure._figure(points, lines, TWO).axes[0]
    expected = [
        f"{line.ratio}: ρ = {distance_text.shown(line.correlation)}"
        for line in lines
        if (line.panel.target, line.representation, line.measure) == ("logic", "Adam gradients", "distance_of_means")
    ]
    assert first.texts[0].get_text().splitlines() == expected


def test_draw__same_points_give_the_same_bytes(tmp_path):
    points = some()
    lines = distance_correlations.correlate(points, TWO)
    for name in ("a", "b"):
        distance_figure.draw(points, lines, TWO, tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    for suffix in ("svg", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
