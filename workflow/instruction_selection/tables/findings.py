"""What a table shows, in sentences: who differs from its baseline, by how much, and how far the tests go.

Every number is the table's own, with its digits; a sentence says no more than the mark beside the number.
"""

from collections.abc import Iterable
from typing import NamedTuple

from instruction_selection.experiment.benchmark import Metric
from instruction_selection.experiment.published import AVERAGE
from instruction_selection.tables import names, statistics
from instruction_selection.tables.notes import BOTH, ROWS, baselines, mark
from instruction_selection.tables.render import best, decimals_of, difference
from instruction_selection.tables.rows import Row
from instruction_selection.tables.spec import TableSpec
from instruction_selection.tables.statistics import Comparison

#: What is said of a marked difference; {} is "better" or "worse", and the baseline.
HOW_SURE = {
    BOTH: "{} than {}, over evaluation rows and seeds",
    ROWS: "models {} than those of {}, over evaluation rows alone, which does not show that the methods are",
}


class Finding(NamedTuple):
    heading: str
    sentences: list[str]


class Compared(NamedTuple):
    """A row, its difference from the baseline, and whether it is in the direction in which the metric gets better."""

    row: Row
    comparison: Comparison
    better: bool


def of_table(rows: list[Row], spec: TableSpec) -> list[Finding]:
    """Of a target's table one for each model, pool and metric, the first metric's first; of others one for each model.

    `rows` are those of `results.collect` or `results.from_csv`.
    """
    rows = [row for row in rows if row.benchmark != AVERAGE]
    return _of_target(rows, spec) if spec.plan.kind == "target" else _of_benchmarks(rows, spec)


def _of_target(rows: list[Row], spec: TableSpec) -> list[Finding]:
    groups = list(dict.fromkeys((row.model, row.pool) for row in rows if row.pool is not None))
    found = []
    for metric in spec.shown_metrics(rows[0].benchmark):
        decimals = decimals_of(rows, metric)
        for model, pool in groups:
            # The untuned model is of no pool, and compared in each.
            members = [row for row in rows if row.model == model and row.pool in (pool, None)]
            where = "" if len(groups) == 1 else f" ({model}, {pool})"
            sentences = [_best(members, metric, decimals), *_differences(members, metric, decimals)]
            found.append(Finding(f"{metric.label}{where}", sentences))
    return found


def _best(rows: list[Row], metric: Metric, decimals: int) -> str:
    first = best(rows, metric, decimals)
    if not first:
        return "Every model has diverged."
    value = first[0].metrics[metric.name].value
    return f"Best score, {value:.{decimals}f}: {'; '.join(_lines(rows, first))}."


def _differences(rows: list[Row], metric: Metric, decimals: int) -> list[str]:
    if not baselines(rows):
        return ["Nothing is compared: there is no baseline."]
    against = ", ".join(baselines(rows))
    compared = _compared(rows, metric)
    sentences = [_of_methods(compared, against)]
    for sign, how in HOW_SURE.items():
        for word, better in (("better", True), ("worse", False)):
            fitting = [each for each in compared if mark(each.comparison) == sign and each.better == better]
            fitting.sort(key=lambda each: -abs(each.comparison.difference))
            lines = _lines(rows, [each.row for each in fitting])
            numbers = [difference(each.comparison, decimals) for each in fitting]
            if listed := "; ".join(f"{line} {shown}" for line, shown in zip(lines, numbers, strict=True)):
                said = how.format(word, against)
                sentences.append(f"{said[0].upper()}{said[1:]}: {listed}.")
    if unmarked := _lines(rows, [each.row for each in compared if not mark(each.comparison)]):
        sentences.append(f"No difference from {against} is shown: {'; '.join(unmarked)}.")
    return [sentence for sentence in sentences if sentence]


def _of_methods(compared: list[Compared], against: str) -> str:
    """Where the marks show nothing of methods: the untuned model is none."""
    tests = [each.comparison for each in compared if each.row.pool is not None]
    over_seeds = [comparison for comparison in tests if comparison.test == statistics.TWO_LEVELS]
    if tests and not over_seeds:
        return f"Whether a method differs from {against} is not tested, because that takes several seeds of both."
    if any(map(mark, over_seeds)):
        return ""
    return f"No method is shown to differ from {against} over evaluation rows and seeds."


def _lines(rows: list[Row], some: list[Row]) -> list[str]:
    """The names of some of the `rows`."""
    lines = dict(zip(map(id, rows), names.of_lines(rows), strict=True))
    return [lines[id(row)] for row in some]


def _of_benchmarks(rows: list[Row], spec: TableSpec) -> list[Finding]:
    """How many of a method's comparisons have which result: a benchmark, a pool and a ratio are one comparison."""
    against = ", ".join(baselines(rows))
    if not against:
        return [Finding("Differences", ["Nothing is compared: there is no baseline."])]
    found = []
    for model in dict.fromkeys(row.model for row in rows):
        sentences = []
        for method in dict.fromkeys(row.method for row in rows):
            mine = [row for row in rows if (row.model, row.method) == (model, method)]
            compared = [each for row in mine for each in _compared([row], spec.first_metric(row.benchmark))]
            if compared:
                counts = [text for sign in HOW_SURE for text in _count(compared, sign, against)]
                shown = "; ".join(counts) or f"no difference from {against} is shown"
                sentences.append(f"{method}, {len(compared)} comparison{'s'[: len(compared) > 1]}: {shown}.")
        found.append(Finding(model, sentences))
    return found


def _count(compared: list[Compared], sign: str, against: str) -> list[str]:
    marked = [each.better for each in compared if mark(each.comparison) == sign]
    counts = (("better", sum(marked)), ("worse", len(marked) - sum(marked)))
    return [f"{count} {HOW_SURE[sign].format(word, against)}" for word, count in counts if count]


def _compared(rows: Iterable[Row], metric: Metric) -> list[Compared]:
    pairs = ((row, row.metrics[metric.name].comparison) for row in rows)
    return [
        Compared(row, found, (found.difference > 0) == metric.higher_is_better)
        for row, found in pairs
        if found is not None
    ]
