"""Whether a file of examples is what its job wrote, by the count and hash in the summary beside it."""

import hashlib
from pathlib import Path

from instruction_selection.core import files
from instruction_selection.core.errors import InputError

#: Bytes read at a time.
PIECE = 1 << 20


def check(path: str | Path, summary: str | Path) -> None:
    """Raise `InputError` unless the file `path` has the rows that `summary` records. Reads the file once.

    `summary` is JSON of a pool or of warm-up rows, with `rows` and `sha256`, of a target, with both under a file's name
    without suffix, or of a selection, with `selected` and `sha256`. A method with a rule of its own may record only the
    number.
    """
    recorded = files.read_json(summary)
    expected = recorded if "sha256" in recorded or "selected" in recorded else recorded[Path(path).stem]
    count = expected["rows" if "rows" in expected else "selected"]
    digest, rows = hashlib.sha256(), 0
    with Path(path).open("rb") as handle:
        while piece := handle.read(PIECE):
            digest.update(piece)
            rows += piece.count(b"\n")
    if rows != count or digest.hexdigest() != expected.get("sha256", digest.hexdigest()):
        sentence = f"has {rows} rows, and is not the file of {count} rows that {summary} records"
        raise InputError("rows-changed", f"{sentence}; delete it and run again", path=path)
