"""Which scores predict what a random subset of a pool is worth, from an experiment's finished results.

The subsets are the selections of the method `random`: each of its seeds is a subset, a fine-tuning and an evaluation.
The scores are in `scores.parquet` beside the selections of the other methods, whose models need not be trained.
"""

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow
from pyarrow import parquet

from instruction_selection.core import files, recorded
from instruction_selection.core.errors import InputError
from instruction_selection.experiment import grid
from instruction_selection.experiment.benchmark import Metric
from instruction_selection.experiment.chain import Chain, unique_results
from instruction_selection.experiment.wiring import Wiring
from instruction_selection.tables import lineage
from instruction_selection.tables.cells import CellFiles, EvaluatedCell
from instruction_selection.tables.datamodeling import Correlation, linear_datamodeling_score

#: The method whose selections are random subsets, and how many of them a correlation needs.
SUBSETS, FEWEST = "random", 10
#: Controls, by names that no method can have. All subsets have as many rows, but longer responses have more to learn
#: from; and a row of the target's own tasks needs no score to be found.
LENGTH, FAMILY = "response length", "target family"


@dataclass(frozen=True)
class Line:
    """Scores of rows: their method or control, how many rows of the pool have one, and what they predict.

    `given_length` is what they predict beyond the length of a subset's responses, None for that itself.
    """

    name: str
    scored: int
    correlation: Correlation | None
    given_length: Correlation | None


@dataclass(frozen=True)
class Panel:
    """What the methods' scores predict of one benchmark, for the subsets of one model, pool and ratio.

    Of `planned` subsets, `subsets` are finished and count; models of `diverged` others have no finite metric.
    """

    model: str
    pool: str
    ratio: str
    target: str
    benchmark: str
    metric: Metric
    planned: int
    subsets: int
    diverged: int
    subset_rows: int
    pool_rows: int
    #: The largest correlation first; those without one are last.
    lines: tuple[Line, ...]
    #: What is known of rows without a method.
    controls: tuple[Line, ...]
    #: Names of methods that score no row, and of those that have not selected yet.
    without_scores: tuple[str, ...]
    not_selected: tuple[str, ...]


class Group(NamedTuple):
    """What the subsets of a panel share."""

    model: str
    pool: str
    ratio: str
    target: str
    benchmark: str


class _Selection(NamedTuple):
    """The names of a cell, and the paths of its selection."""

    names: dict[str, str]
    rows: str
    summary: str
    scores: str

    def is_there(self) -> bool:
        return all(Path(path).is_file() for path in self[1:])

    def chosen(self) -> list[str]:
        """The ids of its rows, in order of choice."""
        recorded.check(self.rows, self.summary)
        return [row["id"] for row in files.iterate_jsonl(self.rows)]


#: A cell of `Wiring.table_cells`.
_Cell = tuple[dict[str, str], str, str, str | None, str | None]


def panels(wiring: Wiring) -> list[Panel]:
    """One for each benchmark, model, pool and ratio with random subsets.

    Raises `InputError` for fewer than `FEWEST` finished subsets, if no method has scores, and where results do not
    belong together.
    """
    groups = cells_by_group(wiring)
    if not groups:
        sentence = f"no table has the method {SUBSETS!r}, whose selections are the subsets"
        raise InputError("no-subsets", sentence, path=f"results/{wiring.experiment.folder}")
    return [_panel(wiring, group, cells) for group, cells in groups.items()]


def cells_by_group(wiring: Wiring) -> dict[Group, list[_Cell]]:
    """The cells of every group that has random subsets, each once."""
    found: dict[Group, dict[str, _Cell]] = {}
    for cell in itertools.chain.from_iterable(map(wiring.table_cells, wiring.experiment.tables)):
        names, evaluation, *_ = cell
        group = Group(*(names[name] for name in ("model", "pool", "ratio", "shown_for", "benchmark")))
        found.setdefault(group, {})[evaluation] = cell
    return {
        group: list(cells.values())
        for group, cells in found.items()
        if any(names["method"] == SUBSETS for names, *_ in cells.values())
    }


def finished_subsets(wiring: Wiring, cells: Sequence[_Cell]) -> list[_Cell]:
    """The cells of random subsets whose models are evaluated."""
    return [cell for cell in cells if cell[0]["method"] == SUBSETS and _is_evaluated(wiring, cell)]


def measured(wiring: Wiring, finished: Sequence[_Cell], metric: Metric) -> tuple[list[set[str]], np.ndarray]:
    """Of S evaluated subsets the ids of their rows, and (S,) the metric of the models, larger where it is better."""
    subsets = [set(_selection(wiring, cell[0]).chosen()) for cell in finished]
    return subsets, np.array([_outcome(cell, metric) for cell in finished])


