"""Files of config/pools."""

from typing import ClassVar, Self

from pydantic import model_validator

from instruction_selection.experiment.base import About, Count, Distinct, Entry, Execution, Label, ModuleName, problem
from instruction_selection.experiment.rows import Rows
from instruction_selection.experiment.sources import Source


class Pool(Entry):
    """Instructions to select from. They are made by a `reader` for its `tasks`, or read from files."""

    FOLDER: ClassVar[str] = "pools"

    label: About[Label]
    """Name in tables."""
    summary: About[str]
    """One sentence."""
    license: About[str] = "unknown"
    """SPDX identifier or name of the license."""
    tokens: Execution[Count] = 512
    """Tokens of a row with its response, on average; for `snakemake estimate` only."""
    reader: ModuleName | None = None
    """Which module of instruction_selection/data/readers makes it ('-' for '_')."""
    tasks: Distinct[str] = ()
    """The parts of the pool that the reader makes; rows are drawn from all of them equally."""
    rows: Rows | None = None
    """Where rows are read from, if no reader makes them."""

    @model_validator(mode="after")
    def _rows_come_from_somewhere(self) -> Self:
        one_origin(self.reader, self.tasks, rows=self.rows)
        return self

    def sources(self) -> dict[str, Source]:
        """Where its files come from, by the key that says so."""
        return {"rows": self.rows.source} if self.rows else {}


def one_origin(reader: str | None, tasks: tuple[str, ...], **blocks: Rows | None) -> None:
    """Raise unless rows are made by a reader, or read from files in every one of `blocks`."""
    if reader and not tasks:
        raise problem("reader-without-tasks", f"reader {reader!r} needs at least one task", "tasks")
    for name, rows in blocks.items():
        if reader and rows:
            raise problem("two-origins", "either a reader makes rows or files have them; remove one", name)
        if not reader and not rows:
            raise problem("no-origin", f"give either a reader or {' and '.join(blocks)}", name)
