"""The figure of several benchmarks: a panel each, with measured and published scores."""

from dataclasses import replace

import pytest
from support.table_cells import BENCHMARK, SCORE, cell, collect, spec

from instruction_selection.tables import panels

BENCHMARKS = {name: replace(BENCHMARK, label=name, metrics=(SCORE,)) for name in ("logic", "maths")}
PUBLISHED = {("tiny", "p", "maths", "maths", "less", "0.1"): 61.25}
CELLS = [
    cell(method, pool=pool, benchmark=benchmark, acc=acc, stderr=0.01)
    for benchmark in BENCHMARKS
    for pool in ("p", "q")
    for method, acc in (("less", 0.6), ("random", 0.5))
]
UNTUNED = [cell("base", benchmark=benchmark) for benchmark in BENCHMARKS]


def described(**plan):
    return spec(BENCHMARKS, kind="benchmarks", methods=("less", "random"), **plan)


def drawn(cells, **other):
    rows = collect(cells, BENCHMARKS, PUBLISHED, kind="benchmarks", relative_to="less")
    return panels._figure([row for row in rows if row.target], described(**other)).axes


def test_figure__every_pool_and_benchmark_has_a_panel():
    axes = drawn(CELLS)
    assert [each.get_title() for each in axes] == ["p\nlogic", "p\nmaths", "q\nlogic", "q\nmaths"]
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["Tiny, LESS, 0.1", "Tiny, Random, 0.1"]


def test_figure__untuned_model_is_in_the_panels_of_every_pool():
    for axes in drawn([*CELLS, *UNTUNED]):
        assert len(axes.containers) == 3


def test_figure__published_number_is_a_hollow_mark():
    hollow = [line for line in drawn(CELLS)[1].lines if line.get_markerfacecolor() == "none"]
    assert [list(line.get_xdata()) for line in hollow] == [[61.25]]
    assert all(line.get_markerfacecolor() != "none" for line in drawn(CELLS)[0].lines)


def test_figure__models_are_lines_over_a_parameter():
    first, *_ = drawn(CELLS, parameter="share")
    curve = first.containers[0].lines[0]
    assert (list(curve.get_xdata()), list(curve.get_ydata())) == ([0.1, 0.5], [50, 60])
    assert first.get_xlabel() == "share"


@pytest.mark.parametrize("parameter", [None, "share"])
def test_figure__single_seeds_are_dots(parameter):
    panels_of_seeds = drawn(
        [*CELLS, cell("random", seed=1, acc=0.7), cell("random", seed=1, benchmark="maths")], parameter=parameter
    )
    dots = [line for line in panels_of_seeds[0].lines if line.get_marker() == "."]
    [scores] = [sorted(line.get_ydata() if parameter else line.get_xdata()) for line in dots]
    assert scores == pytest.approx([50, 70])
    [legend] = panels_of_seeds[0].figure.legends
    assert "Bar: standard error over evaluation rows; dots: single seeds" in [
        text.get_text() for text in legend.get_texts()
    ]


@pytest.mark.parametrize("parameter", [None, "share"])
def test_draw__same_rows_give_the_same_bytes(tmp_path, parameter):
    rows = collect(CELLS, BENCHMARKS, PUBLISHED, kind="benchmarks", relative_to="less")
    for name in ("a", "b"):
        paths = (tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
        panels.draw(rows, described(parameter=parameter), *paths)
    for suffix in ("svg", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
