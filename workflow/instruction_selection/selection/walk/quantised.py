"""Copies of rows in one byte per dimension, which give inner products within bounds, and the rows themselves.

For a row x let x' be its copy, and e(x) = |x - x'| what the copy leaves out; likewise for y. Then

    x.y - x'.y' = (x - x').y + x'.(y - y'),   so   |x.y - x'.y'| <= e(x) |y| + |x'| e(y)     (Cauchy and Schwarz).

`Quantised` keeps for every row x

    errors[x] = e(x) L + r,

where L is the largest |x| (1 but for the precision of the store) and r (`rounding`) is far above the error of a sum of
D products in single precision. With E the largest of these, |x'| <= |x| + e(x) <= L + E, and so the product of two
copies is that of their rows up to

    errors[x] + slack(errors[y]),   where   slack(d) = (L + E) d.

Where one of the two is a vector v as it is (`closer`), e(v) = 0, and the bound is
(errors[x] + 2 r) |v|. A coordinate is rounded to a multiple of a 127th of the row's largest, so e(x) is at most
sqrt(D) max|x| / 254; about 0.009 for unit rows of 8192 dimensions as a random projection makes them.

Products of copies are sums of integers, exact and fast. Products of the rows themselves are in double precision: equal
rows give equal products wherever they stand.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from instruction_selection.core.errors import InputError
from instruction_selection.features.matrix import FeatureMatrix
from instruction_selection.selection.walk import int8_dot, kernels
from instruction_selection.selection.walk.copies import Copies, DeviceCopies, HostCopies

#: MiB reserved for all but copies: libraries, blocks of rows, what walks know of each row.
RESERVED_MIB = 2048
#: Least bytes for rows that were last read.
MIN_CACHE_BYTES = 256 << 20

#: Row numbers.
Indices = Sequence[int] | np.ndarray


class Quantised:
    """Copies of `rows` (N, D), which are of norm 1.

    They are on the rows' device or, without one, within `memory_mib` MiB less `reserved_mib`, and if they do not fit in
    a temporary file. `errors`, float32 (N,), and `rounding` are those of the module's docstring. Raises `InputError` if
    rows are longer than `int8_dot.MAX_ROW_BYTES` dimensions, or too many for a GPU.
    """

    def __init__(
        self,
        rows: FeatureMatrix,
        memory_mib: int,
        reserved_mib: int = RESERVED_MIB,
        min_cache_bytes: int = MIN_CACHE_BYTES,
    ):
        count, width = rows.shape
        if width > int8_dot.MAX_ROW_BYTES:
            raise InputError(
                "too-many-dimensions",
                f"a walk takes features of up to {int8_dot.MAX_ROW_BYTES} dimensions, and these have {width}",
            )
        self.rows = rows
        available = (memory_mib - reserved_mib) << 20
        self._copies: Copies = (
            HostCopies(count, width, available) if rows.device is None else DeviceCopies(count, width, rows.device)
        )
        self.queries_per_pass = self._copies.queries_per_pass
        self.errors = np.empty(count, np.float32)
        self.rounding = max(1e-6, width * float(np.finfo(np.float32).eps) / 8)
        self._row_cache = RowCache(rows, max(min_cache_bytes, available - self._copies.nbytes))
        longest = 1.0
        for start, block in rows.blocks(pieces=8):
            part = slice(start, start + len(block))
            block, codes = np.asarray(block, np.float32), np.empty(block.shape, np.uint8)
            kernels.quantise(block, codes, self._copies.scales[part], self.errors[part])
            self._copies.write(start, codes)
            longest = max(longest, float(np.sqrt(np.vecdot(block, block).max())))
        self.errors = self.errors * np.float32(longest) + np.float32(self.rounding)
        self._longest_copy = longest + float(self.errors.max(initial=0))

    def row(self, number: int) -> np.ndarray:
        """The copy of a row, float64 (D,)."""
        return self._copies.read(number) * self._copies.scales[number]

    def slack(self, difference: float | np.floating) -> float | np.floating:
        """How far off a product with any copy is if the other vector is off by a vector of norm `difference`."""
        return self._longest_copy * difference

    def estimates(self, numbers: Indices) -> list[Any]:
        """For each of the copies `numbers` (m,) its products with all copies, by one pass; for `fetched`."""
        return self._copies.estimates(np.asarray(numbers))

    def fetched(self, estimated: Any) -> np.ndarray:
        """An entry of `estimates`, float32 (N,)."""
        return self._copies.fetched(estimated)

    def closer(self, numbers: np.ndarray, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Products of the copies `numbers` (n,) with `vector` as it is, float32 (n,), and how far off they may be."""
        found = self._copies.closer(numbers, vector.astype(np.float32))
        return found, (self.errors[numbers] + 2 * self.rounding) * np.float32(np.linalg.norm(vector))

    def exact(self, numbers: Indices) -> np.ndarray:
        """The rows themselves, float64 (n, D)."""
        return np.concatenate([held[places].astype(np.float64) for held, places in self._row_cache.parts(numbers)])

    def exact_products(self, numbers: Indices, vector: np.ndarray) -> np.ndarray:
        """Products of the rows themselves with `vector` float64 (D,), float64 (n,)."""
        found = [np.empty(0)]
        for held, places in self._row_cache.parts(numbers):
            found.append(np.empty(len(places)))
            kernels.exact_products(places, held, vector, found[-1])
        return np.concatenate(found)


class RowCache:
    """The rows that were last read of a file, as many as fit into `size` bytes. Rows in memory stay where they are."""

    def __init__(self, rows: FeatureMatrix, size: int):
        self._rows, self._array = rows, rows.array
        if self._array is None:
            [first] = rows.raw(np.zeros(1, int))
            capacity = max(1, min(len(rows), size // first.nbytes))
            #: As stored (capacity, D), and which row is where; -1 is none.
            self._held, self._numbers = np.empty((capacity, *first.shape), first.dtype), np.full(capacity, -1)
            self._places: dict[int, int] = {}
            self._next_place = 0

    def parts(self, numbers: Indices) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Arrays of rows, and where in them `numbers` are: of all, or of as many at a time as can be held."""
        numbers = np.asarray(numbers, np.int64)
        if self._array is not None:
            yield self._array, numbers
            return
        for start in range(0, len(numbers), len(self._held)):
            part = numbers[start : start + len(self._held)].tolist()
            missing = [number for number in dict.fromkeys(part) if number not in self._places]
            if missing:
                self._hold(missing, self._rows.raw(np.array(missing)), set(part))
            yield self._held, np.array([self._places[number] for number in part])

    def _hold(self, numbers: list[int], rows: np.ndarray, needed: set[int]) -> None:
        """Keep `rows` (n, D) instead of the oldest ones that are not `needed`."""
        for number, row in zip(numbers, rows, strict=True):
            while self._numbers[self._next_place] in needed:
                self._next_place = (self._next_place + 1) % len(self._held)
            self._places.pop(int(self._numbers[self._next_place]), None)
            self._held[self._next_place], self._numbers[self._next_place] = row, number
            self._places[number] = self._next_place
