"""Reading and writing files so that neither a killed job nor a power cut leaves half a result under its name.

A JSON file that is written here carries a checksum of its content, which is verified when it is read.
"""

import contextlib
import csv
import hashlib
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from instruction_selection.core.errors import InputError

#: The key of the checksum in a JSON object.
CHECKSUM = "checksum"


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary sibling of `path`; rename it to `path` if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Always the same name, so that the remains of a killed job are overwritten.
    temporary = path.with_name(f".{path.name}.tmp")
    # If they are a link, writing would change the file that it points to.
    temporary.unlink(missing_ok=True)
    try:
        yield temporary
        publish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def reject_read_only(folder: str | Path) -> None:
    """Raise `InputError` if this process cannot write to a folder, or cannot make it where it would be."""
    folder = Path(folder)
    existing = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    if not os.access(existing, os.W_OK | os.X_OK):
        sentence = (
            "this user cannot write here; change its permissions, or run in a checkout of your own, with the results "
            "copied into it (`cp -a`)"
        )
        raise InputError("read-only", sentence, path=existing)


def publish(temporary: str | Path, path: str | Path) -> None:
    """Rename a complete file to `path`, or a folder where there is none, so that it survives a power cut as a whole."""
    temporary, path = Path(temporary), Path(path)
    for member in temporary.rglob("*") if temporary.is_dir() else [temporary]:
        if not member.is_symlink():
            _flush(member)
    if temporary.is_dir():
        _flush(temporary)
    os.replace(temporary, path)
    _flush(path.parent)


def _flush(path: Path) -> None:
    """Wait until a file's content, or a folder's list of files, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: str | Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: dict) -> None:
    """Write an object with its checksum."""
    # The checksum is of what will be read: JSON has no tuples, and no keys but strings.
    checked = {**value, CHECKSUM: _checksum(json.loads(json.dumps(value)))}
    write_text(path, json.dumps(checked, indent=2, ensure_ascii=False) + "\n")


def read_json(path: str | Path, result: str | Path | None = None) -> dict:
    """The object in a JSON file, without the checksum that `write_json` added.

    Files that other programs wrote have none. Raises `InputError` for a file that is empty, truncated or changed;
    `result` is the folder to delete then, if the file is part of one that is made as a whole.
    """
    try:
        value = json.loads(Path(path).read_bytes().decode("utf-8"))
    except ValueError as error:
        problem = "it is empty" if Path(path).stat().st_size == 0 else f"it is not JSON: {error}"
        raise damaged(path, problem, result) from error
    if not isinstance(value, dict):
        raise damaged(path, f"it is not a JSON object but {type(value).__name__}", result)
    if CHECKSUM in value and value.pop(CHECKSUM) != _checksum(value):
        raise damaged(path, "its content does not match its checksum", result)
    return value


def read_benchmark(path: str | Path) -> dict[str, str]:
    """What Snakemake measured of a job, by the names of its columns. Raises `InputError` for a file that is damaged."""
    with Path(path).open(encoding="utf-8", errors="replace", newline="") as handle:
        row = next(csv.DictReader(handle, delimiter="\t"), {})
    if not re.fullmatch(r"\d+(\.\d+)?", row.get("s") or "") or None in row.values():
        raise damaged(path, "it is not a benchmark file of Snakemake")
    return row


def damaged(path: str | Path, problem: str, result: str | Path | None = None) -> InputError:
    """The error for a file of the results that is not what was written; `result` is as in `read_json`."""
    what = "the file" if result is None else f"the folder {result}"
    return InputError("damaged", f"damaged ({problem}); delete {what} and run the same command again", path=path)


def _checksum(value: dict) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


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
    key, delete = f"line {number}", "delete the file and run the same command again"
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError("not-utf-8", f"not UTF-8 ({error.reason}); {delete}", path=path, key=key) from error
    except json.JSONDecodeError as error:
        raise InputError("not-json", f"not JSON ({error.msg}); {delete}", path=path, key=key) from error
    if not isinstance(row, dict):
        sentence = f"expected a JSON object, not {type(row).__name__}; {delete}"
        raise InputError("not-an-object", sentence, path=path, key=key)
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
