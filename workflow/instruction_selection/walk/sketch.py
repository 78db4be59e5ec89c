"""A small copy of each row, with which inner products are known within bounds, and the rows themselves where needed.

A row x of norm 1 is kept twice, as int8 with one scale per row: its coordinates p in a few orthonormal directions Q,
which a walk looks at for every row, and all of x, which it looks at where p leaves open what x would decide. With p'
and x' for what is kept, and u any vector,

    |u.x - Qu.p'| <= |p - p'| |Qu| + |x - QQx| |u - QQu|        (Cauchy and Schwarz, in and outside of the directions)
    |u.x - u.x'|  <= |x - x'| |u|

so that the bounds hold whatever Q is; the closer Q is to the rows' main directions, the tighter the first. Products of
the rows themselves are in double precision: equal rows give equal products wherever they stand.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.utils.extmath import randomized_svd

from instruction_selection import kernels
from instruction_selection.features import Rows

#: Most directions, and rows per direction of which they are the leading singular vectors. They set the speed, not the
#: result: more directions prune more and cost more to begin with.
DIRECTIONS, SAMPLE = 1024, 4
#: Rows kept that were last read, in bytes.
CACHE = 256 << 20
#: MiB for all but the copies: libraries, the sample, blocks of rows, what walks know of each row.
BESIDES = 2048


@dataclass
class Query:
    """A vector (D,) whose products with all rows are wanted: what bounds them, and `slack` for rounding."""

    vector: np.ndarray
    inside: np.ndarray
    of_inside: float
    of_outside: float
    slack: float


class Sketch:
    """Of `rows`, for about `steps` steps of walks.

    Of `memory_mb` MiB what `BESIDES` leaves is for the two copies; one that does not fit is in a temporary file.
    `inside` and `outside`, float32 (N,), are |p - p'| and |x - QQx|.
    """

    def __init__(self, rows: Rows, memory_mb: int, steps: int):
        count, width = rows.shape
        self.rows = rows
        self.basis = _basis(rows, min(max(steps, DIRECTIONS // 8), DIRECTIONS, count, width))
        left = (memory_mb - BESIDES) << 20
        self._codes = _empty((count, self.basis.shape[1]), left)
        self._fine = _empty(rows.shape, left - self._codes.nbytes)
        self._scales, self.inside, self._fine_scales, self._errors = np.empty((4, count), np.float32)
        self.outside = np.empty(count, np.float32)
        #: Relative error of a sum of `width` float32 products, far above what partial sums in vector registers have.
        self.rounding = max(1e-6, width * float(np.finfo(np.float32).eps) / 8)
        self._cache: dict[int, np.ndarray] = {}
        # A product with so many directions is faster of more rows.
        for start, block in rows.blocks(pieces=8):
            block, part = np.asarray(block, np.float32), slice(start, start + len(block))
            inside = block @ self.basis
            kernels.quantise(inside, self._codes[part], self._scales[part], self.inside[part])
            kernels.quantise(block, self._fine[part], self._fine_scales[part], self._errors[part])
            rest = np.vecdot(block, block) - np.vecdot(inside, inside)
            self.outside[part] = np.sqrt(np.maximum(rest, 0) + self.rounding)
        # Their own rounding.
        self.inside += self.rounding
        self._errors += self.rounding

    def query(self, vector: np.ndarray) -> Query:
        """For `vector`, float64 (D,)."""
        inside = vector.astype(np.float32) @ self.basis
        norm, within = np.linalg.norm(vector), float(np.linalg.norm(inside))
        outside = np.sqrt(max(0.0, norm**2 - within**2) + self.rounding * norm**2)
        return Query(vector, inside, within, outside, 2 * self.rounding * norm)

    def estimates(self, queries: Sequence[Query]) -> np.ndarray:
        """Products of all rows with the queries, float32 (m, N), off by no more than the first bound."""
        found = np.empty((len(queries), len(self.rows)), np.float32)
        kernels.products(self._codes, self._scales, np.stack([query.inside for query in queries]), found)
        return found

    def closer(self, numbers: np.ndarray, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Products of the rows `numbers` (n,) with `vector`, float32 (n,), and how far off they are at most."""
        found = np.empty(len(numbers), np.float32)
        kernels.products_of(numbers, self._fine, self._fine_scales, vector.astype(np.float32), found)
        return found, (self._errors[numbers] + 2 * self.rounding) * np.float32(np.linalg.norm(vector))

    def exact(self, numbers: np.ndarray) -> np.ndarray:
        """The rows themselves, float64 (n, D)."""
        numbers = np.asarray(numbers).tolist()
        missing = [number for number in dict.fromkeys(numbers) if number not in self._cache]
        if missing:
            self._cache.update(zip(missing, self.rows.take(np.array(missing)), strict=True))
        found = np.stack([self._cache[number] for number in numbers]).astype(np.float64)
        while len(self._cache) > max(1, CACHE // (4 * self.rows.shape[1])):
            del self._cache[next(iter(self._cache))]
        return found


def _basis(rows: Rows, count: int) -> np.ndarray:
    """Leading right singular vectors of a sample that is always the same, float32 (D, count)."""
    numbers = np.sort(np.random.default_rng(0).permutation(len(rows))[: SAMPLE * count])
    sample = np.asarray(rows.take(numbers), np.float32)
    _, _, right = randomized_svd(sample, count, n_iter=2, random_state=0)
    return np.linalg.qr(right.T.astype(np.float64))[0].astype(np.float32)


def _empty(shape: tuple[int, int], limit: int) -> np.ndarray:
    if shape[0] * shape[1] <= limit:
        return np.empty(shape, np.int8)
    return np.memmap(tempfile.TemporaryFile(), np.int8, "w+", shape=shape)
