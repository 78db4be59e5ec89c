"""What distance predicts, as a table, and its points as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import fields

from instruction_selection.experiment.benchmark import Metric
from instruction_selection.tables.distance_correlations import CONTROL, LEAST_CELLS, LEAST_DRAWS, Line, OverDraws
from instruction_selection.tables.distances import Panel, Point
from instruction_selection.tables.markup import NOTHING, Cell, Column, escaped, markdown
from instruction_selection.tables.spec import TableSpec
from instruction_selection.tables.table import arrow

#: What is above a measure in the table.
LABELS = {
    "mean_similarity": "Mean similarity",
    "distance_of_means": "Distance of means",
    CONTROL: "Length of the responses (control)",
}


def to_markdown(lines: Sequence[Line], spec: TableSpec, name: str) -> str:
    """A pipe table with a line for each of `lines`, of the experiment `name`, and below it what its numbers mean."""
    columns = [
        Column(heading, [Cell(label) for label in labels], right=False)
        for heading, labels in (
            ("Model", [spec.models[line.panel.model].label for line in lines]),
            ("Pool", [line.panel.pool for line in lines]),
        )
        if len(set(labels)) > 1
    ]
    columns += [
        Column("Target", [Cell(target_label(line.panel, spec)) for line in lines], right=False),
        Column("Metric", [Cell(metric_label(spec.first_metric(line.panel.benchmark))) for line in lines], right=False),
        Column("Ratio", [Cell(line.ratio) for line in lines]),
        Column("Representation", [Cell(line.representation or NOTHING) for line in lines], right=False),
        Column("Measure", [Cell(LABELS[line.measure]) for line in lines], right=False),
        Column("Cells", [Cell(_range(line.cells)) for line in lines]),
        Column("Draws", [Cell(str(len(line.correlation.by_draw))) for line in lines]),
        Column("Correlation", [Cell(shown(line.correlation)) for line in lines]),
        Column("Given length", [Cell(shown(line.given_length)) for line in lines]),
    ]
    notes = (
        "Spearman's rank correlation, over selections of one ratio, of a measure with the metric of the model that was "
        "tuned on the selection; + means that closer to the target's validation rows is better. Mean similarity: the "
        "mean cosine of all pairs of a chosen and a validation row. Distance of means: 1 - the cosine of the mean "
        "chosen row and the mean validation row, rows having norm 1.",
        "Selections of one ratio have about as many rows, but longer responses have more to learn from. The control is "
        "the mean length of a selection's responses, + where longer is better; given length: the partial rank "
        "correlation, what a measure says beyond it.",
        f"One correlation per draw; their mean, and from {LEAST_DRAWS} draws on its 95 % interval (Student's t). An "
        "experiment without draws counts as one. "
        f"{NOTHING}: fewer than {LEAST_CELLS} cells, or all of them equal. A cell is a method and a seed; methods that "
        "chose the same rows are one.",
    )
    return "\n\n".join([f"## {escaped(name)}: what distance predicts", markdown(columns), *map(escaped, notes)]) + "\n"


def _range(counts: Sequence[int]) -> str:
    """Of cells in a draw."""
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def shown(found: OverDraws | None) -> str:
    """The correlation, with its interval if it has one."""
    if found is None or found.mean is None:
        return NOTHING
    interval = "" if found.low is None else f" ({found.low:+z.2f} to {found.high:+z.2f})"
    return f"{found.mean:+z.2f}{interval}"


def target_label(panel: Panel, spec: TableSpec) -> str:
    """The benchmark, and the joint target that rows were selected for."""
    label = spec.benchmark(panel.benchmark).label
    return label if panel.target == panel.benchmark else f"{label} (for {panel.target})"


def metric_label(metric: Metric) -> str:
    return f"{metric.label}\u00a0{arrow(metric)}"


def to_csv(found: Iterable[Point]) -> str:
    """The points, a line for each selection and representation; a value that is not there is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [each.name for each in fields(Point)]
    writer.writerow(names)
    writer.writerows(["" if (value := getattr(point, name)) is None else value for name in names] for point in found)
    return text.getvalue()
