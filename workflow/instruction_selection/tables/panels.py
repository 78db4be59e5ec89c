"""The figure of a table of several benchmarks: a panel for each pool and benchmark, on the first metric.

Filled marks are measured, with their uncertainty over evaluation rows; hollow ones are published.
"""

import math
from pathlib import Path

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from instruction_selection.experiment.published import AVERAGE
from instruction_selection.tables.figure import STYLE, bar_meaning, save, seed_dots
from instruction_selection.tables.rows import Row
from instruction_selection.tables.spec import TableSpec
from instruction_selection.tables.table import arrow

#: Okabe and Ito's colours, which colour-blind people can tell apart; the marks differ too.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
MARKS = ("o", "s", "^", "D", "v", "P", "X")

#: (model, method, ratio) as shown.
Line = tuple[str, str, str]
#: (colour, mark) by the name of a series.
Styles = dict[str, tuple[str, str]]


def draw(rows: list[Row], spec: TableSpec, path_svg: str | Path, path_png: str | Path) -> None:
    """Draw `rows` (of `results.collect`) and write the figure in two formats; the same rows give the same bytes.

    With the plan's `parameter` on the horizontal axis, models are lines; otherwise each model, method and ratio has a
    line of its own on the vertical axis.
    """
    with matplotlib.style.context(["default", STYLE]):
        figure = _figure([row for row in rows if row.benchmark != AVERAGE], spec)
        save(figure, path_svg, path_png)


def _figure(rows: list[Row], spec: TableSpec) -> Figure:
    plan = spec.plan
    pools = list(dict.fromkeys(row.pool for row in rows if row.pool is not None)) or [None]
    columns = list(dict.fromkeys((row.target, row.benchmark) for row in rows))
    series = list(dict.fromkeys(row.model if plan.parameter else row.method for row in rows))
    styles = {name: (COLOURS[i % len(COLOURS)], MARKS[i % len(MARKS)]) for i, name in enumerate(series)}
    lines = list(dict.fromkeys((row.model, row.method, row.ratio) for row in rows))
    height = 2.2 if plan.parameter else 0.6 + 0.17 * len(lines)
    # Inches; the labels of the lines stand to the left of the panels.
    figure = Figure(figsize=(2.6 * len(columns) + 2.4, height * len(pools) + 1.2), layout="constrained")
    figure.suptitle(plan.label, fontsize=11, fontweight="bold")
    grid = figure.subplots(len(pools), len(columns), squeeze=False, sharey=False if plan.parameter else "row")
    for pool, line_of_axes in zip(pools, grid, strict=True):
        for (target, benchmark), axes in zip(columns, line_of_axes, strict=True):
            # The untuned model is of no pool, and shown with each.
            members = [
                row for row in rows if (row.target, row.benchmark) == (target, benchmark) and row.pool in (pool, None)
            ]
            metric = spec.first_metric(benchmark)
            score = f"{metric.label}\u00a0{arrow(metric)}"
            if plan.parameter:
                _curves(axes, members, metric.name, _parameters(spec, plan.parameter), styles)
                axes.set_xlabel(plan.parameter)
                axes.set_ylabel(score)
            else:
                _dots(axes, members, metric.name, lines, styles)
                axes.set_xlabel(score)
            axes.set_title("\n".join(filter(None, (pool, spec.benchmarks[benchmark].label))), fontsize=9)
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(color="#DDDDDD", linewidth=0.6)
            axes.set_axisbelow(True)
    handles = [
        Line2D([], [], color=colour, marker=mark, linestyle="", label=name) for name, (colour, mark) in styles.items()
    ]
    meaning = bar_meaning([row.metrics[spec.first_metric(row.benchmark).name] for row in rows])
    handles.append(Line2D([], [], color="black", marker="|", label=meaning))
    if any(row.published is not None for row in rows):
        handles.append(
            Line2D([], [], color="black", marker="o", markerfacecolor="none", linestyle="", label="published")
        )
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return figure


def _parameters(spec: TableSpec, name: str) -> dict[str, float]:
    """The parameter's value by the label of each method of the plan."""
    methods = [spec.methods[method] for method in spec.plan.methods]
    return {method.label: method.params[name] for method in methods}


def _dots(axes: Axes, rows: list[Row], metric: str, lines: list[Line], styles: Styles) -> None:
    for row in rows:
        score = row.metrics[metric]
        place = lines.index((row.model, row.method, row.ratio))
        colour, mark = styles[row.method]
        axes.errorbar(
            [score.value],
            [place],
            xerr=[[length] for length in score.error_bar],
            fmt=mark,
            color=colour,
            markersize=4,
            capsize=2,
        )
        seed_dots(axes, score, place)
        if row.published is not None:
            axes.plot([row.published], [place], mark, color=colour, markersize=6, markerfacecolor="none")
    axes.set_yticks(range(len(lines)), [", ".join(line) for line in lines])
    axes.set_ylim(len(lines) - 0.5, -0.5)


def _curves(axes: Axes, rows: list[Row], metric: str, parameters: dict[str, float], styles: Styles) -> None:
    for model in dict.fromkeys(row.model for row in rows):
        mine = sorted((row for row in rows if row.model == model), key=lambda row: parameters[row.method])
        places, scores = [parameters[row.method] for row in mine], [row.metrics[metric] for row in mine]
        colour, mark = styles[model]
        axes.errorbar(
            places,
            [score.value for score in scores],
            yerr=list(zip(*(score.error_bar for score in scores), strict=True)),
            marker=mark,
            color=colour,
            markersize=4,
            capsize=2,
            linewidth=1,
        )
        for place, score in zip(places, scores, strict=True):
            if len(score.by_seed) > 1:
                axes.plot([place] * len(score.by_seed), score.by_seed, ".", color="black", markersize=3)
        axes.plot(
            places,
            [math.nan if row.published is None else row.published for row in mine],
            mark,
            color=colour,
            markersize=7,
            markerfacecolor="none",
        )
