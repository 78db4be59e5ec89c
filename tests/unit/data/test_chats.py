"""Chats of several turns, in both of the forms in which they are published."""

import json

import pytest

from instruction_selection.data import chats, sampling
from instruction_selection.data.left_out import LeftOut

TURNS = [("system", "Be brief."), ("user", "One?"), ("assistant", "1"), ("user", "Two?"), ("assistant", "2")]
LAYOUT = {
    **{"member": None, "columns": None, "key": None, "task": "all", "draw": "uniform", "control_tokens": "drop"},
    "messages": "chat",
}


def openai(turns):
    return [{"role": role, "content": text} for role, text in turns]


def sharegpt(turns):
    names = {"user": "human", "assistant": "gpt", "system": "system"}
    return [{"from": names[role], "value": text} for role, text in turns]


@pytest.mark.parametrize("form", [openai, sharegpt])
def test_chat__ends_with_its_last_answer(form):
    for after in ([], [("user", "Three?")]):
        found = chats.content({"chat": form([*TURNS, *after])}, "chat")
        assert found["messages"] == openai(TURNS)
        assert (found["instruction"], found["response"]) == ("Be brief.\n\nOne?\n\n1\n\nTwo?", "2")


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        (TURNS[:1], "no_response"),
        (TURNS[:2], "no_response"),
        ([TURNS[2]], "turns_do_not_alternate"),
        ([TURNS[1], TURNS[1], TURNS[2]], "turns_do_not_alternate"),
        ([TURNS[1], ("tool", "{}"), TURNS[2]], "other_role"),
    ],
)
def test_chat__that_becomes_no_example_is_counted_by_its_reason(tmp_path, turns, reason):
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps({"chat": openai(each)}) + "\n" for each in (turns, TURNS)))
    skipped = LeftOut()
    [row] = sampling.draw(LAYOUT, [path], 1, 0, skipped=skipped)
    assert row["messages"] == openai(TURNS)
    assert skipped.summary()[reason] == {"count": 1, "first": [f"{path}: record 0"]}


@pytest.mark.parametrize("value", [None, [], "text", [{"content": "x"}], [{"role": "user", "content": None}]])
def test_chat__that_is_none_is_left_out(value):
    with pytest.raises(chats.NoExampleError, match="no_chat"):
        chats.content({"chat": value}, "chat")


def test_system_prompt__is_the_first_turn_unless_it_is_empty(tmp_path):
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps({"s": s, "q": f"q{s}", "a": "a"}) + "\n" for s in ("", "Be brief.")))
    layout = {**LAYOUT, "messages": None, "system": "{{s}}", "instruction": "{{q}}", "response": "{{a}}"}
    without, row = sampling.draw(layout, [path], 2, 0)
    assert [turn["role"] for turn in without["messages"]] == ["user", "assistant"]
    assert row["messages"][0] == {"role": "system", "content": "Be brief."}
    assert "system" not in row
