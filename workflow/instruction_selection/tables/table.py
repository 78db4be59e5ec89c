"""The row of one group: how well its tuned models score, and how much of what was chosen is of the target's family."""

import math
import statistics
from collections.abc import Collection, Mapping

from instruction_selection.core.entry_names import ANY
from instruction_selection.core.errors import InputError
from instruction_selection.experiment.benchmark import Metric
from instruction_selection.tables.cells import EvaluatedCell, Group, PoolSummary, SelectionSummary
from instruction_selection.tables.markup import NOTHING
from instruction_selection.tables.rows import Chosen, Measurement, Row
from instruction_selection.tables.spec import ShownBenchmark, ShownMethod, TableSpec
from instruction_selection.tables.statistics import wilson


def build(cells: list[EvaluatedCell], spec: TableSpec, pools: dict[str, PoolSummary]) -> dict[Group, Row]:
    """One row per group, in the order in which `cells` name them first; all are of one target and benchmark.

    `pools` maps names to summaries. Raises `InputError` if not all evaluations are of the same number of rows.
    """
    benchmark = spec.benchmark(cells[0].benchmark)
    samples = {cell.rows for cell in cells}
    if len(samples) > 1:
        counts = " and ".join(str(count) for count in sorted(samples))
        sentence = f"evaluations on {benchmark.label} are of {counts} rows, so they cannot be compared"
        raise InputError("evaluations-differ", sentence)
    return {
        group: Row(
            target=members[0].target,
            benchmark=members[0].benchmark,
            model=spec.models[group.model].label,
            pool=None if group.pool == ANY else group.pool,
            method=spec.methods[group.method].label,
            ratio=group.ratio,
            seeds=len(members),
            samples=members[0].rows,
            metrics={metric.name: _measurement(metric, members) for metric in benchmark.metrics},
            checkpoints=_checkpoints(spec.methods[group.method], members[0].selection),
            chosen=_chosen(members, benchmark, pools),
        )
        for group, members in grouped(cells).items()
    }


def grouped(cells: list[EvaluatedCell]) -> dict[Group, list[EvaluatedCell]]:
    """The cells of each group: one per seed."""
    groups: dict[Group, dict[int, EvaluatedCell]] = {}
    for each in cells:
        # By seed, because the grid lists the untuned model for every pool, and that is one result.
        groups.setdefault(each.group, {})[each.cell.seed] = each
    return {group: list(members.values()) for group, members in groups.items()}


def _measurement(metric: Metric, cells: list[EvaluatedCell]) -> Measurement:
    scale = metric.scale
    values = [cell.metrics[metric.name].value for cell in cells]
    errors = [error for cell in cells if (error := cell.metrics[metric.name].stderr) is not None]
    return Measurement(
        value=scale * statistics.mean(values),
        by_seed=tuple(scale * value for value in values),
        # A negative scale turns the metric round, and its spread stays positive.
        stderr=abs(scale) * statistics.mean(errors) if len(errors) == len(cells) else None,
        sd=abs(scale) * _deviation(values) if len(values) > 1 else None,
        wilson=_wilson([cell.values[metric.name] for cell in cells], scale),
    )


def _wilson(seeds: list[dict[str, float]], scale: float) -> tuple[float, float] | None:
    """Over evaluation rows: seeds share theirs, so that several have no more of them than one."""
    values = [value for results in seeds for value in results.values()]
    if not {0, 1}.issuperset(values):
        return None
    low, high = sorted(scale * end for end in wilson(statistics.mean(values), len(seeds[0])))
    return low, high


def _deviation(values: list[float]) -> float:
    # `statistics.stdev` raises on a diverged model's NaN.
    return statistics.stdev(values) if all(map(math.isfinite, values)) else math.nan


def _checkpoints(method: ShownMethod, selection: SelectionSummary | None) -> int | None:
    return None if selection is None or method.checkpoints == "last" else selection.checkpoints


def _chosen(cells: list[EvaluatedCell], benchmark: ShownBenchmark, pools: dict[str, PoolSummary]) -> Chosen | None:
    selections = [cell.selection for cell in cells if cell.selection is not None]
    if len(selections) < len(cells):
        return None
    pool, family = pools[cells[0].cell.pool], set(benchmark.tasks)
    return Chosen(
        rows=statistics.mean(selection.selected for selection in selections),
        family_rows=statistics.mean(_rows_of(selection.tasks, family) for selection in selections),
        family_rows_in_pool=_rows_of(pool.tasks, family),
        pool_rows=pool.rows,
    )


def _rows_of(tasks: Mapping[str, float], family: Collection[str]) -> float:
    return sum(count for task, count in tasks.items() if task in family)


def arrow(metric: Metric) -> str:
    """The direction in which a metric, as shown, gets better."""
    return "↑" if metric.higher_is_better else "↓"


def number(value: float | None) -> str:
    """A number of rows; the mean of several is seldom whole."""
    return NOTHING if value is None else f"{value:.1f}".removesuffix(".0")
