"""All rows of a table: measured, compared with the baseline, and beside what was published.

Rows are those of `table.build`, and have besides:

- ``target``, ``benchmark``: names.
- ``baseline``: the label of the method that it is compared with; None for the baseline itself, and where the table
  has no baseline, or not exactly one that fits.
- per metric, for a row with a baseline, in units of the table: ``<name>_difference``, the mean over samples and seeds
  of the row's result minus the baseline's; ``<name>_low`` and ``<name>_high``, its 95 % interval; ``<name>_test``,
  ``<name>_p``, ``<name>_welch_p``, ``<name>_bootstrap_low`` and ``<name>_bootstrap_high`` (of `statistics.Comparison`);
  ``<name>_p_adjusted``, by Holm's method for the comparisons that the table shows (`shown_metrics`), and None for
  others. None where nothing can be compared.
- ``published``: the published number of the first metric, or None.

A row whose benchmark is `published.AVERAGE` is the mean over the benchmarks of the score, divided by that of the
table's `relative_to` for the same target, and has no spread; NaN if that is 0.
"""

import csv
import io
import math
import statistics as descriptive

import numpy as np

from instruction_selection.core.entry_names import ANY
from instruction_selection.core.errors import InputError
from instruction_selection.experiment.published import AVERAGE, Key
from instruction_selection.tables import statistics, table

#: What the rows of `published.AVERAGE` show.
AVERAGE_BENCHMARK = {
    "label": "Relative average",
    "metrics": [{"name": "relative", "label": "Relative average", "scale": 1, "higher_is_better": True}],
}
COMPARED = ("difference", "low", "high", "test", "p", "p_adjusted", "welch_p", "bootstrap_low", "bootstrap_high")
#: Of a score, beside its value.
UNCERTAINTY = ("stderr", "sd", "wilson_low", "wilson_high")
COLUMNS = (
    *("target", "benchmark", "model", "pool", "method", "ratio", "metric", "seeds", "samples", "value", *UNCERTAINTY),
    *("baseline", *COMPARED, "published", "published_difference"),
    *("rows_chosen", "family_rows_chosen", "family_share", "family_rows_in_pool", "pool_rows", "checkpoints"),
)

Group = tuple[str, str, str, str]


def collect(
    cells: list[dict],
    plan: dict,
    benchmarks: dict,
    methods: dict,
    models: dict,
    pools: dict,
    published: dict[Key, float],
) -> list[dict]:
    """The rows of a table, benchmark by benchmark.

    `cells` are those of `table.build`, and have the `benchmark` of their evaluation and its `results` (of
    `samples.read`), and in `shown_for` the target in whose part of the table they stand.
    `plan` is the table's (`experiment.plan`); the others map names to configurations or, for `pools`, summaries.

    Raises `InputError` where evaluations are not of the same samples.
    """
    by_benchmark = {}
    for cell in cells:
        by_benchmark.setdefault((cell["shown_for"], cell["benchmark"]), []).append(cell)
    grouped = {key: table.grouped(members) for key, members in by_benchmark.items()}
    comparisons = sum(len(groups) * len(shown_metrics(plan, benchmarks[key[1]])) for key, groups in grouped.items())
    keyed = {}
    for (target, name), members in by_benchmark.items():
        benchmark, groups = benchmarks[name], grouped[target, name]
        rows = table.build(members, benchmark, methods, models, pools)
        for (group, results), row in zip(groups.items(), rows, strict=True):
            row |= {"target": target, "benchmark": name}
            other = groups.get(_baseline(group, groups, plan["baseline"]))
            row |= _compared(results, other, benchmark["metrics"], methods, comparisons)
            row["baseline"] = None if row["baseline"] is None else methods[row["baseline"]]["label"]
            row["published"] = published.get((*group[:2], target, name, *group[2:]))
            keyed[target, name, group] = row
    _adjust(list(keyed.values()), plan, benchmarks)
    return [*keyed.values(), *_relative_averages(keyed, plan["relative_to"], benchmarks, published)]


def metrics_of(row: dict, benchmarks: dict) -> list[dict]:
    return (AVERAGE_BENCHMARK if row["benchmark"] == AVERAGE else benchmarks[row["benchmark"]])["metrics"]


def shown_metrics(plan: dict, benchmark: dict) -> list[dict]:
    """Those of a benchmark's metrics that the table has columns for; the CSV has all."""
    return benchmark["metrics"] if plan["kind"] == "target" else benchmark["metrics"][:1]


