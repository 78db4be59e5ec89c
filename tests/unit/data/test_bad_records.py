"""Files of rows that are not what they should be: one sentence with the file and, where there are lines, the line."""

import json
import zipfile

import pytest
from pyarrow import Table, parquet

from instruction_selection.core import files
from instruction_selection.core.uncoded_errors import InputError
from instruction_selection.data import overlap, sampling

LAYOUT = {
    **{"member": None, "columns": None, "key": None, "draw": "by_task", "overlap_text": None},
    **{"task": "all", "instruction": "{{q}}", "response": "{{a}}"},
}
GOOD = '{"q": "x", "a": "y"}\n'


def drawn(path, count=1, **layout) -> list[dict]:
    return list(sampling.draw({**LAYOUT, **layout}, [path], count, seed=0))


def refusal(path, count=1, **layout) -> str:
    with pytest.raises(InputError) as caught:
        drawn(path, count, **layout)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert str(path) in sentence or f"{path.parent}: " in sentence
    return sentence.replace(str(path.parent), "pool")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        # JSON lines
        pytest.param("a.jsonl", b"", "pool: 1 rows are wanted, and there are 0.", id="empty"),
        pytest.param("a.jsonl", GOOD + "{oops", "pool/a.jsonl, line 2: not JSON (Expecting property name", id="broken"),
        pytest.param("a.jsonl", GOOD + "\n" + GOOD, "pool/a.jsonl, line 2: not JSON (Expecting value", id="empty line"),
        pytest.param("a.jsonl", GOOD + GOOD[:9], "pool/a.jsonl, line 2: not JSON (", id="cut short"),
        pytest.param(
            "a.jsonl", GOOD + "[1]", "line 2: a record is a mapping of names to values, not of type list", id="[]"
        ),
        pytest.param("a.jsonl", "7", "line 1: a record is a mapping of names to values, not of type int", id="number"),
        pytest.param("a.jsonl", "[" * 99999, "pool/a.jsonl, line 1: not JSON (maximum recursion", id="deep"),
        pytest.param("a.jsonl", '{"q": ' + "9" * 5000 + "}", "line 1: not JSON (Exceeds the limit", id="long number"),
        pytest.param(
            "a.jsonl", '{"q": "x"}', "pool/a.jsonl, record 0: response: 'a' is undefined.", id="missing field"
        ),
        pytest.param(
            "a.jsonl", r'{"q": "\ud800", "a": "y"}', "record 0: instruction: 'utf-8' codec can't encode", id="surrogate"
        ),
        pytest.param("a.jsonl", '{"q": "x", "a": ""}', "pool: 1 rows are wanted, and there are 0.", id="no response"),
        pytest.param("a.jsonl", '{"q": " ", "a": "y"}', "pool: 1 rows are wanted, and there are 0.", id="no question"),
        pytest.param(
            "a.jsonl", GOOD.encode("utf-16"), "line 1: not UTF-8, as files have to be (invalid start", id="utf-16"
        ),
        pytest.param(
            "a.jsonl",
            (GOOD + '{"q": "é"}').encode("latin-1"),
            "pool/a.jsonl, line 2: not UTF-8, as files",
            id="latin-1",
        ),
        # Tables
        pytest.param("a.csv", b"", "pool: 1 rows are wanted, and there are 0.", id="empty table"),
        pytest.param("a.csv", "q,a\n", "pool: 1 rows are wanted, and there are 0.", id="header only"),
        pytest.param("a.csv", "q,a\nx,y\nx\n", "pool/a.csv, line 3: not the 2 columns expected.", id="too few columns"),
        pytest.param("a.csv", "q,a\nx,y,z\n", "pool/a.csv, line 2: not the 2 columns expected.", id="too many columns"),
        pytest.param(
            "a.csv", "q,a,q\nx,y,z\n", "pool/a.csv: two columns have the same name in q, a, q.", id="equal names"
        ),
        pytest.param("a.csv", "q;a\nx;y\n", "pool/a.csv, record 0: instruction: 'q' is undefined.", id="semicolons"),
        pytest.param(
            "a.csv", "q,a\né,y\n".encode("latin-1"), "pool/a.csv: not UTF-8, as files have", id="latin-1 table"
        ),
        pytest.param("a.csv", "q,a\nx,y\n".encode("utf-16"), "pool/a.csv: not UTF-8, as files have", id="utf-16 table"),
        # Documents
        pytest.param("a.json", b"", "pool/a.json: cannot be read (Expecting value: line 1", id="empty JSON"),
        pytest.param(
            "a.json", '{"q": 1}', "pool/a.json: the file: a list of records is expected, not dict.", id="dict"
        ),
        pytest.param("a.json", '[{"q": 1, "a": 1}, 2]', "pool/a.json, record 1: a record is a mapping", id="mixed"),
        pytest.param("a.yaml", "a: [", "pool/a.yaml: cannot be read (while parsing", id="broken YAML"),
        pytest.param("a.yaml", "a: !!int x", "pool/a.yaml: cannot be read (invalid literal for int()", id="wrong tag"),
        pytest.param(
            "a.yaml", "- !!timestamp x", "pool/a.yaml: cannot be read (a value does not fit its tag", id="no date"
        ),
        pytest.param("a.yaml", "[" * 3000, "pool/a.yaml: cannot be read (", id="deep YAML"),
        # Others
        pytest.param("a.parquet", b"PAR1", "pool/a.parquet: cannot be read (", id="no Parquet"),
        pytest.param("a.zip", b"PK", "pool/a.zip: cannot be read (File is not a zip file)", id="no archive"),
        pytest.param("a.pkl", b"\x80\x04.", "pool/a.pkl: not a format that is read (.jsonl, .json, .yaml", id="pickle"),
        pytest.param("a.txt", GOOD, "pool/a.txt: not a format that is read (.jsonl", id="other suffix"),
    ],
)
def test_a_file_is_refused_in_one_sentence(tmp_path, name, content, expected):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert expected in refusal(path)


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ({"instruction": "{{q.x.y}}"}, "instruction: 'str object' has no attribute 'x'."),
        ({"instruction": "{{1 / (q|length - 1)}}"}, "instruction: division by zero."),
        ({"instruction": "{{q|regex_replace('(', '')}}"}, "instruction: missing ), unterminated subpattern"),
        ({"instruction": "{{q.__class__.__mro__}}"}, "instruction: access to attribute '__class__' of 'str' object is"),
        ({"response": "{{cycler.__init__.__globals__}}"}, "response: access to attribute '__init__' of 'type' object"),
        ({"response": "{{path.unlink()}}"}, "response: 'pathlib.PurePosixPath object' has no attribute 'unlink'."),
    ],
)
def test_a_template_that_does_not_fit_is_named_with_the_record(tmp_path, layout, expected):
    (tmp_path / "a.jsonl").write_text(GOOD)
    assert f"pool/a.jsonl, record 0: {expected}" in refusal(tmp_path / "a.jsonl", **layout)
    assert (tmp_path / "a.jsonl").read_text() == GOOD


