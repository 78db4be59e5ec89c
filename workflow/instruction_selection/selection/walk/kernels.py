"""Compiled loops over rows, for what NumPy can only do with copies as large as the rows themselves.

Sums in single precision are in any order, so that their last digits may differ from machine to machine: callers allow
for that. The loops use as many threads as OMP_NUM_THREADS says, or as there are. Functions return nothing; they write
into their last arguments, as each docstring says. N is the number of rows, D that of their dimensions, and W is D
padded to a multiple of `int8_dot.ROW_PADDING_BYTES`.
"""

from typing import NamedTuple

import numba
import numpy as np

from instruction_selection.features.half import widen
from instruction_selection.selection.walk import int8_dot

#: Rows that a thread takes at once.
_ROWS_PER_TASK = 64


@numba.njit(fastmath=True, parallel=True, cache=True)
def quantise(rows: np.ndarray, codes: np.ndarray, scales: np.ndarray, errors: np.ndarray) -> None:
    """Round each row to whole multiples of a 127th of its largest coordinate.

    Reads `rows` float32 (n, D). Writes `codes` uint8 (n, W; the padding is left alone), `scales` float32 (n,) and
    `errors` float32 (n,) with row[i] = (codes[i] - 128) * scales[i] + a rest of norm errors[i].
    """
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
def products(
    codes: np.ndarray, scales: np.ndarray, queries: np.ndarray, query_scales: np.ndarray, out: np.ndarray
) -> None:
    """Write into `out` float32 (m, N) the products of N quantised rows with m quantised queries; rows are read once.

    Rows are (codes[i] - 128) * scales[i], `codes` uint8 (N padded to a multiple of `int8_dot.TILE`, W), `scales`
    float32 (N,). Queries are queries[j] * query_scales[j], `queries` int8 (m padded likewise, W), `query_scales`
    float32 (m,). Sums are exact; only their conversion to float32 and the scales round.
    """
    count = out.shape[1]
    for share in numba.prange((count + _ROWS_PER_TASK - 1) // _ROWS_PER_TASK):
        first = share * _ROWS_PER_TASK
        sums = np.empty((len(queries), _ROWS_PER_TASK), np.int32)
        for row in range(first, min(count, first + _ROWS_PER_TASK), int8_dot.TILE):
            for query in range(0, len(queries), int8_dot.TILE):
                int8_dot.dot_tile(codes, row, queries, query, sums, row - first)
        for query in range(len(out)):
            shift = 0
            for column in range(queries.shape[1]):
                shift += 128 * queries[query, column]
            for row in range(first, min(count, first + _ROWS_PER_TASK)):
                found = np.float32(sums[query, row - first] - shift)
                out[query, row] = found * (scales[row] * query_scales[query])


@numba.njit(fastmath=True, parallel=True, cache=True)
def products_of(
    numbers: np.ndarray, codes: np.ndarray, scales: np.ndarray, vector: np.ndarray, out: np.ndarray
) -> None:
    """Write into `out` float32 (n,) the products of the quantised rows `numbers` int (n,) with `vector` float32 (D,).

    `codes` and `scales` are as in `products`; the vector is not quantised.
    """
    for place in numba.prange(numbers.shape[0]):
        row = numbers[place]
        total = np.float32(0)
        for column in range(vector.shape[0]):
            total += (np.float32(codes[row, column]) - np.float32(128)) * vector[column]
        out[place] = total * scales[row]


def exact_products(numbers: np.ndarray, rows: np.ndarray, vector: np.ndarray, out: np.ndarray) -> None:
    """Write into `out` float64 (n,) the products of `rows` at `numbers` int (n,) with `vector` float64 (D,).

    `rows` (N, D) are float16, float32 or float64; none is copied. Sums are in double precision and in the same order
    for every row, so that equal rows give equal products.
    """
    half = rows.dtype == np.float16
    _exact_products(numbers, rows.view(np.uint16) if half else rows, vector, out, half)


@numba.njit(fastmath=True, cache=True)
def _exact_products(numbers: np.ndarray, rows: np.ndarray, vector: np.ndarray, out: np.ndarray, half: bool) -> None:
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


class BoundedProducts(NamedTuple):
    """Estimated products of all rows u with one vector y: |estimates[i] - u[i].y| <= norm * errors[i] + slack.

    `errors` float32 (N,) are those of the copies (`walk.quantised.Quantised.errors`).
    """

    #: float64 (D,): y itself.
    vector: np.ndarray
    #: float32 (N,)
    estimates: np.ndarray
    #: How the copies' errors count: |y| if the estimates are of copies, 0 if they are of the rows themselves.
    norm: float
    #: What else the estimates may be off by, the same for all rows.
    slack: float | np.floating


class SetSum(NamedTuple):
    """The sum S of a set's gradients, and its products: |products[i] - u[i].S| <= norm * errors[i] + slack."""

    #: float64 (N,)
    products: np.ndarray
    #: |S|
    norm: float
    slack: float | np.floating
    #: S.v, v being the component scaled to norm 1.
    dot_component: float
    #: |S|^2, from its own running sum.
    squared: float


@numba.njit(parallel=True, cache=True)
def include_member(
    estimates: np.ndarray,
    errors: np.ndarray,
    slack: float | np.floating,
    weight: float,
    lowest: np.ndarray,
    conflicting: np.ndarray,
    sum_products: np.ndarray,
) -> None:
    """Bring what is known of all rows up to date with a member s of norm `weight` that joined a set.

    `estimates` float32 (N,) of the products with the unit vector of s are off by at most `errors` (N,) + `slack`.
    Changed in place (see `walk.growing_set.GrowingSet`): `lowest` float32 (N,) falls to the lower bound of the product;
    `conflicting` bool (N,) becomes true where its upper bound is negative; `sum_products` float64 (N,) grows by
    weight * estimate.
    """
    for row in numba.prange(len(estimates)):
        half = errors[row] + slack
        lowest[row] = min(lowest[row], estimates[row] - half)
        conflicting[row] |= estimates[row] + half < 0
        sum_products[row] += weight * estimates[row]


@numba.njit(parallel=True, cache=True)
def bound_candidates(
    query: BoundedProducts,
    component: BoundedProducts,
    total: SetSum,
    min_alignment: float,
    errors: np.ndarray,
    norms: np.ndarray,
    free: np.ndarray,
    conflicting: np.ndarray,
    upper: np.ndarray,
    consistent: np.ndarray,
) -> None:
    """For every row as a set's next member: how similar to `query` it may be, and whether it keeps the set on course.

    A row of norm n and unit vector u keeps the set on course if |(S + n u).v| >= `min_alignment` * |S + n u|, where
    min_alignment = delta * |cos(S, v)|; with |S + n u|^2 = |S|^2 + 2 n u.S + n^2, bounds of u.S and u.v decide that for
    most rows. Read: `errors` float32 (N,), `norms` float64 (N,), `free` bool (N,), `conflicting` bool (N,).

    Written:
        upper float32 (N,)      upper bound of the product with the query's vector; NaN where the row surely breaks a
                                rule, -inf where it is not free
        consistent int8 (N,)    1 or -1 where the row surely keeps the set on course or turns it away, 0 where the
                                bounds leave that open; rows that are not free keep what they have
    """
    estimates, norm, slack = query.estimates, query.norm, query.slack
    to_component, component_slack = component.estimates, component.slack
    products, sum_norm, sum_slack = total.products, total.norm, total.slack
    dot_component, sum_squared = total.dot_component, total.squared
    for row in numba.prange(len(estimates)):
        if not free[row]:
            upper[row] = -np.inf
            continue
        weight = norms[row]
        half = errors[row] * sum_norm + sum_slack
        squared = sum_squared + weight * weight
        most = min_alignment * np.sqrt(max(0.0, squared + 2 * weight * (products[row] + half)))
        least = min_alignment * np.sqrt(max(0.0, squared + 2 * weight * (products[row] - half)))
        turned = abs(dot_component + weight * to_component[row])
        either_way = weight * component_slack
        if turned + either_way < least:
            consistent[row] = -1
        else:
            consistent[row] = 1 if turned - either_way > most else 0
        if conflicting[row] or consistent[row] < 0:
            upper[row] = np.nan
        else:
            upper[row] = estimates[row] + errors[row] * norm + slack
