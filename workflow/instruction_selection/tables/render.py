"""A table's rows (`results.collect`) as Markdown and LaTeX, for people. The CSV has every number in full."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from instruction_selection.experiment.benchmark import Metric
from instruction_selection.tables.markup import NOTHING, Cell, Column, escaped, markdown, tex, tex_escaped
from instruction_selection.tables.notes import baselines, mark, notes
from instruction_selection.tables.rows import Measurement, Row, has_family
from instruction_selection.tables.spec import TableSpec
from instruction_selection.tables.statistics import Comparison
from instruction_selection.tables.table import arrow, number

#: Characters of a line that a window of 1200 pixels shows, and that a page's text (345 pt) holds in small print.
WIDTH, TEX_WIDTH = 130, 112
#: Lines of small print on a page.
TEX_LINES = 45


@dataclass
class Part:
    """Columns that are shown beside the names of the rows: a table that fits a page."""

    key: str
    heading: str
    columns: list[Column]


@dataclass
class Parts:
    """A table in parts, all with a line for each of `names`."""

    names: list[Column]
    parts: list[Part]
    #: The models and pools that all lines share, as a sentence; otherwise they are among the names.
    shared: str


def to_markdown(rows: list[Row], spec: TableSpec) -> str:
    """A pipe table for each part under the table's label and caption, and below them what their marks mean."""
    table = _parts(rows, spec)
    written = [
        f"### {escaped(part.heading)}\n\n{markdown([*table.names, *columns])}"
        for part in table.parts
        for columns in _fitting(table.names, part.columns)
    ]
    above = " ".join(filter(None, (spec.plan.caption, table.shared)))
    below = map(escaped, notes(rows, spec))
    return "\n\n".join([f"## {escaped(spec.plan.label)}", escaped(above), *written, *below]) + "\n"


def to_tex(rows: list[Row], spec: TableSpec, name: str) -> str:
    """A floating table for each part, labelled ``tab:name-part``; the notes are below the first.

    Parts of more lines than a page has are divided by their first name, the model's.
    """
    table = _parts(rows, spec)
    floats: list[str] = []
    for part in table.parts:
        pieces = [
            (columns, lines)
            for columns in _fitting(table.names, part.columns, TEX_WIDTH)
            for lines in _pages(table.names[0])
        ]
        for count, (columns, lines) in enumerate(pieces, 1):
            label = _label(name, part.key) + (f"-{count}" if count > 1 else "")
            caption = f"{spec.plan.label}: {part.heading}. {spec.plan.caption} {table.shared}".strip()
            note = tex_escaped(" ".join(notes(rows, spec)))
            if floats:
                note = rf"Notes: below Table~\ref{{{_label(name, table.parts[0].key)}}}."
            shown = [replace(column, cells=column.cells[lines]) for column in (*table.names, *columns)]
            floats.append(tex(shown, caption, label, note))
    return "\n".join(floats)


def _label(name: str, part: str) -> str:
    return "tab:" + re.sub(r"[^A-Za-z0-9]+", "-", f"{name}-{part}")


def _fitting(names: list[Column], columns: list[Column], width: int = WIDTH) -> Iterator[list[Column]]:
    """The columns in groups that, with the names, are no wider than so many characters, or are a single one."""
    group: list[Column] = []
    for column in columns:
        if group and sum(map(_width, (*names, *group, column))) > width:
            yield group
            group = []
        group.append(column)
    yield group


def _width(column: Column) -> int:
    """Characters, with the space between columns."""
    longest = max(len(cell.strong + cell.text) + 4 * bool(cell.strong) for cell in column.cells)
    return 3 + max(longest, len(column.heading))


def _pages(first: Column) -> list[slice]:
    """Lines per float: all, or those of each model or pool, if it is what the first column names."""
    lines = len(first.cells)
    if lines <= TEX_LINES or first.heading not in ("Model", "Pool"):
        return [slice(0, lines)]
    starts = [place for place in range(lines) if place == 0 or first.cells[place] != first.cells[place - 1]]
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], lines], strict=True)]


def _parts(rows: list[Row], spec: TableSpec) -> Parts:
    return _target(rows, spec) if spec.plan.kind == "target" else _benchmarks(rows, spec)


