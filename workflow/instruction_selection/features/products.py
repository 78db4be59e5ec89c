"""Inner products that do not depend on the order in which they are added up, and so on no device or number of threads.

Each vector is divided by a power of two, so that its norm is about 1, and rounded to multiples of 2**-26. A product of
two such numbers is a multiple of 2**-52. By Cauchy and Schwarz no partial sum of the products of two vectors reaches 2,
so double precision holds every one of them exactly, in whatever order they come. Equal rows have equal products.

Rounding changes a number by at most 2**-27 of its vector's scale, and an inner product of random unit vectors by about
4e-9, less than sums in single precision do. A unit row stored in half precision does not change at all.

NumPy computes where no device is asked for, else torch, which is imported only then.
"""

import math
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    import torch

#: Bits behind the point, in units of a vector's scale.
BITS = 26
#: A norm times this is below the next power of two: unit vectors are far from the border between two scales, and the
#: product of two scaled norms is below 2.
_MARGIN = 1.42


def visible_gpu() -> str | None:
    """torch's name of the GPU, or None if it sees none."""
    import torch

    return "cuda" if torch.cuda.is_available() else None


def free_bytes(device: str | None) -> int:
    """Memory of a GPU that nobody uses; 0 for any other device."""
    if device is None:
        return 0
    import torch

    return torch.cuda.mem_get_info(device)[0] if torch.device(device).type == "cuda" else 0


def copied_to(device: str | None, rows: np.ndarray) -> "torch.Tensor":
    """A copy on a device of torch's."""
    import torch

    return torch.tensor(rows, device=device)


class Rounded:
    """Vectors (n, D), rounded as the module says: `whole` (n, D) * `scales` (n,) * 2**-`BITS`.

    `whole` are whole numbers in float64, in NumPy or on the device; `scales` are powers of two, float64.
    """

    def __init__(self, rows: "np.ndarray | torch.Tensor", device: str | None = None):
        """Of `rows` (n, D), finite numbers in float32 or float64, which may be on the device already."""
        self.whole: Any
        self.scales: np.ndarray
        if device is None:
            self.whole, self.scales = np.empty(rows.shape), np.empty(len(rows))
            _round(np.asarray(rows, np.result_type(rows, np.float32)), self.whole, self.scales)
        else:
            self.whole, self.scales = _rounded_on(rows, device)

    def products(self, others: "Rounded") -> np.ndarray:
        """Inner products with `others` (m, D) on the same device, float64 (n, m), exact for what was rounded."""
        sums = on_host(self.whole @ others.whole.T)
        return sums * (self.scales[:, None] * (others.scales * 2.0 ** (-2 * BITS)))

    def sums(self, members: np.ndarray) -> Any:
        """For each column of `members` (n, k), zeros and ones, the sum of these vectors, float64 (k, D), on the device.

        Exact, and so are sums of these, for up to 2**26 unit vectors.
        """
        weights = (members * (self.scales * 2.0**-BITS)[:, None]).T
        return self._placed(weights) @ self.whole

    def squares(self) -> np.ndarray:
        """Squared norms, float64 (n,), exact likewise."""
        return on_host((self.whole * self.whole).sum(1)) * self.scales**2 * 2.0 ** (-2 * BITS)

    def _placed(self, values: np.ndarray) -> Any:
        """`values` float64, where the vectors are."""
        if isinstance(self.whole, np.ndarray):
            return values
        return self.whole.new_tensor(values)


def on_host(values: Any) -> np.ndarray:
    """An array of NumPy, or torch's as one of NumPy."""
    return values if isinstance(values, np.ndarray) else values.cpu().numpy()


@numba.njit(fastmath=True, cache=True)
def _round(rows: np.ndarray, whole: np.ndarray, scales: np.ndarray) -> None:
    for row in range(rows.shape[0]):
        squared = 0.0
        for column in range(rows.shape[1]):
            squared += np.float64(rows[row, column]) * np.float64(rows[row, column])
        exponent = math.frexp(math.sqrt(squared) * _MARGIN)[1] - 1
        scales[row] = math.ldexp(1.0, exponent)
        factor = math.ldexp(1.0, BITS - exponent)
        for column in range(rows.shape[1]):
            whole[row, column] = np.rint(np.float64(rows[row, column]) * factor)


def _rounded_on(rows: "np.ndarray | torch.Tensor", device: str) -> "tuple[torch.Tensor, np.ndarray]":
    import torch

    wide = torch.as_tensor(rows, device=device).double()
    exponents = torch.frexp(torch.linalg.vector_norm(wide, dim=1) * _MARGIN).exponent - 1
    # Powers of two by NumPy: torch takes them by a `pow` in single precision, which a GPU need not round well.
    scales = np.ldexp(1.0, exponents.cpu().numpy())
    return (wide * wide.new_tensor(2.0**BITS / scales)[:, None]).round_(), scales
