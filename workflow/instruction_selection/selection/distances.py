"""How far chosen rows are from a target's validation rows, in one representation of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from instruction_selection.core import example
from instruction_selection.core.errors import InputError
from instruction_selection.features.matrix import FeatureMatrix
from instruction_selection.selection import reading
from instruction_selection.selection.examples import Examples

#: Times `matrix.BLOCK` rows that are in memory at once.
PIECES = 8


@dataclass(frozen=True)
class Sum:
    """The sum (D,) of rows scaled to norm 1, in double precision, and their number. Unusable rows are not in it."""

    total: np.ndarray
    rows: int

    @classmethod
    def of(cls, matrix: FeatureMatrix) -> "Sum":
        """Of all rows of a matrix, read by blocks."""
        total, count = np.zeros(matrix.shape[1]), 0
        marked = matrix.usable
        for start, block in matrix.blocks(PIECES):
            rows = np.asarray(block, np.float64)
            # Of half precision, they have norm 1 up to 1e-3.
            norms = np.linalg.norm(rows, axis=1)
            usable = marked[start : start + len(rows)] & np.isfinite(norms) & (norms > 0)
            total += (rows[usable] / norms[usable, None]).sum(axis=0)
            count += int(usable.sum())
        return cls(total, count)


@dataclass(frozen=True)
class Distance:
    """Between chosen and validation rows of norm 1: the mean cosine of all their pairs, and 1 - the cosine of their
    means; and the number of chosen rows that are usable."""

    mean_similarity: float
    distance_of_means: float
    rows: int


def between(chosen: Sum, validation: Sum) -> Distance | None:
    """None where one side has no usable row, or a mean that is zero and so has no direction."""
    norms = np.linalg.norm(chosen.total) * np.linalg.norm(validation.total)
    if not norms:
        return None
    product = float(chosen.total @ validation.total)
    # The mean of all inner products is the inner product of the means.
    similarity = product / (chosen.rows * validation.rows)
    return Distance(similarity, max(0.0, 1 - product / float(norms)), chosen.rows)


def measure(
    pool: Examples,
    validation: Sequence[Examples],
    pair: Mapping[str, Sequence[str]],
    made_with: Mapping[str, Any],
    selections: Sequence[np.ndarray],
) -> list[Distance | None]:
    """For each of `selections`, places (n,) of rows in the pool, its distance to the validation rows.

    `pair` has the files of a feature of the pool and of one of the target, `made_with` what they must say of
    themselves. Of the pool's feature only the chosen rows are read. Raises `InputError` for files that `reading.read`
    rejects.
    """
    subtasks = [np.array(part.tasks) for part in validation]
    source = reading.Source({"pool": [pool], "validation": validation}, subtasks, made_with)
    found, _ = reading.read(pair, source)
    rows, target = (cast(FeatureMatrix, found[name]) for name in pair)
    wanted = Sum.of(target)
    # In the order of the file, for fewer and longer reads.
    return [between(Sum.of(rows.at(np.sort(places))), wanted) for places in selections]


def places(path: str | Path, pool: Examples) -> np.ndarray:
    """Where the rows of a selection are in its pool, (n,). Raises `InputError` for a row that the pool does not
    have."""
    known = {name: place for place, name in enumerate(pool.ids)}
    found = []
    for row in example.iterate(path):
        if row["id"] not in known:
            sentence = f"its row {row['id']!r} is not in {pool.path}; delete it and run again"
            raise InputError("selected-from-another-pool", sentence, path=path)
        found.append(known[row["id"]])
    return np.array(found, np.int64)
