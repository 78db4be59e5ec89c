"""Identity and counts of examples."""

import hashlib
from collections import Counter
from collections.abc import Iterable


def row_id(row: dict) -> str:
    """A stable name for a row, from its content."""
    text = "\0".join((row["task"], row["instruction"], row["response"]))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def counts(rows: Iterable[dict]) -> dict[str, int]:
    """Rows per task, in alphabetical order."""
    return dict(sorted(Counter(row["task"] for row in rows).items()))
