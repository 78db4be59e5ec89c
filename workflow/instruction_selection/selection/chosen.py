"""What a method that is no Python module chose: a text file of ids of its pool, one a line, best first.

It may list more than the budget, as a ranking of the whole pool does; the first are taken.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from instruction_selection.core.errors import InputError
from instruction_selection.selection.contract import Selection


def read(path: str | Path, ids: Sequence[str], budget: int) -> Selection:
    """The selection that a file lists, of a pool with these `ids`; at most `budget` examples.

    Raises `InputError` for an empty file, and for the first line that is no id of the pool or was there before.
    """
    places = {name: place for place, name in enumerate(ids)}
    found: dict[int, int] = {}
    lines = Path(path).read_text(encoding="utf-8", errors="replace").removesuffix("\n").split("\n")
    if lines == [""]:
        raise InputError("nothing-chosen", "lists no example", path=path)
    for number, line in enumerate(lines, start=1):
        place = places.get(line)
        if place is None:
            sentence = f"the pool has no example {line!r}; a line is the id of one, best first"
            raise InputError("unknown-id", sentence, path=path, key=f"line {number}")
        if place in found:
            sentence = f"example {line!r} is on line {found[place]} as well"
            raise InputError("duplicate-id", sentence, path=path, key=f"line {number}")
        found[place] = number
    return Selection(np.array([*found][:budget], np.int64), {"listed": len(lines)})
