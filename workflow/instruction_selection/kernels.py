"""Compiled loops over rows, for what NumPy can only do with copies as large as the rows themselves.

Sums are in single precision and in any order, so that their last digits may differ from machine to machine: callers
allow for that. They use as many threads as OMP_NUM_THREADS says, or as there are.
"""

import os

import numba
import numpy as np

from instruction_selection import integer_dot

if "OMP_NUM_THREADS" in os.environ:
    numba.set_num_threads(min(int(os.environ["OMP_NUM_THREADS"]), numba.config.NUMBA_NUM_THREADS))

#: Rows that a thread takes at once.
_SHARE = 64
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
    """float32 `rows` (n, D) as uint8 `codes` (n, W), less 128, times `scales` (n,); `errors` (n,), the rest's norms."""
    for row in numba.prange(rows.shape[0]):
        largest = np.float32(0)
        for column in range(rows.shape[1]):
            largest = max(largest, abs(rows[row, column]))
        scale = largest / np.float32(127) if largest > 0 else np.float32(1)
        inverse, lost = np.float32(1) / scale, np.float32(0)
        for column in range(rows.shape[1]):
            code = np.rint(rows[row, column] * inverse)
            codes[row, column] = np.uint8(code + np.float32(128))
            difference = rows[row, column] - code * scale
            lost += difference * difference
        scales[row], errors[row] = scale, np.sqrt(lost)


@numba.njit(parallel=True, cache=True)
def products(codes, scales, queries, query_scales, out) -> None:
    """float32 `out` (m, N): products of quantised rows, read once, with `queries`, int8 (m or a few more, W)."""
    count = out.shape[1]
    for share in numba.prange((count + _SHARE - 1) // _SHARE):
        first = share * _SHARE
        sums = np.empty((len(queries), _SHARE), np.int32)
        for row in range(first, min(count, first + _SHARE), integer_dot.TILE):
            for query in range(0, len(queries), integer_dot.TILE):
                integer_dot.tile(codes, row, queries, query, sums, row - first)
        for query in range(len(out)):
            shift = 0
            for column in range(queries.shape[1]):
                shift += 128 * queries[query, column]
            for row in range(first, min(count, first + _SHARE)):
                found = np.float32(sums[query, row - first] - shift)
                out[query, row] = found * (scales[row] * query_scales[query])


@numba.njit(fastmath=True, parallel=True, cache=True)
def products_of(
    numbers: np.ndarray, codes: np.ndarray, scales: np.ndarray, vector: np.ndarray, out: np.ndarray
) -> None:
    """float32 `out` (n,): products of the quantised rows `numbers` (n,) with `vector`, float32 (D,)."""
    for place in numba.prange(numbers.shape[0]):
        row = numbers[place]
        total = np.float32(0)
        for column in range(vector.shape[0]):
            total += (np.float32(codes[row, column]) - np.float32(128)) * vector[column]
        out[place] = total * scales[row]


def exact_products(numbers: np.ndarray, rows: np.ndarray, vector: np.ndarray, out: np.ndarray) -> None:
    """float64 `out` (n,): products of `rows` (N, D) at `numbers` (n,) with `vector`, float64 (D,); no row is copied."""
    half = rows.dtype == np.float16
    _exact_products(numbers, rows.view(np.uint16) if half else rows, vector, out, half)


@numba.njit(fastmath=True, cache=True)
def _exact_products(numbers, rows, vector, out, half) -> None:
    wide = np.empty((1, rows.shape[1]), np.float32)
    for place in range(len(numbers)):
        row, total = numbers[place], 0.0
        if half:
            widen(rows[row : row + 1], wide)
            for column in range(len(vector)):
                total += np.float64(wide[0, column]) * vector[column]
        else:
            for column in range(len(vector)):
                total += np.float64(rows[row, column]) * vector[column]
        out[place] = total


@numba.njit(parallel=True, cache=True)
def include(estimates, errors, slack, weight, lowest, dead, sums) -> None:
    """Keep what is known of a set that a row of norm `weight` joins: see `chain.Chain`."""
    for row in numba.prange(len(estimates)):
        half = errors[row] + slack
        lowest[row] = min(lowest[row], estimates[row] - half)
        dead[row] |= estimates[row] + half < 0
        sums[row] += weight * estimates[row]


@numba.njit(parallel=True, cache=True)
def limits(
    estimates, errors, norm, slack, norms, to_component, component_slack,
    sums, sum_norm, sum_slack, sum_dot_component, sum_squared, least, free, dead, upper, consistent,
) -> None:  # fmt: skip
    """Bounds of what `chain.Chain` asks of each row.

    `upper` float32 (N,): the product is no larger; NaN where the row cannot pass the rules, -inf where it is not free.
    `consistent` int8 (N,): 1 and -1 where the consistency rule surely holds or not, 0 where that is open.
    """
    for row in numba.prange(len(estimates)):
        if not free[row]:
            upper[row] = -np.inf
            continue
        weight = norms[row]
        half = errors[row] * sum_norm + sum_slack
        squared = sum_squared + weight * weight
        most = least * np.sqrt(max(0.0, squared + 2 * weight * (sums[row] + half)))
        fewest = least * np.sqrt(max(0.0, squared + 2 * weight * (sums[row] - half)))
        turned = abs(sum_dot_component + weight * to_component[row])
        either_way = weight * component_slack
        if turned + either_way < fewest:
            consistent[row] = -1
        else:
            consistent[row] = 1 if turned - either_way > most else 0
        if dead[row] or consistent[row] < 0:
            upper[row] = np.nan
        else:
            upper[row] = estimates[row] + errors[row] * norm + slack
