"""Copies of rows in one byte per number, with which inner products are known within bounds, and the rows themselves.

With x' for what is kept of a row x of norm 1, and y' of y,

    |x.y - x'.y'| <= |x - x'| |y| + |x'| |y - y'|        (Cauchy and Schwarz)

where both differences are known: about 0.009 for a row of 8192 numbers as a random projection makes them. Products of
copies are sums of integers, exact and fast. Products of the rows themselves are in double precision: equal rows give
equal products wherever they stand.
"""

import tempfile
from collections.abc import Sequence

import numpy as np

from instruction_selection import integer_dot, kernels
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
        self.rows = rows
        left = (memory_mb - BESIDES) << 20
        self._codes = _empty((_padded(count, integer_dot.TILE), _padded(width, integer_dot.PAD)), left)
        self._scales, self.errors = np.empty((2, count), np.float32)
        self.rounding = max(1e-6, width * float(np.finfo(np.float32).eps) / 8)
        self._cache: dict[int, np.ndarray] = {}
        self._cached = max(1, max(CACHE, left - self._codes.nbytes) // (rows.dtype.itemsize * width))
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
        numbers = np.asarray(numbers).tolist()
        missing = [number for number in dict.fromkeys(numbers) if number not in self._cache]
        if missing:
            self._cache.update(
                (number, row.copy()) for number, row in zip(missing, self.rows.take(np.array(missing)), strict=True)
            )
        found = np.stack([self._cache[number] for number in numbers]).astype(np.float64)
        while len(self._cache) > self._cached:
            del self._cache[next(iter(self._cache))]
        return found


def _padded(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple


def _empty(shape: tuple[int, int], limit: int) -> np.ndarray:
    if shape[0] * shape[1] <= limit:
        return np.empty(shape, np.uint8)
    return np.memmap(tempfile.TemporaryFile(), np.uint8, "w+", shape=shape)
