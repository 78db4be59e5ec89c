"""The columns of their source that rows keep, in a form that every reader of JSON lines takes for one data set.

`datasets` and others infer a type per column from the first rows, and reject later rows that do not fit. So rows have
all the same columns, in one order, and a column whose values differ in type is written as JSON text.
"""

import json
from collections.abc import Mapping
from typing import Any

from instruction_selection.core.errors import InputError
from instruction_selection.core.example import Example

#: Integers that fit into the integer type of Arrow.
LARGEST = 1 << 63

#: What the values of a column have in common: the name of a type, (list, of what) or (dict, of what by key). None for
#: what has no value, and ANY if they have nothing in common.
Kind = Any
ANY = "any"


class Columns:
    """Show it every record with `look`, and then take the rows with `keep`."""

    def __init__(self, names: list[str] | str):
        """`names` of the columns to keep, or `all`."""
        self._names = names
        self._kinds: dict[str, Kind] = {}

    def look(self, record: Mapping[str, Any]) -> None:
        """Learn the columns of a record and their types."""
        for name in record if self._names == "all" else self._names:
            if name in record:
                self._kinds[name] = _common(self._kinds.get(name), _kind_of(record[name]))

    def keep(self, row: Example) -> Example:
        """The row with these columns as its `record`, or without any. Raises `InputError` for one that it has not."""
        shorter = row.copy()
        record = shorter.pop("record", {})
        if self._names == "all":
            shorter["record"] = {name: self._value(name, record.get(name), row) for name in self._kinds}
        elif self._names:
            for name in self._names:
                if name not in record:
                    raise InputError("no-such-column", f"example {row['id']} has no column {name!r}", key="keep")
            shorter["record"] = {name: self._value(name, record[name], row) for name in self._names}
        return shorter

    def _value(self, name: str, value: Any, row: Example) -> Any:
        text = written(name, value, row, "keep")
        return text if _mixed(self._kinds[name]) and value is not None else value


def written(name: str, value: Any, row: Example, key: str) -> str:
    """A column's value as JSON. Raises `InputError`, at the `key` of the config file, for what JSON cannot have."""
    try:
        text = json.dumps(value, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        sentence = f"column {name!r} of example {row['id']} cannot be written as JSON ({error})"
        raise InputError("column-not-json", sentence, key=key) from error
    return text


def _kind_of(value: Any) -> Kind:
    try:
        return _kind(value)
    except RecursionError:
        return ANY


def _kind(value: Any) -> Kind:
    if isinstance(value, list):
        kind = None
        for item in value:
            kind = _common(kind, _kind(item))
        return list, kind
    if isinstance(value, dict):
        return dict, {key: _kind(item) for key, item in value.items()}
    if isinstance(value, int) and not isinstance(value, bool) and not -LARGEST <= value < LARGEST:
        return ANY
    return None if value is None else type(value).__name__


def _common(one: Kind, other: Kind) -> Kind:
    if one is None or other is None or one == other:
        return other if one is None else one
    if isinstance(one, tuple) and isinstance(other, tuple) and one[0] is other[0]:
        if one[0] is list:
            return list, _common(one[1], other[1])
        if one[1].keys() == other[1].keys():
            return dict, {key: _common(kind, other[1][key]) for key, kind in one[1].items()}
    return ANY


def _mixed(kind: Kind) -> bool:
    if isinstance(kind, tuple):
        inner = kind[1].values() if kind[0] is dict else [kind[1]]
        return any(map(_mixed, inner))
    return kind == ANY
