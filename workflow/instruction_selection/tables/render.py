"""A table's rows (`results.collect`) as Markdown and LaTeX, for people. The CSV has every number in full."""

import math

from instruction_selection.tables import statistics
from instruction_selection.tables.markup import NOTHING, Cell, Column, escaped, markdown, tex
from instruction_selection.tables.results import AVERAGE_BENCHMARK, metrics_of
from instruction_selection.tables.table import arrow, number, spread

#: Marks a difference whose adjusted p is below `statistics.LEVEL`.
REAL = "*"


def to_markdown(rows: list[dict], plan: dict, benchmarks: dict) -> str:
    """A pipe table under the table's label and caption, and a line that says what its marks mean."""
    table = markdown(_columns(rows, plan, benchmarks))
    note = escaped(_note(rows, plan, benchmarks))
    return f"## {escaped(plan['label'])}\n\n{escaped(plan['caption'])}\n\n{table}\n\n{note}\n"


def to_tex(rows: list[dict], plan: dict, benchmarks: dict) -> str:
    caption = f"{plan['label']}. {plan['caption']}"
    return tex(_columns(rows, plan, benchmarks), caption, _note(rows, plan, benchmarks))


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
        if _baselines(rows):
            columns.append(Column(_against(rows), [_difference(row, name, decimals) for row in rows]))
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
        group = [Column(f"{label}\u00a0{arrow(metric)}", _best_per_pool(mine, metric, decimals))]
        if _baselines(mine):
            group.append(Column(_against(mine), [_difference(row, metric["name"], decimals) for row in mine]))
        for column in [*group, *_published(mine, metric["name"], decimals)]:
            cells = dict(zip(places, column.cells, strict=True))
            columns.append(Column(column.heading, [cells.get(line, Cell(NOTHING)) for line in range(len(lines))]))
    return columns


def _best_per_pool(rows: list[dict], metric: dict, decimals: int) -> list[Cell]:
    """As `_scores`, with the best of each model and pool in bold."""
    groups = {}
    for place, row in enumerate(rows):
        groups.setdefault((row["model"], row["pool"]), []).append(place)
    cells = {}
    for places in groups.values():
        cells |= dict(zip(places, _scores([rows[place] for place in places], metric, decimals), strict=True))
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
        uncertainty = spread(row, name)
        after = "" if uncertainty is None else f" ± {uncertainty:.{decimals}f}"
        if row["seeds"] > 1:
            after += f" ({row['seeds']} seeds)"
        # Compared as shown: values that look the same are all bold, or none.
        cells.append(Cell(after, strong=text) if float(text) == best else Cell(text + after))
    return cells


def _difference(row: dict, metric: str, decimals: int) -> Cell:
    if row.get(f"{metric}_p_adjusted") is None:
        return Cell(NOTHING)
    difference, low, high = (f"{row[f'{metric}_{part}']:+.{decimals}f}" for part in ("difference", "low", "high"))
    return Cell(f"{difference} ({low} to {high}){REAL if row[f'{metric}_p_adjusted'] < statistics.LEVEL else ''}")


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


def _baselines(rows: list[dict]) -> list[str]:
    return list(dict.fromkeys(row["baseline"] for row in rows if row["baseline"] is not None))


def _against(rows: list[dict]) -> str:
    return f"Against {', '.join(_baselines(rows))}"


def _decimals(rows: list[dict], metric: str) -> int:
    """As many as show the largest uncertainty with two significant digits, within reason."""
    spreads = [spread(row, metric) for row in rows]
    largest = max((value for value in spreads if value is not None and math.isfinite(value)), default=0)
    return min(6, max(0, 1 - math.floor(math.log10(largest)))) if largest > 0 else 3


def _per_cent(share: float | None) -> Cell:
    return Cell(NOTHING if share is None else f"{share:.1%}")


def _note(rows: list[dict], plan: dict, benchmarks: dict) -> str:
    counts = sorted({row["samples"] for row in rows if row["samples"] is not None})
    note = f"± is the standard error over the {' or '.join(map(str, counts))} evaluation row{'s'[: counts != [1]]}"
    if any(row["seeds"] > 1 for row in rows):
        note += ", or the sample standard deviation over seeds where their number is given"
    note += "; bold is the best of a column"
    note += "; family rows are those of the benchmark's own tasks." if plan["kind"] == "target" else ", model and pool."
    compared = [
        row[f"{metric['name']}_test"]
        for row in rows
        for metric in metrics_of(row, benchmarks)
        if row[f"{metric['name']}_p_adjusted"] is not None
    ]
    if compared:
        names = {"mcnemar": "McNemar's exact test", "permutation": "a permutation test of signs"}
        tests = " or ".join(names[test] for test in names if test in compared)
        seeds = ", averaged over seeds" if any(row["seeds"] > 1 for row in rows) else ""
        note += (
            f" Against {', '.join(_baselines(rows))}: mean difference on the same rows{seeds}, with its own 95 % "
            f"bootstrap interval; {REAL} marks p < {statistics.LEVEL} by {tests} after Holm's correction for the "
            f"table's {len(compared)} comparison{'s'[: len(compared) > 1]}, and what has no mark may be chance."
        )
    return note
