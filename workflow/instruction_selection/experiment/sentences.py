"""Pydantic's errors as one sentence: which key is wrong, and what is allowed."""

import datetime
import json
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from instruction_selection.core.errors import InputError
from instruction_selection.experiment.suggestions import closest

#: Characters of a wrong value that are shown.
LONGEST = 60
#: Code and sentence by pydantic's type of error. {value} is what was given; other names are in pydantic's context.
SENTENCES = {
    "int_type": ("wrong-type", "must be a whole number, not {value}"),
    "float_type": ("wrong-type", "must be a number, not {value}"),
    "string_type": ("wrong-type", "must be text, not {value}"),
    "bool_type": ("wrong-type", "must be true or false, not {value}"),
    "tuple_type": ("wrong-type", "must be a list, not {value}"),
    "dict_type": ("wrong-type", "must be a mapping, not {value}"),
    "model_type": ("wrong-type", "must be a mapping, not {value}"),
    "model_attributes_type": ("wrong-type", "must be a mapping, not {value}"),
    "invalid-json-value": ("wrong-type", "must be text, a number, true, false, null, a list or a mapping, not {value}"),
    "greater_than": ("out-of-range", "must be greater than {gt}, not {value}"),
    "greater_than_equal": ("out-of-range", "must be at least {ge}, not {value}"),
    "less_than": ("out-of-range", "must be less than {lt}, not {value}"),
    "less_than_equal": ("out-of-range", "must be at most {le}, not {value}"),
    "too_short": ("empty", "needs at least one entry"),
    "literal_error": ("not-allowed", "must be {expected}, not {value}"),
    "missing": ("missing-key", "is missing, and has no default"),
}
#: Which of several mistakes is reported: a misspelt key before the value that it leaves missing.
FIRST, LAST = "unknown-key", "missing"


#: Choices that are not all listed if one of them is close to what was given.
MANY = 10


def input_error(error: ValidationError, content: Any, path: str | Path, inside: str | None = None) -> InputError:
    """The most telling of the mistakes in `content` of the file `path`, or of its key `inside`."""
    details = min(error.errors(include_url=False), key=lambda each: (each["type"] != FIRST, each["type"] == LAST))
    context: dict[str, Any] = details.get("ctx", {})
    keys, kind = _place(details["loc"], content)
    if "sentence" in context:
        code, sentence = details["type"], context["sentence"]
        keys += [context["key"]] if context["key"] else []
    else:
        code, template = SENTENCES[details["type"]]
        sentence = template.format_map({"value": "{value}", **_tidy(context)})
        hint = _hint(details, context)
        if hint and context.get("expected", "").count("'") > 2 * MANY:
            sentence = "cannot be {value}"
        sentence += hint
    sentence = with_value(sentence, details["input"])
    if kind:
        sentence += f" (kind {kind!r})"
    return InputError(code, sentence, path=path, key=".".join([inside, *keys] if inside else keys) or None)


def _place(location: tuple[int | str, ...], content: Any) -> tuple[list[str], str | None]:
    """The keys that lead to a mistake, without pydantic's labels of a union's alternatives, and the last such label."""
    keys: list[str] = []
    kind = None
    for part in location:
        if isinstance(content, dict) and kind is None and part == content.get("kind"):
            kind = str(part)
        elif isinstance(content, dict) and part in content:
            content, kind = content[part], None
            keys.append(str(part))
        elif isinstance(content, list) and isinstance(part, int):
            content = content[part]
            keys.append(str(part))
        elif str(part).isidentifier():
            keys.append(str(part))
    return keys, kind


def _tidy(context: dict[str, Any]) -> dict[str, Any]:
    """0.0 as 0."""
    whole = {key: int(value) for key, value in context.items() if isinstance(value, float) and value.is_integer()}
    return {**context, **whole}


def with_value(sentence: str, value: Any) -> str:
    """A sentence with what was given in the place of {value}."""
    if "://" in repr(value):
        # Of an address not even a part is shown, in which there may be a password.
        return sentence.replace(", not {value}", "").replace("{value}", "its value")
    return sentence.replace("{value}", shown(value))


def shown(value: Any) -> str:
    """A value as in a YAML file, shortened."""
    if value is None or isinstance(value, bool):
        text = json.dumps(value)
    else:
        text = str(value) if isinstance(value, datetime.date) else repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}...{text[-LONGEST // 4 :]}"


def _hint(details: ErrorDetails, context: dict[str, Any]) -> str:
    if details["type"] == "literal_error":
        return closest(str(details["input"]), re.findall("'([^']*)'", context["expected"]))
    scalar = isinstance(details["input"], bool | int | float | datetime.date)
    return "; put it in quotation marks" if details["type"] == "string_type" and scalar else ""
