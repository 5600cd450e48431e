"""Products of small integer matrices inside kernels: 7-bit weights times bytes, four to a word.

What a front of a few hundred pixels needs, where a call to a library costs as much as the product. A word of
activations holds four consecutive inputs of one pixel as unsigned bytes (the integer plus 128), 16 pixels side by side;
a word of weights four signed ones. The product of two words is one instruction on processors with VNNI, three with AVX2
(the weights' limit of 63 keeps its 16-bit sums from saturating), and shifts and multiplications on all others: the same
integers everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import WORDS, all_words, load_words, rescaled_words, shift_words_left, store_words

LANES = 16
_I8, _I16, _I32 = ir.IntType(8), ir.IntType(16), ir.IntType(32)


def _features(context: Any) -> set[str]:
    """What the processor that is compiled for can do, such as ``avx2``."""
    given = context.codegen()._tm_features  # honours NUMBA_CPU_FEATURES
    return {f[1:] for f in str(given).split(",") if f.startswith("+")}


def instructions() -> str:
    """What this processor's products are made of: "vnni", "avx2" or "shifts"."""
    from numba.core.registry import cpu_target

    features = _features(cpu_target.target_context)
    if {"avx512vnni", "avx512f"} <= features:
        return "vnni"
    return "avx2" if "avx2" in features else "shifts"


