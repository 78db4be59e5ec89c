"""A table's rows (`results.collect`) as Markdown and LaTeX, for people. The CSV has every number in full."""

import math
from collections.abc import Iterable

from instruction_selection.tables.markup import NOTHING, Cell, Column, escaped, markdown, tex
from instruction_selection.tables.notes import baselines, mark, notes
from instruction_selection.tables.results import AVERAGE_BENCHMARK, metrics_of
from instruction_selection.tables.table import arrow, error_bar, number


def to_markdown(rows: list[dict], plan: dict, benchmarks: dict, methods: dict) -> str:
    """A pipe table under the table's label and caption, and below it what its marks mean."""
    table = markdown(_columns(rows, plan, benchmarks))
    below = "\n\n".join(map(escaped, notes(rows, plan, benchmarks, methods)))
    return f"## {escaped(plan['label'])}\n\n{escaped(plan['caption'])}\n\n{table}\n\n{below}\n"


def to_tex(rows: list[dict], plan: dict, benchmarks: dict, methods: dict) -> str:
    caption = f"{plan['label']}. {plan['caption']}"
    return tex(_columns(rows, plan, benchmarks), caption, " ".join(notes(rows, plan, benchmarks, methods)))


def _columns(rows: list[dict], plan: dict, benchmarks: dict) -> list[Column]:
    return _target(rows, benchmarks) if plan["kind"] == "target" else _benchmarks(rows, benchmarks)


def _target(rows: list[dict], benchmarks: dict) -> list[Column]:
    """Every metric, and what was chosen."""
    columns = [
        Column("Model", [Cell(row["model"]) for row in rows], right=False),
        Column("Pool", [Cell(row["pool"] or NOTHING) for row in rows], right=False),
        Column("Method", [Cell(row["method"]) for row in rows], right=False),
        Column("Ratio", [Cell(row["ratio"]) for row in rows]),
    ]
    for metric in metrics_of(rows[0], benchmarks):
        name = metric["name"]
        decimals = _decimals(rows, name)
        columns.append(Column(f"{metric['label']}\u00a0{arrow(metric)}", _scores(rows, metric, decimals)))
        columns += _compared(rows, name, decimals)
        columns += _published(rows, name, decimals) if metric is metrics_of(rows[0], benchmarks)[0] else []
    return [
        *columns,
        Column("Rows chosen", [Cell(number(row["rows_chosen"])) for row in rows]),
        Column("In family", [Cell(number(row["family_rows_chosen"])) for row in rows]),
        Column("Share in family", [_per_cent(row["family_share"]) for row in rows]),
        Column("Family in pool", [Cell(number(row["family_rows_in_pool"])) for row in rows]),
    ]


def _benchmarks(rows: list[dict], benchmarks: dict) -> list[Column]:
    """The first metric of each benchmark, side by side."""
    named = [(row["model"], row["pool"], row["method"], row["ratio"]) for row in rows]
    lines = {name: number for number, name in enumerate(dict.fromkeys(named))}
    columns = [
        Column(heading, [Cell(name[place] or NOTHING) for name in lines], right=place == 3)
        for place, heading in enumerate(("Model", "Pool", "Method", "Ratio"))
    ]
    shown = list(dict.fromkeys((row["target"], row["benchmark"]) for row in rows))
    for target, benchmark in shown:
        members = [(row, lines[name]) for row, name in zip(rows, named, strict=True)]
        members = [(row, line) for row, line in members if (row["target"], row["benchmark"]) == (target, benchmark)]
        mine, places = [row for row, _ in members], [line for _, line in members]
        metric = metrics_of(mine[0], benchmarks)[0]
        decimals = _decimals(mine, metric["name"])
        label = benchmarks.get(benchmark, AVERAGE_BENCHMARK)["label"]
        if sum(other == benchmark for _, other in shown) > 1:
            label += f" (for {target})"
        score = Column(f"{label}\u00a0{arrow(metric)}", _best_per_pool(mine, metric, decimals))
        beside = [*_compared(mine, metric["name"], decimals), *_published(mine, metric["name"], decimals)]
        for column in [score, *beside]:
            cells = dict(zip(places, column.cells, strict=True))
            columns.append(Column(column.heading, [cells.get(line, Cell(NOTHING)) for line in range(len(lines))]))
    return columns


