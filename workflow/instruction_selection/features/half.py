"""float16 to float32, compiled; and how many threads compiled code may use, in all packages."""

import os

import numba
import numpy as np
from numba.core import config

if "OMP_NUM_THREADS" in os.environ:
    _available = config.NUMBA_NUM_THREADS  # pyright: ignore[reportAttributeAccessIssue] (set at import)
    numba.set_num_threads(min(int(os.environ["OMP_NUM_THREADS"]), _available))

#: Parts of a float16, and how far exponent and fraction are from their places in a float32.
_SIGN_BIT, _OTHER_BITS, _SHIFT_BITS = np.uint32(0x8000), np.uint32(0x7FFF), np.uint32(13)
#: Ratio of the exponents' offsets in single and half precision, 2 ** (127 - 15).
_EXPONENT_SCALE = np.float32(2.0**112)


@numba.njit(fastmath=True, cache=True)
def widen(half: np.ndarray, out: np.ndarray) -> None:
    """Write `half`, finite float16 (n, D) viewed as uint16, into `out` float32 (n, D), exactly.

    NumPy takes ten times as long.
    """
    bits = out.view(np.uint32)
    for row in range(half.shape[0]):
        for column in range(half.shape[1]):
            value = np.uint32(half[row, column])
            bits[row, column] = ((value & _SIGN_BIT) << np.uint32(16)) | ((value & _OTHER_BITS) << _SHIFT_BITS)
        for column in range(half.shape[1]):
            out[row, column] *= _EXPONENT_SCALE
