"""A target's table: how well the tuned models score, and how much of what was chosen is of the target's family.

A row is a flat dict, and one line of the CSV:

- ``model``, ``method``: labels; ``pool``: name, None for the untuned model; ``ratio``: as in the result's path.
- ``seeds``: how many results the row averages; ``samples``: evaluation rows behind each of them.
- per metric, times its ``scale``: ``<name>`` the mean over seeds, ``<name>_stderr`` the evaluation's standard error
  (mean over seeds; None if it has none), ``<name>_sd`` the sample standard deviation over seeds (None for one).
- ``rows_chosen``, ``family_rows_chosen``: mean numbers of rows over seeds; ``family_share``: the second as a share
  (0 to 1) of the first; ``family_rows_in_pool``, ``pool_rows``: what could be chosen. All None for the untuned model.
"""

import csv
import io
import math
import re
import statistics

from instruction_selection.config import ANY
from instruction_selection.errors import InputError

#: What a cell shows that has no value.
NOTHING = "–"
#: An underscore inside a word is not markup.
MARKUP = re.compile(r"[\\`*\[\]<>|~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)")


def build(cells: list[dict], benchmark: dict, methods: dict, models: dict, pools: dict) -> list[dict]:
    """One row per model, pool, method and ratio, in the order in which `cells` name them first.

    `cells` have the strings model, pool, target, method, ratio and seed, the `evaluation` (content of
    ``eval/<benchmark>.json``) and the `selection` (content of ``selection.json``; None for the untuned model).
    `benchmark` is the target's configuration, `methods` and `models` map names to theirs, and `pools` maps names to
    the content of ``pool.json``.

    Raises `InputError` if an evaluation lacks a metric, or if not all are of the same number of rows.
    """
    groups = {}
    for cell in cells:
        group = groups.setdefault((cell["model"], cell["pool"], cell["method"], cell["ratio"]), {})
        # By seed, because the grid lists the untuned model for every pool, and that is one result.
        group[cell["seed"]] = cell
    samples = {cell["evaluation"]["samples"] for cell in cells}
    if len(samples) > 1:
        counts = " and ".join(str(count) for count in sorted(samples))
        raise InputError(f"Evaluations on {benchmark['label']} are of {counts} rows, so they cannot be compared.")

    rows = []
    for (model, pool, method, ratio), group in groups.items():
        results = list(group.values())
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


def to_csv(rows: list[dict]) -> str:
    """All columns at full precision; a None is an empty field."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def to_markdown(rows: list[dict], benchmark: dict) -> str:
    """A GitHub pipe table under the benchmark's label and summary; the best value of each metric is in bold."""
    left = [
        ("Model", [_escaped(row["model"]) for row in rows]),
        ("Pool", [_escaped(row["pool"] or NOTHING) for row in rows]),
        ("Method", [_escaped(row["method"]) for row in rows]),
    ]
    right = [
        ("Ratio", [row["ratio"] for row in rows]),
        *(
            (f"{_escaped(metric['label'])}\u00a0{arrow(metric)}", _scores(rows, metric))
            for metric in benchmark["metrics"]
        ),
        ("Rows chosen", [number(row["rows_chosen"]) for row in rows]),
        ("In family", [number(row["family_rows_chosen"]) for row in rows]),
        ("Share in family", [_per_cent(row["family_share"]) for row in rows]),
        ("Family in pool", [number(row["family_rows_in_pool"]) for row in rows]),
    ]
    columns = [_aligned(heading, cells, str.ljust, "-") for heading, cells in left]
    columns += [_aligned(heading, cells, str.rjust, ":") for heading, cells in right]
    table = "\n".join(f"| {' | '.join(line)} |" for line in zip(*columns, strict=True))
    heading = f"## {_escaped(benchmark['label'])}\n\n{_escaped(benchmark['summary'])}"
    return f"{heading}\n\n{table}\n\n{_note(rows)}\n"


def _aligned(heading: str, cells: list[str], justify, end: str) -> list[str]:
    """A column's lines at one width; the rule under the heading ends in `end`."""
    width = max(len(text) for text in (heading, *cells))
    return [justify(heading, width), "-" * (width - 1) + end, *(justify(cell, width) for cell in cells)]


def _note(rows: list[dict]) -> str:
    count = rows[0]["samples"]
    note = f"± is the standard error over the {count} evaluation row{'s' if count > 1 else ''}"
    if any(row["seeds"] > 1 for row in rows):
        note += ", or the sample standard deviation over seeds where their number is given"
    return f"{note}; bold is the best of a column; family rows are those of the benchmark's own tasks."


def _scores(rows: list[dict], metric: dict) -> list[str]:
    """A metric's cells, all with the same number of decimals."""
    name = metric["name"]
    spreads = [spread(row, name) for row in rows]
    decimals = _decimals([value for value in spreads if value is not None])
    shown = [f"{row[name]:.{decimals}f}" for row in rows]
    # A diverged model scores NaN, which max() would let win or lose by its place.
    valid = [float(text) for text in shown if text != "nan"]
    best = (max if metric["higher_is_better"] else min)(valid, default=None)
    cells = []
    for row, text, uncertainty in zip(rows, shown, spreads, strict=True):
        # Compared as shown: values that look the same are all bold, or none.
        cell = f"**{text}**" if float(text) == best else text
        if uncertainty is not None:
            cell += f" ± {uncertainty:.{decimals}f}"
        if row["seeds"] > 1:
            cell += f" ({row['seeds']} seeds)"
        cells.append(cell)
    return cells


def _decimals(uncertainties: list[float]) -> int:
    """As many as show the largest uncertainty with two significant digits, within reason."""
    largest = max((value for value in uncertainties if math.isfinite(value)), default=0)
    return min(6, max(0, 1 - math.floor(math.log10(largest)))) if largest > 0 else 3


def number(value: float | None) -> str:
    """A number of rows; the mean of several is seldom whole."""
    return NOTHING if value is None else f"{value:.1f}".removesuffix(".0")


def _per_cent(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.1%}"


def _escaped(text: str) -> str:
    """`text` on one line, with nothing in it that Markdown or a pipe table would read as markup."""
    return MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
