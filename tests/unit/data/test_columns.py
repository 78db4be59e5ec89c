"""A selection is one data set for whatever reads it, however the columns of a pool differ in type."""

import json

import pytest
from datasets import load_dataset
from hypothesis import given
from hypothesis import strategies as st
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.data import columns, sampling

ROWS = {"draw": "uniform", "control_tokens": "keep", "task": "all", "instruction": "{{q}}", "response": "{{a}}"}
MIXED = {
    "number or text": [1, "one", None],
    "number or whole number": [1, 1.5, 2],
    "text or list": ["a", ["a", "b"], []],
    "mapping or text": [{"page": 1}, "page 1", None],
    "other keys": [{"page": 1}, {"line": 2}, {}],
    "deep": [{"at": [{"x": 1}]}, {"at": [{"x": "one"}]}, {"at": []}],
    "too large": [1, 1 << 70, 2],
    "one in one row": [True, None, None],
}
SAME = {"text": ["a", None, "b"], "lists": [["a"], [], None], "mappings": [{"n": 1}, {"n": None}, None]}


def pool(tmp_path, rows: list[dict], keep) -> list[dict]:
    path = tmp_path / "pool.jsonl"
    files.write_jsonl(path, rows)
    entry = {"reader": None, "rows": {**ROWS, "keep": keep, "source": {"kind": "folder"}}}
    kept = columns.Columns(entry["rows"]["keep"])
    return list(map(kept.keep, sampling.draw(entry["rows"], [path], len(rows), 0, look=kept.look)))


def rows_of(values: dict[str, list]) -> list[dict]:
    shared = [{"q": f"Question {n}?", "a": f"Answer {n}."} for n in range(3)]
    return [row | {name: listed[n] for name, listed in values.items()} for n, row in enumerate(shared)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("keep", ["all", [*MIXED, *SAME]])
def test_columns__of_mixed_types_are_a_data_set_in_any_order(tmp_path, keep, order):
    drawn = pool(tmp_path, rows_of(MIXED | SAME), keep)
    files.write_jsonl(tmp_path / "selected.jsonl", [drawn[place] for place in order])
    read = load_dataset("json", data_files=str(tmp_path / "selected.jsonl"), split="train", cache_dir=str(tmp_path))
    records = [drawn[place]["record"] for place in order]
    assert [{name: row[name] for name in MIXED} for row in read["record"]] == [
        {name: record[name] for name in MIXED} for record in records
    ]
    for name, values in (MIXED | SAME).items():
        found = [record[name] for record in records]
        if name in SAME or name == "one in one row":
            assert found == [values[place] for place in order]
        else:
            assert [text and json.loads(text) for text in found] == [values[place] for place in order]


def test_columns__that_some_rows_do_not_have_are_null_there(tmp_path):
    rows = [{"q": "1?", "a": "1", "x": 1}, {"q": "2?", "a": "2", "y": 2}]
    assert [row["record"] for row in pool(tmp_path, rows, "all")] == [
        {"q": "1?", "a": "1", "x": 1, "y": None},
        {"q": "2?", "a": "2", "x": None, "y": 2},
    ]
    with rejected("no-such-column", key="keep"):
        pool(tmp_path, rows, ["x"])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_column__loses_no_value_and_has_one_type(values):
    kept = columns.Columns(["x"])
    for value in values:
        kept.look({"x": value})
    found = [kept.keep({"id": "1", "record": {"x": value}})["record"]["x"] for value in values]
    if found != values:
        assert {type(value) for value in found} <= {str, type(None)}
        assert [text if text is None else json.loads(text) for text in found] == values
