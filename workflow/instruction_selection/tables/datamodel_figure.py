"""The figure of linear datamodeling scores: a panel for each target, and in it a line for each method and control."""

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from instruction_selection.experiment.experiment import Experiment
from instruction_selection.tables.datamodel_text import CONTROLS, heading, label
from instruction_selection.tables.datamodels import Line, Panel
from instruction_selection.tables.figure import DARK, LIGHT, STYLE, save

#: Panels side by side.
COLUMNS = 3


def draw(panels: Sequence[Panel], experiment: Experiment, path_svg: str | Path, path_png: str | Path) -> None:
    """Write the figure in two formats; the same panels give the same bytes."""
    with matplotlib.style.context(["default", STYLE]):
        figure = _figure(panels, experiment)
        save(figure, path_svg, path_png)


def _figure(panels: Sequence[Panel], experiment: Experiment) -> Figure:
    columns = min(COLUMNS, len(panels))
    lines = math.ceil(len(panels) / columns)
    longest = max(len(_lines(panel)) for panel in panels)
    # Inches; every panel has its own order of methods, and so its own labels.
    figure = Figure(figsize=(4.2 * columns, (1.3 + 0.3 * longest) * lines), layout="constrained")
    grid = figure.subplots(lines, columns, sharex=True, squeeze=False).flat
    for axes, panel in zip(grid, panels, strict=False):
        axes.set_title(heading(panel, panels, experiment), fontsize=10, fontweight="bold")
        _draw(axes, panel, experiment)
    for axes in [*grid][len(panels) :]:
        axes.set_visible(False)
    return figure


def _lines(panel: Panel) -> list[Line]:
    """From the top."""
    return [*panel.lines, *panel.controls]


def _draw(axes: Axes, panel: Panel, experiment: Experiment) -> None:
    lines = _lines(panel)
    for place, line in enumerate(lines):
        if (found := line.correlation) is not None:
            # Of skewed resamples, an interval may be on one side of its estimate.
            lengths = [[max(0, found.value - found.low)], [max(0, found.high - found.value)]]
            color = LIGHT if line.name in CONTROLS else DARK
            axes.errorbar([found.value], [place], xerr=lengths, fmt="o", color=color, markersize=5, capsize=3)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(lines)), [label(line, experiment) for line in lines])
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_xlabel(f"Linear datamodeling score\n(95 % interval, {panel.subsets} subsets)")
    # `sharex` hides the numbers of all but the lowest panels, below which there may be none.
    axes.tick_params(axis="x", labelbottom=True)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
