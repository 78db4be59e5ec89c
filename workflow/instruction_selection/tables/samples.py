"""Per-sample results of an evaluation."""

import json
from pathlib import Path

from instruction_selection.errors import InputError


def read(path: str | Path, metrics: list[str]) -> dict[str, dict[str, float]]:
    """For each metric, the value of every sample by the id of its row.

    Raises `InputError` with the line that lacks one or repeats a row.
    """
    values = {name: {} for name in metrics}
    with Path(path).open(encoding="utf-8") as handle:
        # Line by line, because a sample holds its whole prompt and a benchmark has thousands.
        for number, line in enumerate(handle, start=1):
            sample = json.loads(line)
            name = sample["doc"].get("id")
            if name is None:
                raise InputError(f"{path}, line {number}: the sample's row has no id.")
            for metric, known in values.items():
                if metric not in sample:
                    raise InputError(f"{path}, line {number}: no metric {metric!r}.")
                if name in known:
                    raise InputError(f"{path}, line {number}: a second result for row {name!r}.")
                known[name] = float(sample[metric])
    return values
