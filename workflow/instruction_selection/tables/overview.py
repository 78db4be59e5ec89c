"""A table's drawings in the report: differences from the baseline, and what lies behind the scores of a target."""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from instruction_selection.core import files
from instruction_selection.core.entry_names import ANY
from instruction_selection.experiment.benchmark import Metric
from instruction_selection.experiment.published import AVERAGE
from instruction_selection.tables import drawings, names, samples
from instruction_selection.tables.cells import CellFiles
from instruction_selection.tables.chosen import Drawing
from instruction_selection.tables.rows import Row
from instruction_selection.tables.spec import TableSpec

#: A cell's wildcards and its benchmark, and its files.
NamedFiles = tuple[dict[str, str], CellFiles]


def differences(rows: list[Row], spec: TableSpec) -> list[Drawing]:
    """A drawing for each metric of a target's table, and for each benchmark of another one."""
    drawn = []
    for target, benchmark in dict.fromkeys((row.target, row.benchmark) for row in rows if row.benchmark != AVERAGE):
        members = [row for row in rows if (row.target, row.benchmark) == (target, benchmark)]
        for metric in spec.shown_metrics(benchmark):
            lines, comparisons = [], []
            for line, row in zip(names.of_lines(members), members, strict=True):
                if (comparison := row.metrics[metric.name].comparison) is not None:
                    lines.append(line)
                    comparisons.append(comparison)
            if comparisons:
                label = metric.label if spec.plan.kind == "target" else spec.benchmark(benchmark).label
                drawn.append(Drawing(label, drawings.differences(lines, comparisons, metric)))
    return drawn


def behind_scores(rows: list[Row], cells: Iterable[NamedFiles], spec: TableSpec) -> list[Drawing]:
    """Of a target's table: the scores of single evaluation rows, and the training losses.

    Scores are of the first metric, and not drawn if they are all 0 or 1, which the mean describes.
    """
    lines = dict(zip(map(_group, rows), names.of_lines(rows), strict=True))
    benchmark = rows[0].benchmark
    metric = spec.first_metric(benchmark)
    scores: dict[str, list[dict[str, float]]] = {}
    losses: dict[str, list[float]] = {}
    for named, paths in cells:
        if named["benchmark"] != benchmark:
            continue
        line = lines[_group_of(named, spec)]
        scores.setdefault(line, []).append(samples.read(paths.samples, (metric,))[metric.name])
        # A diverged training has no mean.
        if paths.training and math.isfinite(loss := files.read_json(paths.training)["results"]["train_loss"]):
            losses.setdefault(line, []).append(loss)
    drawn = []
    if any(not {0, 1}.issuperset(seed.values()) for seeds in scores.values() for seed in seeds):
        means = {line: _means(seeds, metric) for line, seeds in scores.items()}
        svg = drawings.distribution(list(means), list(means.values()), metric)
        drawn.append(Drawing("Scores of single evaluation rows", svg))
    if losses:
        drawn.append(Drawing("Training loss", drawings.losses(list(losses), list(losses.values()))))
    return drawn


def _means(seeds: list[dict[str, float]], metric: Metric) -> list[float]:
    """The finite scores of evaluation rows, each the mean over seeds."""
    means = metric.scale * np.mean([[seed[row] for row in seeds[0]] for seed in seeds], axis=0)
    return means[np.isfinite(means)].tolist()


def _group(row: Row) -> tuple[str | None, ...]:
    return row.model, row.pool, row.method, row.ratio


def _group_of(named: dict[str, str], spec: TableSpec) -> tuple[str | None, ...]:
    pool = None if named["pool"] == ANY else named["pool"]
    return spec.models[named["model"]].label, pool, spec.methods[named["method"]].label, named["ratio"]


def loss_curves(logs: Mapping[str, str]) -> list[Drawing]:
    """Of every warm-up, by its name the path of its log."""
    drawn = []
    for name, path in logs.items():
        logged = [line for line in files.iterate_jsonl(path) if "loss" in line]
        steps, losses = [line["current_steps"] for line in logged], [line["loss"] for line in logged]
        drawn.append(Drawing(f"Warm-up: {name}", drawings.loss_curve(steps, losses)))
    return drawn
