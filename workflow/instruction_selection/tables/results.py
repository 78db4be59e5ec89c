"""All rows of a table: measured, compared with the baseline, and with the published number."""

import csv
import io
import math
import statistics as descriptive
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from instruction_selection.core.entry_names import ANY
from instruction_selection.core.errors import InputError
from instruction_selection.experiment.published import AVERAGE, Key
from instruction_selection.tables import statistics, table
from instruction_selection.tables.cells import EvaluatedCell, Group, PoolSummary
from instruction_selection.tables.rows import Chosen, Measurement, Row
from instruction_selection.tables.spec import TableSpec

COMPARED = ("difference", "low", "high", "test", "p", "p_adjusted", "welch_p", "bootstrap_low", "bootstrap_high")
#: Of the CSV file; those of a comparison have the names of `statistics.Comparison`.
COLUMNS = (
    *("target", "benchmark", "model", "pool", "method", "ratio", "metric", "seeds", "samples", "value"),
    *("stderr", "sd", "wilson_low", "wilson_high", "baseline", *COMPARED, "published", "published_difference"),
    *("rows_chosen", "family_rows_chosen", "family_share", "family_rows_in_pool", "pool_rows", "checkpoints"),
)
#: Fields of a row that the CSV has under their own names.
ROW_COLUMNS = (
    *("target", "benchmark", "model", "pool", "method", "ratio", "seeds", "samples"),
    *("baseline", "published", "checkpoints"),
)
ROW = TypeAdapter(Row)


def collect(
    cells: list[EvaluatedCell], spec: TableSpec, pools: dict[str, PoolSummary], published: dict[Key, float]
) -> list[Row]:
    """The rows of a table, benchmark by benchmark, and after them the relative averages.

    `pools` maps names to summaries. Raises `InputError` where evaluations are not of the same evaluation rows.
    """
    parts: dict[tuple[str, str], list[EvaluatedCell]] = {}
    for cell in cells:
        parts.setdefault((cell.target, cell.benchmark), []).append(cell)
    groups = {part: table.grouped(members) for part, members in parts.items()}
    comparisons = sum(len(found) * len(spec.shown_metrics(benchmark)) for (_, benchmark), found in groups.items())
    rows = {}
    for (target, benchmark), members in parts.items():
        for group, row in table.build(members, spec, pools).items():
            found = groups[target, benchmark]
            baseline = baseline_of(group, list(found), spec.plan.baseline)
            if baseline is not None:
                row = _compared(row, found[group], found[baseline], spec, comparisons)
            rows[target, benchmark, group] = replace(row, published=published.get(_key(target, benchmark, group)))
    rows = dict(zip(rows, _adjusted(list(rows.values()), spec), strict=True))
    return [*rows.values(), *_relative_averages(rows, spec, published)]


def _key(target: str | None, benchmark: str, group: Group) -> Key:
    return group.model, group.pool, target, benchmark, group.method, group.ratio


def baseline_of(group: Group, groups: list[Group], baseline: str | None) -> Group | None:
    """The one result that a group is compared with: its model's, its pool's, and its ratio's if there are several."""
    fitting = [
        other
        for other in groups
        if other.model == group.model
        and other.method == baseline != group.method
        and (other.pool == group.pool or ANY in (other.pool, group.pool))
    ]
    fitting = [other for other in fitting if other.ratio == group.ratio] or fitting
    return fitting[0] if len(fitting) == 1 else None


def _compared(
    row: Row, cells: list[EvaluatedCell], others: list[EvaluatedCell], spec: TableSpec, comparisons: int
) -> Row:
    """The row with its baseline, of which `others` are the results, and the comparison of each metric."""
    trained = (spec.methods[cells[0].cell.method].trained, spec.methods[others[0].cell.method].trained)
    metrics = {}
    for metric in spec.benchmark(row.benchmark).metrics:
        ids = list(cells[0].values[metric.name])
        first, second = (runs(side, metric.name, ids) for side in (cells, others))
        found = statistics.compare(first, second, comparisons, trained, draws=spec.repeated == "draws")
        metrics[metric.name] = replace(row.metrics[metric.name], comparison=found and found.scaled(metric.scale))
    return replace(row, baseline=spec.methods[others[0].cell.method].label, metrics=metrics)


def runs(cells: list[EvaluatedCell], metric: str, ids: list[str]) -> np.ndarray:
    """(seeds, evaluation rows), in the order of `ids`."""
    for cell in cells:
        if cell.values[metric].keys() != set(ids):
            raise InputError(
                "results-of-other-rows",
                f"results of method {cell.cell.method!r} (seed {cell.cell.seed}) on {cell.benchmark!r} are not of the "
                "same rows as those that they are compared with",
            )
    return np.array([[cell.values[metric][name] for name in ids] for cell in cells])


