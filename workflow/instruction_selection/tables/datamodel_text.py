"""Linear datamodeling scores as Markdown for people, and as CSV with every number in full."""

import csv
import io
from collections.abc import Sequence

from instruction_selection.experiment.experiment import Experiment
from instruction_selection.tables.datamodeling import Correlation
from instruction_selection.tables.datamodels import FAMILY, LENGTH, Line, Panel
from instruction_selection.tables.markup import NOTHING, Cell, Column, escaped, markdown
from instruction_selection.tables.table import arrow

COLUMNS = (
    *("target", "benchmark", "model", "pool", "method", "control", "ratio", "metric", "subsets", "planned", "diverged"),
    *("subset_rows", "pool_rows", "rows_with_score", "correlation", "low", "high"),
    *("given_length", "given_length_low", "given_length_high"),
)
CONTROLS = {LENGTH: "Length of the response (control)", FAMILY: "In the target's family (control)"}


def to_markdown(panels: Sequence[Panel], experiment: Experiment) -> str:
    """A pipe table for each panel, below it the methods that are not in it, and at the end what the numbers mean."""
    parts = [f"## {escaped(experiment.name)}: linear datamodeling score"]
    for panel in panels:
        parts += [
            f"### {escaped(heading(panel, panels, experiment))}",
            escaped(_subsets(panel, experiment)),
            _table(panel, experiment),
        ]
        parts += [escaped(text) for text in _left_out(panel, experiment)]
    return "\n\n".join([*parts, *map(escaped, _notes())]) + "\n"


def heading(panel: Panel, panels: Sequence[Panel], experiment: Experiment) -> str:
    """The benchmark, and what differs between panels of the same one."""
    shown = [experiment.benchmarks[panel.benchmark].label]
    if panel.target != panel.benchmark:
        shown[0] += f" (for {panel.target})"
    for attribute in ("model", "pool", "ratio"):
        if len({getattr(other, attribute) for other in panels}) > 1:
            value = getattr(panel, attribute)
            shown.append(experiment.models[value].label if attribute == "model" else value)
    return ", ".join(shown)


def _subsets(panel: Panel, experiment: Experiment) -> str:
    planned = "" if panel.subsets == panel.planned else f" (of {panel.planned} planned)"
    text = (
        f"{experiment.models[panel.model].label}, tuned on {panel.subsets}{planned} random subsets of "
        f"{panel.subset_rows} of the {panel.pool_rows} rows of {panel.pool}. "
        f"Measured: {panel.metric.label}\u00a0{arrow(panel.metric)}."
    )
    return text + (f" Left out, because the metric is not finite: {panel.diverged}." if panel.diverged else "")


def _table(panel: Panel, experiment: Experiment) -> str:
    lines = [*panel.lines, *panel.controls]
    found, given_length = [line.correlation for line in lines], [line.given_length for line in lines]
    return markdown(
        [
            Column("Method", [Cell(label(line, experiment)) for line in lines], right=False),
            Column("Score", [Cell(_value(each)) for each in found]),
            Column("95 % interval", [Cell(_interval(each)) for each in found]),
            Column("Given length", [Cell(_value(each)) for each in given_length]),
            Column("95 % interval", [Cell(_interval(each)) for each in given_length]),
            Column("Rows with a score", [Cell(str(line.scored)) for line in lines]),
        ]
    )


def label(line: Line, experiment: Experiment) -> str:
    return CONTROLS.get(line.name) or experiment.methods[line.name].label


def _value(found: Correlation | None) -> str:
    return NOTHING if found is None else f"{found.value:+z.2f}"


def _interval(found: Correlation | None) -> str:
    return NOTHING if found is None else f"{found.low:+z.2f} to {found.high:+z.2f}"


def _left_out(panel: Panel, experiment: Experiment) -> list[str]:
    labels = {name: method.label for name, method in experiment.methods.items()}
    kinds = {"No row has a score": panel.without_scores, "Has not selected yet": panel.not_selected}
    return [f"{kind}: {', '.join(map(labels.__getitem__, names))}." for kind, names in kinds.items() if names]


def _notes() -> list[str]:
    return [
        "Score: Spearman's rank correlation, over random subsets, of the sum of a method's scores over a subset with "
        "the metric of the model that was tuned on it (Park et al., TRAK, ICML 2023, section 2). Above 0, rows with "
        "higher scores make better models. The metric is the mean over all evaluation rows, so there is one "
        "correlation for a target, and not the mean of those of its rows.",
        "Interval: percentile bootstrap over subsets, not corrected for the number of methods. It holds for this pool, "
        "these validation and evaluation rows and this warm-up. Every subset was tuned once, so what the seed of a "
        "fine-tuning changes is noise here, and even true effects have a score below 1, by an unknown amount.",
        "Given length: the partial rank correlation, what scores say beyond the characters of a subset's responses. "
        "Subsets have as many rows and steps, but one with longer responses has more to learn from. Controls need no "
        "method: a score that predicts no more than they do adds nothing to them. Family rows are those of the "
        "benchmark's own tasks.",
        "A row without a score counts as the mean of the others. Methods whose code returns no scores are not shown.",
    ]


def to_csv(panels: Sequence[Panel]) -> str:
    """A line per panel and method; a correlation that does not exist is an empty field."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_fields(panel, line) for panel in panels for line in (*panel.lines, *panel.controls))
    return text.getvalue()


def _fields(panel: Panel, line: Line) -> dict[str, object]:
    same = ("target", "benchmark", "model", "pool", "ratio", "subsets", "planned", "diverged", "subset_rows")
    return {
        **{name: getattr(panel, name) for name in (*same, "pool_rows")},
        "metric": panel.metric.name,
        "control" if line.name in CONTROLS else "method": line.name,
        "rows_with_score": line.scored,
        **numbers(line.correlation, line.given_length),
    }


def numbers(correlation: Correlation | None, given_length: Correlation | None) -> dict[str, float]:
    """By the columns of the CSV."""
    found: dict[str, float] = {}
    if correlation:
        found |= {"correlation": correlation.value, "low": correlation.low, "high": correlation.high}
    if given_length:
        names = ("given_length", "given_length_low", "given_length_high")
        found |= dict(zip(names, (given_length.value, given_length.low, given_length.high), strict=True))
    return found
