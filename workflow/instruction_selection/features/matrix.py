"""Matrices of features: a row per example of a pool or of a target, wherever it lies.

`FeatureMatrix` says what a method may do with one. There are three kinds: `InMemoryMatrix`, `Hdf5Matrix`, whose rows
stay in their file until they are read, and `WeightedMean` of several.
"""

import copy
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any, Protocol, Self

import h5py
import numba
import numpy as np
from threadpoolctl import threadpool_limits

from instruction_selection.features import half, products
from instruction_selection.features.checksummed_hdf5 import corruption_as_input_error
from instruction_selection.features.gradients.shard_markers import naming_the_shard

#: Rows that are looked at together, few enough for a processor's cache.
BLOCK = 128


class FeatureMatrix(Protocol):
    """Features (N, D), usually rows of norm 1 beside the norms that they had.

    A pool's matrix may be larger than memory: `blocks`, `take` and `@` read a part of it at a time.
    """

    #: float32 (N,), before the rows were scaled to norm 1. A row whose norm is zero or not finite cannot be used.
    norms: np.ndarray
    #: Names (N,) of the subtasks that the rows belong to; for validation rows only.
    subtasks: np.ndarray | None
    #: torch's name of the device on which `@`, walks and k-means compute; None is this processor, without torch.
    device: str | None = None

    def on(self, device: str | None) -> Self:
        """The same rows, computed with on another device."""
        other = copy.copy(self)
        other.device = device
        return other

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)"""
        ...

    @property
    def dtype(self) -> np.dtype:
        """In which rows are given, whatever they are stored as."""
        ...

    @property
    def array(self) -> np.ndarray | None:
        """(N, D), the matrix itself if it is in memory, or None."""
        return None

    def blocks(self, pieces: int = 1) -> Iterator[tuple[int, np.ndarray]]:
        """All rows in their order, as (number of the first, (n, D)), n being at most `pieces` times `BLOCK`.

        A block is overwritten when the next is read.
        """
        ...

    def take(self, indices: np.ndarray) -> np.ndarray:
        """The rows `indices` (n,), (n, D)."""
        ...

    def raw(self, indices: np.ndarray) -> np.ndarray:
        """The rows `indices` (n,) as they are stored, (n, D)."""
        ...

    def at(self, indices: np.ndarray) -> "FeatureMatrix":
        """The matrix of the rows `indices`, or of those where a mask holds; nothing is read from a file."""
        ...

    def with_subtasks(self, subtasks: np.ndarray) -> "FeatureMatrix":
        """In memory, with the names (N,) of its rows' subtasks."""
        return InMemoryMatrix(self.unit, self.norms, subtasks)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def unit(self) -> np.ndarray:
        """All rows at once, (N, D): N * D * 4 bytes of memory."""
        return self.take(np.arange(len(self)))

    @property
    def usable(self) -> np.ndarray:
        """bool (N,)"""
        return np.isfinite(self.norms) & (self.norms > 0)

    def __matmul__(self, columns: np.ndarray) -> np.ndarray:
        """Inner products (N, m) with the columns of a (D, m); the rows are read once, by blocks.

        In single precision they are `products`, the same on every device. In double precision NumPy computes them.
        """
        result = np.empty((len(self), columns.shape[1]), np.result_type(self.dtype, columns))
        if result.dtype != np.float32:
            for start, block in self.blocks():
                np.matmul(block, columns, out=result[start : start + len(block)])
            return result
        others = products.Rounded(np.ascontiguousarray(columns.T), self.device)
        for start, block in self.blocks(pieces=8 if self.device else 1):
            result[start : start + len(block)] = products.Rounded(block, self.device).products(others)
        return result


