"""Records that become no example are left out by a rule, counted and named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import Table, parquet
from support.rejections import rejected

from instruction_selection.core import files
from instruction_selection.data import control_tokens, left_out, sampling
from instruction_selection.data.left_out import LeftOut

LAYOUT = {
    **{"member": None, "columns": None, "key": None, "draw": "by_task", "overlap_text": None},
    **{"task": "{{t}}", "instruction": "{{q}}", "response": "{{a}}", "control_tokens": "drop", "keep": []},
}
GOOD = {"t": "t", "q": "x", "a": "y"}


def drawn(path, records, count, **layout):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    skipped = LeftOut()
    rows = list(sampling.draw({**LAYOUT, **layout}, [path], count, 0, skipped=skipped))
    return rows, skipped.summary()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"a": None}, "no_value"),
        ({"q": float("nan")}, "no_value"),
        ({"t": None}, "no_value"),
        ({"q": " \n"}, "empty_instruction"),
        ({"a": ""}, "empty_response"),
        ({"a": "\ufeff"}, "empty_response"),
        ({"a": "\u200b\u200d\u2060\u00ad"}, "empty_response"),
        ({"a": "\0\x01"}, "empty_response"),
        ({"a": "\u2800\u3164"}, "empty_response"),
        ({"a": "\ufe0f\u0301"}, "empty_response"),
        ({"a": "y<|im_end|>"}, "control_token"),
        ({"q": "<s>x"}, "control_token"),
        ({"t": "a\0"}, "control_character_in_task"),
    ],
)
def test_draw__a_record_is_left_out_counted_and_named(tmp_path, changes, reason):
    path = tmp_path / "a.jsonl"
    rows, summary = drawn(path, [GOOD, {**GOOD, **changes}, GOOD], 2)
    assert [(row["instruction"], row["response"]) for row in rows] == [("x", "y")] * 2
    assert summary == {reason: {"count": 1, "first": [f"{path}: record 1"]}}


def test_draw__the_first_records_of_a_reason_are_named_and_all_are_counted(tmp_path):
    path = tmp_path / "a.jsonl"
    _, summary = drawn(path, [{**GOOD, "a": ""}] * 5 + [GOOD, {**GOOD, "q": None}], 1)
    assert summary == {
        "empty_response": {"count": 5, "first": [f"{path}: record {number}" for number in range(3)]},
        "no_value": {"count": 1, "first": [f"{path}: record 6"]},
    }


def test_draw__too_few_examples_says_what_was_left_out(tmp_path):
    with rejected("too-few-examples", path=tmp_path / "a.jsonl") as caught:
        drawn(tmp_path / "a.jsonl", [GOOD, {**GOOD, "a": ""}, {**GOOD, "q": None}], 2)
    left_out = "1 empty_response (a.jsonl: record 1), 1 no_value (a.jsonl: record 2)"
    assert f"there are 1 (left out: {left_out})" in str(caught.value)


def test_draw__control_tokens_are_kept_on_request(tmp_path):
    records = [{**GOOD, "a": "y<|im_end|>"}]
    rows, summary = drawn(tmp_path / "a.jsonl", records, 1, control_tokens="keep")
    assert (rows[0]["response"], summary) == ("y<|im_end|>", {})


def test_draw__what_is_drawn_does_not_depend_on_what_is_left_out(tmp_path):
    records = [{**GOOD, "q": f"{number}"} for number in range(20)]
    with_others = [other for record in records for other in (record, {**GOOD, "a": None}, {**GOOD, "q": "</s>"})]
    alone, _ = drawn(tmp_path / "a.jsonl", records, 7)
    among, _ = drawn(tmp_path / "b.jsonl", with_others, 7)
    assert alone == among


@pytest.mark.parametrize("value", [b"y", [1], True])
def test_draw__bytes_and_lists_are_rejected(tmp_path, value):
    parquet.write_table(Table.from_pylist([GOOD | {"b": value}]), tmp_path / "a.parquet")
    with rejected("template-does-not-fit", path="a.parquet", key="record 0"):
        list(sampling.draw({**LAYOUT, "response": "{{ b }}"}, [tmp_path / "a.parquet"], 1, 0))


def test_draw__a_null_of_parquet_is_a_null(tmp_path):
    parquet.write_table(Table.from_pylist([GOOD, GOOD | {"a": None}]), tmp_path / "a.parquet")
    skipped = LeftOut()
    assert len(list(sampling.draw(LAYOUT, [tmp_path / "a.parquet"], 1, 0, skipped=skipped))) == 1
    assert skipped.summary()["no_value"]["count"] == 1


def test_of_benchmark__validation_and_evaluation_are_counted_apart(tmp_path):
    folder = tmp_path / "hub"
    folder.mkdir()
    files.write_jsonl(folder / "v.jsonl", [GOOD, {**GOOD, "q": "<s>"}])
    files.write_jsonl(folder / "e.jsonl", [{**GOOD, "q": "z"}, {**GOOD, "a": None}, {**GOOD, "a": None}])
    manifest = folder / "manifests" / "benchmark" / "b.json"
    fetched = {
        split: {"files": {name: files.sha256(folder / name)}}
        for split, name in (("validation", "v.jsonl"), ("evaluation", "e.jsonl"))
    }
    files.write_json(manifest, fetched)
    block = {**LAYOUT, "source": {"kind": "folder"}}
    benchmark = {"reader": None, "validation": block, "evaluation": block, "shared_source": False}
    skipped = {"validation": LeftOut(), "evaluation": LeftOut()}
    sampling.of_benchmark(benchmark, manifest, {"validation": 1, "evaluation": 1}, 0, skipped)
    counts = {
        split: {reason: about["count"] for reason, about in each.summary().items()} for split, each in skipped.items()
    }
    assert counts == {"validation": {"control_token": 1}, "evaluation": {"no_value": 2}}


@pytest.mark.parametrize("changes", [{"a": None}, {"a": " "}, {"a": "<s>"}])
def test_every__a_record_that_would_be_left_out_is_rejected(tmp_path, changes):
    files.write_jsonl(tmp_path / "a.jsonl", [GOOD, {**GOOD, **changes}])
    with rejected("unusable-record", path="a.jsonl", key="record 1"):
        sampling.every(LAYOUT, [tmp_path / "a.jsonl"])


@given(
    st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1).filter(
        lambda text: not left_out.BLANK & {*text}
    )
)
def test_visible__letters_digits_and_signs_are(text):
    assert left_out.visible(f"\u200b{text}\0")


@pytest.mark.parametrize("text", ["<S>", "a < s > b", "<|", "||", "<|a b|>", "1 <| 2 |> 3", "[inst]", "<eos", "x<y>z"])
def test_control_tokens__other_text_is_none(text):
    assert control_tokens.first(text) is None
