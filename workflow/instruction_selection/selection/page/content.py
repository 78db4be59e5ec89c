"""What the page shows: a bounded number of rows with all that is known of them, and the pool around them."""

import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import pyarrow
from pyarrow import compute, parquet

from instruction_selection.core import files
from instruction_selection.features.matrix import FeatureMatrix
from instruction_selection.selection import reading
from instruction_selection.selection.examples import Examples
from instruction_selection.selection.page import duplicates, plane
from instruction_selection.selection.scores import COMPARED

#: Rows of the table, chosen ones and others, and characters of all their texts.
CHOSEN, OTHERS, CHARACTERS = 3000, 300, 3_000_000
#: Points of the map, rows of the pool and chosen ones, and characters of a text beside one.
SAMPLED, MARKED, LABEL = 2000, 1000, 80
#: Tasks that have a bar of their own, and intervals of lengths.
TASKS, INTERVALS = 15, 12


@dataclass(frozen=True)
class SelectionFiles:
    """A finished selection: its pool, the target's validation rows (several files of a joint target, none without a
    target), its `selection.json` and `scores.parquet`, and the files of the features that its method read, by name,
    under the last checkpoint."""

    pool: str
    validation: Sequence[str]
    summary: str
    scores: str
    features: Mapping[str, Sequence[str]]


class Bar(NamedTuple):
    """Shares (0 to 1) of the chosen rows and of the pool."""

    label: str
    chosen: float
    pool: float


@dataclass(frozen=True)
class Map:
    """A uniform sample of the pool (`sampled` rows), more chosen rows (`added`), and the validation rows.

    `points` are (x, y, kind, label), x and y from 0 to 1000, from the left and the top; kind 0 is a row of the pool, 1
    a chosen one, 2 a validation row. `variance` is the share that the two axes have of the pool's.
    """

    #: The feature of the pool, or `words`.
    features: str
    variance: float
    sampled: int
    added: int
    points: list[tuple[int, int, int, str]]


@dataclass(frozen=True)
class Content:
    """`rows` are dictionaries: the columns of `scores.parquet` and the text, with `nearest` as [place among
    `validation`, cosine]; `twin` is the step of an earlier row that says the same, or nearly."""

    summary: dict[str, Any]
    rows: list[dict[str, Any]]
    validation: list[dict[str, str]]
    #: How the rows that were not chosen are ordered: by `rank`, `similarity`, or `random`.
    others_by: str
    #: Characters of a text that are shown, or None if all are.
    cut_at: int | None
    tasks: list[Bar]
    lengths: list[Bar]
    #: Rows that say the same as an earlier one, and nearly the same.
    equal: int
    similar: int
    map: Map | None


def build(selection: SelectionFiles) -> Content:
    """Reads the pool once, and the features of the few rows on the map."""
    pool = Examples.read(selection.pool)
    validation = [Examples.read(path) for path in selection.validation]
    table = parquet.read_table(selection.scores)
    step = table["step"].fill_null(0).to_numpy()
    chosen = np.flatnonzero(step)[np.argsort(step[step > 0])]
    others, others_by = _best_others(table, np.flatnonzero(step == 0))
    shown = np.concatenate([chosen[:CHOSEN], others[:OTHERS]])
    texts = [json.loads(line) for line in pool.lines(shown)]
    wanted = [json.loads(line) for part in validation for line in part.lines(np.arange(len(part)))]
    rows, cut_at = _rows(table.take(shown), texts, {row["id"]: place for place, row in enumerate(wanted)})
    twins = duplicates.find([f"{row['instruction']}\n{row['response']}" for row in texts[: len(chosen[:CHOSEN])]])
    for row, twin in zip(rows, twins, strict=False):
        row["twin"] = twin and {"step": twin.place + 1, "exact": twin.exact}
    return Content(
        summary=files.read_json(selection.summary),
        rows=rows,
        validation=[{key: row[key][:cut_at] for key in ("task", "instruction", "response")} for row in wanted],
        others_by=others_by,
        cut_at=cut_at,
        tasks=_tasks(pool.tasks, chosen),
        lengths=_lengths(pool.response_lengths, chosen),
        equal=sum(twin is not None and twin.exact for twin in twins),
        similar=sum(twin is not None and not twin.exact for twin in twins),
        map=_map(pool, validation, selection.features, chosen),
    )


def _best_others(table: pyarrow.Table, places: np.ndarray) -> tuple[np.ndarray, str]:
    """The rows that were not chosen, in the order in which they come closest to it, as far as that is known."""
    rank = table["rank"].fill_null(0).to_numpy()[places]
    if rank.any():
        return places[np.argsort(np.where(rank > 0, rank, np.iinfo(rank.dtype).max), kind="stable")], "rank"
    first = compute.list_element(  # pyright: ignore[reportAttributeAccessIssue] (made when pyarrow is imported)
        table["similarity"], 0
    )
    similarity = first.fill_null(-np.inf).to_numpy()[places]
    if np.isfinite(similarity).any():
        return places[np.argsort(-similarity, kind="stable")], "similarity"
    return np.random.default_rng(0).permutation(places), "random"