def _adjusted(rows: list[Row], spec: TableSpec) -> Iterator[Row]:
    """The rows with adjusted p-values (Holm) of the comparisons that the table shows."""
    shown = [
        (place, metric.name, comparison)
        for place, row in enumerate(rows)
        for metric in spec.shown_metrics(row.benchmark)
        if (comparison := row.metrics[metric.name].comparison) is not None
    ]
    adjusted = {}
    for (place, name, comparison), p in zip(shown, statistics.holm([each.p for *_, each in shown]), strict=True):
        adjusted[place, name] = replace(comparison, p_adjusted=p)
    for place, row in enumerate(rows):
        metrics = {
            name: replace(measured, comparison=adjusted.get((place, name), measured.comparison))
            for name, measured in row.metrics.items()
        }
        yield replace(row, metrics=metrics)


def _relative_averages(
    rows: dict[tuple[str, str, Group], Row], spec: TableSpec, published: dict[Key, float]
) -> list[Row]:
    """One row per group for which the table's `relative_to` has all the scores; NaN where one of its scores is 0."""
    gathered: dict[Group, list[tuple[Row, float]]] = {}
    for (target, benchmark, group), row in rows.items():
        other = rows.get((target, benchmark, group._replace(method=spec.plan.relative_to or "")))
        if other is not None:
            name = spec.first_metric(benchmark).name
            score, reference = row.metrics[name].value, other.metrics[name].value
            gathered.setdefault(group, []).append((row, score / reference if reference else math.nan))
    averages = []
    for group, members in gathered.items():
        average = descriptive.mean(ratio for _, ratio in members)
        averages.append(
            replace(
                members[0][0],
                target=None,
                benchmark=AVERAGE,
                samples=None,
                metrics={spec.first_metric(AVERAGE).name: Measurement(average, ())},
                baseline=None,
                published=published.get(_key(None, AVERAGE, group)),
                checkpoints=None,
                chosen=None,
            )
        )
    return averages


def to_csv(rows: list[Row], spec: TableSpec) -> str:
    """A line per row and metric at full precision; a None is an empty field."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        for metric in spec.benchmark(row.benchmark).metrics:
            published = row.published if metric is spec.first_metric(row.benchmark) else None
            writer.writerow(_fields(row, metric.name, published))
    return text.getvalue()


def from_csv(path: str | Path) -> list[Row]:
    """The rows that `to_csv` wrote, without the scores of single seeds, which it does not write."""
    lines: dict[tuple[str | None, ...], list[dict[str, Any]]] = {}
    with Path(path).open(encoding="utf-8", newline="") as handle:
        for written in csv.DictReader(handle):
            line = {name: value or None for name, value in written.items()}
            named = tuple(line[name] for name in ("target", "benchmark", "model", "pool", "method", "ratio"))
            lines.setdefault(named, []).append(line)
    return [_row(members) for members in lines.values()]


def _row(lines: list[dict[str, Any]]) -> Row:
    """`lines` are its metrics, the first one first."""
    line = lines[0]
    chosen = {
        "rows": line["rows_chosen"],
        "family_rows": line["family_rows_chosen"],
        **{name: line[name] for name in ("family_rows_in_pool", "pool_rows")},
    }
    return ROW.validate_python(
        {name: line[name] for name in ROW_COLUMNS}
        | {
            "metrics": {each["metric"]: _measurement(each) for each in lines},
            "chosen": chosen if line["pool_rows"] else None,
        }
    )


def _measurement(line: dict[str, Any]) -> dict[str, Any]:
    interval = (line["wilson_low"], line["wilson_high"])
    return {
        **{name: line[name] for name in ("value", "stderr", "sd")},
        "by_seed": (),
        "wilson": interval if line["wilson_low"] else None,
        "comparison": {name: line[name] for name in COMPARED} if line["difference"] else None,
    }


def _fields(row: Row, name: str, published: float | None) -> dict[str, Any]:
    measured = row.metrics[name]
    low, high = measured.wilson or (None, None)
    fields = {
        **{column: getattr(row, column) for column in ("target", "benchmark", "model", "pool", "method", "ratio")},
        **{column: getattr(row, column) for column in ("seeds", "samples", "baseline", "checkpoints")},
        "metric": name,
        **{column: getattr(measured, column) for column in ("value", "stderr", "sd")},
        "wilson_low": low,
        "wilson_high": high,
        "published": published,
        "published_difference": None if published is None else measured.value - published,
    }
    if measured.comparison is not None:
        fields |= {column: getattr(measured.comparison, column) for column in COMPARED}
    return fields | _chosen_fields(row.chosen) if row.chosen else fields


def _chosen_fields(chosen: Chosen) -> dict[str, float | None]:
    return {
        "rows_chosen": chosen.rows,
        "family_rows_chosen": chosen.family_rows,
        "family_share": chosen.family_share,
        "family_rows_in_pool": chosen.family_rows_in_pool,
        "pool_rows": chosen.pool_rows,
    }
