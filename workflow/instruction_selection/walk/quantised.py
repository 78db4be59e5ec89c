"""Copies of rows in one byte per number, with which inner products are known within bounds, and the rows themselves.

With x' for what is kept of a row x of norm 1, and y' of y,

    |x.y - x'.y'| <= |x - x'| |y| + |x'| |y - y'|        (Cauchy and Schwarz)

where both differences are known: about 0.009 for a row of 8192 numbers as a random projection makes them. Products of
copies are sums of integers, exact and fast. Products of the rows themselves are in double precision: equal rows give
equal products wherever they stand.
"""

import tempfile
from collections.abc import Iterator, Sequence

import numpy as np

from instruction_selection import integer_dot, kernels
from instruction_selection.errors import InputError
from instruction_selection.features import Rows

#: MiB for all but copies: libraries, blocks of rows, what walks know of each row.
BESIDES = 2048
#: Least bytes for rows that were last read.
CACHE = 256 << 20


class Quantised:
    """Copies of `rows`, for which and for rows that were read there are `memory_mb` MiB, less `BESIDES`.

    What does not fit is in a temporary file. `errors`, float32 (N,), are the norms of what copies leave out. `rounding`
    is far above the relative error of a sum of products in single precision.
    """

    def __init__(self, rows: Rows, memory_mb: int):
        count, width = rows.shape
        if width > integer_dot.WIDEST:
            raise InputError(f"A walk takes rows of up to {integer_dot.WIDEST} numbers, and these have {width}.")
        self.rows = rows
        left = (memory_mb - BESIDES) << 20
        self._codes = _empty((_padded(count, integer_dot.TILE), _padded(width, integer_dot.PAD)), left)
        self._scales, self.errors = np.empty((2, count), np.float32)
        self.rounding = max(1e-6, width * float(np.finfo(np.float32).eps) / 8)
        self._recent = _Recent(rows, max(CACHE, left - self._codes.nbytes))
        # 1 but for the precision in which rows are stored.
        longest = 1.0
        for start, block in rows.blocks(pieces=8):
            part = slice(start, start + len(block))
            block = np.asarray(block, np.float32)
            kernels.quantise(block, self._codes[part], self._scales[part], self.errors[part])
            longest = max(longest, float(np.sqrt(np.vecdot(block, block).max())))
        self.errors = self.errors * np.float32(longest) + np.float32(self.rounding)
        self._longest = longest + float(self.errors.max(initial=0))

    def row(self, number: int) -> np.ndarray:
        """The copy of a row, float64 (D,)."""
        return (self._codes[number, : self.rows.shape[1]].astype(np.float64) - 128) * self._scales[number]

    def slack(self, difference: float) -> float:
        """How far off a product with any copy is if the other vector is off by a vector of norm `difference`."""
        return self._longest * difference

    def estimates(self, numbers: Sequence[int]) -> np.ndarray:
        """Products of all copies with the copies `numbers` (m,), float32 (m, N)."""
        numbers, width = np.asarray(numbers), self.rows.shape[1]
        queries = np.zeros((_padded(len(numbers), integer_dot.TILE), self._codes.shape[1]), np.int8)
        queries[: len(numbers), :width] = self._codes[numbers, :width].astype(np.int16) - 128
        found = np.empty((len(numbers), len(self.rows)), np.float32)
        kernels.products(self._codes, self._scales, queries, self._scales[numbers], found)
        return found

    def closer(self, numbers: np.ndarray, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Products of the copies `numbers` (n,) with `vector` as it is, float32 (n,), and how far off they may be."""
        found = np.empty(len(numbers), np.float32)
        kernels.products_of(numbers, self._codes, self._scales, vector.astype(np.float32), found)
        return found, (self.errors[numbers] + 2 * self.rounding) * np.float32(np.linalg.norm(vector))

    def exact(self, numbers: Sequence[int]) -> np.ndarray:
        """The rows themselves, float64 (n, D)."""
        return np.concatenate([held[places].astype(np.float64) for held, places in self._recent.parts(numbers)])

    def exact_products(self, numbers: Sequence[int], vector: np.ndarray) -> np.ndarray:
        """Products of the rows themselves with `vector`, float64 (n,)."""
        found = [np.empty(0)]
        for held, places in self._recent.parts(numbers):
            found.append(np.empty(len(places)))
            kernels.exact_products(places, held, vector, found[-1])
        return np.concatenate(found)


class _Recent:
    """The rows that were last read of a file, as many as fit into `size` bytes. Rows in memory are where they are."""

    def __init__(self, rows: Rows, size: int):
        self._rows, self._in_memory = rows, isinstance(rows.values, np.ndarray)
        if not self._in_memory:
            [first] = rows.values.raw(np.zeros(1, int))
            most = max(1, min(len(rows), size // first.nbytes))
            self._held, self._numbers = np.empty((most, *first.shape), first.dtype), np.full(most, -1)
            self._places: dict[int, int] = {}
            self._next = 0

    def parts(self, numbers: Sequence[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Arrays of rows, and where in them `numbers` are: of all, or of as many at a time as can be held."""
        numbers = np.asarray(numbers, np.int64)
        if self._in_memory:
            yield self._rows.values, numbers
            return
        for start in range(0, len(numbers), len(self._held)):
            part = numbers[start : start + len(self._held)].tolist()
            self._read([number for number in dict.fromkeys(part) if number not in self._places], set(part))
            yield self._held, np.array([self._places[number] for number in part])

    def _read(self, missing: list[int], needed: set[int]) -> None:
        for number, row in zip(missing, self._rows.values.raw(np.array(missing)) if missing else (), strict=True):
            while self._numbers[self._next] in needed:
                self._next = (self._next + 1) % len(self._held)
            self._places.pop(int(self._numbers[self._next]), None)
            self._held[self._next], self._numbers[self._next] = row, number
            self._places[number] = self._next


def _padded(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple


def _empty(shape: tuple[int, int], limit: int) -> np.ndarray:
    if shape[0] * shape[1] <= limit:
        return np.empty(shape, np.uint8)
    return np.memmap(tempfile.TemporaryFile(), np.uint8, "w+", shape=shape)