class InMemoryMatrix(FeatureMatrix):
    """Rows `values` (N, D); without `norms`, all of them can be used."""

    def __init__(self, values: np.ndarray, norms: np.ndarray | None = None, subtasks: np.ndarray | None = None):
        self._values = values
        self.norms = np.ones(len(values), np.float32) if norms is None else norms
        self.subtasks = subtasks

    @classmethod
    def normalised(cls, features: np.ndarray, subtasks: Sequence[str] | None = None) -> Self:
        """From an (N, D) array whose rows are not yet of norm 1; without `subtasks`, all rows are of one."""
        features = np.asarray(features, dtype=np.float32)
        norms = np.linalg.norm(features, axis=1)
        usable = np.isfinite(norms) & (norms > 0)
        unit = np.divide(features, norms[:, None], out=np.zeros_like(features), where=usable[:, None])
        names = np.repeat("all", len(features)) if subtasks is None else np.asarray(subtasks)
        return cls(unit, np.where(usable, norms, 0), names)

    @classmethod
    def concatenated(cls, parts: Sequence[FeatureMatrix]) -> FeatureMatrix:
        """The rows of all `parts`, one after the other; a single part stays as it is."""
        if len(parts) == 1:
            return parts[0]
        subtasks = None
        if parts[0].subtasks is not None:
            subtasks = np.concatenate([part.subtasks for part in parts if part.subtasks is not None])
        norms = np.concatenate([part.norms for part in parts])
        return cls(np.concatenate([part.unit for part in parts]), norms, subtasks)

    @property
    def shape(self) -> tuple[int, int]:
        return self._values.shape

    @property
    def dtype(self) -> np.dtype:
        return self._values.dtype

    @property
    def array(self) -> np.ndarray:
        return self._values

    @property
    def unit(self) -> np.ndarray:
        return self._values

    def blocks(self, pieces: int = 1) -> Iterator[tuple[int, np.ndarray]]:
        size = pieces * BLOCK
        for start in range(0, len(self), size):
            yield start, self._values[start : start + size]

    def take(self, indices: np.ndarray) -> np.ndarray:
        return self._values[indices]

    def raw(self, indices: np.ndarray) -> np.ndarray:
        return self._values[indices]

    def at(self, indices: np.ndarray) -> "InMemoryMatrix":
        subtasks = None if self.subtasks is None else self.subtasks[indices]
        return InMemoryMatrix(self._values[indices], self.norms[indices], subtasks).on(self.device)


class Hdf5Matrix(FeatureMatrix):
    """Rows of a two-dimensional dataset of the open file `path`, or those at `places` (n,) in it, given as float32."""

    subtasks = None

    def __init__(
        self,
        dataset: h5py.Dataset,
        path: str | Path,
        norms: np.ndarray | None = None,
        places: np.ndarray | None = None,
    ):
        self._dataset, self._path = dataset, path
        self._places = np.arange(len(dataset)) if places is None else places
        self.norms = np.ones(len(self._places), np.float32) if norms is None else norms

    @property
    def shape(self) -> tuple[int, int]:
        return len(self._places), self._dataset.shape[1]

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.float32)

    def at(self, indices: np.ndarray) -> "Hdf5Matrix":
        return Hdf5Matrix(self._dataset, self._path, self.norms[indices], self._places[indices]).on(self.device)

    def blocks(self, pieces: int = 1) -> Iterator[tuple[int, np.ndarray]]:
        """The next block is read while the caller works on one."""
        size = pieces * BLOCK
        # New arrays for every block would cost more than reading them: the system gives each page out anew.
        raw = np.empty((2, size, self.shape[1]), self._dataset.dtype)
        wide = np.empty(raw.shape[1:], np.float32)
        # BLAS on every processor would take turns with the reader, and LESS take a third longer on two.
        others = max(1, numba.get_num_threads() - 1)
        with threadpool_limits(others, "blas"), ThreadPoolExecutor(1) as reader:
            reading = reader.submit(self._read, self._places[:size], raw[0])
            for number, start in enumerate(range(0, len(self), size)):
                block = reading.result()
                following = self._places[start + size : start + 2 * size]
                reading = reader.submit(self._read, following, raw[(number + 1) % 2])
                _widen(block, wide[: len(block)])
                yield start, wide[: len(block)]

    def take(self, indices: np.ndarray) -> np.ndarray:
        raw = self.raw(indices)
        wide = np.empty(raw.shape, np.float32)
        _widen(raw, wide)
        return wide

    def raw(self, indices: np.ndarray) -> np.ndarray:
        wanted, back = np.unique(self._places[indices], return_inverse=True)
        return self._read(wanted, np.empty((len(wanted), self.shape[1]), self._dataset.dtype))[back]

    def _read(self, places: np.ndarray, out: np.ndarray) -> np.ndarray:
        """The rows of the dataset at `places`, as stored, in the beginning of `out`."""
        with naming_the_shard(self._path), corruption_as_input_error(self._path, str(self._dataset.name)):
            # h5py is slow with lists of rows, and fast with ranges.
            for run in np.split(np.arange(len(places)), np.flatnonzero(np.diff(places) != 1) + 1):
                if len(run):
                    first, last = run[0], run[-1]
                    self._dataset.read_direct(out, np.s_[places[first] : places[last] + 1], np.s_[first : last + 1])
        return out[: len(places)]


