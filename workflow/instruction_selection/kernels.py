"""Compiled loops over rows, for what NumPy can only do with copies as large as the rows themselves.

Sums are in single precision and in any order, so that their last digits may differ from machine to machine: callers
allow for that. They use as many threads as OMP_NUM_THREADS says, or as there are.
"""

import os

import numba
import numpy as np

if "OMP_NUM_THREADS" in os.environ:
    numba.set_num_threads(min(int(os.environ["OMP_NUM_THREADS"]), numba.config.NUMBA_NUM_THREADS))

#: Rows that a thread takes at once.
_SHARE = 256
_SIGN, _OTHERS, _SHIFT = np.uint32(0x8000), np.uint32(0x7FFF), np.uint32(13)
#: Between the exponents of half and single precision.
_SCALE = np.float32(2.0**112)


@numba.njit(fastmath=True, cache=True)
def widen(half: np.ndarray, out: np.ndarray) -> None:
    """float16 (n, D), given as uint16, to float32 (n, D), exactly, if it is finite. NumPy takes ten times as long."""
    bits = out.view(np.uint32)
    for row in range(half.shape[0]):
        for column in range(half.shape[1]):
            value = np.uint32(half[row, column])
            bits[row, column] = ((value & _SIGN) << np.uint32(16)) | ((value & _OTHERS) << _SHIFT)
        for column in range(half.shape[1]):
            out[row, column] *= _SCALE


@numba.njit(fastmath=True, parallel=True, cache=True)
def quantise(rows: np.ndarray, codes: np.ndarray, scales: np.ndarray, errors: np.ndarray) -> None:
    """float32 `rows` (n, D) as int8 `codes` (n, D) times `scales` (n,); `errors` (n,), norms of the difference."""
    for row in numba.prange(rows.shape[0]):
        largest = np.float32(0)
        for column in range(rows.shape[1]):
            largest = max(largest, abs(rows[row, column]))
        scale = largest / np.float32(127) if largest > 0 else np.float32(1)
        inverse, lost = np.float32(1) / scale, np.float32(0)
        for column in range(rows.shape[1]):
            code = np.rint(rows[row, column] * inverse)
            codes[row, column] = np.int8(code)
            difference = rows[row, column] - code * scale
            lost += difference * difference
        scales[row], errors[row] = scale, np.sqrt(lost)


@numba.njit(fastmath=True, parallel=True, cache=True)
def products(codes: np.ndarray, scales: np.ndarray, vectors: np.ndarray, out: np.ndarray) -> None:
    """float32 `out` (m, N): products of all quantised rows with `vectors`, float32 (m, k). Rows are read once."""
    count, width = codes.shape
    for share in numba.prange((count + _SHARE - 1) // _SHARE):
        wide = np.empty(width, np.float32)
        for row in range(share * _SHARE, min(count, (share + 1) * _SHARE)):
            for column in range(width):
                wide[column] = np.float32(codes[row, column])
            for vector in range(vectors.shape[0]):
                total = np.float32(0)
                for column in range(width):
                    total += wide[column] * vectors[vector, column]
                out[vector, row] = total * scales[row]


@numba.njit(fastmath=True, parallel=True, cache=True)
def products_of(
    numbers: np.ndarray, codes: np.ndarray, scales: np.ndarray, vector: np.ndarray, out: np.ndarray
) -> None:
    """float32 `out` (n,): products of the quantised rows `numbers` (n,) with `vector`, float32 (D,)."""
    for place in numba.prange(numbers.shape[0]):
        row = numbers[place]
        total = np.float32(0)
        for column in range(vector.shape[0]):
            total += np.float32(codes[row, column]) * vector[column]
        out[place] = total * scales[row]


@numba.njit(parallel=True, cache=True)
def include(estimates, inside, outside, of_inside, of_outside, slack, weight, lowest, sums) -> None:
    """Keep the running bounds of a set that a row of norm `weight` joins: see `chain.Chain`."""
    for row in numba.prange(len(estimates)):
        half = inside[row] * of_inside + outside[row] * of_outside + slack
        lowest[row] = min(lowest[row], estimates[row] - half)
        sums[row] += weight * estimates[row]


@numba.njit(parallel=True, cache=True)
def limits(
    estimates, inside, outside, of_inside, of_outside, slack, norms, to_component, component_slack,
    sums, sum_inside, sum_outside, sum_slack, sum_dot_component, sum_squared, least, free, dead, upper, consistent,
) -> None:  # fmt: skip
    """Bounds of what `chain.Chain` asks of each row.

    `upper` float32 (N,): the product is no larger; NaN where the row cannot pass the rules, -inf where it is not free.
    `consistent` int8 (N,): 1 and -1 where the consistency rule surely holds or not, 0 where that is open.
    """
    for row in numba.prange(len(estimates)):
        if not free[row]:
            upper[row] = -np.inf
            continue
        norm = norms[row]
        half = inside[row] * sum_inside + outside[row] * sum_outside + sum_slack
        squared = sum_squared + norm * norm
        most = least * np.sqrt(max(0.0, squared + 2 * norm * (sums[row] + half)))
        fewest = least * np.sqrt(max(0.0, squared + 2 * norm * (sums[row] - half)))
        turned = abs(sum_dot_component + norm * to_component[row])
        either_way = norm * component_slack
        if turned + either_way < fewest:
            consistent[row] = -1
        else:
            consistent[row] = 1 if turned - either_way > most else 0
        if dead[row] or consistent[row] < 0:
            upper[row] = np.nan
        else:
            upper[row] = estimates[row] + inside[row] * of_inside + outside[row] * of_outside + slack
