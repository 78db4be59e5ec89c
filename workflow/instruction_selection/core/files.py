"""Reading and writing files so that a killed job never leaves half a result under the final name."""

import contextlib
import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from instruction_selection.core.errors import InputError


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary sibling of `path`; rename it to `path` if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Always the same name, so that the remains of a killed job are overwritten.
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: object) -> None:
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: str | Path) -> dict:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_jsonl(path: str | Path, rows: Iterable[Mapping[str, object]]) -> None:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as handle:
        for row in rows:
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_jsonl(path: str | Path, start: int = 0, stop: int | None = None) -> list[dict]:
    """Lines `start` to `stop` (from 0) of a JSON-lines file. Raises `InputError` for a line that is not an object."""
    return list(iterate_jsonl(path, start, stop))


def iterate_jsonl(path: str | Path, start: int = 0, stop: int | None = None) -> Iterator[dict]:
    """As `read_jsonl`, one line at a time."""
    with Path(path).open("rb") as handle:
        for number, line in itertools.islice(enumerate(handle, start=1), start, stop):
            yield parse_json_line(line, path, number)


def parse_json_line(line: bytes, path: str | Path, number: int) -> dict:
    """The object in line `number` (from 1) of a JSON-lines file; raises `InputError` if it is none."""
    key = f"line {number}"
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError("not-utf-8", f"not UTF-8; convert the file ({error.reason})", path=path, key=key) from error
    except json.JSONDecodeError as error:
        raise InputError("not-json", f"not JSON ({error.msg})", path=path, key=key) from error
    if not isinstance(row, dict):
        raise InputError("not-an-object", f"expected a JSON object, not {type(row).__name__}", path=path, key=key)
    return row


def count_lines(path: str | Path) -> int:
    with Path(path).open("rb") as handle:
        return sum(1 for _ in handle)


class Named(Protocol):
    """A rule's input files by name, as Snakemake passes them to a script."""

    def get(self, name: str, default: Sequence[str], /) -> Iterable[str]: ...


def optional(inputs: Named, name: str) -> str | None:
    """The one file of Snakemake's input `name`, or None if the rule has no such input or leaves it empty."""
    return next(iter(inputs.get(name, [])), None)


def sha256(path: str | Path) -> str:
    """Hex digest of a file, or of the list of a folder's files with their digests and relative names.

    Snakemake's timestamp file, which it puts into a folder when its job has ended, is ignored.
    """
    path = Path(path)
    if path.is_dir():
        found = (member for member in path.rglob("*") if member.is_file())
        members = sorted(member for member in found if member.name != ".snakemake_timestamp")
        listing = "".join(f"{sha256(member)}  {member.relative_to(path).as_posix()}\n" for member in members)
        return hashlib.sha256(listing.encode()).hexdigest()
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
