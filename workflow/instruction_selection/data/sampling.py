"""Examples of pools and benchmarks: their type, their sampling, and how they are made of files."""

import importlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from instruction_selection.core import example, files
from instruction_selection.core.apportion import largest_remainder
from instruction_selection.core.errors import InputError
from instruction_selection.core.example import Content, Example, row_id
from instruction_selection.data import columns, hub, records
from instruction_selection.data.left_out import LeftOut


def of_pool(
    pool: dict,
    manifest: str | Path | None,
    count: int | None,
    seed: int,
    skipped: LeftOut | None = None,
    name: str | None = None,
) -> Iterable[Example]:
    """`count` examples of a ``config/pools`` entry, or all of its files; `manifest` lists its fetched files, if it has
    any.

    `skipped` gets the records that are left out, by the time of the first example. `name` is the pool's, for errors.
    """
    if pool["reader"] and count is not None:
        return sample(pool["reader"], pool["tasks"], "pool", count, seed)
    paths = hub.paths(pool["rows"]["source"], manifest, "rows")
    kept = columns.Columns(pool["rows"]["keep"])
    key = name and f"pools.{name}.rows"
    return map(kept.keep, draw(pool["rows"], paths, count, seed, skipped=skipped, look=kept.look, key=key))


def of_benchmark(
    benchmark: dict,
    manifest: str | Path | None,
    counts: Mapping[str, int | None],
    seed: int,
    skipped: Mapping[str, LeftOut] | None = None,
    evaluation_seed: int | None = None,
    name: str | None = None,
) -> dict[str, list[Example]]:
    """The examples of a ``config/benchmarks`` entry by split, `validation` and `evaluation`; `counts` says how many of
    each (None: all of its files), and a split that is not in it is not read. `name` is the benchmark's, for errors.

    Evaluation examples from files keep their source's columns as `record`. `skipped` gets the records that are left
    out, by split. With `evaluation_seed`, evaluation examples are those that a call with this `seed` gives, and
    validation examples are drawn with `seed` from the rest.
    """
    seeds = {"validation": seed, "evaluation": seed if evaluation_seed is None else evaluation_seed}
    if benchmark["reader"]:
        return {
            split: sample(benchmark["reader"], benchmark["tasks"], split, count, seeds[split])
            for split, count in counts.items()
            if count is not None
        }

    def drawn_from(split: str, seed: int, other: Iterable[Example], skipped: LeftOut | None) -> list[Example]:
        """Without examples of the `other` split, if the two have one source."""
        taken = {row["id"] for row in other} if benchmark["shared_source"] else set()
        paths = hub.paths(benchmark[split]["source"], manifest, split)
        key = name and f"targets.{name}.{split}_rows"
        return list(draw(benchmark[split], paths, counts[split], seed, taken, skipped, key=key))

    left_out = skipped or dict.fromkeys(counts)
    drawn: dict[str, list[Example]] = {}
    for split in counts:
        drawn[split] = drawn_from(split, seeds["evaluation"], drawn.get("validation", []), left_out[split])
    if evaluation_seed is not None:
        drawn["validation"] = drawn_from("validation", seed, drawn.get("evaluation", []), None)
    for row in drawn.get("evaluation", []):
        for column, value in row.get("record", {}).items():
            columns.written(column, value, row, "evaluation")
    kept = columns.Columns(benchmark["validation"]["keep"])
    for row in drawn["validation"]:
        kept.look(row.get("record", {}))
    return {**drawn, "validation": [kept.keep(row) for row in drawn["validation"]]}


def sample(reader: str, tasks: list[str], split: str, count: int, seed: int) -> list[Example]:
    """`count` generated examples, the same number from every task (the first tasks get the remainder), shuffled."""
    module = importlib.import_module(f"instruction_selection.data.readers.{reader.replace('-', '_')}")
    share, remainder = divmod(count, len(tasks))
    rows: list[Content] = [
        row
        for position, task in enumerate(tasks)
        for row in module.read(task, split, share + (position < remainder), seed)
    ]
    random.Random(seed).shuffle(rows)
    return [{"id": row_id(row), **row} for row in rows]


def of_warmup(pool_path: str | Path, count: int, seed: int) -> Iterator[Example]:
    """`count` examples of a pool's file, drawn uniformly without replacement, in random order.

    The pool may be larger than memory. Raises `InputError` if it has fewer examples.
    """
    available = files.count_lines(pool_path)
    if count > available:
        raise InputError("too-few-examples", _too_few(count, available), path=pool_path, key="warmup.rows")
    numbers = random.Random(seed).sample(range(available), count)
    wanted = set(numbers)
    rows = {number: row for number, row in enumerate(example.iterate(pool_path)) if number in wanted}
    return map(rows.__getitem__, numbers)


def draw(
    layout: dict,
    paths: list[Path],
    count: int | None,
    seed: int,
    without: Collection[str] = (),
    skipped: LeftOut | None = None,
    look: Callable[[Mapping[str, Any]], None] = lambda record: None,
    key: str | None = None,
) -> Iterator[Example]:
    """`count` examples of some files, or all that can be used (None), in the files' order, each with its source's
    columns as `record`.

    `layout` says how to read the files, has the templates of an example, and says whether examples are drawn uniformly
    or by task, so that tasks are represented in proportion to their sizes. Records that become no usable example are
    left out and counted in `skipped` (`left_out.reason`); examples whose id is in `without` are left out as well. Files
    are read twice, so that memory holds one number per example instead of all examples; `look` gets the columns of
    every usable record before the first example is given. Raises `InputError` if there are fewer than `count`, or none;
    `key` is where the experiment says how many.
    """
    usable = defaultdict(list)
    skipped = LeftOut() if skipped is None else skipped
    for number, record in enumerate(records.read(layout, paths)):
        if record.reason:
            skipped.add(record.reason, f"{record.path}: {record.key}")
        elif not (without and row_id(record.row) in without):
            look(record.row.get("record", {}))
            usable["" if layout["draw"] == "uniform" else record.row["task"]].append(number)
    available = sum(map(len, usable.values()))
    count = max(1, available) if count is None else count
    if available < count:
        path = paths[0] if len(paths) == 1 else paths[0].parent
        raise InputError("too-few-examples", _too_few(count, available, skipped), path=path, key=key)
    tasks = sorted(usable)
    shares = largest_remainder(count, [len(usable[task]) for task in tasks])
    chosen = set()
    for task, share in zip(tasks, shares, strict=True):
        chosen.update(random.Random(f"{seed}/{task}").sample(usable.pop(task), int(share)))
    occurrences = Counter()
    for number, record in enumerate(records.read(layout, paths)):
        if number in chosen:
            identity = row_id(record.row)
            occurrences[identity] += 1
            # Some sources hold the same example twice, but ids must be unique.
            unique = identity if occurrences[identity] == 1 else f"{identity}-{occurrences[identity]}"
            yield Example(id=unique, **record.row)


def _too_few(count: int, available: int, skipped: LeftOut | None = None) -> str:
    without = f" (left out: {skipped})" if skipped and str(skipped) else ""
    return f"{count} examples are requested, and there are {available}{without}; request fewer"


def every(layout: dict, paths: list[Path]) -> list[Example]:
    """All examples of some files, read as in `draw`. Raises `InputError` for a record that `draw` would leave out."""
    examples = []
    for record in records.read(layout, paths):
        if record.reason:
            sentence = f"this record cannot become an example ({record.reason})"
            raise InputError("unusable-record", sentence, path=record.path, key=record.key)
        examples.append(Example(id=row_id(record.row), **record.row))
    return examples
