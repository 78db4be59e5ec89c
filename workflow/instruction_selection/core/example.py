"""An example: its type, its id, and counts."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NotRequired, TypedDict

from instruction_selection.core import files


class Content(TypedDict):
    """One instruction with its response, before it has an id."""

    #: The part of the pool or benchmark that it belongs to, such as a subtask.
    task: str
    instruction: str
    response: str
    #: What `data.overlap` compares in place of the instruction.
    overlap_text: NotRequired[str]
    #: The whole chat with its response, in turns of `role` (system, user, assistant) and `content`; all examples of a
    #: file have it, or none.
    messages: NotRequired[list[dict[str, str]]]
    #: The columns of the source; only evaluation examples from files have them.
    record: NotRequired[dict]


class Example(Content):
    """A line of a pool's, a validation or an evaluation file (JSON lines)."""

    #: A hash of the content (`row_id`), with a suffix where a source holds the same example again.
    id: str


def read(path: str | Path, start: int = 0, stop: int | None = None) -> list[Example]:
    """Examples `start` to `stop` (from 0) of a file. Raises `InputError` for a line that is not a JSON object."""
    return list(iterate(path, start, stop))


def iterate(path: str | Path, start: int = 0, stop: int | None = None) -> Iterator[Example]:
    """As `read`, one example at a time."""
    return (Example(**line) for line in files.iterate_jsonl(path, start, stop))


def row_id(row: Content) -> str:
    """A stable name for an example, from its content."""
    text = "\0".join((row["task"], row["instruction"], row["response"]))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def counts(rows: Iterable[Example]) -> dict[str, int]:
    """Examples per task, in alphabetical order."""
    return dict(sorted(Counter(row["task"] for row in rows).items()))