def _rows(
    table: pyarrow.Table, texts: Sequence[Mapping[str, Any]], wanted: Mapping[str, int]
) -> tuple[list[dict[str, Any]], int | None]:
    lengths = np.array([len(row[key]) for row in texts for key in ("instruction", "response")])
    cut_at = longest(lengths, CHARACTERS)
    rows = []
    for known, text in zip(table.to_pylist(), texts, strict=True):
        named, cosines = known.pop("nearest") or [], known.pop("similarity") or []
        known["nearest"] = [[wanted[name], cosine] for name, cosine in zip(named, cosines, strict=True)]
        rows.append({**known, "instruction": text["instruction"][:cut_at], "response": text["response"][:cut_at]})
    return rows, cut_at


def longest(lengths: np.ndarray, total: int) -> int | None:
    """To how many characters texts must be cut to have at most `total` together; None if they need not be."""
    if lengths.sum() <= total:
        return None
    ordered = np.sort(lengths)
    # If all texts from a place on are cut to the length at that place.
    sums = np.cumsum(ordered) + ordered * np.arange(len(ordered) - 1, -1, -1)
    fitting = int(np.searchsorted(sums, total, side="right"))
    return int((total - ordered[:fitting].sum()) // (len(ordered) - fitting))


def _tasks(tasks: Sequence[str], chosen: np.ndarray) -> list[Bar]:
    """Those with the largest shares of either; none if there is only one."""
    of_pool, of_chosen = Counter(tasks), Counter(tasks[place] for place in chosen)
    bars = [Bar(task, of_chosen[task] / len(chosen), count / len(tasks)) for task, count in of_pool.items()]
    bars.sort(key=lambda bar: (-max(bar.chosen, bar.pool), bar.label))
    shown, left = bars[:TASKS], bars[TASKS:]
    shown.sort(key=lambda bar: (-bar.chosen, -bar.pool, bar.label))
    if left:
        rest = Bar(f"{len(left)} others", sum(bar.chosen for bar in left), sum(bar.pool for bar in left))
        shown.append(rest)
    return shown if len(bars) > 1 else []


def _lengths(characters: np.ndarray, chosen: np.ndarray) -> list[Bar]:
    """Intervals that grow by the same factor."""
    low, high = max(1, int(characters.min())), int(characters.max()) + 1
    edges = np.unique(np.geomspace(low, max(high, low + 1), INTERVALS + 1).round().astype(int))
    of_pool, of_chosen = (
        np.histogram(np.maximum(values, 1), edges)[0] / len(values) for values in (characters, characters[chosen])
    )
    inside = itertools.pairwise(edges.tolist())
    labels = [f"{first}–{last - 1}" if last - 1 > first else f"{first}" for first, last in inside]
    return [Bar(*bar) for bar in zip(labels, of_chosen.tolist(), of_pool.tolist(), strict=True)]


def _map(
    pool: Examples, validation: Sequence[Examples], features: Mapping[str, Sequence[str]], chosen: np.ndarray
) -> Map | None:
    pair = next((pair for pair in COMPARED if features.keys() >= set(pair)), None)
    targets = [text for part in validation for text in part.texts(np.arange(len(part)))]
    if pair is None:
        places, sample = _drawn(np.arange(len(pool)), chosen)
        drawn = plane.of_words([*map(str, pool.texts(places))], [*map(str, targets)], sample)
    else:
        subtasks = [np.array(part.tasks) for part in validation]
        source = reading.Source({"pool": [pool], "validation": validation}, subtasks)
        found, _ = reading.read({name: features[name] for name in pair}, source)
        rows, target = (cast(FeatureMatrix, found[name]) for name in pair)
        places, sample = _drawn(np.flatnonzero(rows.usable), chosen)
        targets = [targets[place] for place in np.flatnonzero(target.usable)]
        drawn = plane.of_features(rows, target, places, sample)
    if drawn is None:
        return None
    kinds = [*np.isin(places, chosen).astype(int).tolist(), *[2] * len(drawn.validation)]
    labels = [_short(text.instruction) for text in (*pool.texts(places), *targets)]
    coordinates = _scaled(np.concatenate([drawn.pool, drawn.validation])).tolist()
    points = [(x, y, kind, label) for (x, y), kind, label in zip(coordinates, kinds, labels, strict=True)]
    return Map("words" if pair is None else pair[0], drawn.variance, sample, len(places) - sample, points)


def _short(text: str) -> str:
    return text if len(text) <= LABEL else f"{text[:LABEL]} …"


def _drawn(usable: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, int]:
    """A uniform sample of the usable rows, then the first chosen ones that are not in it; and how many are sampled."""
    sample = np.random.default_rng(0).permutation(usable)[:SAMPLED]
    # A method with a rule of its own may choose any row.
    first = chosen[np.isin(chosen, usable)][:MARKED]
    return np.concatenate([sample, first[~np.isin(first, sample)]]), len(sample)


def _scaled(coordinates: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 to 1000, one unit being as long on both axes; the second axis points down."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    centred = (coordinates - (low + high) / 2) / (high - low).max()
    return (500 + 1000 * centred * [1, -1]).round().astype(int)
