"""Feature rows of a pool or of a target: gradients, embeddings, hidden states."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

import h5py
import numba
import numpy as np
from threadpoolctl import threadpool_limits

from instruction_selection.features import half
from instruction_selection.features.checksummed_hdf5 import damage_told

#: Rows that are looked at together, few enough for a processor's cache.
BLOCK = 128


class Stored:
    """Rows of a two-dimensional HDF5 dataset, or those with the given `numbers`, which stay in the file until read."""

    dtype = np.dtype(np.float32)

    def __init__(self, dataset: h5py.Dataset, path: str | Path, numbers: np.ndarray | None = None):
        self._dataset, self._path, self._numbers = dataset, path, numbers

    def __len__(self) -> int:
        return len(self._dataset if self._numbers is None else self._numbers)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self._dataset.shape[1]

    def at(self, numbers: np.ndarray) -> "Stored":
        """Of these the rows `numbers`, or those where a mask holds."""
        return Stored(self._dataset, self._path, self._places()[numbers])

    def blocks(self, size: int) -> Iterator[tuple[int, np.ndarray]]:
        """All rows, as (number of the first, float32 (n, D)), `size` at a time, in arrays that are used again.

        The next block is read while the caller works on one.
        """
        places = self._places()
        # New arrays for every block would cost more than reading them: the system gives each page out anew.
        raw = np.empty((2, size, self.shape[1]), self._dataset.dtype)
        wide = np.empty(raw.shape[1:], np.float32)
        # BLAS on every processor would take turns with the reader, and LESS take a third longer on two.
        others = max(1, numba.get_num_threads() - 1)
        with threadpool_limits(others, "blas"), ThreadPoolExecutor(1) as reader:
            reading = reader.submit(self._read, places[:size], raw[0])
            for number, start in enumerate(range(0, len(places), size)):
                block = reading.result()
                reading = reader.submit(self._read, places[start + size : start + 2 * size], raw[(number + 1) % 2])
                _widen(block, wide[: len(block)])
                yield start, wide[: len(block)]

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """The rows `numbers`, float32 (n, D)."""
        raw = self.raw(numbers)
        wide = np.empty(raw.shape, np.float32)
        _widen(raw, wide)
        return wide

    def raw(self, numbers: np.ndarray) -> np.ndarray:
        """The rows `numbers` as they are stored, (n, D)."""
        wanted, back = np.unique(self._places()[numbers], return_inverse=True)
        return self._read(wanted, np.empty((len(wanted), self.shape[1]), self._dataset.dtype))[back]

    def _read(self, places: np.ndarray, out: np.ndarray) -> np.ndarray:
        """The rows of the dataset at `places`, as stored, in the beginning of `out`."""
        with damage_told(self._path, self._dataset.name):
            # h5py is slow with lists of rows, and fast with ranges.
            for run in np.split(np.arange(len(places)), np.flatnonzero(np.diff(places) != 1) + 1):
                if len(run):
                    first, last = run[0], run[-1]
                    self._dataset.read_direct(out, np.s_[places[first] : places[last] + 1], np.s_[first : last + 1])
        return out[: len(places)]

    def _places(self) -> np.ndarray:
        return np.arange(len(self._dataset)) if self._numbers is None else self._numbers


def _widen(raw: np.ndarray, wide: np.ndarray) -> None:
    if raw.dtype == np.float16:
        half.widen(raw.view(np.uint16), wide)
    else:
        wide[:] = raw


@dataclass
class Rows:
    """Rows of norm 1, in memory or in a file, and what they were scaled by.

    `values` is float32 (N, D), or `Stored`: a pool's rows may be more than memory holds, and are read by `blocks`,
    `take` and `@`. `norms` is float32 (N,); a row whose norm is zero or not finite cannot be used. `subtasks` (N,) are
    names, for validation rows only.
    """

    values: np.ndarray | Stored
    norms: np.ndarray
    subtasks: np.ndarray | None = None

    @classmethod
    def of(cls, features: np.ndarray, subtasks: Sequence[str] | None = None) -> "Rows":
        """From an (N, D) array that is not scaled; without `subtasks`, all rows are of one."""
        features = np.asarray(features, dtype=np.float32)
        norms = np.linalg.norm(features, axis=1)
        usable = np.isfinite(norms) & (norms > 0)
        unit = np.divide(features, norms[:, None], out=np.zeros_like(features), where=usable[:, None])
        names = np.repeat("all", len(features)) if subtasks is None else np.asarray(subtasks)
        return cls(unit, np.where(usable, norms, 0), names)

    def __len__(self) -> int:
        return len(self.norms)

    @property
    def shape(self) -> tuple[int, int]:
        return self.values.shape

    @property
    def dtype(self) -> np.dtype:
        """In which rows are given, whatever they are stored as."""
        return self.values.dtype

    @property
    def unit(self) -> np.ndarray:
        """All rows at once, (N, D): N * D * 4 bytes of memory."""
        return self.values if isinstance(self.values, np.ndarray) else self.values.take(np.arange(len(self)))

    @property
    def usable(self) -> np.ndarray:
        """bool (N,)"""
        return np.isfinite(self.norms) & (self.norms > 0)

    def blocks(self, pieces: int = 1) -> Iterator[tuple[int, np.ndarray]]:
        """All rows in their order, as (number of the first, (n, D)), n being at most `pieces` times `BLOCK`.

        A block is overwritten when the next is read.
        """
        size = pieces * BLOCK
        if isinstance(self.values, np.ndarray):
            for start in range(0, len(self), size):
                yield start, self.values[start : start + size]
        else:
            yield from self.values.blocks(size)

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """The rows `numbers` (n,), (n, D)."""
        return self.values[numbers] if isinstance(self.values, np.ndarray) else self.values.take(numbers)

    def __matmul__(self, columns: np.ndarray) -> np.ndarray:
        """Inner products (N, m) with the columns of a (D, m); the rows are read once, by blocks."""
        result = np.empty((len(self), columns.shape[1]), np.result_type(self.dtype, columns))
        for start, block in self.blocks():
            np.matmul(block, columns, out=result[start : start + len(block)])
        return result

    def at(self, numbers: np.ndarray) -> "Rows":
        """The rows `numbers`, or those where a mask holds; nothing is read from a file."""
        subtasks = None if self.subtasks is None else self.subtasks[numbers]
        values = self.values[numbers] if isinstance(self.values, np.ndarray) else self.values.at(numbers)
        return Rows(values, self.norms[numbers], subtasks)

    def __add__(self, other: "Rows") -> "Rows":
        """The rows of both, one after the other, in memory."""
        subtasks = None if self.subtasks is None else np.concatenate([self.subtasks, other.subtasks])
        return Rows(np.concatenate([self.unit, other.unit]), np.concatenate([self.norms, other.norms]), subtasks)


def mean_gradients(checkpoints: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Weighted mean over checkpoints of unit rows (N, D), in their own dtype; `weights` are scaled to sum 1.

    The mean is not scaled to norm 1 again: rows that point elsewhere at every checkpoint count less.
    """
    kind = checkpoints[0].dtype.type
    shares = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    return reduce(add, (kind(share) * rows for share, rows in zip(shares, checkpoints, strict=True)))


class WeightedMean:
    """`mean_gradients` of the rows of several stores, computed where they are read; the `values` of `Rows`."""

    def __init__(self, checkpoints: Sequence[Rows], weights: Sequence[float]):
        self._checkpoints, self._weights = checkpoints, weights
        self.shape, self.dtype = checkpoints[0].shape, checkpoints[0].dtype

    def __len__(self) -> int:
        return self.shape[0]

    def at(self, numbers: np.ndarray) -> "WeightedMean":
        return WeightedMean([rows.at(numbers) for rows in self._checkpoints], self._weights)

    def take(self, numbers: np.ndarray) -> np.ndarray:
        return mean_gradients([rows.take(numbers) for rows in self._checkpoints], self._weights)

    def blocks(self, size: int) -> Iterator[tuple[int, np.ndarray]]:
        for parts in zip(*(rows.blocks(size // BLOCK) for rows in self._checkpoints), strict=True):
            yield parts[0][0], mean_gradients([block for _, block in parts], self._weights)
