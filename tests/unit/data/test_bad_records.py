"""Malformed data files are rejected in one sentence with the file and, where the format has lines, the line."""

import json
import zipfile

import pytest
from pyarrow import Table, parquet
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.data import overlap, sampling

LAYOUT = {
    **{"member": None, "columns": None, "key": None, "draw": "by_task", "overlap_text": None},
    "control_tokens": "drop",
    **{"task": "all", "instruction": "{{q}}", "response": "{{a}}"},
}
GOOD = '{"q": "x", "a": "y"}\n'


def drawn(path, count=1, **layout) -> list[dict]:
    return list(sampling.draw({**LAYOUT, **layout}, [path], count, seed=0))


@pytest.mark.parametrize(
    ("name", "content", "code", "key"),
    [
        # JSON lines
        pytest.param("a.jsonl", b"", "too-few-examples", None, id="empty"),
        pytest.param("a.jsonl", GOOD + "{oops", "not-json", "line 2", id="broken"),
        pytest.param("a.jsonl", GOOD + "\n" + GOOD, "not-json", "line 2", id="empty line"),
        pytest.param("a.jsonl", GOOD + GOOD[:9], "not-json", "line 2", id="truncated"),
        pytest.param("a.jsonl", GOOD + "[1]", "not-a-record", "line 2", id="[]"),
        pytest.param("a.jsonl", "7", "not-a-record", "line 1", id="number"),
        pytest.param("a.jsonl", "[" * 99999, "not-json", "line 1", id="deep"),
        pytest.param("a.jsonl", '{"q": ' + "9" * 5000 + "}", "not-json", "line 1", id="long number"),
        pytest.param("a.jsonl", '{"q": "x"}', "template-does-not-fit", "record 0", id="missing field"),
        pytest.param("a.jsonl", r'{"q": "\ud800", "a": "y"}', "template-does-not-fit", "record 0", id="surrogate"),
        pytest.param("a.jsonl", '{"q": "x", "a": ""}', "too-few-examples", None, id="no response"),
        pytest.param("a.jsonl", '{"q": " ", "a": "y"}', "too-few-examples", None, id="no question"),
        pytest.param("a.jsonl", GOOD.encode("utf-16"), "not-utf-8", "line 1", id="utf-16"),
        pytest.param("a.jsonl", (GOOD + '{"q": "é"}').encode("latin-1"), "not-utf-8", "line 2", id="latin-1"),
        # Tables
        pytest.param("a.csv", b"", "too-few-examples", None, id="empty table"),
        pytest.param("a.csv", "q,a\n", "too-few-examples", None, id="header only"),
        pytest.param("a.csv", "q,a\nx,y\nx\n", "column-count", "line 3", id="too few columns"),
        pytest.param("a.csv", "q,a\nx,y,z\n", "column-count", "line 2", id="too many columns"),
        pytest.param("a.csv", "q,a,q\nx,y,z\n", "duplicate-column", None, id="equal names"),
        pytest.param("a.csv", 'q,a\nx,y\nx,"y\nz,w\n', "not-csv", "line 3", id="quote that does not end"),
        pytest.param("a.csv", 'q,a\nx,"y\nz,"w"\n', "not-csv", "line 2", id="quote that ends in another record"),
        pytest.param("a.csv", '"q,a\nx,y\n', "not-csv", "line 1", id="quote in the header"),
        pytest.param("a.csv", "q;a\nx;y\n", "template-does-not-fit", "record 0", id="semicolons"),
        pytest.param("a.csv", "q,a\né,y\n".encode("latin-1"), "not-utf-8", None, id="latin-1 table"),
        pytest.param("a.csv", "q,a\nx,y\n".encode("utf-16"), "not-utf-8", None, id="utf-16 table"),
        # Documents
        pytest.param("a.json", b"", "unreadable", None, id="empty JSON"),
        pytest.param("a.json", '{"q": 1}', "not-a-list", None, id="dict"),
        pytest.param("a.json", '[{"q": 1, "a": 1}, 2]', "not-a-record", "record 1", id="mixed"),
        pytest.param("a.yaml", "a: [", "unreadable", None, id="broken YAML"),
        pytest.param("a.yaml", "a: !!int x", "unreadable", None, id="wrong tag"),
        pytest.param("a.yaml", "- !!timestamp x", "unreadable", None, id="no date"),
        pytest.param("a.yaml", "[" * 3000, "unreadable", None, id="deep YAML"),
        # Others
        pytest.param("a.parquet", b"PAR1", "unreadable", None, id="not Parquet"),
        pytest.param("a.zip", b"PK", "unreadable", None, id="not an archive"),
        pytest.param("a.pkl", b"\x80\x04.", "unknown-format", None, id="pickle"),
        pytest.param("a.txt", GOOD, "unknown-format", None, id="other suffix"),
    ],
)
def test_file__is_rejected_in_one_sentence(tmp_path, name, content, code, key):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with rejected(code, path=path, key=key):
        drawn(path)


