"""A table's rows (`results.collect`) as Markdown and LaTeX, for people. The CSV has every number in full."""

import math
from collections.abc import Iterable

from instruction_selection.experiment.benchmark import Metric
from instruction_selection.tables.markup import NOTHING, Cell, Column, escaped, markdown, tex
from instruction_selection.tables.notes import baselines, mark, notes
from instruction_selection.tables.rows import Measurement, Row
from instruction_selection.tables.spec import TableSpec
from instruction_selection.tables.statistics import Comparison
from instruction_selection.tables.table import arrow, number


def to_markdown(rows: list[Row], spec: TableSpec) -> str:
    """A pipe table under the table's label and caption, and below it what its marks mean."""
    table = markdown(_columns(rows, spec))
    below = "\n\n".join(map(escaped, notes(rows, spec)))
    return f"## {escaped(spec.plan.label)}\n\n{escaped(spec.plan.caption)}\n\n{table}\n\n{below}\n"


def to_tex(rows: list[Row], spec: TableSpec) -> str:
    caption = f"{spec.plan.label}. {spec.plan.caption}"
    return tex(_columns(rows, spec), caption, " ".join(notes(rows, spec)))


def _columns(rows: list[Row], spec: TableSpec) -> list[Column]:
    return _target(rows, spec) if spec.plan.kind == "target" else _benchmarks(rows, spec)


def _target(rows: list[Row], spec: TableSpec) -> list[Column]:
    """Every metric, and what was chosen."""
    columns = [
        Column("Model", [Cell(row.model) for row in rows], right=False),
        Column("Pool", [Cell(row.pool or NOTHING) for row in rows], right=False),
        Column("Method", [Cell(row.method) for row in rows], right=False),
        Column("Ratio", [Cell(row.ratio) for row in rows]),
    ]
    first, *_ = metrics = spec.shown_metrics(rows[0].benchmark)
    for metric in metrics:
        decimals = _decimals(rows, metric)
        columns.append(Column(f"{metric.label}\u00a0{arrow(metric)}", _scores(rows, metric, decimals, spec.repeated)))
        columns += _compared(rows, metric, decimals)
        columns += _published(rows, metric, decimals) if metric is first else []
    chosen = [row.chosen for row in rows]
    return [
        *columns,
        Column("Rows chosen", [Cell(number(each and each.rows)) for each in chosen]),
        Column("In family", [Cell(number(each and each.family_rows)) for each in chosen]),
        Column("Share in family", [_per_cent(each and each.family_share) for each in chosen]),
        Column("Family in pool", [Cell(number(each and each.family_rows_in_pool)) for each in chosen]),
    ]


def _benchmarks(rows: list[Row], spec: TableSpec) -> list[Column]:
    """The first metric of each benchmark, side by side."""
    named = [(row.model, row.pool, row.method, row.ratio) for row in rows]
    lines = {name: place for place, name in enumerate(dict.fromkeys(named))}
    columns = [
        Column(heading, [Cell(name[place] or NOTHING) for name in lines], right=place == 3)
        for place, heading in enumerate(("Model", "Pool", "Method", "Ratio"))
    ]
    shown = list(dict.fromkeys((row.target, row.benchmark) for row in rows))
    for target, benchmark in shown:
        members = [(row, lines[name]) for row, name in zip(rows, named, strict=True)]
        members = [(row, line) for row, line in members if (row.target, row.benchmark) == (target, benchmark)]
        mine, places = [row for row, _ in members], [line for _, line in members]
        metric = spec.first_metric(benchmark)
        decimals = _decimals(mine, metric)
        label = spec.benchmark(benchmark).label
        if sum(other == benchmark for _, other in shown) > 1:
            label += f" (for {target})"
        score = Column(f"{label}\u00a0{arrow(metric)}", _best_per_pool(mine, metric, decimals, spec.repeated))
        beside = [*_compared(mine, metric, decimals), *_published(mine, metric, decimals)]
        for column in [score, *beside]:
            cells = dict(zip(places, column.cells, strict=True))
            columns.append(Column(column.heading, [cells.get(line, Cell(NOTHING)) for line in range(len(lines))]))
    return columns


