"""An example: its type, its id, and counts."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import NotRequired, TypedDict


class Example(TypedDict):
    """One instruction with its response: a line of a pool's, a validation or an evaluation file (JSON lines)."""

    #: A hash of the content (`row_id`), with a suffix where a source holds the same example again.
    id: str
    #: The part of the pool or benchmark that it belongs to, such as a subtask.
    task: str
    instruction: str
    response: str
    #: What `data.overlap` compares in place of the instruction.
    overlap_text: NotRequired[str]
    #: The columns of the source; only evaluation examples from files have them.
    record: NotRequired[dict]


def row_id(row: dict) -> str:
    """A stable name for an example, from its content."""
    text = "\0".join((row["task"], row["instruction"], row["response"]))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def counts(rows: Iterable[Example]) -> dict[str, int]:
    """Examples per task, in alphabetical order."""
    return dict(sorted(Counter(row["task"] for row in rows).items()))