@pytest.mark.parametrize(
    ("layout", "detail"),
    [
        ({"instruction": "{{q.x.y}}"}, "'instruction' does not fit this record ('str object' has no attribute 'x')."),
        ({"instruction": "{{1 / (q|length - 1)}}"}, "(division by zero)."),
        ({"instruction": "{{q|regex_replace('(', '')}}"}, "(missing ), unterminated subpattern"),
        ({"instruction": "{{q.__class__.__mro__}}"}, "(access to attribute '__class__' of 'str' object is"),
        ({"response": "{{namespace.__init__.__globals__}}"}, "(access to attribute '__init__' of 'type' object"),
        ({"response": "{{path.unlink()}}"}, "('dict object' has no attribute 'unlink')."),
    ],
)
def test_template__that_does_not_fit_is_named_with_the_record(tmp_path, layout, detail):
    (tmp_path / "a.jsonl").write_text(GOOD)
    with rejected("template-does-not-fit", path=tmp_path / "a.jsonl", key="record 0") as caught:
        drawn(tmp_path / "a.jsonl", **layout)
    assert detail in str(caught.value)
    assert (tmp_path / "a.jsonl").read_text() == GOOD


def test_key__that_is_not_there_is_named(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"data": {"rows": {}}}')
    with rejected("no-such-key", path=path, key="data.row"):
        drawn(path, key="data.row")
    with rejected("not-a-list", path=path, key="data.rows"):
        drawn(path, key="data.rows")


def archive(path, **members: str):
    with zipfile.ZipFile(path, "w") as written:
        for name, content in members.items():
            written.writestr(name, content)
    return path


def test_member__is_one_and_its_lines_are_named(tmp_path):
    path = archive(tmp_path / "a.zip", **{"x.jsonl": GOOD, "y.jsonl": GOOD + "oops"})
    for member in (None, "z*"):
        with rejected("archive-members", path=path, key="member"):
            drawn(path, member=member)
    with rejected("not-json", path=path / "y.jsonl", key="line 2"):
        drawn(path, member="y*")


def test_member__with_a_path_is_read_and_nothing_is_written(tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    path = archive(folder / "a.zip", **{"../../evil.jsonl": GOOD})
    assert len(drawn(path)) == 1
    assert sorted(tmp_path.rglob("*")) == [folder, path]


def test_damaged_member__is_rejected(tmp_path):
    path = archive(tmp_path / "a.zip", **{"x.jsonl": GOOD * 99})
    path.write_bytes(path.read_bytes().replace(b'"q"', b'"p"', 1))
    with rejected("unreadable", path=path) as caught:
        drawn(path)
    assert "Bad CRC-32 for file 'x.jsonl'" in str(caught.value)


def test_damaged_parquet_file__is_rejected(tmp_path):
    parquet.write_table(Table.from_pylist([{"q": "x" * 99, "a": "y"}] * 99), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content[: len(content) // 2])
    with rejected("unreadable", path=tmp_path / "a.parquet"):
        drawn(tmp_path / "a.parquet")


def test_row_count__above_what_there_is_is_rejected(tmp_path):
    (tmp_path / "a.jsonl").write_text(GOOD * 3)
    with rejected("too-few-examples", path=tmp_path / "a.jsonl") as caught:
        drawn(tmp_path / "a.jsonl", 4)
    assert "4 examples are requested, and there are 3" in str(caught.value)


def test_pool__of_one_row(tmp_path):
    (tmp_path / "a.jsonl").write_text(GOOD)
    [row] = drawn(tmp_path / "a.jsonl")
    assert (row["instruction"], row["response"]) == ("x", "y")


def test_byte_order_mark__is_not_part_of_the_first_record(tmp_path):
    for name, text in (("a.jsonl", GOOD), ("a.csv", "q,a\nx,y\n")):
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
        assert [(row["instruction"], row["response"]) for row in drawn(tmp_path / name)] == [("x", "y")]


def test_row__of_a_hundred_thousand_words_is_a_row(tmp_path):
    long = "word " * 100_000
    files.write_jsonl(tmp_path / "a.jsonl", [{"q": long, "a": "y"}])
    assert drawn(tmp_path / "a.jsonl")[0]["instruction"] == long.strip()


def test_record_of_an_evaluation_row__is_json(tmp_path):
    folder = tmp_path / "hub"
    (folder / "local").mkdir(parents=True)
    parquet.write_table(
        Table.from_pylist([{"q": f"{n}", "a": "y", "image": b"\0"} for n in range(2)]), folder / "a.parquet"
    )
    manifest = folder / "manifests" / "benchmark" / "b.json"
    fetched = {"files": {"a.parquet": files.sha256(folder / "a.parquet")}}
    files.write_json(manifest, {"validation": fetched, "evaluation": fetched})
    block = {**LAYOUT, "source": {"kind": "folder"}}
    benchmark = {"reader": None, "validation": block, "evaluation": block, "shared_source": True}
    with rejected("column-not-json", key="evaluation"):
        sampling.of_benchmark(benchmark, manifest, {"validation": 1, "evaluation": 1}, 0)


def test_target__that_shares_its_source_has_rows_for_both_or_none(tmp_path):
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"q": f"{n}", "a": "y"}) + "\n" for n in range(5)))
    taken = {row["id"] for row in drawn(tmp_path / "a.jsonl", 3)}
    with rejected("too-few-examples", path=tmp_path / "a.jsonl"):
        list(sampling.draw(LAYOUT, [tmp_path / "a.jsonl"], 3, 0, taken))


def test_validation_rows__that_are_evaluated_on_are_rejected_by_id():
    evaluation = [{"id": "e1", "instruction": "Größe?"}]
    with rejected("overlap", path="v.jsonl", key="example v1"):
        overlap.reject(overlap.find(evaluation, {"v.jsonl": [{"id": "v1", "instruction": "GRÖSSE?"}]}))