class WeightedMean(FeatureMatrix):
    """`weighted_mean` of matrices of the same shape, computed where it is read; norms, device: those of the first."""

    def __init__(self, matrices: Sequence[FeatureMatrix], weights: Sequence[float]):
        self._matrices, self._weights, self.device = matrices, weights, matrices[0].device
        self.norms, self.subtasks = matrices[0].norms, matrices[0].subtasks

    @property
    def shape(self) -> tuple[int, int]:
        return self._matrices[0].shape

    @property
    def dtype(self) -> np.dtype:
        return self._matrices[0].dtype

    def blocks(self, pieces: int = 1) -> Iterator[tuple[int, np.ndarray]]:
        for parts in zip(*(matrix.blocks(pieces) for matrix in self._matrices), strict=True):
            yield parts[0][0], weighted_mean([block for _, block in parts], self._weights)

    def take(self, indices: np.ndarray) -> np.ndarray:
        return weighted_mean([matrix.take(indices) for matrix in self._matrices], self._weights)

    def raw(self, indices: np.ndarray) -> np.ndarray:
        return self.take(indices)

    def at(self, indices: np.ndarray) -> "WeightedMean":
        return WeightedMean([matrix.at(indices) for matrix in self._matrices], self._weights).on(self.device)


class Resident:
    """Blocks of `rows` that are read several times; on a GPU they stay, as many as it has memory for."""

    #: Left free on a GPU, for what is computed with a block, and for CUDA's libraries.
    RESERVED_BYTES = 2 << 30

    def __init__(self, rows: FeatureMatrix):
        self._rows, self._full = rows, False
        self._held: list[tuple[int, Any]] = []

    def blocks(self) -> Iterator[tuple[int, Any]]:
        """All rows in their order, as (number of the first, (n, D)), in NumPy or on the device."""
        yield from tuple(self._held)
        first = self._held[-1][0] + len(self._held[-1][1]) if self._held else 0
        rest = self._rows.at(np.arange(first, len(self._rows))) if first else self._rows
        for start, block in rest.blocks(pieces=8):
            # Never again once it was full: what is held has no gap.
            self._full = self._full or products.free_bytes(self._rows.device) < block.nbytes + self.RESERVED_BYTES
            if not self._full:
                block = products.copied_to(self._rows.device, block)
                self._held.append((first + start, block))
            yield first + start, block


def weighted_mean(arrays: Sequence[np.ndarray], weights: Sequence[float] | np.ndarray) -> np.ndarray:
    """Mean of arrays (N, D), in their own dtype; `weights` are scaled to sum 1.

    Rows are not scaled to norm 1 again: those that point elsewhere in every array count less.
    """
    kind = arrays[0].dtype.type
    shares = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    return reduce(add, (kind(share) * rows for share, rows in zip(shares, arrays, strict=True)))


def _widen(raw: np.ndarray, wide: np.ndarray) -> None:
    if raw.dtype == np.float16:
        half.widen(raw.view(np.uint16), wide)
    else:
        wide[:] = raw
