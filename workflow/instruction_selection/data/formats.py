"""Records of data files, in the formats in which instructions are published; a name's suffix gives the format.

Not `datasets` or pandas: both convert a column to one type, which changes or rejects records with mixed fields, and
their errors do not name the record; `datasets` also writes an Arrow copy of every file.
"""

import csv
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any, TypeVar

import yaml

from instruction_selection.core.errors import InputError

#: The rationales of some files exceed the default limit of a field.
csv.field_size_limit(2**31 - 1)
#: Records of a Parquet or Arrow file in memory at once.
PARQUET_ROWS = 1024
#: (path, the open file, layout) -> pairs (record, document).
Parser = Callable[[Path, IO[bytes], dict], Iterator[tuple[dict, dict]]]
T = TypeVar("T")
NOT_UTF_8 = "not UTF-8; convert the file"


def read(path: Path, layout: dict) -> Iterator[tuple[dict, dict]]:
    """The records of a file, one at a time, as pairs (record, document).

    `layout` has three keys, each of which may be None: `member` (pattern of the one file to read inside a zip archive),
    `columns` (names, for tables without a header) and `key` (dotted: where the list of records is in JSON and YAML).
    With `key`, `document` is the file's top-level mapping; otherwise it is empty. Raises `InputError`, with the line
    number where the format has lines, if the file holds anything else.
    """
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                found = [name for name in archive.namelist() if fnmatch(name, layout["member"] or "*")]
                if len(found) != 1:
                    sentence = (
                        f"{len(found)} files in this archive match {layout['member'] or '*'!r}, and exactly one must"
                    )
                    raise InputError("archive-members", sentence, path=path, key="member")
                with archive.open(found[0]) as binary:
                    yield from _parse(Path(f"{path}/{found[0]}"), binary, layout)
        else:
            with path.open("rb") as binary:
                yield from _parse(path, binary, layout)
    except UnicodeDecodeError as error:
        raise InputError("not-utf-8", f"{NOT_UTF_8} ({error.reason})", path=path) from error
    except UNREADABLE as error:
        reason = " ".join(str(error).split()).removesuffix(".")
        raise InputError("unreadable", f"cannot be read ({reason})", path=path) from error


def _parse(path: Path, binary: IO[bytes], layout: dict) -> Iterator[tuple[dict, dict]]:
    if path.suffix not in FORMATS:
        raise InputError("unknown-format", f"unknown file format; use one of {', '.join(FORMATS)}, .zip", path=path)
    return FORMATS[path.suffix](path, binary, layout)


def _json_lines(path: Path, binary: IO[bytes], layout: dict) -> Iterator[tuple[dict, dict]]:
    for number, line in enumerate(binary, start=1):
        line_number = f"line {number}"
        try:
            record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError as error:
            raise InputError("not-utf-8", f"{NOT_UTF_8} ({error.reason})", path=path, key=line_number) from error
        except (ValueError, RecursionError) as error:
            # A JSONDecodeError's own line number is always 1 here.
            reason = getattr(error, "msg", error)
            raise InputError("not-json", f"not JSON ({reason})", path=path, key=line_number) from error
        yield _checked(record, path, line_number), {}


def _checked(record: object, path: Path, position: str) -> dict:
    if not isinstance(record, dict):
        sentence = f"a record must be a mapping of names to values, not {type(record).__name__}"
        raise InputError("not-a-record", sentence, path=path, key=position)
    return record


def _document(load: Callable[[IO[bytes]], Any]) -> Parser:
    def parse(path: Path, binary: IO[bytes], layout: dict) -> Iterator[tuple[dict, dict]]:
        records = document = load(binary)
        for name in layout["key"].split(".") if layout["key"] else ():
            if not isinstance(records, dict) or name not in records:
                raise InputError("no-such-key", "the file has no such key", path=path, key=layout["key"])
            records = records[name]
        if not isinstance(records, list):
            sentence = f"expected a list of records, not {type(records).__name__}"
            raise InputError("not-a-list", sentence, path=path, key=layout["key"])
        for number, record in enumerate(records):
            yield _checked(record, path, f"record {number}"), {} if records is document else document

    return parse


def _yaml(binary: IO[bytes]) -> object:
    try:
        return yaml.load(binary, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (LookupError, TypeError, AttributeError) as error:
        # PyYAML does not check that a value fits its tag.
        raise ValueError(f"a value does not fit its tag: {error}") from error


def _table(delimiter: str, quotes: bool) -> Parser:
    def parse(path: Path, binary: IO[bytes], layout: dict) -> Iterator[tuple[dict, dict]]:
        text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
        quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
        lines = csv.DictReader(text, layout["columns"], delimiter=delimiter, quoting=quoting, strict=True)
        columns = list(_parsed(lambda: lines.fieldnames, path, lines) or [])
        if len(set(columns)) < len(columns):
            sentence = f"two columns have the same name ({', '.join(columns)}); rename one"
            raise InputError("duplicate-column", sentence, path=path)
        while (record := _parsed(lambda: next(lines, None), path, lines)) is not None:
            if None in record or None in record.values():
                sentence = f"expected {len(columns)} columns"
                raise InputError("column-count", sentence, path=path, key=f"line {lines.line_num}")
            yield record, {}

    return parse


def _parsed(read: Callable[[], T], path: Path, lines: "csv.DictReader[str]") -> T:
    """What `read` reads of a table. Raises `InputError` with the first line of a record whose quotes do not match."""
    line = lines.reader.line_num + 1
    try:
        return read()
    except csv.Error as error:
        sentence = f"the record that begins here is not CSV ({error}); a quotation mark in a field is doubled"
        raise InputError("not-csv", sentence, path=path, key=f"line {line}") from error


def _parquet(path: Path, binary: IO[bytes], layout: dict) -> Iterator[tuple[dict, dict]]:
    from pyarrow import ArrowException, parquet

    try:
        for batch in parquet.ParquetFile(binary).iter_batches(PARQUET_ROWS):
            yield from ((record, {}) for record in batch.to_pylist())
    except ArrowException as error:
        raise ValueError(str(error)) from error


def _arrow(path: Path, binary: IO[bytes], layout: dict) -> Iterator[tuple[dict, dict]]:
    """A file of a data set that `datasets` has saved to disk."""
    from pyarrow import ArrowException, ipc

    try:
        with ipc.open_stream(binary) as stream:
            for batch in stream:
                for start in range(0, batch.num_rows, PARQUET_ROWS):
                    yield from ((record, {}) for record in batch.slice(start, PARQUET_ROWS).to_pylist())
    except ArrowException as error:
        raise ValueError(str(error)) from error


FORMATS: dict[str, Parser] = {
    ".jsonl": _json_lines,
    ".json": _document(json.load),
    ".yaml": _document(_yaml),
    ".csv": _table(",", quotes=True),
    # Quotation marks in a TSV file are text.
    ".tsv": _table("\t", quotes=False),
    ".parquet": _parquet,
    ".arrow": _arrow,
}
#: What parsers raise; zipfile raises RuntimeError for encrypted members, NotImplementedError for rare compressions.
UNREADABLE = (
    *(OSError, ValueError, EOFError, RecursionError, RuntimeError, csv.Error),
    *(yaml.YAMLError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
