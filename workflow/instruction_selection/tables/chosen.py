"""What each selection chose, for the report."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from instruction_selection.core import files
from instruction_selection.core.entry_names import ANY
from instruction_selection.experiment.grid import Cell
from instruction_selection.tables import drawings
from instruction_selection.tables.shared_rows import SharedRows

#: Examples and tasks that are shown of a selection, and characters of a text.
EXAMPLES, TASKS, TEXT = 3, 8, 300


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
    """A cell's selection: the chosen examples (``selected.jsonl``) and its ``selection.json``."""

    cell: Cell
    examples: str | Path
    summary: str | Path


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


def sections(
    selections: Iterable[SelectionFiles], pools: dict[str, str | Path], methods: dict[str, str]
) -> list[ShownSelection]:
    """One for each of `selections`; `pools` maps names to files of examples, `methods` names to labels."""
    lengths = {name: _lengths(files.read_jsonl(path)) for name, path in pools.items()}
    return [_section(each, lengths[each.cell.pool], methods[each.cell.method]) for each in selections]


def _section(selection: SelectionFiles, pool_lengths: list[int], method: str) -> ShownSelection:
    examples, summary = files.read_jsonl(selection.examples), files.read_json(selection.summary)
    components = summary["details"].get("components", [])
    cell = selection.cell
    shown = [name for name in (cell.model, cell.pool, cell.target, cell.ratio) if name != ANY]
    return ShownSelection(
        label=f"{method} ({', '.join(shown)}, seed {cell.seed})",
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
            Drawing("Length of responses", drawings.histogram(_lengths(examples), pool_lengths)),
            *_of_trace(summary["trace"], len(components)),
        ],
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


def overlap(pairs: list[SharedRows]) -> list[Drawing]:
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
            names = list(dict.fromkeys(name for methods in shares for name in methods))
            label = ", ".join([*([model] if model != ANY else []), pool, ratio, f"seed {seed}"])
            drawn.append(Drawing(label, drawings.heat(names, shares)))
    return drawn
