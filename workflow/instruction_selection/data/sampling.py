"""Rows of pools and benchmarks: dicts with `id`, `task`, `instruction` and `response`."""

import importlib
import json
import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePath

from instruction_selection.core.apportion import largest_remainder
from instruction_selection.core.uncoded_errors import InputError
from instruction_selection.data import formats, hub, templates
from instruction_selection.data.example import row_id


def of_pool(pool: dict, manifest: str | None, count: int, seed: int) -> Iterable[dict]:
    """`count` rows of a ``config/pools`` entry; `manifest` lists its fetched files, if it has any."""
    if pool["reader"]:
        return sample(pool["reader"], pool["tasks"], "pool", count, seed)
    return map(_without_record, draw(pool["rows"], hub.paths(pool["rows"]["source"], manifest, "rows"), count, seed))


def of_benchmark(benchmark: dict, manifest: str | None, counts: dict[str, int], seed: int) -> dict[str, list[dict]]:
    """The `validation` and `evaluation` rows of a ``config/benchmarks`` entry; `counts` says how many of each.

    Evaluation rows from files have their source's columns as `record`.
    """
    if benchmark["reader"]:
        return {
            split: sample(benchmark["reader"], benchmark["tasks"], split, count, seed)
            for split, count in counts.items()
        }
    drawn = {}
    for split in ("validation", "evaluation"):
        block = benchmark[split]
        taken = {row["id"] for row in drawn["validation"]} if benchmark["shared_source"] and drawn else set()
        paths = hub.paths(block["source"], manifest, split)
        drawn[split] = list(draw(block, paths, counts[split], seed, taken))
    for row in drawn["evaluation"]:
        _refuse_unless_json(row)
    return {**drawn, "validation": list(map(_without_record, drawn["validation"]))}


def _refuse_unless_json(row: dict) -> None:
    """Evaluation rows are written with their source's columns."""
    for name, value in row["record"].items():
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(f"evaluation: column {name!r} of row {row['id']} cannot be JSON ({error}).") from error


def _without_record(row: dict) -> dict:
    return {key: value for key, value in row.items() if key != "record"}


def sample(reader: str, tasks: list[str], split: str, count: int, seed: int) -> list[dict]:
    """`count` rows drawn from all tasks equally (the first tasks get the remainder), shuffled, each with an `id`."""
    module = importlib.import_module(f"instruction_selection.data.readers.{reader.replace('-', '_')}")
    share, remainder = divmod(count, len(tasks))
    rows = [
        row
        for position, task in enumerate(tasks)
        for row in module.read(task, split, share + (position < remainder), seed)
    ]
    random.Random(seed).shuffle(rows)
    return [{"id": row_id(row), **row} for row in rows]


def draw(layout: dict, paths: list[Path], count: int, seed: int, without: Collection[str] = ()) -> Iterator[dict]:
    """`count` rows of some files, in the files' order, each with an `id`, and with its source's columns as `record`.

    `layout` is a block of a config file (`experiment.rows`): how to read the files, templates of a row, and whether
    rows are drawn uniformly or by task, where tasks are represented in proportion to their sizes. Left out are rows
    whose instruction or response is empty, and those whose id is in `without`. Files are read twice, so that memory
    holds one number per row and not the rows. Raises `InputError` if there are fewer than `count` rows.
    """
    usable = defaultdict(list)
    for number, row in enumerate(_rows(layout, paths)):
        if row["instruction"] and row["response"] and not (without and row_id(row) in without):
            usable["" if layout["draw"] == "uniform" else row["task"]].append(number)
    available = sum(map(len, usable.values()))
    if available < count:
        raise InputError(f"{paths[0].parent}: {count} rows are wanted, and there are {available}.")
    tasks = sorted(usable)
    shares = largest_remainder(count, [len(usable[task]) for task in tasks])
    chosen = set()
    for task, share in zip(tasks, shares, strict=True):
        chosen.update(random.Random(f"{seed}/{task}").sample(usable.pop(task), int(share)))
    seen = Counter()
    for number, row in enumerate(_rows(layout, paths)):
        if number in chosen:
            identity = row_id(row)
            seen[identity] += 1
            # Some sources have a row twice, and an id names one.
            yield {"id": identity if seen[identity] == 1 else f"{identity}-{seen[identity]}", **row}


def every(layout: dict, paths: list[Path]) -> list[dict]:
    """All rows of some files, as in `draw`."""
    return [{"id": row_id(row), **row} for row in _rows(layout, paths)]


def _rows(layout: dict, paths: list[Path]) -> Iterator[dict]:
    """Every record of the files as {task, instruction, response, record}, and overlap_text if the layout has it."""
    parts = {name: templates.compiled(layout[name]) for name in templates.ROW if layout[name] is not None}
    for path in paths:
        # A template may look at the path, and not at or into the file.
        pure = PurePath(path)
        for number, (record, document) in enumerate(formats.read(path, layout)):
            row = {}
            for name, template in parts.items():
                try:
                    row[name] = template.render(
                        {**record, "record": record, "document": document, "path": pure}
                    ).strip()
                    row[name].encode()  # which half of a surrogate pair, as JSON may have it, cannot be
                except templates.NOT_RENDERED as error:
                    raise InputError(f"{path}, record {number}: {name}: {error}.") from error
            yield {**row, "record": record}
