"""What each selection chose, for the report."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from instruction_selection.core import files
from instruction_selection.core.entry_names import ANY
from instruction_selection.experiment.grid import Cell
from instruction_selection.tables import drawings
from instruction_selection.tables.shared_rows import SharedRows

#: Examples and tasks that are shown of a selection, and characters of a text.
EXAMPLES, TASKS, TEXT = 3, 8, 300
#: Tasks that a heat table has columns for, and the name of the column for the others.
COLUMNS, OTHERS = 16, "others"


class Drawing(NamedTuple):
    label: str
    svg: str


class ShownExample(NamedTuple):
    """A chosen example; long texts are truncated."""

    task: str
    instruction: str
    response: str


class WalkCounts(NamedTuple):
    """What a walk counts (`walk.algorithm1.describe`)."""

    selected: int
    rejected_by_conflict: int
    rejected_by_consistency: int
    fallbacks: int


#: Headings of the columns of `WalkCounts`.
COUNTS = ("Rows", "Rejected by conflict", "Rejected by consistency", "Fallbacks")


@dataclass(frozen=True)
class SelectionFiles:
    """A cell's selection: the chosen examples (``selected.jsonl``), its ``selection.json``, and its page, as a path
    from the report."""

    cell: Cell
    examples: str | Path
    summary: str | Path
    page: str | Path


@dataclass(frozen=True)
class ShownSelection:
    """A selection's part of the report."""

    label: str
    chosen: str
    tasks: str
    examples: Sequence[ShownExample]
    #: One per component of a walk.
    counts: Sequence[WalkCounts]
    drawings: Sequence[Drawing]
    #: Path from the report to the selection's own page.
    page: str


@dataclass(frozen=True)
class Pool:
    """What selections are compared with: each example's length of response and task."""

    lengths: Sequence[int]
    tasks: Mapping[str, int]

    @classmethod
    def read(cls, path: str | Path) -> Self:
        rows = files.read_jsonl(path)
        return cls(_lengths(rows), Counter(row["task"] for row in rows))


@dataclass(frozen=True)
class Labels:
    """Of methods and models, by name."""

    methods: Mapping[str, str]
    models: Mapping[str, str]

    def of_group(self, model: str, pool: str, ratio: str) -> list[str]:
        """What selections of one group share, for a heading."""
        return [*([self.models[model]] if model != ANY else []), pool, ratio]


def sections(selections: Iterable[SelectionFiles], pools: Mapping[str, Pool], labels: Labels) -> list[ShownSelection]:
    """One for each of `selections`; `pools` are by name."""
    return [_section(each, pools[each.cell.pool], labels) for each in selections]


def tasks(
    target: str, selections: Iterable[SelectionFiles], pools: Mapping[str, Pool], labels: Labels
) -> list[Drawing]:
    """Which tasks each method chose for a target, beside the pool's; a heat table for each model, pool and ratio."""
    fitting = [each for each in selections if each.cell.target in (target, ANY)]
    models = dict.fromkeys(each.cell.model for each in fitting if each.cell.model != ANY) or [ANY]
    places = dict.fromkeys((each.cell.pool, each.cell.ratio) for each in fitting)
    drawn = []
    for (pool, ratio), model in itertools.product(places, models):
        counts: dict[str, Counter[str]] = {"Pool": Counter(pools[pool].tasks)}
        for each in fitting:
            cell = each.cell
            if (cell.pool, cell.ratio) == (pool, ratio) and cell.model in (model, ANY):
                method = counts.setdefault(labels.methods[cell.method], Counter())
                # Over all seeds.
                method.update(files.read_json(each.summary)["tasks"])
        svg = _task_heat({name: found for name, found in counts.items() if found.total()})
        drawn.append(Drawing(", ".join(labels.of_group(model, pool, ratio)), svg))
    return drawn


