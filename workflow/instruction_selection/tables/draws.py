"""One table over the finished draws of an experiment; a draw takes the place of a seed."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from instruction_selection.experiment.chain import Chain
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.plan import Plan
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


def summary(experiments: Sequence[Experiment]) -> tuple[list[Row], TableSpec]:
    """The rows of the table over these draws of one experiment, and what it shows.

    Raises `InputError` where results of a draw do not belong together, where draws were made by different code, or
    where draws have different evaluation rows.
    """
    wirings = [Wiring(experiment) for experiment in experiments]
    spec = spec_of(experiments[0])
    # All draws at once, so that their code is compared, too.
    made = [each for wiring in wirings for each in Chain(wiring, *wiring.experiment.tables).results()]
    lineage.check(made, experiments[0].settings.accepted_code)
    return results.collect(cells(experiments, spec), spec, _pools(wirings), {}), spec


def cells(experiments: Sequence[Experiment], spec: TableSpec) -> list[EvaluatedCell]:
    """Every cell of these draws, whose `seed` is the draw's number: the mean of its seeds in that draw."""
    found: dict[tuple[int | None, str, str, Group], dict[int, EvaluatedCell]] = {}
    for wiring in map(Wiring, experiments):
        for name in wiring.experiment.tables:
            for names, evaluation, samples, selection, training in wiring.table_cells(name):
                paths = CellFiles(evaluation, samples, selection, training)
                each = EvaluatedCell.read(names, paths, spec.benchmark(names["benchmark"]).metrics)
                key = (wiring.experiment.draw, each.target, each.benchmark, each.group)
                # By seed, because several tables may show a cell.
                found.setdefault(key, {})[each.cell.seed] = each
    return [_of_draw(draw or 0, list(seeds.values())) for (draw, *_), seeds in found.items()]


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


def spec_of(experiment: Experiment) -> TableSpec:
    """Of one table that shows all targets and methods of an experiment side by side."""
    return TableSpec.parse(plan=_plan(experiment).plain(), **Wiring(experiment).shown_entries(), repeated="draws")


def _plan(experiment: Experiment) -> Plan:
    """All that the experiment's tables show, side by side."""
    plans = list(experiment.tables.values())
    count = experiment.settings.draws
    return plans[0].model_copy(
        update={
            "label": f"{experiment.name}: all draws",
            "caption": f"Means over the finished draws of {count}, on the same evaluation rows.",
            "kind": "benchmarks",
            "targets": tuple(dict.fromkeys(target for plan in plans for target in plan.targets)),
            "methods": tuple(dict.fromkeys(method for plan in plans for method in plan.methods)),
            "reported": None,
            "relative_to": None,
            "parameter": None,
        }
    )


def _pools(wirings: Sequence[Wiring]) -> dict[str, PoolSummary]:
    """Pools by name, with the mean over draws of their tasks' rows."""
    pools = {}
    for name in wirings[0].experiment.pools:
        summaries = [PoolSummary.read(wiring.paths.pool_summary.format(pool=name))[1] for wiring in wirings]
        pools[name] = PoolSummary(summaries[0].rows, _mean_counts([summary.tasks for summary in summaries]))
    return pools
