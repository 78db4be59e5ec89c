"""Any rows come back from every format as they were written, and any bytes are rows or rejected."""

import csv
import json
import os
import time
import zipfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import Table, parquet

from instruction_selection.core.errors import InputError
from instruction_selection.data import formats, left_out, sampling
from instruction_selection.experiment import load, schemas, yaml_loader

LAYOUT = {
    **{"member": None, "columns": None, "key": None, "draw": "by_task", "overlap_text": None},
    "control_tokens": "drop",
    **{"task": "all", "instruction": "{{q}}", "response": "{{a}}"},
}
CONFIG = Path(__file__).resolve().parents[3] / "config"
#: Seconds that each of the fuzzers below has; more finds more.
SECONDS = float(os.environ.get("FUZZ_SECONDS", "0.4"))

text = st.text(st.characters(exclude_categories=["Cs"]))
#: What a line of these tables can hold; a TSV has no quotation.
line = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\r\n\0"))
table = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def some(field):
    return st.lists(st.fixed_dictionaries({"q": field, "a": field}), max_size=5)


def read(path: Path, **layout) -> list[dict]:
    return [record for record, _ in formats.read(path, {**LAYOUT, **layout})]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("rows")


@given(some(text))
def test_read__json_lines(folder, written):
    path = folder / "a.jsonl"
    path.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in written), encoding="utf-8", newline=""
    )
    assert read(path) == written


@given(some(text))
def test_read__json(folder, written):
    (folder / "a.json").write_text(json.dumps({"data": {"rows": written}}), encoding="utf-8")
    assert read(folder / "a.json", key="data.rows") == written


@given(some(st.text(st.characters(exclude_categories=["Cs"]))))
def test_read__yaml(folder, written):
    (folder / "a.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
    assert read(folder / "a.yaml") == written


@given(some(table))
def test_read__csv(folder, written):
    with (folder / "a.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, ["q", "a"])
        writer.writeheader()
        writer.writerows(written)
    assert read(folder / "a.csv") == written


@given(some(line).filter(lambda written: not written or written[0]["q"][:1] != "\ufeff"))
def test_read__tsv_without_a_header(folder, written):
    lines = "".join(f"{row['q']}\t{row['a']}\n" for row in written)
    (folder / "a.tsv").write_text(lines, encoding="utf-8", newline="")
    assert read(folder / "a.tsv", columns=["q", "a"]) == written


@given(some(text))
def test_read__parquet(folder, written):
    schema = Table.from_pylist([{"q": "", "a": ""}]).schema
    parquet.write_table(Table.from_pylist(written, schema), folder / "a.parquet")
    assert read(folder / "a.parquet") == written


@given(some(text), st.integers(0, 3))
def test_drawn_rows__are_the_files_and_ids_name_one(folder, written, seed):
    path = folder / "d.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in written), encoding="utf-8")
    usable = [row for row in written if left_out.visible(row["q"]) and left_out.visible(row["a"])]
    drawn = list(sampling.draw({**LAYOUT, "control_tokens": "keep"}, [path], len(usable), seed))
    assert [(row["instruction"], row["response"]) for row in drawn] == [
        (row["q"].strip(), row["a"].strip()) for row in usable
    ]
    assert len({row["id"] for row in drawn}) == len(drawn)


SEEDS = {
    ".jsonl": b'{"q": "x", "a": "y"}\n{"q": "\\u00e9", "a": [1, null, 2.5e3]}\n',
    ".json": b'[{"q": "x", "a": "y"}, {"q": {"b": []}, "a": true}]',
    ".yaml": b"- {q: x, a: y}\n- &a\n  q: 2026-01-01\n  a: !!int 7\n- *a\n",
    ".csv": b'q,a\nx,y\n"a ""b""\n",c\n',
    ".tsv": b"q\ta\nx\ty\n",
}
#: Bytes that mean something to one of the formats.
TELLING = [
    b"\0",
    b"\n",
    b'"',
    b"'",
    b"{",
    b"}",
    b"[",
    b"]",
    b"&a ",
    b"*a",
    b"!!",
    b"<<: ",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\\ud800",
]


def changed(data, seed: bytes) -> bytes:
    """Some bytes of `seed` taken out, put in, doubled or exchanged."""
    content = bytearray(seed)
    for _ in range(data.draw(st.integers(0, 6))):
        start = data.draw(st.integers(0, len(content)))
        stop = min(len(content), start + data.draw(st.integers(0, 8)))
        content[start:stop] = data.draw(
            st.one_of(st.binary(max_size=4), st.sampled_from(TELLING), st.just(bytes(content[start:stop]) * 2))
        )
    return bytes(content)


def outcome(call) -> tuple[object, str | None]:
    """What a function gives, or the sentence with which it rejects; any other exception is a failure."""
    try:
        return call(), None
    except InputError as error:
        return None, str(error)


def for_seconds(test, *arguments):
    """Run a property again and again, each time with other examples, until the time is over."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        test(*arguments)


@pytest.mark.parametrize("suffix", [*SEEDS, ".parquet", ".zip"])
def test_pool_of_any_bytes__has_rows_or_is_rejected(folder, suffix):
    seed = SEEDS.get(suffix, b"")
    if suffix == ".parquet":
        parquet.write_table(Table.from_pylist([{"q": "x", "a": "y"}] * 3), folder / "seed.parquet")
        seed = (folder / "seed.parquet").read_bytes()
    if suffix == ".zip":
        with zipfile.ZipFile(folder / "seed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.jsonl", SEEDS[".jsonl"])
        seed = (folder / "seed.zip").read_bytes()
    path = folder / f"fuzzed{suffix}"

    @settings(max_examples=50, derandomize=False, database=None)
    @given(st.data())
    def once(data):
        path.write_bytes(changed(data, seed))
        found, rejection = outcome(lambda: sampling.every(LAYOUT, [path]))
        assert rejection is None or str(path) in rejection
        assert all(
            isinstance(row[key], str) for row in found or [] for key in ("id", "task", "instruction", "response")
        )

    for_seconds(once)


FILES = [
    "experiments/smoke.yaml",
    "pools/cot.yaml",
    "benchmarks/gsm8k.yaml",
    "methods/g2is.yaml",
    "models/tiny-llama.yaml",
]


@pytest.mark.parametrize("file", FILES)
def test_config_file_of_any_bytes__is_an_entry_or_rejected(folder, file):
    seed = (CONFIG / file).read_bytes()
    kind, name = schemas.KINDS[Path(file).parent.name.removesuffix("s")], Path(file).stem
    path = folder / "config" / file
    path.parent.mkdir(parents=True, exist_ok=True)

    @settings(max_examples=50, derandomize=False, database=None)
    @given(st.data())
    def once(data):
        path.write_bytes(changed(data, seed))
        entry, rejection = outcome(lambda: load.read_entry(folder / "config", kind, name))
        if rejection is None:
            assert kind.model_validate(entry.plain()) == entry
        else:
            assert str(path) in rejection
            assert "\n" not in rejection

    for_seconds(once)


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_yaml_of_any_bytes__is_read_or_rejected(folder, content):
    (folder / "any.yaml").write_bytes(content)
    _, rejection = outcome(lambda: yaml_loader.read(folder / "any.yaml"))
    assert rejection is None or rejection.startswith(str(folder / "any.yaml"))
