"""The report's own drawings, as SVG: one function per drawing."""

import io
from collections.abc import Sequence
from functools import partial

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from instruction_selection.tables.figure import DARK, LIGHT, STYLE

#: Inches.
SIZE = (4.2, 2.4)
BINS = 20


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


def heat(names: list[str], shares: dict[tuple[str, str], float]) -> str:
    """Per cent of the rows of each method (line) that another (column) chose too; pairs not compared stay empty."""
    with _style():
        side = 1.6 + 0.5 * len(names)
        figure = Figure(figsize=(side + 0.8, side), layout="constrained")
        axes = figure.subplots()
        values = np.array([[shares.get((line, column), np.nan) for column in names] for line in names], dtype=float)
        axes.imshow(100 * values, cmap="cividis_r", vmin=0, vmax=100)
        for line, column in np.argwhere(np.isfinite(values)):
            value = values[line, column]
            # The map is dark where much is shared.
            axes.text(column, line, f"{100 * value:.0f}", ha="center", va="center", color="wk"[int(value < 0.6)])
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axes.set_yticks(range(len(names)), names)
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


def _style():
    return matplotlib.style.context(["default", STYLE])


def _svg(figure: Figure) -> str:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