def _best_per_pool(rows: list[Row], metric: Metric, decimals: int, repeated: str) -> list[Cell]:
    """As `_scores`, with the best of each model and pool in bold.

    The untuned model is of no pool: it competes in all, and is in bold only if it is the best of every one.
    """
    cells: dict[int, Cell] = {}
    for model, pool in dict.fromkeys((row.model, row.pool) for row in rows):
        places = [n for n, row in enumerate(rows) if row.model == model and row.pool in (pool, None)]
        scores = _scores([rows[place] for place in places], metric, decimals, repeated)
        for place, cell in zip(places, scores, strict=True):
            if place not in cells or not cell.strong:
                cells[place] = cell
    return [cells[place] for place in range(len(rows))]


def _scores(rows: list[Row], metric: Metric, decimals: int, repeated: str) -> list[Cell]:
    """A metric's cells; of these rows the best is in bold."""
    shown = [f"{row.metrics[metric.name].value:.{decimals}f}" for row in rows]
    # A diverged model scores NaN, which max() would let win or lose by its place.
    valid = [float(text) for text in shown if text != "nan"]
    best = (max if metric.higher_is_better else min)(valid, default=None)
    cells = []
    for row, text in zip(rows, shown, strict=True):
        after = _uncertainty(row.metrics[metric.name], decimals, repeated)
        # Compared as shown: values that look the same are all bold, or none.
        cells.append(Cell(after, strong=text) if float(text) == best else Cell(text + after))
    return cells


def _uncertainty(score: Measurement, decimals: int, repeated: str) -> str:
    """Over evaluation rows, and over what is repeated."""
    text = ""
    if score.wilson is not None:
        low, high = score.wilson
        text = f" ({low:.{decimals}f} to {high:.{decimals}f})"
    elif score.stderr is not None:
        text = f" ± {score.stderr:.{decimals}f}"
    return text + ("" if score.sd is None else f", SD {score.sd:.{decimals}f} ({len(score.by_seed)} {repeated})")


def _compared(rows: list[Row], metric: Metric, decimals: int) -> list[Column]:
    """The difference from the baseline, and the test over seeds where it could be made."""
    if not baselines(rows):
        return []
    compared = [row.metrics[metric.name].comparison for row in rows]
    columns = [Column(f"Against {', '.join(baselines(rows))}", [_difference(each, decimals) for each in compared])]
    values = [each and each.welch_p for each in compared]
    if any(value is not None for value in values):
        columns.append(Column("Welch's p", [Cell(NOTHING if value is None else f"{value:.2g}") for value in values]))
    return columns


def _difference(comparison: Comparison | None, decimals: int) -> Cell:
    if comparison is None:
        return Cell(NOTHING)
    values = comparison.difference, comparison.low, comparison.high
    difference, low, high = (f"{value:+.{decimals}f}" for value in values)
    return Cell(f"{difference} ({low} to {high}){mark(comparison)}")


def _published(rows: list[Row], metric: Metric, decimals: int) -> list[Column]:
    """What was published, and how far what was measured is above it; nothing where nothing was."""
    if all(row.published is None for row in rows):
        return []
    values = [row.published for row in rows]
    differences = [None if row.published is None else row.metrics[metric.name].value - row.published for row in rows]
    return [
        Column("Published", [Cell(NOTHING if value is None else f"{value:.2f}") for value in values]),
        Column("Difference", [Cell(NOTHING if value is None else f"{value:+.{decimals}f}") for value in differences]),
    ]


def _decimals(rows: list[Row], metric: Metric) -> int:
    """As many as show the largest uncertainty over rows with two significant digits, and that over seeds with one."""
    scores = [row.metrics[metric.name] for row in rows]
    over_rows = _largest(length for score in scores for length in score.error_bar)
    over_seeds = _largest(score.sd for score in scores if score.sd is not None)
    wanted = [
        digits - 1 - math.floor(math.log10(value)) for digits, value in ((2, over_rows), (1, over_seeds)) if value
    ]
    return min(6, max(0, *wanted)) if wanted else 3


def _largest(values: Iterable[float]) -> float:
    return max((value for value in values if math.isfinite(value)), default=0)


def _per_cent(share: float | None) -> Cell:
    return Cell(NOTHING if share is None else f"{share:.1%}")
