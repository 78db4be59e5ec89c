"""Rows of pools and benchmarks: dicts with `id`, `task`, `instruction` and `response`."""

import hashlib
import importlib
import random
from collections import Counter

#: How LLaMA-Factory finds the fields of a row.
LLAMAFACTORY_COLUMNS = {"prompt": "instruction", "response": "response"}


def sample(reader: str, tasks: list[str], split: str, count: int, seed: int) -> list[dict]:
    """`count` rows drawn from all tasks equally (the first tasks get the remainder), shuffled, each with an `id`."""
    module = importlib.import_module(f"instruction_selection.pools.{reader.replace('-', '_')}")
    share, remainder = divmod(count, len(tasks))
    rows = [
        row
        for position, task in enumerate(tasks)
        for row in module.read(task, split, share + (position < remainder), seed)
    ]
    random.Random(seed).shuffle(rows)
    return [{"id": row_id(row), **row} for row in rows]


def row_id(row: dict) -> str:
    """A stable name for a row, from its content."""
    text = "\0".join((row["task"], row["instruction"], row["response"]))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def counts(rows: list[dict]) -> dict[str, int]:
    """Rows per task, in alphabetical order."""
    return dict(sorted(Counter(row["task"] for row in rows).items()))
