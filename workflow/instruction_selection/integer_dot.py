"""Products of unsigned with signed bytes in sums of 32 bits, by the instruction that processors have for it.

NumPy has none, BLAS neither, and compilers find it only for one product at a time, which waits for memory. A tile of
`TILE` rows and as many queries reads each number once for `TILE` products.
"""

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

#: Rows and queries of one tile. Four by four sums and their operands fill the vector registers.
TILE = 4
#: Rows are padded to a multiple of so many numbers.
PAD = 64
#: Numbers of a row for which no sum can be too large.
WIDEST = 2**31 // (255 * 128)


def _vector_bytes() -> int:
    """Width of the processor's instruction: AVX512-VNNI has 64, AVX-VNNI 32, others none (0)."""
    if numba.config.CPU_NAME or numba.config.CPU_FEATURES:
        return 0
    features = llvmlite.binding.get_host_cpu_features()
    return 64 if features.get("avx512vnni") else 32 if features.get("avxvnni") else 0


BYTES = _vector_bytes()


@intrinsic
def _tile_vnni(context, codes, row, queries, query, out, column):
    def generate(context, builder, signature, arguments):
        codes, row, queries, query, out, column = arguments
        codes, queries, out = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args[::2], (codes, queries, out), strict=True)
        )
        sums = ir.VectorType(ir.IntType(32), BYTES // 4)
        packed = ir.VectorType(ir.IntType(8), BYTES)
        multiply = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(sums, [sums, packed, packed]), f"llvm.x86.avx512.vpdpbusd.{8 * BYTES}"
        )
        add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.IntType(32), [sums]), f"llvm.vector.reduce.add.v{BYTES // 4}i32"
        )
        width = builder.extract_value(codes.shape, 1)
        columns = builder.extract_value(out.shape, 1)

        def at(array, line, number, width):
            return builder.gep(array.data, [builder.mul(builder.add(line, line.type(number)), width)])

        def load(line, place):
            return builder.load(builder.bitcast(builder.gep(line, [place]), packed.as_pointer()), align=1)

        rows = [at(codes, row, number, width) for number in range(TILE)]
        vectors = [at(queries, query, number, width) for number in range(TILE)]
        totals = [[cgutils.alloca_once_value(builder, ir.Constant(sums, None)) for _ in vectors] for _ in rows]
        with cgutils.for_range_slice(builder, width.type(0), width, width.type(BYTES), width.type) as (place, _):
            loaded = [load(line, place) for line in rows]
            for number, line in enumerate(vectors):
                vector = load(line, place)
                for code, total in zip(loaded, totals, strict=True):
                    builder.store(builder.call(multiply, [builder.load(total[number]), code, vector]), total[number])
        for number in range(TILE):
            line = builder.gep(at(out, query, number, columns), [column])
            for other, total in enumerate(totals):
                builder.store(builder.call(add, [builder.load(total[number])]), builder.gep(line, [row.type(other)]))
        return context.get_dummy_value()

    return types.none(codes, types.intp, queries, types.intp, out, types.intp), generate


@numba.njit(cache=True)
def _tile_plain(codes, row, queries, query, out, column):
    for other in range(TILE):
        for number in range(TILE):
            total = np.int32(0)
            for place in range(codes.shape[1]):
                # Numba makes 64 bits of every product otherwise, which takes twice as long.
                product = np.int32(np.int32(codes[row + other, place]) * np.int32(queries[query + number, place]))
                total = np.int32(total + product)
            out[query + number, column + other] = total


#: tile(codes, row, queries, query, out, column): int32 `out` (m, n) gets from [query, column] on the products of `TILE`
#: rows of uint8 `codes` (N, W) from `row` on with as many of int8 `queries` (m, W) from `query` on. W is a multiple of
#: `PAD`.
tile = _tile_vnni if BYTES else _tile_plain
#: Queries of one pass over rows in memory: eight took 1.4 times as long as one.
TOGETHER = 8 if BYTES else 1
