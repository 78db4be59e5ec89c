"""Examples whose text stays in its file."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.selection.examples import Examples

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    rows=st.lists(st.fixed_dictionaries({"id": texts, "task": texts, "instruction": texts, "response": texts})),
    data=st.data(),
)
def test_copy__the_lines_that_writing_the_rows_again_gives(tmp_path_factory, rows, data):
    folder = tmp_path_factory.mktemp("examples")
    files.write_jsonl(folder / "pool.jsonl", rows)
    examples = Examples.read(folder / "pool.jsonl")
    chosen = data.draw(st.permutations(range(len(rows))))[: data.draw(st.integers(0, len(rows)))]
    examples.copy(chosen, folder / "copied.jsonl")
    files.write_jsonl(folder / "written.jsonl", [rows[index] for index in chosen])
    assert (folder / "copied.jsonl").read_bytes() == (folder / "written.jsonl").read_bytes()
    assert examples.ids == [row["id"] for row in rows]
    assert examples.tasks == [row["task"] for row in rows]
    assert examples.response_lengths.tolist() == [len(row["response"]) for row in rows]
    assert examples.sha256 == files.sha256(folder / "pool.jsonl")


def test_copy__a_last_line_without_an_end_gets_one(tmp_path):
    line = json.dumps({"id": "a", "task": "t", "response": ""})
    (tmp_path / "pool.jsonl").write_text(f"{line}\n{line}")
    Examples.read(tmp_path / "pool.jsonl").copy(np.array([1, 0]), tmp_path / "copied.jsonl")
    assert (tmp_path / "copied.jsonl").read_text() == f"{line}\n{line}\n"


@pytest.mark.parametrize(
    ("line", "code"), [(b'{"id": ', "not-json"), (b"[1]", "not-an-object"), (b'{"id": "\xff"}', "not-utf-8")]
)
def test_read__a_bad_line_is_named(tmp_path, line, code):
    path = tmp_path / "pool.jsonl"
    path.write_bytes(b'{"id": "a", "task": "t", "response": ""}\n' + line + b"\n")
    with rejected(code, path=path, key="line 2"):
        Examples.read(path)
