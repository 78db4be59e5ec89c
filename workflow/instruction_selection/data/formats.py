"""Records of data files in the formats in which instructions are published; the suffix of a name tells the format."""

import csv
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import yaml

from instruction_selection.core.uncoded_errors import InputError

#: The rationales of some files are longer than a field may be by default.
csv.field_size_limit(2**31 - 1)
#: Rows of a Parquet file that are in memory at once.
PARQUET_ROWS = 1024


def read(path: Path, layout: dict) -> Iterator[tuple[dict, dict]]:
    """The records of a file, one at a time, each with what else the file says.

    `layout` has `member` (pattern of the one file to read inside a zip archive), `columns` (names, for tables
    without a header) and `key` (dotted: where the list of records is, in JSON and YAML; the file's top-level mapping is
    then the second of the pair, which is empty otherwise); each may be None. Raises `InputError`, with the line where
    there are lines, for whatever else the file holds.
    """
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                found = [name for name in archive.namelist() if fnmatch(name, layout["member"] or "*")]
                if len(found) != 1:
                    raise InputError(f"{path}: {len(found)} members match {layout['member'] or '*'!r}, not one.")
                with archive.open(found[0]) as binary:
                    yield from _parse(Path(f"{path}/{found[0]}"), binary, layout)
        else:
            with path.open("rb") as binary:
                yield from _parse(path, binary, layout)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8, as files have to be ({error.reason}).") from error
    except UNREADABLE as error:
        raise InputError(f"{path}: cannot be read ({' '.join(str(error).split())}).") from error


def _parse(path: Path, binary, layout: dict) -> Iterator[tuple[dict, dict]]:
    if path.suffix not in FORMATS:
        raise InputError(f"{path}: not a format that is read ({', '.join(FORMATS)}, .zip).")
    return FORMATS[path.suffix](path, binary, layout)


def _json_lines(path: Path, binary, layout: dict) -> Iterator[tuple[dict, dict]]:
    for number, line in enumerate(binary, start=1):
        where = f"{path}, line {number}"
        try:
            record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError as error:
            raise InputError(f"{where}: not UTF-8, as files have to be ({error.reason}).") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: not JSON ({error}).") from error
        yield _checked(record, where), {}


def _checked(record: object, where: str) -> dict:
    if not isinstance(record, dict):
        raise InputError(f"{where}: a record is a mapping of names to values, not of type {type(record).__name__}.")
    return record


def _document(load):
    def parse(path: Path, binary, layout: dict) -> Iterator[tuple[dict, dict]]:
        records = document = load(binary)
        for name in layout["key"].split(".") if layout["key"] else ():
            if not isinstance(records, dict) or name not in records:
                raise InputError(f"{path}: no {layout['key']!r}.")
            records = records[name]
        if not isinstance(records, list):
            where = layout["key"] or "the file"
            raise InputError(f"{path}: {where}: a list of records is expected, not {type(records).__name__}.")
        for number, record in enumerate(records):
            yield _checked(record, f"{path}, record {number}"), {} if records is document else document

    return parse


def _yaml(binary) -> object:
    try:
        return yaml.load(binary, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (LookupError, TypeError, AttributeError) as error:
        # PyYAML trusts that a text fits its tag.
        raise ValueError(f"a value does not fit its tag: {error}") from error


def _table(delimiter: str, quoting: int):
    def parse(path: Path, binary, layout: dict) -> Iterator[tuple[dict, dict]]:
        text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
        lines = csv.DictReader(text, fieldnames=layout["columns"], delimiter=delimiter, quoting=quoting)
        columns = list(lines.fieldnames or [])
        if len(set(columns)) < len(columns):
            raise InputError(f"{path}: two columns have the same name in {', '.join(columns)}.")
        for record in lines:
            if None in record or None in record.values():
                raise InputError(f"{path}, line {lines.line_num}: not the {len(columns)} columns expected.")
            yield record, {}

    return parse


def _parquet(path: Path, binary, layout: dict) -> Iterator[tuple[dict, dict]]:
    from pyarrow import ArrowException, parquet

    try:
        for batch in parquet.ParquetFile(binary).iter_batches(PARQUET_ROWS):
            yield from ((record, {}) for record in batch.to_pylist())
    except ArrowException as error:
        raise ValueError(str(error)) from error


FORMATS = {
    ".jsonl": _json_lines,
    ".json": _document(json.load),
    ".yaml": _document(_yaml),
    ".csv": _table(",", csv.QUOTE_MINIMAL),
    # Quotation marks in a TSV file are text.
    ".tsv": _table("\t", csv.QUOTE_NONE),
    ".parquet": _parquet,
}
#: What parsers raise; zipfile has RuntimeError for an encrypted member and NotImplementedError for a rare compression.
UNREADABLE = (
    *(OSError, ValueError, EOFError, RecursionError, RuntimeError, csv.Error),
    *(yaml.YAMLError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
