"""What an experiment's tables compare, and whether that fits the experiment.

A plan is a file of ``config/tables`` with everything filled in that it leaves to the experiment: lists of `models`,
`pools`, `targets`, `methods` and `ratios`, the `baseline`, and `reported` as a path. A target may be joint, its parts
joined by ``+``: rows are selected with the validation rows of all parts, and the model is evaluated on each part.
"""

import csv
from pathlib import Path

from instruction_selection.errors import InputError
from instruction_selection.tables import published

#: What a plan that names none takes from the experiment's settings.
LISTS = ("models", "pools", "targets", "methods", "ratios")
#: Of these, the first that a plan has is its baseline, if it names none.
BASELINES = ("random", "full")


def parts(target: str) -> list[str]:
    """The benchmarks of a target."""
    return target.split("+")


def of_target(name: str, benchmark: dict) -> dict:
    """The table of one target, as in `config/tables`: what an experiment has that names no tables."""
    return {"kind": "target", "label": benchmark["label"], "caption": benchmark["summary"], "targets": [name]}


def fill(table: dict, settings: dict, reported: Path) -> dict:
    """The plan of a table in an experiment with `settings`; `reported` is the folder of published numbers."""
    filled = {**table, **{key: table[key] or list(settings[key]) for key in LISTS}}
    if filled["baseline"] is None:
        filled["baseline"] = next((name for name in BASELINES if name in filled["methods"]), None)
    if filled["reported"] is not None:
        filled["reported"] = str(reported / filled["reported"])
    return filled


def check(plan: dict, settings: dict, methods: dict, path: Path, experiment: str) -> None:
    """Raise `InputError` unless the experiment has everything that a plan, from `path`, compares."""
    for key in LISTS:
        known = settings[key]
        wanted = [part for target in plan[key] for part in parts(target)] if key == "targets" else plan[key]
        for entry in wanted:
            if entry not in known:
                raise InputError(f"{path}: {key}: experiment {experiment!r} has no {entry!r}.")
    joined = [tuple(sorted(parts(target))) for target in plan["targets"]]
    for target, benchmarks in zip(plan["targets"], joined, strict=True):
        if len(set(benchmarks)) < len(benchmarks) or joined.count(benchmarks) > 1:
            raise InputError(f"{path}: targets: the parts of {target!r} are there twice.")
    for key in ("baseline", "relative_to"):
        if plan[key] is not None and plan[key] not in plan["methods"]:
            raise InputError(f"{path}: {key}: {plan[key]!r} is not among the table's methods.")
    if plan["kind"] == "target" and len(plan["targets"]) + len(parts(plan["targets"][0])) != 2:
        raise InputError(f"{path}: targets: a table of kind 'target' has one target, and that is not joint.")
    if plan["parameter"] is not None:
        if len(plan["ratios"]) != 1:
            raise InputError(f"{path}: ratios: with a parameter on its axis, a figure shows one ratio.")
        for name in plan["methods"]:
            if not isinstance(methods[name]["params"].get(plan["parameter"]), int | float):
                raise InputError(f"{path}: parameter: method {name!r} has no number {plan['parameter']!r}.")
    if plan["reported"] is not None:
        try:
            published.read(plan["reported"])
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{plan['reported']}: not a CSV file in UTF-8 ({error}).") from error