def test_a_key_that_is_not_there_is_named(tmp_path):
    (tmp_path / "a.json").write_text('{"data": {"rows": {}}}')
    assert refusal(tmp_path / "a.json", key="data.row").endswith("pool/a.json: no 'data.row'.")
    assert "data.rows: a list of records is expected, not dict." in refusal(tmp_path / "a.json", key="data.rows")


def archive(path, **members: str):
    with zipfile.ZipFile(path, "w") as written:
        for name, content in members.items():
            written.writestr(name, content)
    return path


def test_a_member_is_one_and_its_lines_are_named(tmp_path):
    path = archive(tmp_path / "a.zip", **{"x.jsonl": GOOD, "y.jsonl": GOOD + "oops"})
    assert "pool/a.zip: 2 members match '*', not one." in refusal(path)
    assert "pool/a.zip: 0 members match 'z*', not one." in refusal(path, member="z*")
    assert "pool/a.zip/y.jsonl, line 2: not JSON (" in refusal(path, member="y*")


def test_a_member_with_a_path_is_read_and_nothing_is_written(tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    path = archive(folder / "a.zip", **{"../../evil.jsonl": GOOD})
    assert len(drawn(path)) == 1
    assert sorted(tmp_path.rglob("*")) == [folder, path]


def test_a_damaged_member_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", **{"x.jsonl": GOOD * 99})
    path.write_bytes(path.read_bytes().replace(b'"q"', b'"p"', 1))
    assert "cannot be read (Bad CRC-32 for file 'x.jsonl')" in refusal(path)


def test_a_damaged_parquet_file_is_refused(tmp_path):
    parquet.write_table(Table.from_pylist([{"q": "x" * 99, "a": "y"}] * 99), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content[: len(content) // 2])
    assert "pool/a.parquet: cannot be read (" in refusal(tmp_path / "a.parquet")


def test_more_rows_than_there_are(tmp_path):
    (tmp_path / "a.jsonl").write_text(GOOD * 3)
    assert refusal(tmp_path / "a.jsonl", 4) == "pool: 4 rows are wanted, and there are 3."


def test_one_row_is_a_pool(tmp_path):
    (tmp_path / "a.jsonl").write_text(GOOD)
    [row] = drawn(tmp_path / "a.jsonl")
    assert (row["instruction"], row["response"]) == ("x", "y")


def test_a_byte_order_mark_is_no_part_of_the_first_record(tmp_path):
    for name, text in (("a.jsonl", GOOD), ("a.csv", "q,a\nx,y\n")):
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
        assert [(row["instruction"], row["response"]) for row in drawn(tmp_path / name)] == [("x", "y")]


def test_a_row_of_a_hundred_thousand_words_is_a_row(tmp_path):
    long = "word " * 100_000
    files.write_jsonl(tmp_path / "a.jsonl", [{"q": long, "a": "y"}])
    assert drawn(tmp_path / "a.jsonl")[0]["instruction"] == long.strip()


def test_what_an_evaluation_row_carries_is_json(tmp_path):
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
    with pytest.raises(InputError, match=r"evaluation: column 'image' of row \w+ cannot be JSON"):
        sampling.of_benchmark(benchmark, manifest, {"validation": 1, "evaluation": 1}, 0)


def test_a_target_that_shares_its_source_has_rows_for_both_or_none(tmp_path):
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"q": f"{n}", "a": "y"}) + "\n" for n in range(5)))
    taken = {row["id"] for row in drawn(tmp_path / "a.jsonl", 3)}
    with pytest.raises(InputError, match="3 rows are wanted, and there are 2"):
        list(sampling.draw(LAYOUT, [tmp_path / "a.jsonl"], 3, 0, taken))


def test_validation_rows_that_are_evaluated_on_are_refused_by_id():
    evaluation = [{"id": "e1", "instruction": "Größe?"}]
    with pytest.raises(InputError, match=r"^v\.jsonl: row v1 asks the same as evaluation row e1, so a score would"):
        overlap.refuse(overlap.find(evaluation, {"v.jsonl": [{"id": "v1", "instruction": "GRÖSSE?"}]}))