def _best_per_pool(rows: list[dict], metric: dict, decimals: int) -> list[Cell]:
    """As `_scores`, with the best of each model and pool in bold.

    The untuned model is of no pool: it competes in all, and is in bold only if it is the best of every one.
    """
    cells = {}
    for model, pool in dict.fromkeys((row["model"], row["pool"]) for row in rows):
        places = [n for n, row in enumerate(rows) if row["model"] == model and row["pool"] in (pool, None)]
        for place, cell in zip(places, _scores([rows[place] for place in places], metric, decimals), strict=True):
            if place not in cells or not cell.strong:
                cells[place] = cell
    return [cells[place] for place in range(len(rows))]


def _scores(rows: list[dict], metric: dict, decimals: int) -> list[Cell]:
    """A metric's cells; of these rows the best is in bold."""
    name = metric["name"]
    shown = [f"{row[name]:.{decimals}f}" for row in rows]
    # A diverged model scores NaN, which max() would let win or lose by its place.
    valid = [float(text) for text in shown if text != "nan"]
    best = (max if metric["higher_is_better"] else min)(valid, default=None)
    cells = []
    for row, text in zip(rows, shown, strict=True):
        after = _uncertainty(row, name, decimals)
        # Compared as shown: values that look the same are all bold, or none.
        cells.append(Cell(after, strong=text) if float(text) == best else Cell(text + after))
    return cells


def _uncertainty(row: dict, metric: str, decimals: int) -> str:
    """Over evaluation rows, and over seeds where there are several."""
    text = ""
    if row[f"{metric}_wilson_low"] is not None:
        text = f" ({row[f'{metric}_wilson_low']:.{decimals}f} to {row[f'{metric}_wilson_high']:.{decimals}f})"
    elif row[f"{metric}_stderr"] is not None:
        text = f" ± {row[f'{metric}_stderr']:.{decimals}f}"
    return text + (f", SD {row[f'{metric}_sd']:.{decimals}f} ({row['seeds']} seeds)" if row["seeds"] > 1 else "")


def _compared(rows: list[dict], metric: str, decimals: int) -> list[Column]:
    """The difference from the baseline, and the test over seeds where it could be made."""
    if not baselines(rows):
        return []
    columns = [Column(f"Against {', '.join(baselines(rows))}", [_difference(row, metric, decimals) for row in rows])]
    values = [row[f"{metric}_welch_p"] for row in rows]
    if any(value is not None for value in values):
        columns.append(Column("Welch's p", [Cell(NOTHING if value is None else f"{value:.2g}") for value in values]))
    return columns


def _difference(row: dict, metric: str, decimals: int) -> Cell:
    if row.get(f"{metric}_p_adjusted") is None:
        return Cell(NOTHING)
    difference, low, high = (f"{row[f'{metric}_{part}']:+.{decimals}f}" for part in ("difference", "low", "high"))
    return Cell(f"{difference} ({low} to {high}){mark(row, metric)}")


def _published(rows: list[dict], metric: str, decimals: int) -> list[Column]:
    """What was published, and how far what was measured is above it; nothing where nothing was."""
    if all(row["published"] is None for row in rows):
        return []
    values = [row["published"] for row in rows]
    differences = [None if value is None else row[metric] - value for value, row in zip(values, rows, strict=True)]
    return [
        Column("Published", [Cell(NOTHING if value is None else f"{value:.2f}") for value in values]),
        Column("Difference", [Cell(NOTHING if value is None else f"{value:+.{decimals}f}") for value in differences]),
    ]


def _decimals(rows: list[dict], metric: str) -> int:
    """As many as show the largest uncertainty over rows with two significant digits, and that over seeds with one."""
    over_rows = _largest(length for row in rows for length in error_bar(row, metric))
    over_seeds = _largest(row[f"{metric}_sd"] for row in rows if row["seeds"] > 1)
    wanted = [
        digits - 1 - math.floor(math.log10(value)) for digits, value in ((2, over_rows), (1, over_seeds)) if value
    ]
    return min(6, max(0, *wanted)) if wanted else 3


def _largest(values: Iterable[float]) -> float:
    return max((value for value in values if math.isfinite(value)), default=0)


def _per_cent(share: float | None) -> Cell:
    return Cell(NOTHING if share is None else f"{share:.1%}")
