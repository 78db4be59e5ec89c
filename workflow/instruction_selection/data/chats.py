"""Chats: from the turns of a record to an instruction, a response, and all that comes before it."""

from collections.abc import Mapping
from typing import Any

#: Names of roles, as `messages` and ShareGPT have them.
ROLES = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "system": "system"}
#: Keys of a turn: its role and its text.
KEYS = (("role", "content"), ("from", "value"))


class NoExampleError(ValueError):
    """A record becomes no example, for the reason that is the error's text."""


def content(record: Mapping[str, Any], column: str) -> dict[str, Any]:
    """{instruction, response, messages} of the chat in a record's column, up to its last answer.

    The instruction is the text before the response, with an empty line between turns. Raises `NoExampleError` for what
    is no chat (`no_chat`), has another role (`other_role`), has no answer (`no_response`), or does not alternate
    between user and assistant after at most one system turn (`turns_do_not_alternate`).
    """
    turns = [_turn(turn) for turn in _list(record.get(column))]
    while turns and turns[-1]["role"] != "assistant":
        turns.pop()
    if not turns:
        raise NoExampleError("no_response")
    said = turns[1:] if turns[0]["role"] == "system" else turns
    expected = ["user", "assistant"] * (len(said) // 2)
    if [turn["role"] for turn in said] != expected:
        raise NoExampleError("turns_do_not_alternate")
    *before, last = turns
    return {
        "instruction": "\n\n".join(turn["content"] for turn in before),
        "response": last["content"],
        "messages": turns,
    }


def with_system(system: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """{messages} of a single question with a system prompt, which may be empty."""
    turns = [{"role": "user", "content": row["instruction"]}, {"role": "assistant", "content": row["response"]}]
    return {"messages": [{"role": "system", "content": system}, *turns] if system else turns}


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise NoExampleError("no_chat")
    return value


def _turn(turn: Any) -> dict[str, str]:
    for role, text in KEYS:
        if isinstance(turn, Mapping) and isinstance(turn.get(role), str) and isinstance(turn.get(text), str):
            if turn[role] not in ROLES:
                raise NoExampleError("other_role")
            return {"role": ROLES[turn[role]], "content": turn[text].strip()}
    raise NoExampleError("no_chat")
