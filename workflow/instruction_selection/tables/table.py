"""The rows of a benchmark: how well the tuned models score, and how much of what was chosen is of its family.

A row is a flat dict:

- ``model``, ``method``: labels; ``pool``: name, None for the untuned model; ``ratio``: as in the result's path.
- ``seeds``: how many results the row averages; ``samples``: evaluation rows behind each of them.
- per metric, times its ``scale``: ``<name>`` the mean over seeds, ``<name>_by_seed`` the single seeds' values,
  ``<name>_stderr`` the evaluation's standard error (mean over seeds; None if it has none), ``<name>_sd`` the sample
  standard deviation over seeds (None for one), ``<name>_wilson_low`` and ``<name>_wilson_high`` the 95 % interval of a
  share, whose rows are all 0 or 1, at its mean over seeds (None for other metrics).
- ``checkpoints``: how many checkpoints of the warm-up the selection read, for a method that reads all that there are
  and says so; otherwise None.
- ``rows_chosen``, ``family_rows_chosen``: mean numbers of rows over seeds; ``family_share``: the second as a share
  (0 to 1) of the first; ``family_rows_in_pool``, ``pool_rows``: what could be chosen. All None for the untuned model.
"""

import math
import statistics

from instruction_selection.core.entry_names import ANY
from instruction_selection.core.errors import InputError
from instruction_selection.tables.markup import NOTHING
from instruction_selection.tables.statistics import wilson


def build(cells: list[dict], benchmark: dict, methods: dict, models: dict, pools: dict) -> list[dict]:
    """One row per model, pool, method and ratio, in the order in which `cells` name them first.

    `cells` have the strings model, pool, target, method, ratio and seed, the `evaluation` (content of
    ``eval/<benchmark>.json``) with its `results` (of `samples.read`), and the `selection` (content of
    ``selection.json``; None for the untuned model).
    `benchmark` is the target's configuration, `methods` and `models` map names to theirs, and `pools` maps names to
    the content of ``pool.json``.

    Raises `InputError` if an evaluation lacks a metric, or if not all are of the same number of rows.
    """
    samples = {cell["evaluation"]["samples"] for cell in cells}
    if len(samples) > 1:
        counts = " and ".join(str(count) for count in sorted(samples))
        sentence = f"evaluations on {benchmark['label']} are of {counts} rows, so they cannot be compared"
        raise InputError("evaluations-differ", sentence)

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
        row["checkpoints"] = _checkpoints(methods[method], selections[0])
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
                "metric-not-evaluated",
                f"benchmark {evaluation['benchmark']!r}: metric {name!r} is not in the evaluation of method "
                f"{result['method']!r}, model {result['model']!r}, seed {result['seed']} (metrics there: {known})",
            )
        measured.append(metrics[name])
    values = [entry["value"] for entry in measured]
    errors = [entry.get("stderr") for entry in measured]
    low, high = _wilson([result["results"][name] for result in results], scale)
    return {
        name: scale * statistics.mean(values),
        f"{name}_by_seed": [scale * value for value in values],
        # A negative scale turns the metric round, and its spread stays positive.
        f"{name}_stderr": None if None in errors else abs(scale) * statistics.mean(errors),
        f"{name}_sd": abs(scale) * _deviation(values) if len(values) > 1 else None,
        f"{name}_wilson_low": low,
        f"{name}_wilson_high": high,
    }


def _wilson(runs: list[dict[str, float]], scale: float) -> tuple[float, float] | tuple[None, None]:
    """Over rows: seeds share theirs, so that several have no more of them than one."""
    values = [value for run in runs for value in run.values()]
    if not {0, 1}.issuperset(values):
        return None, None
    low, high = sorted(scale * end for end in wilson(statistics.mean(values), len(runs[0])))
    return low, high


def _deviation(values: list[float]) -> float:
    # `statistics.stdev` raises on a diverged model's NaN.
    return statistics.stdev(values) if all(map(math.isfinite, values)) else math.nan


def _checkpoints(method: dict, selection: dict | None) -> int | None:
    # A method with a rule of its own need not say it.
    if selection is None or method["checkpoints"] == "last" or "checkpoints" not in selection:
        return None
    return len(selection["checkpoints"])


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


def error_bar(row: dict, metric: str) -> tuple[float, float]:
    """How far a score's uncertainty over evaluation rows reaches below and above it; NaN where it is not known.

    A share has Wilson's interval, another metric the standard error.
    """
    low, high, error = (row[f"{metric}_{name}"] for name in ("wilson_low", "wilson_high", "stderr"))
    if low is not None:
        # Their mean may differ from the evaluation's in its last digit.
        return max(0.0, row[metric] - low), max(0.0, high - row[metric])
    return (math.nan, math.nan) if error is None else (error, error)


def arrow(metric: dict) -> str:
    """The direction in which a metric, as shown, gets better."""
    return "↑" if metric["higher_is_better"] else "↓"


def number(value: float | None) -> str:
    """A number of rows; the mean of several is seldom whole."""
    return NOTHING if value is None else f"{value:.1f}".removesuffix(".0")
