"""Where the byte copies of rows are, and products of them: in the host's memory, or on a device of torch's.

Both classes hold the same bytes: row i's copy is codes[i] * scales[i], `codes` int8 and `scales` float32. Products of
copies are sums of integers, and so the same to the last bit on either. `closer` may differ within its bound. The rules
of the walks, bounds and exact products are the same code for both, so the same rows come out in the same order.

==================== ===========================================================================================
`write`              the copies of the next rows
`read`               a row's copy
`estimates`          products of all copies with a few of them, by one pass; they stay where the copies are
`fetched`            those with one of them, in the host's memory
`closer`             products of some copies with a vector as it is
`queries_per_pass`   rows whose products cost hardly more than those of one
==================== ===========================================================================================
"""

import tempfile
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from instruction_selection.core.errors import InputError
from instruction_selection.features import products
from instruction_selection.selection.walk import int8_dot, kernels

if TYPE_CHECKING:
    import torch

Products = TypeVar("Products")


class Copies(Protocol[Products]):
    """Copies of N rows of D dimensions; `kernels.quantise` makes their `codes`, here uint8, 128 above."""

    #: float32 (N,)
    scales: np.ndarray
    queries_per_pass: int
    #: Of the host's memory.
    nbytes: int

    def write(self, start: int, codes: np.ndarray) -> None:
        """Keep the codes uint8 (n, D) of the rows from `start`, whose `scales` are there already."""
        ...

    def read(self, number: int) -> np.ndarray:
        """Codes of a row, as float64 (D,)."""
        ...

    def estimates(self, numbers: np.ndarray) -> list[Products]:
        """For each of the copies `numbers` (m,) its products with all, float32 (N,), by one pass."""
        ...

    def fetched(self, estimated: Products) -> np.ndarray:
        """An entry of `estimates` as an array."""
        ...

    def closer(self, numbers: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Products of the copies `numbers` (n,) with `vector` float32 (D,), float32 (n,)."""
        ...


class HostCopies(Copies[np.ndarray]):
    """In the host's memory, or in a temporary file if they take more than `limit` bytes. Numba computes."""

    queries_per_pass = int8_dot.QUERIES_PER_PASS

    def __init__(self, count: int, width: int, limit: int):
        shape = _padded(count, int8_dot.TILE), _padded(width, int8_dot.ROW_PADDING_BYTES)
        self._width, self.nbytes = width, shape[0] * shape[1]
        #: uint8, padded, 128 above the codes.
        self._codes = _empty(shape, limit)
        self.scales = np.empty(count, np.float32)

    def write(self, start: int, codes: np.ndarray) -> None:
        self._codes[start : start + len(codes), : self._width] = codes

    def read(self, number: int) -> np.ndarray:
        return self._codes[number, : self._width].astype(np.float64) - 128

    def estimates(self, numbers: np.ndarray) -> list[np.ndarray]:
        queries = np.zeros((_padded(len(numbers), int8_dot.TILE), self._codes.shape[1]), np.int8)
        queries[: len(numbers), : self._width] = self._codes[numbers, : self._width].astype(np.int16) - 128
        found = np.empty((len(numbers), len(self.scales)), np.float32)
        kernels.products(self._codes, self.scales, queries, self.scales[numbers], found)
        return [row.copy() for row in found]

    def fetched(self, estimated: np.ndarray) -> np.ndarray:
        return estimated

    def closer(self, numbers: np.ndarray, vector: np.ndarray) -> np.ndarray:
        found = np.empty(len(numbers), np.float32)
        kernels.products_of(numbers, self._codes, self.scales, vector, found)
        return found


class DeviceCopies(Copies["torch.Tensor"]):
    """On a device of torch's, all of them. Raises `InputError` if a GPU has too little free memory for them."""

    #: cuBLAS multiplies bytes if all sides are multiples of 8 and a few are long enough: of 32 they all are. A pass
    #: waits for memory, and takes as long for 32 rows as for one.
    queries_per_pass = 32
    _SIDE = 32
    #: Rows of one product.
    _PASS_ROWS = 1 << 16
    #: Rows of `closer` that are widened to double precision at once.
    _CLOSER_ROWS = 1 << 10
    #: Beside the copies: CUDA's libraries, the products that a walk keeps, those of a pass.
    RESERVED_BYTES = 2 << 30

    def __init__(self, count: int, width: int, device: str):
        import torch

        self._torch, self._width, self.nbytes = torch, width, 0
        shape = _padded(count, self._SIDE), _padded(width, self._SIDE)
        if torch.device(device).type == "cuda":
            _reject_unless_free(shape[0] * shape[1] + self.RESERVED_BYTES, device)
        self._codes = torch.zeros(shape, dtype=torch.int8, device=device)
        self.scales = np.empty(count, np.float32)
        self._scales = torch.empty(count, device=device)

    def write(self, start: int, codes: np.ndarray) -> None:
        part = slice(start, start + len(codes))
        self._codes[part, : self._width] = self._placed((codes ^ 128).view(np.int8))
        self._scales[part] = self._placed(self.scales[part])

    def read(self, number: int) -> np.ndarray:
        return self._codes[number, : self._width].cpu().numpy().astype(np.float64)

    def estimates(self, numbers: np.ndarray) -> "list[torch.Tensor]":
        count, scales, places = len(self.scales), self._scales, self._placed(numbers)
        queries = self._codes.new_zeros(_padded(len(numbers), self.queries_per_pass), self._codes.shape[1])
        queries[: len(numbers)] = self._codes[places]
        found = scales.new_empty(len(numbers), count)
        for start in range(0, count, self._PASS_ROWS):
            block = slice(start, min(start + self._PASS_ROWS, count))
            # int8 times int8 to int32, exact. Has no public name in torch; its tests run on every torch we pin.
            sums = self._torch._int_mm(queries, self._codes[start : start + self._PASS_ROWS].T)
            wanted = sums[: len(numbers), : block.stop - start].float()
            found[:, block] = wanted * (scales[block] * scales[places][:, None])
        return [row.clone() for row in found]

    def fetched(self, estimated: "torch.Tensor") -> np.ndarray:
        return estimated.cpu().numpy()

    def closer(self, numbers: np.ndarray, vector: np.ndarray) -> np.ndarray:
        places, wide = self._placed(numbers), self._placed(vector).double()
        found = [self._codes[part][:, : self._width].double() @ wide for part in places.split(self._CLOSER_ROWS)]
        return self._torch.cat(found).cpu().numpy().astype(np.float32) * self.scales[numbers]

    def _placed(self, values: np.ndarray) -> "torch.Tensor":
        return self._torch.as_tensor(values, device=self._codes.device)


def _reject_unless_free(wanted: int, device: str) -> None:
    free = products.free_bytes(device)
    if wanted > free:
        sentence = (
            f"a walk over this pool takes {wanted / 2**30:.1f} GiB of a GPU's memory, and {free / 2**30:.1f} GiB are "
            "free; use a larger GPU, or none"
        )
        raise InputError("copies-exceed-gpu", sentence, key="gpus.selection")


def _padded(size: int, multiple: int) -> int:
    """`size`, or the next multiple."""
    return -(-size // multiple) * multiple


def _empty(shape: tuple[int, int], limit: int) -> np.ndarray:
    """A uint8 array, in memory if it takes at most `limit` bytes, else in a temporary file."""
    if shape[0] * shape[1] <= limit:
        return np.empty(shape, np.uint8)
    return np.memmap(tempfile.TemporaryFile(), np.uint8, "w+", shape=shape)
