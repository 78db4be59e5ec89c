"""A target's figure: its first metric and, beside it, the share of its family among the chosen rows."""

import itertools
import textwrap
from pathlib import Path

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from instruction_selection.core.files import replacing
from instruction_selection.experiment.benchmark import Metric
from instruction_selection.tables import names
from instruction_selection.tables.rows import Measurement, Row, has_family
from instruction_selection.tables.spec import ShownBenchmark
from instruction_selection.tables.table import arrow, number

STYLE = {
    "font.size": 9,
    # Labels come from configuration files; a dollar sign there is not mathematics.
    "text.parse_math": False,
    # Otherwise the identifiers in an SVG are random.
    "svg.hashsalt": "instruction-selection",
}
#: Of Okabe and Ito's colours, which colour-blind people can tell apart; dark and light, so that grey does too.
DARK, LIGHT = "#0072B2", "#9ACDEB"


def draw(rows: list[Row], benchmark: ShownBenchmark, path_svg: str | Path, path_png: str | Path) -> None:
    """Draw `rows` (of one target) top to bottom and write the figure in two formats.

    Left is the first metric of `benchmark` with its uncertainty over evaluation rows, as in the table, and single
    seeds' scores as dots; right, unless no pool has any of the target's family, the share (per cent) of the chosen rows
    that are of it, against the same share of the pool. The same rows give the same bytes.
    """
    with matplotlib.style.context(["default", STYLE]):
        figure = _figure(rows, benchmark)
        save(figure, path_svg, path_png)


def save(figure: Figure, path_svg: str | Path, path_png: str | Path) -> None:
    """Write a figure in two formats; in the style `STYLE`, the same figure gives the same bytes."""
    with replacing(path_svg) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None})
    with replacing(path_png) as temporary:
        figure.savefig(temporary, format="png", dpi=200)


def _figure(rows: list[Row], benchmark: ShownBenchmark) -> Figure:
    labels = names.of_lines(rows)
    panels = 2 if has_family(rows) else 1
    # Inches: the panels keep their width however long the labels are.
    width = 0.5 + 3.1 * panels + 0.07 * max(len(label) for label in labels)
    figure = Figure(figsize=(width, 1.7 + 0.34 * len(rows)), layout="constrained")
    figure.suptitle(benchmark.label, fontsize=11, fontweight="bold")
    scores, *shares = figure.subplots(1, panels, sharey=True, squeeze=False)[0]
    _draw_scores(scores, rows, benchmark.metrics[0])
    for axes in shares:
        _draw_shares(axes, rows)

    scores.set_yticks(range(len(rows)), labels)
    scores.set_ylabel(", ".join(names.parts(rows)).capitalize())
    scores.set_ylim(len(rows) - 0.5, -0.5)
    for axes in (scores, *shares):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.set_axisbelow(True)
    return figure


def _draw_scores(axes: Axes, rows: list[Row], metric: Metric) -> None:
    scores = [row.metrics[metric.name] for row in rows]
    axes.errorbar(
        [score.value for score in scores],
        range(len(rows)),
        xerr=list(zip(*(score.error_bar for score in scores), strict=True)),
        fmt="o",
        color=DARK,
        markersize=5,
        capsize=3,
    )
    for place, score in enumerate(scores):
        seed_dots(axes, score, place)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    meaning = bar_meaning(scores)
    lines = textwrap.wrap(f"{metric.label}\u00a0{arrow(metric)}", 42) + textwrap.wrap(meaning, 42)
    axes.set_xlabel("\n".join(lines))


def seed_dots(axes: Axes, score: Measurement, place: float) -> None:
    """Scores of single seeds, a little below their mean at `place` on the vertical axis."""
    if len(score.by_seed) > 1:
        axes.plot(score.by_seed, [place + 0.22] * len(score.by_seed), ".", color="black", markersize=3)


def bar_meaning(scores: list[Measurement]) -> str:
    """What error bars and dots mean in a figure of these scores."""
    shares = {score.wilson is not None for score in scores}
    names = {True: "95 % interval (Wilson)", False: "standard error"}
    bars = " or ".join(name for share, name in names.items() if share in shares)
    dots = "; dots: single seeds" if any(len(score.by_seed) > 1 for score in scores) else ""
    return f"Bar: {bars} over evaluation rows{dots}"


def _draw_shares(axes: Axes, rows: list[Row]) -> None:
    ends = [100 * ((row.chosen and row.chosen.family_share) or 0) for row in rows]
    axes.barh(range(len(rows)), ends, height=0.6, color=LIGHT, edgecolor=DARK, linewidth=0.8)
    for place, (row, end) in enumerate(zip(rows, ends, strict=True)):
        chosen = row.chosen
        axes.annotate(
            f"{number(chosen.family_rows)} of {number(chosen.rows)}" if chosen and chosen.rows else "no rows chosen",
            (end, place),
            xytext=(5, 0),
            textcoords="offset points",
            verticalalignment="center",
            # Interrupts the dashed line where it would cross the text.
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    # A line spans the rows of its pool, and the untuned model has none.
    longest = max(ends)
    for share, group in itertools.groupby(range(len(rows)), key=lambda place: _pool_share(rows[place])):
        if share is not None:
            places = list(group)
            axes.plot([share, share], [places[0] - 0.5, places[-1] + 0.5], color="black", linestyle="--", linewidth=1)
            longest = max(longest, share)
    # Room for the text behind the longest bar.
    axes.set_xlim(0, 1.3 * longest or 1)
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= min(100, axes.get_xlim()[1])])
    axes.set_xlabel("Chosen rows in the target's family (%)\ndashed: the same share of the whole pool")


def _pool_share(row: Row) -> float | None:
    chosen = row.chosen
    return 100 * chosen.family_rows_in_pool / chosen.pool_rows if chosen and chosen.pool_rows else None
