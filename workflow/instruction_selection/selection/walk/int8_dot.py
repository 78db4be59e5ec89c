"""Products of unsigned with signed bytes, summed in 32 bits: `dot_tile`, by the processor's instruction if it has one.

NumPy and BLAS have no such product. Compilers find the instruction (VPDPBUSD) only for one product at a time, which
waits for memory. A tile of `TILE` rows and `TILE` queries reads each byte once for `TILE` products. `plain_tile` is the
same in plain code: the reference in the tests, and what runs on processors without the instruction.

Why LLVM by hand is worth it, by `tests/benchmarks/walk.py` (20,000 rows, D = 8192, 200 rows chosen, two threads, AMD
Zen 5, variants in turn; the machine was shared, so the fastest run of each):

    walk, `dot_tile` by the instruction, eight queries per pass        1.3 s   (2.3 s of processor time)
    walk, one product at a time as the compiler does it                2.3 s   (3.7 s)
    walk, `plain_tile`                                                 2.8 s   (5.4 s)
    five walks side by side, instruction against `plain_tile`          2.0 s and 3.3 s

It is to be removed if the walk gains less than 1.5 times by it.
"""

from collections.abc import Callable
from typing import Any, cast

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic

#: Rows and queries of one tile. Four by four sums and their operands fill the vector registers.
TILE = 4
#: Rows are padded to a multiple of so many bytes, the width of the widest instruction.
ROW_PADDING_BYTES = 64
#: Longest row (bytes) whose sum of products surely fits into 32 bits.
MAX_ROW_BYTES = 2**31 // (255 * 128)


def _instruction_bytes() -> int:
    """Bytes that the processor's instruction multiplies at once: 64 (AVX512-VNNI), 32 (AVX-VNNI), or 0 for none."""
    if config.CPU_NAME or config.CPU_FEATURES:  # pyright: ignore[reportAttributeAccessIssue] (set at import)
        return 0
    features = llvmlite.binding.get_host_cpu_features()
    return 64 if features.get("avx512vnni") else 32 if features.get("avxvnni") else 0


INSTRUCTION_BYTES = _instruction_bytes()


@intrinsic
def _vnni_tile(context: Any, codes: Any, row: Any, queries: Any, query: Any, out: Any, column: Any) -> Any:
    """`dot_tile` as LLVM code: the arguments are Numba's types, and `generate` gets the values."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        codes, row, queries, query, out, column = arguments
        codes, queries, out = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args[::2], (codes, queries, out), strict=True)
        )
        sums = ir.VectorType(ir.IntType(32), INSTRUCTION_BYTES // 4)
        packed = ir.VectorType(ir.IntType(8), INSTRUCTION_BYTES)
        multiply = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(sums, [sums, packed, packed]),
            f"llvm.x86.avx512.vpdpbusd.{8 * INSTRUCTION_BYTES}",
        )
        add = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.IntType(32), [sums]),
            f"llvm.vector.reduce.add.v{INSTRUCTION_BYTES // 4}i32",
        )
        width = builder.extract_value(codes.shape, 1)
        columns = builder.extract_value(out.shape, 1)

        def line_start(array: Any, first_line: Any, offset: int, width: Any) -> Any:
            return builder.gep(array.data, [builder.mul(builder.add(first_line, first_line.type(offset)), width)])

        def load(line: Any, place: Any) -> Any:
            return builder.load(builder.bitcast(builder.gep(line, [place]), packed.as_pointer()), align=1)

        rows = [line_start(codes, row, offset, width) for offset in range(TILE)]
        vectors = [line_start(queries, query, offset, width) for offset in range(TILE)]
        totals = [[cgutils.alloca_once_value(builder, ir.Constant(sums, None)) for _ in vectors] for _ in rows]
        step = width.type(INSTRUCTION_BYTES)
        with cgutils.for_range_slice(builder, width.type(0), width, step, width.type) as (place, _):
            loaded = [load(line, place) for line in rows]
            for offset, line in enumerate(vectors):
                vector = load(line, place)
                for code, total in zip(loaded, totals, strict=True):
                    builder.store(builder.call(multiply, [builder.load(total[offset]), code, vector]), total[offset])
        for offset in range(TILE):
            line = builder.gep(line_start(out, query, offset, columns), [column])
            for other, total in enumerate(totals):
                builder.store(builder.call(add, [builder.load(total[offset])]), builder.gep(line, [row.type(other)]))
        return context.get_dummy_value()

    return types.none(codes, types.intp, queries, types.intp, out, types.intp), generate


@numba.njit(cache=True)
def plain_tile(codes: np.ndarray, row: int, queries: np.ndarray, query: int, out: np.ndarray, column: int) -> None:
    """`dot_tile` in plain code."""
    for other in range(TILE):
        for offset in range(TILE):
            total = np.int32(0)
            for place in range(codes.shape[1]):
                # Without the conversions Numba makes 64 bits of every product, which takes twice as long.
                product = np.int32(np.int32(codes[row + other, place]) * np.int32(queries[query + offset, place]))
                total = np.int32(total + product)
            out[query + offset, column + other] = total


#: dot_tile(codes, row, queries, query, out, column), to be called from compiled code.
#:
#: Writes out[query + j, column + i] = sum over w of codes[row + i, w] * queries[query + j, w] for i, j < `TILE`.
#: `codes` uint8 (N, W), `queries` int8 (m, W), `out` int32 (m, n), all C-contiguous; W is a multiple of
#: `ROW_PADDING_BYTES` and at most `MAX_ROW_BYTES`. Exact, so both versions give the same.
dot_tile = cast(
    Callable[[np.ndarray, int, np.ndarray, int, np.ndarray, int], None],
    _vnni_tile if INSTRUCTION_BYTES else plain_tile,
)
#: Queries of one pass over the rows. By the instruction, eight took 1.4 times as long as one, as the pass waits for
#: memory; plain code waits for its arithmetic.
QUERIES_PER_PASS = 8 if INSTRUCTION_BYTES else 1
