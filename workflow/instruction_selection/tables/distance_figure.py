"""The figure of what distance predicts: a row of panels for each target, a column for each representation."""

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from instruction_selection.tables.distance_correlations import Line
from instruction_selection.tables.distance_text import metric_label, shown, target_label
from instruction_selection.tables.distances import Panel, Point, panel_of
from instruction_selection.tables.figure import STYLE, save
from instruction_selection.tables.panels import COLOURS, MARKS, Styles
from instruction_selection.tables.spec import TableSpec

#: What the horizontal axis and the correlations in the corners are of.
MEASURE = "distance_of_means"


def draw(
    points: Sequence[Point], lines: Sequence[Line], spec: TableSpec, path_svg: str | Path, path_png: str | Path
) -> None:
    """Draw points of all draws and write the figure in two formats; the same points give the same bytes."""
    with matplotlib.style.context(["default", STYLE]):
        figure = _figure(points, lines, spec)
        save(figure, path_svg, path_png)


def _figure(points: Sequence[Point], lines: Sequence[Line], spec: TableSpec) -> Figure:
    panels = list(dict.fromkeys(map(panel_of, points)))
    representations = list(dict.fromkeys(point.representation for point in points))
    ratios = sorted({point.ratio for point in points}, key=float)
    styles = {ratio: (COLOURS[i % len(COLOURS)], MARKS[i % len(MARKS)]) for i, ratio in enumerate(ratios)}
    # Inches.
    size = (2.6 * len(representations) + 0.6, 2.4 * len(panels) + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(panels), len(representations), squeeze=False, sharey="row")
    for panel, row_of_axes in zip(panels, grid, strict=True):
        higher = spec.first_metric(panel.benchmark).higher_is_better
        for representation, axes in zip(representations, row_of_axes, strict=True):
            mine = [each for each in points if (panel_of(each), each.representation) == (panel, representation)]
            there = [each for each in lines if (each.panel, each.representation) == (panel, representation)]
            _scatter(axes, mine, styles)
            _note(axes, [each for each in there if each.measure == MEASURE], several=len(ratios) > 1, right=higher)
            axes.set_title(representation.capitalize(), fontsize=9)
            axes.set_xlabel("Distance of means")
        # Room above the points, for the correlations.
        low, high = row_of_axes[0].get_ylim()
        row_of_axes[0].set_ylim(low, high + 0.1 * len(ratios) * (high - low))
        row_of_axes[0].set_ylabel(_vertical([each for each in points if panel_of(each) == panel], panel, panels, spec))
    handles = [
        Line2D([], [], color=colour, marker=mark, markerfacecolor="none", linestyle="", label=f"ratio {ratio}")
        for ratio, (colour, mark) in styles.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return figure


def _scatter(axes: Axes, points: Sequence[Point], styles: Styles) -> None:
    relative = _relative(points)
    if relative:
        axes.axhline(0, color="black", linewidth=0.8)
    for ratio, (colour, mark) in styles.items():
        mine = [each for each in points if each.ratio == ratio and math.isfinite(each.value)]
        axes.plot(
            [each.distance_of_means for each in mine],
            np.array([each.difference if relative else each.value for each in mine], float),
            mark,
            color=colour,
            # Points lie on each other, and must still be told apart.
            markerfacecolor="none",
            markersize=4,
            markeredgewidth=0.9,
        )
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.locator_params(axis="x", nbins=5)


def _relative(points: Sequence[Point]) -> bool:
    """Whether all have a difference from the baseline; otherwise a panel shows the metric itself."""
    return all(each.difference is not None for each in points)


def _note(axes: Axes, lines: Sequence[Line], *, several: bool, right: bool) -> None:
    """The correlations, ratio by ratio, in the upper corner that is empty if closer is better."""
    ordered = sorted(lines, key=lambda line: float(line.ratio))
    text = "\n".join((f"{line.ratio}: " if several else "") + f"ρ = {shown(line.correlation)}" for line in ordered)
    axes.annotate(
        text,
        (int(right), 1),
        xycoords="axes fraction",
        xytext=(-2 if right else 2, -1),
        textcoords="offset points",
        ha="right" if right else "left",
        va="top",
        fontsize=7,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
    )


def _vertical(points: Sequence[Point], panel: Panel, panels: Sequence[Panel], spec: TableSpec) -> str:
    """What the vertical axis of a row of panels shows, below what differs between rows."""
    names = [spec.models[panel.model].label] if len({each.model for each in panels}) > 1 else []
    names += [panel.pool] if len({each.pool for each in panels}) > 1 else []
    above = ", ".join([*names, target_label(panel, spec)])
    metric = metric_label(spec.first_metric(panel.benchmark))
    if _relative(points) and spec.plan.baseline is not None:
        metric += f", minus {spec.methods[spec.plan.baseline].label}"
    return "\n".join([*textwrap.wrap(above, 30), *textwrap.wrap(metric, 30)])
