"""What a larger experiment could show, as text, from the finished results of a smaller one: `make power`."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from instruction_selection.core.errors import InputError
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.wiring import Wiring
from instruction_selection.tables import draws, results, table
from instruction_selection.tables.cells import CellFiles, EvaluatedCell, Group
from instruction_selection.tables.power import POWER, Components, smallest_difference
from instruction_selection.tables.spec import TableSpec

#: Planned numbers of evaluation rows and of draws, and comparisons in a table.
ROWS = (64, 125, 250, 500, 1000)
DRAWS = (5, 8, 12, 16, 24)
COMPARISONS = (1, 30)
#: A target, a method's results and those of its baseline.
_Pair = tuple[str, Group, Group]


def text(experiments: Sequence[Experiment]) -> str:
    """Variance components of the differences from the baseline, and the smallest differences that can be shown.

    `experiments` are one experiment, whose seeds are the repetitions, or several draws of it. Raises `InputError` if
    nothing finished can be compared.
    """
    blocks = [
        _block(label, float(np.mean([each.size for each in found])), [Components.of(each) for each in found])
        for label, found in _by_metric(experiments).items()
    ]
    if not blocks:
        sentence = "no method and its baseline have two finished seeds or draws each"
        raise InputError("nothing-to-plan-from", sentence, path=f"results/{experiments[0].folder}")
    return "\n\n".join(blocks) + "\n"


def _by_metric(experiments: Sequence[Experiment]) -> dict[str, list[np.ndarray]]:
    """For each benchmark and metric, the differences (draws, rows) of every method from the baseline."""
    # By pair, because several tables may compare the same.
    found: dict[str, dict[_Pair, np.ndarray]] = {}
    for name, drawn in draws.by_table(experiments).items():
        if drawn[0].draw is None:
            spec = TableSpec.of(drawn[0], name)
            cells = _finished(drawn[0], name, spec)
        else:
            spec = draws.spec_of(drawn, name)
            cells = draws.cells(drawn, name, spec)
        for label, pair, differences in _differences(cells, spec):
            found.setdefault(label, {})[pair] = differences
    return {label: list(pairs.values()) for label, pairs in found.items()}


def _differences(cells: Iterable[EvaluatedCell], spec: TableSpec) -> Iterator[tuple[str, _Pair, np.ndarray]]:
    """Those of each method of a table and each metric, below the benchmark's and the metric's labels."""
    parts: dict[tuple[str, str], list[EvaluatedCell]] = {}
    for cell in cells:
        parts.setdefault((cell.target, cell.benchmark), []).append(cell)
    for (target, benchmark), members in parts.items():
        groups = table.grouped(members)
        for group, repetitions in groups.items():
            baseline = results.baseline_of(group, list(groups), spec.plan.baseline)
            repeated = 0 if baseline is None else min(len(repetitions), len(groups[baseline]))
            if baseline is None or repeated < 2 or not spec.methods[group.method].trained:
                continue
            for metric in spec.benchmark(benchmark).metrics:
                ids = list(repetitions[0].values[metric.name])
                sides = (repetitions[:repeated], groups[baseline][:repeated])
                first, second = (results.runs(side, metric.name, ids) for side in sides)
                label = f"{spec.benchmark(benchmark).label}, {metric.label}"
                yield label, (target, group, baseline), metric.scale * (first - second)


def _finished(experiment: Experiment, name: str, spec: TableSpec) -> Iterator[EvaluatedCell]:
    for names, evaluation, samples, selection, training in Wiring(experiment).table_cells(name):
        paths = CellFiles(evaluation, samples, selection, training)
        if all(path is None or Path(path).is_file() for path in paths):
            yield EvaluatedCell.read(names, paths, spec.benchmark(names["benchmark"]).metrics)


def _block(label: str, size: float, found: list[Components]) -> str:
    mean = Components.mean(found)
    lines = [
        f"{label}: {len(found)} methods against the baseline, {size:.0f} values each",
        f"  variance of a difference: rows {mean.rows:.4g}, draws {mean.draws:.4g}, draw by row {mean.rest:.4g}",
    ]
    for comparisons in COMPARISONS:
        held = f", if {comparisons} are compared" if comparisons > 1 else ""
        lines.append(f"  smallest difference that is found with a probability of {POWER:.0%}{held}")
        lines.append("    rows" + "".join(f"{f'{count} draws':>12}" for count in DRAWS))
        lines += [
            f"    {rows:4}" + "".join(f"{smallest_difference(mean, rows, count, comparisons):12.3g}" for count in DRAWS)
            for rows in ROWS
        ]
    return "\n".join(lines)
