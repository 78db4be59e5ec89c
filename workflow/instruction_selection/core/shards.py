"""Into how many shards a pool's gradients are divided: a store that is begun keeps its number.

A store does not depend on this number by more than rounding, so another one in the experiment is no reason to compute a
shard again. Each finished shard has a record beside it, which is no output of its job: Snakemake removes outputs before
a job starts, and processes that plan at that moment have to find the same number.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from instruction_selection.core import files
from instruction_selection.core.errors import InputError


def digest(decides: Any) -> str:
    """SHA-256 (hex) of plain data: all that decides the rows of a store."""
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def record(shard: str | Path, count: int, decided_by: str) -> None:
    """Call this when `shard`, one of `count` under a `digest`, is finished."""
    files.write_json(Path(shard).with_suffix(".json"), {"shards": count, "decided_by": decided_by})


def recorded(folder: str | Path, decided_by: str) -> int | None:
    """The number of shards in `folder` that were made under this `digest`, or None if no such shard was finished."""
    for path in sorted(Path(folder).glob("*.json")):
        try:
            found = files.read_json(path)
            if found["decided_by"] == decided_by:
                return int(found["shards"])
        except (InputError, OSError, KeyError):
            # Without it, shards are made as the experiment says.
            continue
    return None
