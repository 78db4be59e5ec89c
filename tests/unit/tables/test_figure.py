"""A target's figure shows the numbers of its table."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import matplotlib
import pytest

from instruction_selection.experiment.benchmark import Metric
from instruction_selection.tables import figure
from instruction_selection.tables.rows import Chosen, Measurement, Row
from instruction_selection.tables.spec import ShownBenchmark

BENCHMARK = ShownBenchmark("Logic & <puzzles>", (Metric(name="acc", task="answer", label="Accuracy"),))
SCORE = Measurement(0.5, by_seed=(0.5,), stderr=0.1)
SEEDS = Measurement(0.5, by_seed=(0.3, 0.7), stderr=0.1, sd=0.2)


def row(method, chosen=40, family=10, score=SCORE, **other):
    given = {"target": "logic", "benchmark": "logic", "model": "Tiny", "pool": "p", "method": method, "ratio": "0.1"}
    counts = None if chosen is None else Chosen(chosen, family, family_rows_in_pool=30, pool_rows=200)
    seeds = len(score.by_seed)
    return Row(**{**given, **other}, seeds=seeds, samples=64, metrics={"acc": score}, chosen=counts)


UNTUNED = row("Untuned model", None, pool=None, ratio="0")
SHAPES = {
    "one model": [UNTUNED, row("LESS"), row("Random", family=0)],
    "several models and pools": [row("LESS"), row("LESS", pool="q"), row("LESS", model="Big")],
    "seeds": [UNTUNED, row("LESS", 40.5, 1.5, SEEDS)],
    "nothing chosen": [UNTUNED],
    "no standard error": [row("LESS", score=replace(SCORE, stderr=None))],
    "mathematics": [row("$$ 5 $\\frac$")],
}


@pytest.mark.parametrize("rows", SHAPES.values(), ids=SHAPES)
def test_draw__same_rows_give_the_same_bytes(tmp_path, rows):
    for name in ("a", "b"):
        # What a user has set must not show.
        with matplotlib.rc_context({"font.size": 9 if name == "a" else 30}):
            figure.draw(rows, BENCHMARK, tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    for suffix, start in (("svg", b"<?xml"), ("png", b"\x89PNG")):
        content = (tmp_path / f"a.{suffix}").read_bytes()
        assert content.startswith(start)
        assert content == (tmp_path / f"b.{suffix}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg", "b.png", "b.svg"]
    svg = ET.parse(tmp_path / "a.svg")
    assert not [element for element in svg.iter() if element.tag.endswith("}date")]


def drawn(rows):
    scores, shares = figure._figure(rows, BENCHMARK).axes
    return scores, shares


def test_figure__bars_are_shares_and_the_dashed_line_is_the_pools():
    _, shares = drawn(SHAPES["one model"])
    assert [bar.get_width() for bar in shares.patches] == [0, 25, 0]
    [line] = shares.lines
    assert line.get_linestyle() == "--"
    # From the first row with a pool to the last.
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([15, 15], [0.5, 2.5])
    assert [text.get_text() for text in shares.texts] == ["no rows chosen", "10 of 40", "0 of 40"]


@pytest.mark.parametrize(
    ("rows", "name", "tick"),
    [
        ([row("LESS")], "Method", "LESS"),
        ([row("LESS"), row("LESS", pool="q")], "Pool, method", "p, LESS"),
        ([row("LESS"), row("LESS", ratio="0.2")], "Method, ratio", "LESS, 0.1"),
        ([row("LESS"), row("LESS", model="Big")], "Model, method", "Tiny, LESS"),
    ],
)
def test_figure__labels_name_only_what_differs(rows, name, tick):
    scores, _ = drawn(rows)
    assert scores.get_ylabel() == name
    assert scores.get_yticklabels()[0].get_text() == tick


def test_figure__error_bars_are_the_tables_and_dots_the_seeds():
    share = Measurement(0.0, by_seed=(0.0,), wilson=(0.0, 0.3))
    scores, _ = drawn([row("LESS"), row("Random", score=SEEDS), row("All", score=share)])
    _, _, [bars] = scores.containers[0]
    assert [tuple(segment[:, 0].round(6)) for segment in bars.get_segments()] == [(0.4, 0.6), (0.4, 0.6), (0.0, 0.3)]
    [dots] = [line for line in scores.lines if line.get_marker() == "."]
    assert list(dots.get_xdata()) == [0.3, 0.7]


def test_figure__axis_of_shares_ends_at_100_per_cent():
    _, shares = drawn([row("LESS", 40, 40), row("Random")])
    assert max(shares.get_xticks()) <= 100


def test_figure__without_family_rows_has_the_scores_alone():
    rows = [replace(each, chosen=Chosen(40, 0, 0, 200)) for each in SHAPES["one model"]]
    [scores] = figure._figure(rows, BENCHMARK).axes
    assert scores.get_xlabel().startswith("Accuracy")
