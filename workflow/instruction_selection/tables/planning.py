"""What a larger experiment could show, as text, from the finished results of a smaller one: `make power`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from instruction_selection.core.errors import InputError
from instruction_selection.experiment.experiment import Experiment
from instruction_selection.experiment.wiring import Wiring
from instruction_selection.tables import draws, results, table
from instruction_selection.tables.cells import CellFiles, EvaluatedCell
from instruction_selection.tables.power import POWER, Components, smallest_difference
from instruction_selection.tables.spec import TableSpec

#: Planned numbers of evaluation rows and of draws, and comparisons in a table.
ROWS = (64, 125, 250, 500, 1000)
DRAWS = (5, 8, 12, 16, 24)
COMPARISONS = (1, 30)


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
    spec = draws.spec_of(experiments[0])
    parts: dict[tuple[str, str], list[EvaluatedCell]] = {}
    drawn = experiments[0].draw is not None
    for cell in draws.cells(experiments, spec) if drawn else _finished(experiments[0], spec):
        parts.setdefault((cell.target, cell.benchmark), []).append(cell)
    found: dict[str, list[np.ndarray]] = {}
    for (_, benchmark), members in parts.items():
        groups = table.grouped(members)
        for group, cells in groups.items():
            baseline = results.baseline_of(group, list(groups), spec.plan.baseline)
            repeated = 0 if baseline is None else min(len(cells), len(groups[baseline]))
            if baseline is None or repeated < 2 or not spec.methods[group.method].trained:
                continue
            for metric in spec.benchmark(benchmark).metrics:
                ids = list(cells[0].values[metric.name])
                first, second = (results.runs(side[:repeated], metric.name, ids) for side in (cells, groups[baseline]))
                label = f"{spec.benchmark(benchmark).label}, {metric.label}"
                found.setdefault(label, []).append(metric.scale * (first - second))
    return found


def _finished(experiment: Experiment, spec: TableSpec) -> Iterator[EvaluatedCell]:
    wiring = Wiring(experiment)
    for table_name in experiment.tables:
        for names, evaluation, samples, selection, training in wiring.table_cells(table_name):
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
