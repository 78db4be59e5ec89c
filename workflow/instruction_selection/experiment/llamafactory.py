"""Whether LLaMA-Factory has an argument, and whether a value is of the type that it declares."""

from typing import Any

from pydantic_core import PydanticCustomError

from instruction_selection.experiment import program_names, sentences
from instruction_selection.experiment.base import problem
from instruction_selection.experiment.suggestions import did_you_mean

#: By the name that program_names.json gives a type: what it is in Python, and in a sentence.
TYPES: dict[str, tuple[Any, str]] = {
    "boolean": (bool, "true or false"),
    "integer": (int, "a whole number"),
    "number": (int | float, "a number"),
    "string": (str, "text"),
    "array": (list, "a list"),
    "object": (dict, "a mapping"),
    "null": (type(None), "null"),
}


def problem_of(key: str, value: Any) -> PydanticCustomError | None:
    """What is wrong with an argument."""
    arguments = program_names.names()["training_arguments"]
    if key not in arguments:
        return problem("unknown-key", f"LLaMA-Factory has no such argument{did_you_mean(key, arguments)}", key)
    kinds, choices = arguments[key]["types"], arguments[key]["choices"]
    if value in choices or any(_is(kind, value) for kind in kinds):
        return None
    if choices and isinstance(value, str):
        sentence = sentences.with_value(f"cannot be {{value}}{did_you_mean(value, choices)}", value)
        return problem("not-allowed", sentence, key)
    allowed = " or ".join([*(TYPES[kind][1] for kind in kinds), *(["text"] if choices else [])])
    return problem("wrong-type", sentences.with_value(f"must be {allowed}, not {{value}}", value), key)


def _is(kind: str, value: Any) -> bool:
    # Python takes true and false for numbers.
    return isinstance(value, TYPES[kind][0]) and isinstance(value, bool) == (kind == "boolean")