def _call(builder: Any, name: str, result: Any, args: list[Any]) -> Any:
    kind = ir.FunctionType(result, [a.type for a in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


def _by_vnni(builder: Any, total: Any, x: Any, w: Any) -> Any:
    return _call(builder, "llvm.x86.avx512.vpdpbusd.512", total.type, [total, x, w])


def _by_avx2(builder: Any, total: Any, x: Any, w: Any) -> Any:
    """In two halves of eight lanes: sums of two products in 16 bits, then of two of those in 32."""
    halves = []
    nothing = ir.Constant(x.type, ir.Undefined)
    for start in (0, 8):
        pick = ir.Constant(ir.VectorType(_I32, 8), list(range(start, start + 8)))
        a, b = (builder.bitcast(builder.shuffle_vector(v, nothing, pick), ir.VectorType(_I8, 32)) for v in (x, w))
        pairs = _call(builder, "llvm.x86.avx2.pmadd.ub.sw", ir.VectorType(_I16, 16), [a, b])
        ones = ir.Constant(ir.VectorType(_I16, 16), [1] * 16)
        halves.append(_call(builder, "llvm.x86.avx2.pmadd.wd", ir.VectorType(_I32, 8), [pairs, ones]))
    join = ir.Constant(ir.VectorType(_I32, 16), list(range(16)))
    return builder.add(total, builder.shuffle_vector(halves[0], halves[1], join))


def _by_shifts(builder: Any, total: Any, x: Any, w: Any) -> Any:
    def all_lanes(value: int) -> Any:
        return ir.Constant(ir.VectorType(_I32, LANES), [value] * LANES)

    for byte in range(4):
        a = builder.and_(builder.lshr(x, all_lanes(8 * byte)), all_lanes(255))
        b = builder.ashr(builder.shl(w, all_lanes(24 - 8 * byte)), all_lanes(24))
        total = builder.add(total, builder.mul(a, b))
    return total


@intrinsic
def dot_bytes(typing: Any, total: Any, x: Any, w: Any) -> Any:
    """total + the four products of each lane's bytes: x unsigned, w signed and within 63."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        features = _features(context)
        if "avx512vnni" in features and "avx512f" in features:
            return _by_vnni(builder, *args)
        return (_by_avx2 if "avx2" in features else _by_shifts)(builder, *args)

    return WORDS(WORDS, WORDS, WORDS), generate


def _pairs_by_shifts(builder: Any, a: Any, b: Any) -> Any:
    half = ir.Constant(ir.VectorType(_I32, LANES), [16] * LANES)
    low = builder.mul(*(builder.ashr(builder.shl(v, half), half) for v in (a, b)))
    high = builder.mul(*(builder.ashr(v, half) for v in (a, b)))
    return builder.add(low, high)


def _pairs_by_avx2(builder: Any, a: Any, b: Any) -> Any:
    halves = []
    nothing = ir.Constant(a.type, ir.Undefined)
    for start in (0, 8):
        pick = ir.Constant(ir.VectorType(_I32, 8), list(range(start, start + 8)))
        parts = [builder.bitcast(builder.shuffle_vector(v, nothing, pick), ir.VectorType(_I16, 16)) for v in (a, b)]
        halves.append(_call(builder, "llvm.x86.avx2.pmadd.wd", ir.VectorType(_I32, 8), parts))
    return builder.shuffle_vector(*halves, ir.Constant(ir.VectorType(_I32, 16), list(range(16))))


@intrinsic
def dot_shorts(typing: Any, total: Any, a: Any, b: Any) -> Any:
    """total + the two products of each lane's signed halves, which are above -2**15; modulo 2**32."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        features = _features(context)
        if "avx512vnni" in features and "avx512f" in features:
            return _call(builder, "llvm.x86.avx512.vpdpwssd.512", args[0].type, list(args))
        pairs = _pairs_by_avx2 if "avx2" in features else _pairs_by_shifts
        return builder.add(args[0], pairs(builder, args[1], args[2]))

    return WORDS(WORDS, WORDS, WORDS), generate


def words(inputs: int) -> int:
    """Words that so many inputs take."""
    return -(-inputs // 4)


def pack_weights(weight: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
    """int8 [m, k] -> int32 [m, words(k)]."""
    m, k = weight.shape
    padded = np.zeros((m, 4 * words(k)), np.int8)
    padded[:, :k] = weight
    return padded.view("<i4").astype(np.int32)


def offset(weight: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """What a product with packed activations is too large by: int64 [m], 128 times each row's sum."""
    return np.asarray(128 * weight.astype(np.int64).sum(1), np.int64)


@kernel(inner=True)
def pack(x: Any, count: int, out: Any) -> None:
    """int8 [k, >= count] -> int32 [words(k), columns]; missing inputs are as if they were -128."""
    k = x.shape[0]
    for q in range((k + 3) // 4):
        row = out[q]
        for i in range(count):
            row[i] = np.int32(x[4 * q, i]) + np.int32(128)
        for b in range(1, 4):
            if 4 * q + b < k:
                own = x[4 * q + b]
                shift = np.int32(8 * b)
                for i in range(count):
                    row[i] |= (np.int32(own[i]) + np.int32(128)) << shift


@kernel(inner=True)
def multiply(weights: Any, x: Any, count: int, out: Any) -> None:
    """Packed weights int32 [m, words] times packed activations int32 [words, columns] -> int32 [m, columns], with
    columns a multiple of 16 not less than count."""
    zero = all_words(np.int32(0))
    for at in range(0, count, LANES):
        for j in range(0, weights.shape[0], 8):
            rows = _rows(j, weights.shape[0] - 1)
            own = _eight_rows(weights, rows, x, at, (zero, zero, zero, zero, zero, zero, zero, zero))
            store_words(out, rows[0], at, own[0])
            store_words(out, rows[1], at, own[1])
            store_words(out, rows[2], at, own[2])
            store_words(out, rows[3], at, own[3])
            store_words(out, rows[4], at, own[4])
            store_words(out, rows[5], at, own[5])
            store_words(out, rows[6], at, own[6])
            store_words(out, rows[7], at, own[7])


@kernel(inner=True)
def multiply_rectified(weights: Any, x: Any, begin: Any, count: int, scale: Any, first: int, out: Any) -> None:
    """The same, re-scaled to bytes and packed: int32 [words(m), columns]. Bytes after the last row are of no meaning.

    Args:
        begin: int32 [m, columns] that sums begin with, or None.
        scale: bias, multiplier and shift, int64, of the rows from ``first`` on (:mod:`arcomp.exact.rescale`).
    """
    m, zero = weights.shape[0], all_words(np.int32(0))
    for at in range(0, count, LANES):
        for j in range(0, m, 8):
            r, sums = _rows(j, m - 1), (zero, zero, zero, zero, zero, zero, zero, zero)
            if begin is not None:
                sums = (
                    load_words(begin, r[0], at), load_words(begin, r[1], at), load_words(begin, r[2], at),
                    load_words(begin, r[3], at), load_words(begin, r[4], at), load_words(begin, r[5], at),
                    load_words(begin, r[6], at), load_words(begin, r[7], at),
                )  # fmt: skip
            a, b, c, d, e, f, g, h = _eight_rows(weights, r, x, at, sums)
            store_words(out, j // 4, at, _packed((a, b, c, d), scale, first, (r[0], r[1], r[2], r[3])))
            if j + 4 < m:
                store_words(out, j // 4 + 1, at, _packed((e, f, g, h), scale, first, (r[4], r[5], r[6], r[7])))


@kernel(inline="always")
def _rows(j: Any, last: Any) -> Any:
    """Eight rows from j on; the last one in place of those that are not there."""
    return (
        j, min(j + 1, last), min(j + 2, last), min(j + 3, last),
        min(j + 4, last), min(j + 5, last), min(j + 6, last), min(j + 7, last),
    )  # fmt: skip


@kernel(inline="always")
def _byte(total: Any, scale: Any, row: Any) -> Any:
    return rescaled_words(total, scale[0][row], scale[1][row], scale[2][row])


@kernel(inline="always")
def _packed(sums: Any, scale: Any, first: Any, rows: Any) -> Any:
    """Four rows' sums as bytes of a word."""
    eight, sixteen = all_words(np.int32(8)), all_words(np.int32(16))
    low = _byte(sums[0], scale, first + rows[0]) + shift_words_left(_byte(sums[1], scale, first + rows[1]), eight)
    high = _byte(sums[2], scale, first + rows[2]) + shift_words_left(_byte(sums[3], scale, first + rows[3]), eight)
    return low + shift_words_left(high, sixteen)


@kernel(inline="always")
def _eight_rows(weights: Any, rows: Any, x: Any, at: Any, sums: Any) -> Any:
    """Products of eight rows are added to their sums, LANES pixels side by side."""
    a, b, c, d, e, f, g, h = rows
    s0, s1, s2, s3, s4, s5, s6, s7 = sums
    for q in range(weights.shape[1]):
        v = load_words(x, q, at)
        s0 = dot_bytes(s0, v, all_words(weights[a, q]))
        s1 = dot_bytes(s1, v, all_words(weights[b, q]))
        s2 = dot_bytes(s2, v, all_words(weights[c, q]))
        s3 = dot_bytes(s3, v, all_words(weights[d, q]))
        s4 = dot_bytes(s4, v, all_words(weights[e, q]))
        s5 = dot_bytes(s5, v, all_words(weights[f, q]))
        s6 = dot_bytes(s6, v, all_words(weights[g, q]))
        s7 = dot_bytes(s7, v, all_words(weights[h, q]))
    return s0, s1, s2, s3, s4, s5, s6, s7


@kernel(inner=True)
def multiply_layer(net: Any, layer: Any, x: Any, count: Any, out: Any) -> Any:
    """A layer's weights times packed activations, as :func:`multiply`; returns the number of outputs.

    Args:
        net: has ``weights``, int8, those of all layers one after the other, and ``shapes``: of each layer its outputs,
            its inputs, and where its weights begin.
    """
    outputs, inputs, start = net.shapes[layer, 0], net.shapes[layer, 1], net.shapes[layer, 2]
    weights = net.weights[start : start + outputs * inputs].reshape(outputs, inputs)
    multiply(weights, x, count, out)
    return outputs
