"""What templates see of a record: text, numbers, lists and mappings, and nothing that has code behind it.

Objects of other types (bytes and dates of Parquet files, sets of YAML) become values that raise when a template uses
them, and so do null and NaN, which a template may test for or give a default.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

#: Types of which a template sees the value itself.
SCALARS = (str, int, bool)


class NoValueError(jinja2.UndefinedError):
    """A template writes a null or NaN."""


class NoValue(jinja2.StrictUndefined):
    """A null or NaN: false, equal to null, replaced by the filter `default`; writing it raises `NoValueError`."""

    __slots__ = ()

    def __init__(self, hint: str | None = "a null or NaN", **about: Any):
        super().__init__(hint, **{**about, "exc": NoValueError})

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, NoValue)

    __hash__ = jinja2.StrictUndefined.__hash__

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __repr__(self) -> str:
        return str(self)

    def __index__(self) -> int:
        return self._fail_with_undefined_error()


class OtherType(jinja2.StrictUndefined):
    """A value of a type that templates cannot read."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def plain(mapping: Mapping[str, object]) -> dict[str, Any]:
    """A copy of a record or a document for templates."""
    copies: dict[int, object] = {}
    try:
        return {key: _plain(value, copies) for key, value in mapping.items() if type(key) in SCALARS}
    except RecursionError:
        return dict.fromkeys(mapping, OtherType("a value in a record that is nested too deeply"))


def _plain(value: object, copies: dict[int, object]) -> Any:
    # YAML's anchors stay one object, however often a value refers to them; `copies` has these by id.
    if type(value) in SCALARS or (type(value) is float and math.isfinite(value)):
        return value
    if value is None or isinstance(value, float):
        return NoValue()
    if id(value) in copies:
        return copies[id(value)]
    if type(value) is list:
        items = copies[id(value)] = []
        items.extend(_plain(item, copies) for item in value)
        return items
    if type(value) is dict:
        mapping = copies[id(value)] = {}
        mapping.update((key, _plain(item, copies)) for key, item in value.items() if type(key) in SCALARS)
        return mapping
    return OtherType(f"a value of type {type(value).__name__}, which templates cannot read")


def of_path(path: Path) -> dict[str, Any]:
    """A file's `name`, `stem` and `suffix`, and the `parent` folder's."""
    names = {"name": path.name, "stem": path.stem, "suffix": path.suffix}
    return {**names, "parent": {"name": path.parent.name, "stem": path.parent.stem}}


def written(value: object) -> object:
    """What an expression of a template may write: text, and numbers that are finite. Raises `TypeError` for others."""
    if isinstance(value, str | jinja2.Undefined):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value
    if value is None or isinstance(value, float):
        return NoValue()
    raise TypeError(f"it writes a value of type {type(value).__name__}; write text or a number")
