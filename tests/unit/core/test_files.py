"""A result is there as a whole or not at all."""

import pytest
from support.refusals import refused

from instruction_selection.core import files


def fail_while_writing(path):
    with pytest.raises(RuntimeError), files.replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError


def test_a_failure_leaves_nothing_behind(tmp_path):
    fail_while_writing(tmp_path / "result.txt")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_result(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    fail_while_writing(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_result_appears_only_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "folder" / "result.txt"
    with files.replacing(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_rows_that_cannot_be_written_leave_nothing_behind(tmp_path):
    with pytest.raises(TypeError):
        files.write_jsonl(tmp_path / "rows.jsonl", [{"a": 1}, {"a": object()}])
    assert list(tmp_path.iterdir()) == []


def test_rows_come_back_as_they_were(tmp_path):
    # U+2028 and U+0085 end a line for some readers.
    rows = [
        {"text": "Ærø – 漢字 🦔"},
        {"text": "a\nb\r\nc\u2028d\x85e\x00"},
        {},
        {"nested": [1, 2.5, None, {"a": True}]},
    ]
    files.write_jsonl(tmp_path / "rows.jsonl", rows)
    assert files.read_jsonl(tmp_path / "rows.jsonl") == rows


def test_text_in_json_is_readable_as_it_stands(tmp_path):
    files.write_json(tmp_path / "a.json", {"text": "漢字"})
    assert "漢字" in (tmp_path / "a.json").read_text(encoding="utf-8")
    assert files.read_json(tmp_path / "a.json") == {"text": "漢字"}


@pytest.mark.parametrize(
    ("line", "code"), [('{"a": ', "not-json"), ("[1]", "not-an-object"), ("", "not-json"), ("text", "not-json")]
)
def test_a_broken_row_is_named_by_its_line(tmp_path, line, code):
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"a": 1}}\n{{"a": 2}}\n{line}\n{{"a": 4}}\n')
    with refused(code, path=path, key="line 3"):
        files.read_jsonl(path)


@pytest.mark.parametrize(("inputs", "expected"), [({}, None), ({"x": []}, None), ({"x": ["a"]}, "a")])
def test_optional__is_the_one_file_of_an_input_or_none(inputs, expected):
    assert files.optional(inputs, "x") == expected


def test_sha256_of_a_file_is_the_usual_one(tmp_path):
    (tmp_path / "a").write_text("abc")
    assert files.sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"a": "1", "sub/c": "2"}, id="renamed"),
        pytest.param({"a": "1", "b": "2"}, id="moved"),
        pytest.param({"a": "1", "sub/b": "3"}, id="changed"),
        pytest.param({"a": "2", "sub/b": "1"}, id="swapped"),
        pytest.param({"a": "1"}, id="removed"),
        pytest.param({"a": "1sub/b2"}, id="run together"),
    ],
)
def test_sha256_of_a_folder_tells_names_and_contents_apart(tmp_path, other):
    def folder(name, content):
        for path, text in content.items():
            files.write_text(tmp_path / name / path, text)
        return files.sha256(tmp_path / name)

    original = {"a": "1", "sub/b": "2"}
    assert folder("first", original) == folder("second", dict(reversed(original.items())))
    assert folder("first", original) != folder("other", other)


def test_a_part_of_a_file_is_read_and_lines_are_numbered_in_the_whole(tmp_path):
    path = tmp_path / "rows.jsonl"
    files.write_jsonl(path, [{"n": n} for n in range(10)])
    assert files.count_lines(path) == 10
    assert [row["n"] for row in files.read_jsonl(path, 3, 6)] == [3, 4, 5]
    path.write_text(path.read_text() + "broken\n")
    assert len(files.read_jsonl(path, 0, 10)) == 10
    with refused("not-json", path=path, key="line 11"):
        files.read_jsonl(path, 8, 11)
