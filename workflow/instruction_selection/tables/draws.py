"""A table of an experiment over its finished draws; a draw takes the place of a seed."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from instruction_selection.experiment import published
from instruction_selection.experiment.chain import Chain
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.wiring import Wiring
from instruction_selection.tables import lineage, results
from instruction_selection.tables.cells import (
    CellFiles,
    Evaluated,
    EvaluatedCell,
    Group,
    PoolSummary,
    SelectionSummary,
)
from instruction_selection.tables.rows import Row
from instruction_selection.tables.spec import TableSpec


def by_table(experiments: Sequence[Experiment]) -> dict[str, list[Experiment]]:
    """The draws that have each table; not all have to have the same (`experiment.finished`)."""
    names = dict.fromkeys(name for experiment in experiments for name in experiment.tables)
    return {name: [each for each in experiments if name in each.tables] for name in names}


def summary(experiments: Sequence[Experiment], table: str) -> tuple[list[Row], TableSpec]:
    """The rows of a table over draws of one experiment that have it, and what it shows.

    Raises `InputError` where results of a draw do not belong together, where draws were made by different code, or
    where draws have different evaluation rows.
    """
    wirings = [Wiring(experiment) for experiment in experiments]
    spec = spec_of(experiments, table)
    # All draws at once, so that their code is compared, too.
    made = [each for wiring in wirings for each in Chain(wiring, table).results()]
    lineage.check(made, experiments[0].settings.accepted_code)
    reported = published.read(spec.plan.reported) if spec.plan.reported else {}
    return results.collect(cells(experiments, table, spec), spec, _pools(wirings, spec.plan.pools), reported), spec


def spec_of(experiments: Sequence[Experiment], table: str) -> TableSpec:
    """Of a table over these draws."""
    spec = TableSpec.of(experiments[0], table)
    caption = f"{spec.plan.caption} {listed(experiments)}, on the same evaluation rows."
    return replace(spec, plan=spec.plan.model_copy(update={"caption": caption}), repeated="draws")


def listed(experiments: Sequence[Experiment]) -> str:
    """Which draws these are, as in "Draws 1, 2 of 16"."""
    numbers = ", ".join(str(experiment.draw) for experiment in experiments)
    return f"Draw{'s'[: len(experiments) > 1]} {numbers} of {experiments[0].settings.draws}"


def cells(experiments: Iterable[Experiment], table: str, spec: TableSpec) -> list[EvaluatedCell]:
    """Every cell of a table in these draws, whose `seed` is the draw's number: the mean of its seeds in that draw."""
    found: dict[tuple[int | None, str, str, Group], list[EvaluatedCell]] = {}
    for wiring in map(Wiring, experiments):
        for names, evaluation, samples, selection, training in wiring.table_cells(table):
            paths = CellFiles(evaluation, samples, selection, training)
            each = EvaluatedCell.read(names, paths, spec.benchmark(names["benchmark"]).metrics)
            found.setdefault((wiring.experiment.draw, each.target, each.benchmark, each.group), []).append(each)
    return [_of_draw(draw or 0, seeds) for (draw, *_), seeds in found.items()]


def _of_draw(draw: int, seeds: list[EvaluatedCell]) -> EvaluatedCell:
    """The mean of a draw's seeds; the results of a single one are unchanged."""
    first = replace(seeds[0], cell=replace(seeds[0].cell, seed=draw))
    if len(seeds) == 1:
        return first
    metrics, values = {}, {}
    for name in first.values:
        ids = list(first.values[name])
        values[name] = dict(zip(ids, results.runs(seeds, name, ids).mean(axis=0).tolist(), strict=True))
        evaluated = [each.metrics[name] for each in seeds]
        errors = [each.stderr for each in evaluated if each.stderr is not None]
        metrics[name] = Evaluated(
            statistics.mean(each.value for each in evaluated),
            statistics.mean(errors) if len(errors) == len(seeds) else None,
        )
    return replace(first, metrics=metrics, values=values, selection=_selection([each.selection for each in seeds]))


def _selection(found: Sequence[SelectionSummary | None]) -> SelectionSummary | None:
    selections = [each for each in found if each is not None]
    if not selections:
        return None
    selected = statistics.mean(each.selected for each in selections)
    return SelectionSummary(selected, _mean_counts([each.tasks for each in selections]), selections[0].checkpoints)


def _mean_counts(counts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """By task."""
    tasks = sorted({task for each in counts for task in each})
    return {task: statistics.mean(each.get(task, 0) for each in counts) for task in tasks}


def _pools(wirings: Sequence[Wiring], names: Iterable[str]) -> dict[str, PoolSummary]:
    """Pools by name, with the mean over draws of their tasks' rows."""
    pools = {}
    for name in names:
        summaries = [PoolSummary.read(wiring.paths.pool_summary.format(pool=name))[1] for wiring in wirings]
        pools[name] = PoolSummary(summaries[0].rows, _mean_counts([summary.tasks for summary in summaries]))
    return pools