def _task_heat(counts: Mapping[str, Counter[str]]) -> str:
    """Shares of the tasks that some line has most of; the others are added up."""
    shares = {(line, task): number / found.total() for line, found in counts.items() for task, number in found.items()}
    largest: dict[str, float] = {}
    for (_, task), share in shares.items():
        largest[task] = max(share, largest.get(task, 0))
    shown = sorted(largest, key=lambda task: -largest[task])[:COLUMNS]
    shown.sort()
    columns = [*shown, OTHERS] if len(largest) > len(shown) else shown
    drawn = {(line, task): shares.get((line, task), 0.0) for line in counts for task in shown}
    for line in counts if OTHERS in columns else ():
        drawn[line, OTHERS] = max(0.0, 1 - sum(drawn[line, task] for task in shown))
    return drawings.heat(list(counts), columns, drawn)


def _section(selection: SelectionFiles, pool: Pool, labels: Labels) -> ShownSelection:
    examples, summary = files.read_jsonl(selection.examples), files.read_json(selection.summary)
    components = summary["details"].get("components", [])
    cell = selection.cell
    shown = labels.of_group(cell.model, cell.pool, cell.ratio)
    if cell.target != ANY:
        shown.insert(-1, cell.target)
    return ShownSelection(
        label=f"{labels.methods[cell.method]} ({', '.join(shown)}, seed {cell.seed})",
        chosen=f"{summary['selected']} of {summary['pool_rows']} rows",
        tasks=_tasks(summary["tasks"]),
        examples=[
            ShownExample(*(_short(row[key]) for key in ("task", "instruction", "response")))
            for row in examples[:EXAMPLES]
        ],
        counts=[
            WalkCounts(*(component[key] for key in WalkCounts._fields))
            for component in components
            if set(WalkCounts._fields) <= component.keys()
        ],
        drawings=[
            Drawing("Length of responses", drawings.histogram(_lengths(examples), pool.lengths)),
            *_of_trace(summary["trace"], len(components)),
        ],
        page=Path(selection.page).as_posix(),
    )


def _of_trace(trace: dict[str, Any], components: int) -> list[Drawing]:
    drawn = []
    if trace.get("explained_variance"):
        svg = drawings.variance(trace["explained_variance"], components)
        drawn.append(Drawing("Variance that components explain", svg))
    if trace.get("similarities"):
        drawn.append(Drawing("Walk along the first component", drawings.walk(trace["similarities"])))
    return drawn


def _tasks(counts: dict[str, int]) -> str:
    """The most frequent tasks with their counts."""
    listed = [f"{task} {count}" for task, count in Counter(counts).most_common(TASKS)]
    return ", ".join(listed + ([f"and {len(counts) - TASKS} more"] if len(counts) > TASKS else []))


def _lengths(rows: Iterable[dict[str, Any]]) -> list[int]:
    return [len(row["response"]) for row in rows]


def _short(text: str) -> str:
    return text if len(text) <= TEXT else text[:TEXT] + " …"


def overlap(pairs: list[SharedRows], labels: Labels) -> list[Drawing]:
    """A heat table for each model, pool, ratio and seed of a target."""
    # The others do not look at the model, and stand beside every model's.
    of_model = {pair.method for pair in pairs if pair.model != ANY}
    models = dict.fromkeys(pair.model for pair in pairs if pair.model != ANY) or [ANY]
    groups: dict[tuple[str, str, int], list[SharedRows]] = {}
    for pair in pairs:
        groups.setdefault((pair.pool, pair.ratio, pair.seed), []).append(pair)
    drawn = []
    for (pool, ratio, seed), members in groups.items():
        sizes = {pair.method: pair.rows for pair in members if pair.method not in of_model}
        for model in models:
            shares = {}
            for pair in members:
                if pair.model == model:
                    shares[pair.method, pair.other] = pair.share
                    if pair.other in sizes:
                        shares[pair.other, pair.method] = pair.shared / sizes[pair.other]
                elif pair.model == ANY and pair.other not in of_model:
                    shares[pair.method, pair.other] = pair.share
            shares = {(labels.methods[line], labels.methods[column]): share for (line, column), share in shares.items()}
            names = list(dict.fromkeys(name for methods in shares for name in methods))
            label = ", ".join([*labels.of_group(model, pool, ratio), f"seed {seed}"])
            drawn.append(Drawing(label, drawings.heat(names, names, shares)))
    return drawn