def _names(rows: Iterable[Row]) -> tuple[list[Column], str]:
    """Columns that name the rows, and the sentence about what is the same in all of them."""
    rows = list(rows)
    columns, same = [], []
    for heading, values in (("Model", [row.model for row in rows]), ("Pool", [row.pool for row in rows])):
        given = list(dict.fromkeys(value for value in values if value is not None))
        if len(given) == 1:
            same.append(f"{heading}: {given[0]}.")
        else:
            columns.append(Column(heading, [Cell(value or NOTHING) for value in values], right=False))
    columns.append(Column("Method", [Cell(row.method) for row in rows], right=False))
    columns.append(Column("Ratio", [Cell(row.ratio) for row in rows]))
    return columns, " ".join(same)


def _target(rows: list[Row], spec: TableSpec) -> Parts:
    """A part for every metric, and one of what was chosen."""
    first, *_ = metrics = spec.shown_metrics(rows[0].benchmark)
    parts = []
    for metric in metrics:
        decimals = decimals_of(rows, metric)
        columns = [Column("Score", _scores(rows, metric, decimals, spec.repeated)), *_compared(rows, metric, decimals)]
        columns += _published(rows, metric, decimals) if metric is first else []
        parts.append(Part(metric.name, f"{metric.label}\u00a0{arrow(metric)}", columns))
    chosen = [row.chosen for row in rows]
    if any(chosen):
        columns = [Column("Rows chosen", [Cell(number(each and each.rows)) for each in chosen])]
        if has_family(rows):
            columns += [
                Column("In family", [Cell(number(each and each.family_rows)) for each in chosen]),
                Column("Share in family", [_per_cent(each and each.family_share) for each in chosen]),
                Column("Family in pool", [Cell(number(each and each.family_rows_in_pool)) for each in chosen]),
            ]
        parts.append(Part("selection", "Selection", columns))
    names, shared = _names(rows)
    return Parts(names, parts, shared)


def _benchmarks(rows: list[Row], spec: TableSpec) -> Parts:
    """The first metric of each benchmark side by side, and then a part for what each is compared with."""
    named = [(row.model, row.pool, row.method, row.ratio) for row in rows]
    lines = {name: place for place, name in enumerate(dict.fromkeys(named))}
    first = {name: row for name, row in zip(reversed(named), reversed(rows), strict=True)}
    shown = list(dict.fromkeys((row.target, row.benchmark) for row in rows))
    scores, parts = [], []
    for target, benchmark in shown:
        members = [(row, lines[name]) for row, name in zip(rows, named, strict=True)]
        members = [(row, line) for row, line in members if (row.target, row.benchmark) == (target, benchmark)]
        mine, places = [row for row, _ in members], [line for _, line in members]
        metric = spec.first_metric(benchmark)
        decimals = decimals_of(mine, metric)
        label = spec.benchmark(benchmark).label
        if sum(other == benchmark for _, other in shown) > 1:
            label += f" (for {target})"

        def of_all(column: Column, places: list[int] = places) -> Column:
            cells = dict(zip(places, column.cells, strict=True))
            return Column(column.heading, [cells.get(line, Cell(NOTHING)) for line in range(len(lines))])

        scores.append(
            of_all(Column(f"{label}\u00a0{arrow(metric)}", _best_per_pool(mine, metric, decimals, spec.repeated)))
        )
        if beside := [*_compared(mine, metric, decimals), *_published(mine, metric, decimals)]:
            parts.append(Part(f"{target or ''} {benchmark}", label, list(map(of_all, beside))))
    names, shared = _names(first[name] for name in lines)
    return Parts(names, [Part("scores", "Scores", scores), *parts], shared)


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


def best(rows: list[Row], metric: Metric, decimals: int) -> list[Row]:
    """Those whose score, as shown, is the best; several if they look the same, none if all have diverged."""
    return [row for row, cell in zip(rows, _scores(rows, metric, decimals), strict=True) if cell.strong]


def _scores(rows: list[Row], metric: Metric, decimals: int, repeated: str = "seeds") -> list[Cell]:
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
    cells = [Cell(NOTHING if each is None else difference(each, decimals)) for each in compared]
    columns = [Column(f"Against {', '.join(baselines(rows))}", cells)]
    values = [each and each.welch_p for each in compared]
    if any(value is not None for value in values):
        columns.append(Column("Welch's p", [Cell(NOTHING if value is None else f"{value:.2g}") for value in values]))
    return columns


def difference(comparison: Comparison, decimals: int) -> str:
    """With its interval and its mark."""
    values = comparison.difference, comparison.low, comparison.high
    mean, low, high = (f"{value:+.{decimals}f}" for value in values)
    return f"{mean} ({low} to {high}){mark(comparison)}"


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


def decimals_of(rows: list[Row], metric: Metric) -> int:
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
