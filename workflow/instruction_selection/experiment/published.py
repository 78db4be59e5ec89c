"""Published numbers, to be shown with the measured ones.

A file has one number per line, with the columns ``model``, ``pool``, ``target`` (only where a target is joint, and
otherwise the benchmark), ``benchmark``, ``method``, ``ratio`` and ``reported``, in the units of the table.
"""

import csv
import math
from pathlib import Path

from instruction_selection.core.errors import InputError
from instruction_selection.core.ratios import ratio_text

COLUMNS = ("model", "pool", "benchmark", "method", "ratio", "reported")
#: In the column `benchmark`: the mean over the benchmarks of a score divided by that of the table's `relative_to`.
AVERAGE = "average-relative"

#: model, pool, target, benchmark, method, ratio as in result paths; an average is of no target.
Key = tuple[str, str, str | None, str, str, str]


def read(path: str | Path) -> dict[Key, float]:
    """Every number of a file. Raises `InputError` with the line that is not one, or that is there twice."""
    path = Path(path)
    if not path.is_file():
        raise InputError("no-published-file", "does not exist", path=path)
    numbers = {}
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
        if missing:
            raise InputError("no-column", "the file has no such column", path=path, key=missing[0])
        for row in reader:
            where = {"path": path, "key": f"line {reader.line_num}"}
            target = None if row["benchmark"] == AVERAGE else row.get("target", row["benchmark"])
            try:
                ratio, value = ratio_text(float(row["ratio"])), float(row["reported"])
            except (TypeError, ValueError):
                raise InputError("not-a-number", "ratio and reported must be numbers", **where) from None
            if not math.isfinite(value):
                raise InputError("not-a-score", f"{value} is not a score", **where)
            key = (row["model"], row["pool"], target, row["benchmark"], row["method"], ratio)
            if key in numbers:
                raise InputError("duplicate-score", f"a second number for {', '.join(filter(None, key))}", **where)
            numbers[key] = value
    return numbers
