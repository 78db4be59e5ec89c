"""How many rows the selections of a target have in common."""

import csv
import io
from collections.abc import Iterable, Set
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from pydantic import TypeAdapter

from instruction_selection.core.entry_names import ANY
from instruction_selection.experiment.grid import Cell


@dataclass(frozen=True)
class SharedRows:
    """An ordered pair of methods, for one model, pool, ratio and seed; the fields are the columns of the file."""

    model: str
    pool: str
    ratio: str
    seed: int
    method: str
    other: str
    #: Of the first method.
    rows: int
    shared: int
    #: Of the first method's rows, from 0 to 1.
    share: float


def build(selections: Iterable[tuple[Cell, Set[str]]]) -> list[SharedRows]:
    """One entry per ordered pair of methods that are selected for the same model, pool, ratio and seed.

    `selections` are a target's cells and the ids of the rows selected for each.
    """
    selections = list(selections)
    return [
        SharedRows(
            *(cell.model, cell.pool, cell.ratio, cell.seed, cell.method, other.method),
            rows=len(ids),
            shared=len(ids & other_ids),
            share=len(ids & other_ids) / len(ids),
        )
        for cell, ids in selections
        for other, other_ids in selections
        if cell.method != other.method and _agree(cell, other)
    ]


def _agree(first: Cell, second: Cell) -> bool:
    pairs = ((getattr(first, name), getattr(second, name)) for name in ("model", "pool", "ratio", "seed"))
    return all(one == other or ANY in (one, other) for one, other in pairs)


def to_csv(pairs: Iterable[SharedRows]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(SharedRows)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(pair) for pair in pairs)
    return text.getvalue()


def read(path: str | Path) -> list[SharedRows]:
    """What `to_csv` wrote."""
    with Path(path).open(encoding="utf-8", newline="") as handle:
        return TypeAdapter(list[SharedRows]).validate_python(list(csv.DictReader(handle)))
