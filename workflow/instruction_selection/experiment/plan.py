"""What an experiment's tables compare.

A target may be joint, its parts joined by ``+``: rows are selected with the validation rows of all parts, and the model
is evaluated on each part.
"""

from pathlib import Path

from instruction_selection.experiment.benchmark import Benchmark
from instruction_selection.experiment.settings import Settings
from instruction_selection.experiment.table import Table

#: The first of these that a table has is its baseline, if it names none.
BASELINES = ("random", "full")


class Plan(Table):
    """A table with everything filled in that its file leaves to the experiment."""

    reported: str | None = None
    """Path of a file with published numbers."""


def of_target(name: str, benchmark: Benchmark) -> Table:
    """The table of one target: what an experiment has that names no tables."""
    return Table(kind="target", label=benchmark.label, caption=benchmark.summary, targets=(name,))


def filled(table: Table, settings: Settings, reported: Path | None) -> Plan:
    """The plan of a table in an experiment with `settings`; `reported` is its file of published numbers."""
    methods = table.methods or settings.methods
    return Plan(
        label=table.label,
        caption=table.caption,
        kind=table.kind,
        models=table.models or settings.models,
        pools=table.pools or tuple(settings.pools),
        targets=table.targets or tuple(settings.targets),
        methods=methods,
        ratios=table.ratios or settings.ratios,
        baseline=table.baseline or next((name for name in BASELINES if name in methods), None),
        relative_to=table.relative_to,
        parameter=table.parameter,
        reported=None if reported is None else str(reported),
    )
