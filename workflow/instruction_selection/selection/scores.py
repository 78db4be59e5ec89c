"""`scores.parquet` beside a selection: what is known of every row of the pool, and not only of the chosen ones.

    id                   string   the row's id, in the order of the pool
    task                 string   its task
    score                float    the method's score, larger is better; null if it has none or cannot use the row
    rank                 int32    from 1, by score; null without a score
    step                 int32    from 1, when it was chosen; null if it was not
    nearest              list     ids of the validation rows that are most similar, best first; null without a target
    similarity           list     their cosines, of the first that the method reads of `COMPARED`
    gradient_norm        float    norm of the projected gradient at the end of the warm-up; null without gradients
    loss                 float    nats per response token at the end of the warm-up; null without gradients
    response_tokens      int32    tokens that the loss averages over; null without gradients
    response_characters  int64    length of the response

`best` takes another budget from it: `python -m instruction_selection.selection.scores SCORES POOL COUNT > OUTPUT`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow
from pyarrow import parquet

from instruction_selection.core import files
from instruction_selection.core.errors import InputError
from instruction_selection.core.features import FEATURES
from instruction_selection.features.gradients.store import Reader
from instruction_selection.features.matrix import FeatureMatrix
from instruction_selection.selection.contract import Inputs, Selection
from instruction_selection.selection.examples import Examples

#: Validation rows that are named per row.
NEAREST = 3
#: Blocks of a matrix that are compared at once.
PIECES = 8
#: (feature of the pool, feature of the target), the first that a method reads.
COMPARED = (
    ("pool_gradients", "validation_gradients"),
    ("pool_sgd_gradients", "validation_gradients"),
    ("pool_hidden_states", "validation_hidden_states"),
    ("pool_embeddings", "validation_embeddings"),
)


def write(
    path: str | Path, pool: Examples, validation: Sequence[str], inputs: Inputs, result: Selection, store: str | None
) -> None:
    """The table of a selection: `validation` are the ids of the target's rows, `store` is the pool's gradient store."""
    count = len(pool)
    step = np.zeros(count, np.int32)
    step[result.indices] = np.arange(1, len(result.indices) + 1)
    scores = np.full(count, np.nan, np.float32) if result.scores is None else result.scores
    known = np.isfinite(scores)
    rank = np.zeros(count, np.int32)
    rank[np.argsort(np.where(known, -scores, np.inf), kind="stable")] = np.arange(1, count + 1)
    columns: dict[str, Any] = {
        "id": pool.ids,
        "task": pool.tasks,
        "score": _column(scores, known),
        "rank": _column(rank, known),
        "step": _column(step, step > 0),
        **_nearest(inputs, validation, count),
        **_of_store(store, inputs, count),
        "response_characters": pool.response_lengths,
    }
    with files.replacing(path) as temporary:
        parquet.write_table(pyarrow.table(columns), temporary)


def _column(values: np.ndarray, known: np.ndarray) -> pyarrow.Array:
    return pyarrow.array(values, mask=~known)


def _nearest(inputs: Inputs, validation: Sequence[str], count: int) -> dict[str, pyarrow.Array]:
    found = {**inputs.features, **(inputs.checkpoints[-1].features if inputs.checkpoints else {})}
    pair = next((pair for pair in COMPARED if found.keys() >= set(pair)), None)
    if pair is None:
        types = {"nearest": pyarrow.list_(pyarrow.string()), "similarity": pyarrow.list_(pyarrow.float32())}
        return {name: pyarrow.nulls(count, kind) for name, kind in types.items()}
    rows, target = (cast(FeatureMatrix, found[name]) for name in pair)
    ids, cosines = nearest(rows, target)
    usable = rows.usable
    names = [[validation[place] for place in row] if use else None for row, use in zip(ids, usable, strict=True)]
    values = [row.tolist() if use else None for row, use in zip(cosines, usable, strict=True)]
    return {
        "nearest": pyarrow.array(names, pyarrow.list_(pyarrow.string())),
        "similarity": pyarrow.array(values, pyarrow.list_(pyarrow.float32())),
    }


def nearest(pool: FeatureMatrix, validation: FeatureMatrix) -> tuple[np.ndarray, np.ndarray]:
    """Of each pool row the most similar usable validation rows, best first, ties to the lower: int64 and float32
    (N, k), k being `NEAREST` or all there are."""
    usable = np.flatnonzero(validation.usable)
    columns = validation.take(usable).T
    most = min(NEAREST, len(usable))
    places, cosines = np.empty((len(pool), most), np.int64), np.empty((len(pool), most), np.float32)
    for start, block in pool.blocks(PIECES):
        found = block @ columns
        best = np.argsort(-found, axis=1, kind="stable")[:, :most]
        places[start : start + len(block)] = usable[best]
        cosines[start : start + len(block)] = np.take_along_axis(found, best, 1)
    return places, cosines


def _of_store(path: str | None, inputs: Inputs, count: int) -> dict[str, pyarrow.Array]:
    if path is None:
        types = {"gradient_norm": "float32", "loss": "float32", "response_tokens": "int32"}
        return {name: pyarrow.nulls(count, kind) for name, kind in types.items()}
    store = Reader(path)
    kind = next(
        str(FEATURES[name].dataset) for name in inputs.checkpoints[-1].features if FEATURES[name].side == "pool"
    )
    losses = store.dataset("loss")[:]
    return {
        "gradient_norm": _column(store.norms(kind), store.usable),
        "loss": _column(losses, np.isfinite(losses)),
        "response_tokens": pyarrow.array(store.dataset("response_tokens")[:]),
    }


def best(scores: str | Path, count: int) -> list[str]:
    """Ids of the `count` rows with the largest scores, best first: what the method selects with that budget.

    Raises `InputError` if the method has no scores, or fewer than `count`.
    """
    table = parquet.read_table(scores, columns=["id", "rank"]).to_pylist()
    ranked = sorted((row for row in table if row["rank"] is not None), key=lambda row: row["rank"])
    if not ranked:
        sentence = "its method has no scores, only steps; name another budget under `ratios` and select again"
        raise InputError("no-scores", sentence, path=scores)
    if not 1 <= count <= len(ranked):
        raise InputError("count-exceeds-pool", f"{count} rows are wanted, and {len(ranked)} have a score", path=scores)
    return [row["id"] for row in ranked[:count]]


def main(scores: str, pool: str, count: str) -> None:
    """Write the lines of the best rows of a pool to standard output."""
    rows = Examples.read(pool)
    places = {name: place for place, name in enumerate(rows.ids)}
    for line in rows.lines([places[name] for name in best(scores, int(count))]):
        sys.stdout.buffer.write(line)


if __name__ == "__main__":
    main(*sys.argv[1:])
