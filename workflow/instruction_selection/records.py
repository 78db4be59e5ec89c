"""Records of data files in the formats in which instructions are published; the suffix of a name tells the format."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import yaml

from instruction_selection.errors import InputError

#: The rationales of some files are longer than a field may be by default.
csv.field_size_limit(2**31 - 1)
#: Rows of a Parquet file that are in memory at once.
PARQUET_ROWS = 1024


def read(path: Path, layout: dict) -> Iterator[tuple[dict, dict]]:
    """The records of a file, one at a time, each with what else the file says.

    `layout` has `member` (pattern of the one file to read inside a zip archive), `columns` (names, for tables
    without a header) and `key` (dotted: where the list of records is, in JSON and YAML; the file's top-level mapping is
    then the second of the pair, which is empty otherwise); each may be None.
    """
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            found = [name for name in archive.namelist() if fnmatch(name, layout["member"] or "*")]
            if len(found) != 1:
                raise InputError(f"{path}: {len(found)} members match {layout['member']!r}, not one.")
            with archive.open(found[0]) as binary:
                yield from _parse(Path(found[0]), binary, layout)
    else:
        with path.open("rb") as binary:
            yield from _parse(path, binary, layout)


def _parse(path: Path, binary, layout: dict) -> Iterator[tuple[dict, dict]]:
    if path.suffix not in FORMATS:
        raise InputError(f"{path}: not a format that is read ({', '.join(FORMATS)}, .zip).")
    return FORMATS[path.suffix](path, binary, layout)


def _json_lines(path: Path, binary, layout: dict) -> Iterator[tuple[dict, dict]]:
    for number, line in enumerate(binary, start=1):
        try:
            yield json.loads(line), {}
        except ValueError as error:
            raise InputError(f"{path}, line {number}: not JSON ({error}).") from error


def _document(load):
    def parse(path: Path, binary, layout: dict) -> Iterator[tuple[dict, dict]]:
        records = document = load(binary)
        for name in layout["key"].split(".") if layout["key"] else ():
            if not isinstance(records, dict) or name not in records:
                raise InputError(f"{path}: no {layout['key']!r}.")
            records = records[name]
        return ((record, {} if records is document else document) for record in records)

    return parse


def _table(delimiter: str, quoting: int):
    def parse(path: Path, binary, layout: dict) -> Iterator[tuple[dict, dict]]:
        text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
        columns = layout["columns"]
        for record in csv.DictReader(text, fieldnames=columns, delimiter=delimiter, quoting=quoting):
            if None in record or None in record.values():
                raise InputError(f"{path}: a line has not the {len(columns or record)} columns expected.")
            yield record, {}

    return parse


def _parquet(path: Path, binary, layout: dict) -> Iterator[tuple[dict, dict]]:
    from pyarrow import parquet

    for batch in parquet.ParquetFile(binary).iter_batches(PARQUET_ROWS):
        yield from ((record, {}) for record in batch.to_pylist())


FORMATS = {
    ".jsonl": _json_lines,
    ".json": _document(json.load),
    ".yaml": _document(lambda binary: yaml.load(binary, getattr(yaml, "CSafeLoader", yaml.SafeLoader))),
    ".csv": _table(",", csv.QUOTE_MINIMAL),
    # Quotation marks in a TSV file are text.
    ".tsv": _table("\t", csv.QUOTE_NONE),
    ".parquet": _parquet,
}
