"""A result is there as a whole or not at all."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.rejections import rejected
from support.unchanged import unchanged

from instruction_selection.core import files
from instruction_selection.core.errors import InputError


def fail_while_writing(path):
    with pytest.raises(RuntimeError), files.replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError


def test_write__leaves_nothing_behind_if_it_fails(tmp_path):
    fail_while_writing(tmp_path / "result.txt")
    assert list(tmp_path.iterdir()) == []


def test_write__leaves_the_old_result_if_it_fails(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    fail_while_writing(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_result__appears_only_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "folder" / "result.txt"
    with files.replacing(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_rows__that_cannot_be_written_leave_nothing_behind(tmp_path):
    with pytest.raises(TypeError):
        files.write_jsonl(tmp_path / "rows.jsonl", [{"a": 1}, {"a": object()}])
    assert list(tmp_path.iterdir()) == []


def test_rows__come_back_as_they_were(tmp_path):
    # U+2028 and U+0085 end a line for some readers.
    rows = [
        {"text": "Ærø – 漢字 🦔"},
        {"text": "a\nb\r\nc\u2028d\x85e\x00"},
        {},
        {"nested": [1, 2.5, None, {"a": True}]},
    ]
    files.write_jsonl(tmp_path / "rows.jsonl", rows)
    assert files.read_jsonl(tmp_path / "rows.jsonl") == rows


def test_text_in_json__is_readable(tmp_path):
    files.write_json(tmp_path / "a.json", {"text": "漢字"})
    assert "漢字" in (tmp_path / "a.json").read_text(encoding="utf-8")
    assert files.read_json(tmp_path / "a.json") == {"text": "漢字"}


@pytest.mark.parametrize(
    ("line", "code"), [('{"a": ', "not-json"), ("[1]", "not-an-object"), ("", "not-json"), ("text", "not-json")]
)
def test_broken_row__is_named_by_its_line(tmp_path, line, code):
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"a": 1}}\n{{"a": 2}}\n{line}\n{{"a": 4}}\n')
    with rejected(code, path=path, key="line 3"):
        files.read_jsonl(path)


@pytest.mark.parametrize(("inputs", "expected"), [({}, None), ({"x": []}, None), ({"x": ["a"]}, "a")])
def test_optional__is_the_one_file_of_an_input_or_none(inputs, expected):
    assert files.optional(inputs, "x") == expected


def test_sha256_of_a_file__is_the_usual_one(tmp_path):
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
def test_sha256_of_a_folder__tells_names_and_contents_apart(tmp_path, other):
    def folder(name, content):
        for path, text in content.items():
            files.write_text(tmp_path / name / path, text)
        return files.sha256(tmp_path / name)

    original = {"a": "1", "sub/b": "2"}
    assert folder("first", original) == folder("second", dict(reversed(original.items())))
    assert folder("first", original) != folder("other", other)


def test_part_of_a_file__is_read_with_the_line_numbers_of_the_whole(tmp_path):
    path = tmp_path / "rows.jsonl"
    files.write_jsonl(path, [{"n": n} for n in range(10)])
    assert files.count_lines(path) == 10
    assert [row["n"] for row in files.read_jsonl(path, 3, 6)] == [3, 4, 5]
    path.write_text(path.read_text() + "broken\n")
    assert len(files.read_jsonl(path, 0, 10)) == 10
    with rejected("not-json", path=path, key="line 11"):
        files.read_jsonl(path, 8, 11)


def test_replacing__does_not_write_through_a_link_that_a_killed_job_left(tmp_path):
    own = tmp_path / "own" / "result.txt"
    files.write_text(own, "mine")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / ".result.txt.tmp").symlink_to(own)
    (tmp_path / "results" / "result.txt").symlink_to(own)
    with unchanged(tmp_path / "own"):
        files.write_text(tmp_path / "results" / "result.txt", "new")
    assert (tmp_path / "results" / "result.txt").read_text() == "new"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=5,
)


@settings(max_examples=50)
@given(value=st.dictionaries(st.text("abc"), JSON), data=st.data())
def test_read_json__gives_what_was_written_or_names_the_file(tmp_path_factory, value, data):
    """After any cut, and with any bit flipped."""
    path = tmp_path_factory.mktemp("json") / "a.json"
    files.write_json(path, value)
    assert files.read_json(path) == value
    whole = path.read_bytes()
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    changed = bytearray(whole)
    changed[bit // 8] ^= 1 << bit % 8
    # Without its name the checksum is one more key, and the others are as they were.
    named = whole.rindex(b'"checksum"')
    for content in (whole[: bit // 8], bytes(changed)):
        path.write_bytes(content)
        try:
            found = files.read_json(path)
        except InputError as error:
            found = error
        if isinstance(found, InputError):
            assert (found.code, found.path) == ("damaged", str(path))
        else:
            assert found == value or (named <= bit // 8 < named + 10 and value.items() <= found.items())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"a": 1, "checksum": "0"}'])
def test_read_json__says_what_to_delete(tmp_path, content):
    path = tmp_path / "model" / "model.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with rejected("damaged", path=path) as caught:
        files.read_json(path)
    assert "delete the file" in str(caught.value)
    with rejected("damaged", path=path) as caught:
        files.read_json(path, path.parent)
    assert f"delete the folder {path.parent} and" in str(caught.value)


def test_write_json__is_read_by_other_programs_too(tmp_path):
    files.write_json(tmp_path / "a.json", {"a": (1, 2), 3: "x"})
    written = json.loads((tmp_path / "a.json").read_text())
    assert len(written.pop(files.CHECKSUM)) == 64
    assert written == files.read_json(tmp_path / "a.json") == {"a": [1, 2], "3": "x"}


def test_read_json__reads_what_other_programs_wrote(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1}')
    assert files.read_json(tmp_path / "a.json") == {"a": 1}


def test_publish__a_folder_takes_a_name_with_all_its_files_and_links(tmp_path):
    files.write_text(tmp_path / "part" / "sub" / "a", "1")
    os.symlink("nowhere", tmp_path / "part" / "link")
    files.publish(tmp_path / "part", tmp_path / "whole")
    assert (tmp_path / "whole/sub/a").read_text() == "1"
    assert os.readlink(tmp_path / "whole/link") == "nowhere"
    assert not (tmp_path / "part").exists()


BENCHMARK = "s\th:m:s\tmax_rss\n1.5\t0:00:01\t-\n"


@pytest.mark.parametrize("content", ["", "s\tmax_rss\n", BENCHMARK[:20], BENCHMARK[:24], "x" + BENCHMARK[1:]])
def test_read_benchmark__names_a_file_that_is_damaged(tmp_path, content):
    path = tmp_path / "0.tsv"
    path.write_text(BENCHMARK)
    assert files.read_benchmark(path) == {"s": "1.5", "h:m:s": "0:00:01", "max_rss": "-"}
    path.write_text(content)
    with rejected("damaged", path=path):
        files.read_benchmark(path)
