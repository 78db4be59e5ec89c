"""The rows of a benchmark: how well the tuned models score, and how much of what was chosen is of its family.

A row is a flat dict:

- ``model``, ``method``: labels; ``pool``: name, None for the untuned model; ``ratio``: as in the result's path.
- ``seeds``: how many results the row averages; ``samples``: evaluation rows behind each of them.
- per metric, times its ``scale``: ``<name>`` the mean over seeds, ``<name>_stderr`` the evaluation's standard error
  (mean over seeds; None if it has none), ``<name>_sd`` the sample standard deviation over seeds (None for one).
- ``rows_chosen``, ``family_rows_chosen``: mean numbers of rows over seeds; ``family_share``: the second as a share
  (0 to 1) of the first; ``family_rows_in_pool``, ``pool_rows``: what could be chosen. All None for the untuned model.
"""

import math
import statistics

from instruction_selection.config import ANY
from instruction_selection.errors import InputError
from instruction_selection.tables.markup import NOTHING


def build(cells: list[dict], benchmark: dict, methods: dict, models: dict, pools: dict) -> list[dict]:
    """One row per model, pool, method and ratio, in the order in which `cells` name them first.

    `cells` have the strings model, pool, target, method, ratio and seed, the `evaluation` (content of
    ``eval/<benchmark>.json``) and the `selection` (content of ``selection.json``; None for the untuned model).
    `benchmark` is the target's configuration, `methods` and `models` map names to theirs, and `pools` maps names to
    the content of ``pool.json``.

    Raises `InputError` if an evaluation lacks a metric, or if not all are of the same number of rows.
    """
    samples = {cell["evaluation"]["samples"] for cell in cells}
    if len(samples) > 1:
        counts = " and ".join(str(count) for count in sorted(samples))
        raise InputError(f"Evaluations on {benchmark['label']} are of {counts} rows, so they cannot be compared.")

    rows = []
    for (model, pool, method, ratio), results in grouped(cells).items():
        row = {
            "model": models[model]["label"],
            "pool": None if pool == ANY else pool,
            "method": methods[method]["label"],
            "ratio": ratio,
            "seeds": len(results),
            "samples": results[0]["evaluation"]["samples"],
        }
        for metric in benchmark["metrics"]:
            row |= _score(metric, results)
        selections = [result["selection"] for result in results]
        row |= _chosen(selections, set(benchmark["tasks"]), pools.get(pool))
        rows.append(row)
    return rows


def grouped(cells: list[dict]) -> dict[tuple[str, str, str, str], list[dict]]:
    """The cells of each model, pool, method and ratio: one per seed."""
    groups = {}
    for cell in cells:
        group = groups.setdefault((cell["model"], cell["pool"], cell["method"], cell["ratio"]), {})
        # By seed, because the grid lists the untuned model for every pool, and that is one result.
        group[cell["seed"]] = cell
    return {key: list(group.values()) for key, group in groups.items()}


def _score(metric: dict, results: list[dict]) -> dict:
    name, scale = metric["name"], metric["scale"]
    measured = []
    for result in results:
        evaluation = result["evaluation"]
        metrics = evaluation.get("metrics", {})
        if name not in metrics:
            known = ", ".join(sorted(metrics)) or "none"
            raise InputError(
                f"Benchmark {evaluation['benchmark']!r}: metric {name!r} is not in the evaluation of method "
                f"{result['method']!r}, model {result['model']!r}, seed {result['seed']} (metrics there: {known})."
            )
        measured.append(metrics[name])
    values = [entry["value"] for entry in measured]
    errors = [entry.get("stderr") for entry in measured]
    return {
        name: scale * statistics.mean(values),
        # A negative scale turns the metric round, and its spread stays positive.
        f"{name}_stderr": None if None in errors else abs(scale) * statistics.mean(errors),
        f"{name}_sd": abs(scale) * _deviation(values) if len(values) > 1 else None,
    }


def _deviation(values: list[float]) -> float:
    # `statistics.stdev` raises on a diverged model's NaN.
    return statistics.stdev(values) if all(map(math.isfinite, values)) else math.nan


def _chosen(selections: list[dict | None], family: set[str], pool: dict | None) -> dict:
    columns = ("rows_chosen", "family_rows_chosen", "family_share", "family_rows_in_pool", "pool_rows")
    if None in selections:
        return dict.fromkeys(columns)
    chosen = statistics.mean(selection["selected"] for selection in selections)
    in_family = statistics.mean(_family_rows(selection["tasks"], family) for selection in selections)
    share = in_family / chosen if chosen else None
    return dict(
        zip(columns, (chosen, in_family, share, _family_rows(pool["tasks"], family), pool["rows"]), strict=True)
    )


def _family_rows(tasks: dict[str, int], family: set[str]) -> int:
    return sum(count for task, count in tasks.items() if task in family)


def spread(row: dict, metric: str) -> float | None:
    """What ± shows: the standard deviation over seeds, or the evaluation's standard error if there is one seed."""
    return row[f"{metric}_sd"] if row["seeds"] > 1 else row[f"{metric}_stderr"]


def arrow(metric: dict) -> str:
    """The direction in which a metric, as shown, gets better."""
    return "↑" if metric["higher_is_better"] else "↓"


def number(value: float | None) -> str:
    """A number of rows; the mean of several is seldom whole."""
    return NOTHING if value is None else f"{value:.1f}".removesuffix(".0")