def _baseline(group: Group, groups: dict[Group, list], baseline: str | None) -> Group | None:
    """The one result that a group is compared with: its model's, its pool's, and its ratio's if there are several."""
    model, pool, method, ratio = group
    fitting = [
        other
        for other in groups
        if other[0] == model and other[2] == baseline != method and (other[1] == pool or ANY in (other[1], pool))
    ]
    fitting = [other for other in fitting if other[3] == ratio] or fitting
    return fitting[0] if len(fitting) == 1 else None


def _compared(
    results: list[dict], others: list[dict] | None, metrics: list[dict], methods: dict, comparisons: int
) -> dict:
    columns = {"baseline": others[0]["method"] if others else None}
    for metric in metrics:
        name, scale = metric["name"], metric["scale"]
        found = None
        if others:
            ids = list(results[0]["results"][name])
            sides = [_runs(side, name, ids) for side in (results, others)]
            trained = tuple(methods[side[0]["method"]]["ratio"] != 0 for side in (results, others))
            found = statistics.compare(*sides, comparisons, trained)
        if found is None:
            columns |= {f"{name}_{column}": None for column in COMPARED}
        else:
            columns |= {
                **{f"{name}_{column}": value for column, value in vars(found).items()},
                f"{name}_difference": scale * found.difference,
                f"{name}_p_adjusted": None,
            }
            for low, high in (("low", "high"), ("bootstrap_low", "bootstrap_high")):
                ends = getattr(found, low), getattr(found, high)
                if None not in ends:
                    # A negative scale turns the metric round, and the interval's ends with it.
                    columns[f"{name}_{low}"], columns[f"{name}_{high}"] = sorted(scale * end for end in ends)
    return columns


def _runs(results: list[dict], metric: str, ids: list[str]) -> np.ndarray:
    """(seeds, rows), in the order of `ids`."""
    for result in results:
        if result["results"][metric].keys() != set(ids):
            raise InputError(
                "results-of-other-rows",
                f"results of method {result['method']!r} (seed {result['seed']}) on {result['benchmark']!r} are not of "
                "the same rows as those that they are compared with",
            )
    return np.array([[result["results"][metric][name] for name in ids] for result in results])


def _adjust(rows: list[dict], plan: dict, benchmarks: dict) -> None:
    compared = [
        (row, metric["name"])
        for row in rows
        for metric in shown_metrics(plan, benchmarks[row["benchmark"]])
        if row[f"{metric['name']}_p"] is not None
    ]
    adjusted = statistics.holm([row[f"{name}_p"] for row, name in compared])
    for (row, name), p in zip(compared, adjusted, strict=True):
        row[f"{name}_p_adjusted"] = p


def _relative_averages(keyed: dict, reference: str | None, benchmarks: dict, published: dict) -> list[dict]:
    """One row per model, pool, method and ratio for which `reference` has all the scores."""
    gathered = {}
    for (target, name, group), row in keyed.items():
        other = keyed.get((target, name, (*group[:2], reference, group[3])))
        if other is not None:
            metric = benchmarks[name]["metrics"][0]["name"]
            ratio = row[metric] / other[metric] if other[metric] else math.nan
            gathered.setdefault(group, []).append((row, ratio))
    return [
        {
            **{key: rows[0][0][key] for key in ("model", "pool", "method", "ratio", "seeds")},
            **{"target": None, "benchmark": AVERAGE, "samples": None, "baseline": None, "checkpoints": None},
            **{f"relative_{column}": None for column in (*COMPARED, *UNCERTAINTY)},
            "relative": descriptive.mean(ratio for _, ratio in rows),
            "published": published.get((*group[:2], None, AVERAGE, *group[2:])),
        }
        for group, rows in gathered.items()
    ]


def to_csv(rows: list[dict], benchmarks: dict) -> str:
    """A line per row and metric at full precision; a None is an empty field."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        first, *_ = metrics = metrics_of(row, benchmarks)
        for metric in metrics:
            name = metric["name"]
            published = row["published"] if metric is first else None
            writer.writerow(
                {
                    **{column: row.get(column) for column in COLUMNS},
                    **{column: row[f"{name}_{column}"] for column in (*COMPARED, *UNCERTAINTY)},
                    "metric": name,
                    "value": row[name],
                    "published": published,
                    "published_difference": None if published is None else row[name] - published,
                }
            )
    return text.getvalue()
