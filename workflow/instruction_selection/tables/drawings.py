"""The report's own drawings, as SVG: one function per drawing."""

import io
import textwrap
from collections.abc import Sequence
from functools import partial
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from instruction_selection.experiment.benchmark import Metric
from instruction_selection.tables.figure import DARK, LIGHT, STYLE
from instruction_selection.tables.notes import BOTH, ROWS, mark
from instruction_selection.tables.statistics import Comparison
from instruction_selection.tables.table import arrow

#: Inches.
SIZE = (4.2, 2.4)
BINS = 20
#: By mark: filled, hollow, and grey without one.
POINTS: dict[str, dict[str, Any]] = {
    BOTH: {"fmt": "o", "color": DARK},
    ROWS: {"fmt": "o", "color": DARK, "markerfacecolor": "white"},
    "": {"fmt": "x", "color": "#767676"},
}


def histogram(chosen: Sequence[int], pool: Sequence[int]) -> str:
    """Lengths of responses (characters) among the chosen rows and in the pool, as shares; the axis is logarithmic."""
    with _style():
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.subplots()
        edges = np.geomspace(1, max(2, *pool) + 1, BINS).tolist()
        bars = partial(axes.hist, label="Pool", color=LIGHT)
        outline = partial(axes.hist, label="Chosen", color=DARK, histtype="step", linewidth=1.8)
        for draw, lengths in ((bars, pool), (outline, chosen)):
            weights = np.full(len(lengths), 100 / len(lengths))
            draw(np.maximum(lengths, 1), edges, weights=weights)
        axes.legend(frameon=False)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set(xlabel="Characters of the response", ylabel="Rows (%)")
        return _svg(figure)


def heat(lines: Sequence[str], columns: Sequence[str], shares: dict[tuple[str, str], float]) -> str:
    """Shares (0 to 1) of each line and column as percentages; those that are not given stay empty."""
    with _style():
        # Inches, with room for the longest name.
        left, below = (0.3 + 0.075 * max(map(len, names)) for names in (lines, columns))
        figure = Figure(figsize=(left + 0.42 * len(columns), 0.8 * below + 0.42 * len(lines)), layout="constrained")
        axes = figure.subplots()
        values = np.array([[shares.get((line, column), np.nan) for column in columns] for line in lines], dtype=float)
        axes.imshow(100 * values, cmap="cividis_r", vmin=0, vmax=100)
        for line, column in np.argwhere(np.isfinite(values)):
            value = values[line, column]
            # The map is dark where the share is large.
            axes.text(column, line, f"{100 * value:.0f}", ha="center", va="center", color="wk"[int(value < 0.6)])
        axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(lines)), lines)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        return _svg(figure)


def variance(shares: Sequence[float], kept: int) -> str:
    """Cumulative explained variance, with the cut after the first `kept` components."""
    with _style():
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.subplots()
        numbers = np.arange(1, len(shares) + 1)
        axes.plot(numbers, 100 * np.cumsum(shares), color=DARK, marker="o", markersize=3)
        axes.axvline(kept + 0.5, color="black", linestyle="--", linewidth=1)
        axes.annotate(f" kept: {kept}", (kept + 0.5, 4))
        axes.set(xlabel="Principal components", ylabel="Explained variance (%)", ylim=(0, 105))
        return _svg(figure)


def walk(similarities: Sequence[float]) -> str:
    """Cosine of each row that a walk took with the one before it."""
    with _style():
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.subplots()
        axes.plot(np.arange(1, len(similarities) + 1), similarities, color=DARK, marker="o", markersize=3)
        axes.set(xlabel="Step", ylabel="Cosine with the row before", ylim=(min(0, *similarities, 0) - 0.05, 1.05))
        return _svg(figure)


def differences(labels: Sequence[str], shown: Sequence[Comparison], metric: Metric) -> str:
    """Mean differences from the baseline with their intervals; what a mark shows is the form of its point."""
    with _style():
        figure = Figure(figsize=(SIZE[0], 0.9 + 0.24 * len(labels)), layout="constrained")
        axes = figure.subplots()
        for place, comparison in enumerate(shown):
            mean, low, high = comparison.difference, comparison.low, comparison.high
            axes.errorbar(
                [mean],
                [place],
                xerr=[[max(0, mean - low)], [max(0, high - mean)]],
                capsize=2,
                markersize=5,
                **POINTS[mark(comparison)],
            )
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
        better = "better →" if metric.higher_is_better else "← better"
        axes.set_xlabel("\n".join([*textwrap.wrap(f"Difference in {metric.label}", 40), better]))
        return _svg(figure)


def distribution(labels: Sequence[str], values: Sequence[Sequence[float]], metric: Metric) -> str:
    """Scores of single evaluation rows: median, quartiles, and the range of 90 % of the rows."""
    with _style():
        figure = Figure(figsize=(SIZE[0], 0.9 + 0.24 * len(labels)), layout="constrained")
        axes = figure.subplots()
        axes.boxplot(
            values,
            positions=range(len(labels)),
            orientation="horizontal",
            whis=(5, 95),
            showfliers=False,
            patch_artist=True,
            boxprops={"facecolor": LIGHT, "edgecolor": DARK},
            medianprops={"color": "black"},
        )
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_xlabel("\n".join(textwrap.wrap(f"{metric.label}\u00a0{arrow(metric)}", 40)))
        return _svg(figure)


def losses(labels: Sequence[str], runs: Sequence[Sequence[float]]) -> str:
    """The mean training loss of every run of each line."""
    with _style():
        figure = Figure(figsize=(SIZE[0], 0.9 + 0.24 * len(labels)), layout="constrained")
        axes = figure.subplots()
        for place, values in enumerate(runs):
            axes.plot(values, [place] * len(values), "o", color=DARK, markersize=4, alpha=0.7)
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
        axes.set_xlabel("Mean loss of a fine-tuning")
        return _svg(figure)


def loss_curve(steps: Sequence[int], loss: Sequence[float]) -> str:
    """The loss of every logged optimizer step."""
    with _style():
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.subplots()
        axes.plot(steps, loss, color=DARK, linewidth=1.2)
        axes.set(xlabel="Optimizer step", ylabel="Training loss")
        return _svg(figure)


def _style():
    return matplotlib.style.context(["default", STYLE])


def _svg(figure: Figure) -> str:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
