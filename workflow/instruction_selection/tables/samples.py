"""Per-sample results of an evaluation."""

import json
from collections.abc import Sequence
from pathlib import Path

from instruction_selection.core.errors import InputError
from instruction_selection.experiment.benchmark import Metric


def read(path: str | Path, metrics: Sequence[Metric]) -> dict[str, dict[str, float]]:
    """For each of a benchmark's `metrics`, by its name, the value of every evaluation row by its id.

    The file has one line per evaluation row, task and filter of lm-eval. Raises `InputError` with the line that lacks
    a metric or repeats a row, and for a metric without any.
    """
    values: dict[str, dict[str, float]] = {metric.name: {} for metric in metrics}
    with Path(path).open(encoding="utf-8") as handle:
        # Line by line, because a sample holds its whole prompt and a benchmark has thousands.
        for number, line in enumerate(handle, start=1):
            sample = json.loads(line)
            for metric in metrics:
                if (sample["task"], sample["filter"]) != (metric.task, metric.filter):
                    continue
                key, read_so_far = metric.metric or metric.name, values[metric.name]
                if key not in sample:
                    raise InputError("no-metric", f"no metric {key!r}", path=path, key=f"line {number}")
                if sample["id"] in read_so_far:
                    sentence = f"a second result for row {sample['id']!r}"
                    raise InputError("duplicate-result", sentence, path=path, key=f"line {number}")
                read_so_far[sample["id"]] = float(sample[key])
    for name, found in values.items():
        if not found:
            raise InputError("metric-without-samples", f"no sample has the metric {name!r}", path=path)
    return values