def _panel(wiring: Wiring, group: Group, cells: Sequence[_Cell]) -> Panel:
    planned = [cell for cell in cells if cell[0]["method"] == SUBSETS]
    finished = finished_subsets(wiring, cells)
    methods: dict[str, _Selection] = {}
    for names, *_ in cells:
        if names["method"] != SUBSETS:
            # Of the first seed, if the method draws at random.
            methods.setdefault(names["method"], _selection(wiring, names))
    selected = {method: selection for method, selection in methods.items() if selection.is_there()}
    _check_lineage(wiring, finished, selected.values())

    metric = wiring.experiment.benchmarks[group.benchmark].metrics[0]
    subsets, outcomes = measured(wiring, finished, metric)
    usable = np.isfinite(outcomes)
    folder = f"results/{wiring.experiment.folder}"
    if usable.sum() < FEWEST:
        sentence = (
            f"{usable.sum()} of {len(planned)} random subsets are evaluated on {group.benchmark}, and {FEWEST} are "
            f"needed; run: snakemake tables --cores 2 --config experiment={wiring.experiment.name}"
        )
        raise InputError("too-few-subsets", sentence, path=folder)

    scores = {method: _scores(selection) for method, selection in selected.items()}
    scored = {method: found for method, found in scores.items() if np.isfinite([*found.values()]).any()}
    if not scored:
        sentence = f"no method has selected and has scores for {group.target}; select with one, as less"
        raise InputError("no-scores", sentence, path=folder)
    kept = [subset for subset, use in zip(subsets, usable, strict=True) if use]
    controls = _controls(wiring, group)
    lengths = np.array([sum(controls[LENGTH][name] for name in subset) for subset in kept])
    line = functools.partial(_line, subsets=kept, outcomes=outcomes[usable], lengths=lengths)
    lines = [line(method, found) for method, found in scored.items()]
    return Panel(
        **group._asdict(),
        metric=metric,
        planned=len(planned),
        subsets=int(usable.sum()),
        diverged=int((~usable).sum()),
        subset_rows=len(subsets[0]),
        pool_rows=len(next(iter(scored.values()))),
        lines=tuple(sorted(lines, key=lambda line: -line.correlation.value if line.correlation else 2)),
        controls=tuple(line(name, found) for name, found in controls.items()),
        without_scores=tuple(method for method in scores if method not in scored),
        not_selected=tuple(method for method in methods if method not in selected),
    )


def _controls(wiring: Wiring, group: Group) -> dict[str, dict[str, float]]:
    """By the control, of every row of the pool the characters of its response, and 1 if it is in the target's family;
    no family that has no rows."""
    path = wiring.paths.pool.format(pool=group.pool)
    recorded.check(path, wiring.paths.pool_summary.format(pool=group.pool))
    tasks = wiring.experiment.benchmarks[group.benchmark].tasks
    rows = [*files.iterate_jsonl(path)]
    found = {
        LENGTH: {row["id"]: float(len(row["response"])) for row in rows},
        FAMILY: {row["id"]: float(row["task"] in tasks) for row in rows},
    }
    return found if any(found[FAMILY].values()) else {LENGTH: found[LENGTH]}


def _line(
    name: str, scores: Mapping[str, float], subsets: Sequence[set[str]], outcomes: np.ndarray, lengths: np.ndarray
) -> Line:
    members = np.array([[row in subset for row in scores] for subset in subsets])
    values = np.array([*scores.values()])
    of_outcomes = functools.partial(linear_datamodeling_score, values, members, outcomes)
    given_length = None if name == LENGTH else of_outcomes(given=lengths)
    return Line(name, int(np.isfinite(values).sum()), of_outcomes(), given_length)


def _selection(wiring: Wiring, names: dict[str, str]) -> _Selection:
    cell, paths = grid.selection_of(wiring.experiment, grid.Cell.of(names)).wildcards(), wiring.paths
    return _Selection(names, *(path.format(**cell) for path in (paths.selected, paths.selection, paths.scores)))


def _is_evaluated(wiring: Wiring, cell: _Cell) -> bool:
    names, *paths = cell
    return _selection(wiring, names).is_there() and all(Path(path).is_file() for path in paths if path)


def _check_lineage(wiring: Wiring, finished: Iterable[_Cell], selected: Iterable[_Selection]) -> None:
    chain = Chain(wiring)
    evaluated = itertools.chain.from_iterable(chain.of_cell(*cell) for cell in finished)
    chosen = itertools.chain.from_iterable(chain.of_selection(each.names, each.summary) for each in selected)
    lineage.check(unique_results([*evaluated, *chosen]), wiring.settings.accepted_code)


def _outcome(cell: _Cell, metric: Metric) -> float:
    """The metric of a tuned model, larger where it is better."""
    names, evaluation, samples, selection, training = cell
    paths = CellFiles(evaluation, samples, selection, training)
    value = EvaluatedCell.read(names, paths, (metric,)).metrics[metric.name].value
    # As shown: a negative scale turns a metric round.
    return metric.scale * value * (1 if metric.higher_is_better else -1)


def _scores(selection: _Selection) -> dict[str, float]:
    """The score of every row of the pool by its id; NaN for a row that has none."""
    path = selection.scores
    try:
        table: list[dict[str, Any]] = parquet.read_table(path, columns=["id", "score", "step"]).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise files.damaged(path, f"it cannot be read: {str(error).splitlines()[0]}") from error
    steps = sorted((row["step"], row["id"]) for row in table if row["step"] is not None)
    # The file does not say how it was made; the selection beside it does.
    if [name for _, name in steps] != selection.chosen():
        sentence = "its steps are not the rows of the selection beside it; delete it and run again"
        raise InputError("scores-of-another-selection", sentence, path=path)
    return {row["id"]: np.nan if row["score"] is None else row["score"] for row in table}
