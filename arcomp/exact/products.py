"""Products with small integer matrices on the processor, over all positions of pictures: compiled, row by row.

A row is what one position sees: bytes, four to a word, unsigned (the integer plus 128). Eight rows go through a matrix
together; 16 outputs lie side by side in a vector. The instructions are those of :mod:`arcomp.exact.dense`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.bounds import digits
from arcomp.exact.compiled import kernel
from arcomp.exact.dense import dot_bytes
from arcomp.exact.lanes import all_words, load_words, store_words
from arcomp.exact.rescale import Scale
from arcomp.exact.threads import in_parts

Ints = npt.NDArray[Any]
LANES = 16
"""Outputs of a vector."""
ROWS = 8
"""That go through a matrix together."""
LEAST = 1 << 19
"""Products of words in a thread's part, at least."""


class Packed(NamedTuple):
    """A matrix [m, k].

    Attributes:
        words: int32 [planes, words, columns], planes of digits (:func:`arcomp.exact.bounds.digits`), a word for four
            inputs; columns: m, rounded up to vectors.
        offset: int32 [planes, m], what sums are too large by: 128 times each row's sum, modulo 2**32.
    """

    words: npt.NDArray[np.int32]
    offset: npt.NDArray[np.int32]


class Around(NamedTuple):
    """What a position sees of a batch.

    Attributes:
        taps: int64 [taps, 2], offsets (dy, dx).
        heights, widths: int32 [N], of the pictures.
        shape: int64 [5]: rows and columns of the outputs; the stride between them; what is beyond a picture's edges;
            features that are read.
    """

    taps: npt.NDArray[np.int64]
    heights: npt.NDArray[np.int32]
    widths: npt.NDArray[np.int32]
    shape: npt.NDArray[np.int64]


def pack(weight: Ints) -> Packed:
    """A matrix of integers [m, k] for the kernels."""
    m, k = weight.shape
    planes = digits(weight)
    padded = np.zeros((len(planes), -(-m // LANES) * LANES, -(-k // 4) * 4), np.int8)
    for i, plane in enumerate(planes):
        padded[i, :m, :k] = plane
    words = np.ascontiguousarray(padded.view(np.int32).swapaxes(1, 2))  # bytes in the machine's order, as of rows
    offset = 128 * padded[:, :m].astype(np.int64).sum(2)
    return Packed(words, offset.astype(np.int32))


@kernel(inner=True)
def _eight_rows(words: Any, rows: Any, sums: Any) -> None:
    """One plane of a matrix [words, columns] times eight rows int32 [8, words] -> int32 [8, columns]."""
    count, columns = words.shape
    zero = all_words(np.int32(0))
    for at in range(0, columns, 16):
        s0, s1, s2, s3, s4, s5, s6, s7 = zero, zero, zero, zero, zero, zero, zero, zero
        for q in range(count):
            w = load_words(words, q, at)
            s0 = dot_bytes(s0, all_words(rows[0, q]), w)
            s1 = dot_bytes(s1, all_words(rows[1, q]), w)
            s2 = dot_bytes(s2, all_words(rows[2, q]), w)
            s3 = dot_bytes(s3, all_words(rows[3, q]), w)
            s4 = dot_bytes(s4, all_words(rows[4, q]), w)
            s5 = dot_bytes(s5, all_words(rows[5, q]), w)
            s6 = dot_bytes(s6, all_words(rows[6, q]), w)
            s7 = dot_bytes(s7, all_words(rows[7, q]), w)
        store_words(sums, 0, at, s0)
        store_words(sums, 1, at, s1)
        store_words(sums, 2, at, s2)
        store_words(sums, 3, at, s3)
        store_words(sums, 4, at, s4)
        store_words(sums, 5, at, s5)
        store_words(sums, 6, at, s6)
        store_words(sums, 7, at, s7)


@kernel(inner=True)
def all_planes(packed: Any, rows: Any, sums: Any) -> None:
    """sums: int32 [planes, 8, columns]."""
    for p in range(packed.words.shape[0]):
        _eight_rows(packed.words[p], rows, sums[p])


@kernel(inner=True)
def _total(packed: Any, sums: Any, r: Any, j: Any) -> int:
    """Of all planes, output j of row r."""
    total = np.int64(np.int32(sums[0, r, j] - packed.offset[0, j]))
    for p in range(1, sums.shape[0]):
        total += np.int64(np.int32(sums[p, r, j] - packed.offset[p, j])) << (6 * p)
    return int(total)


@kernel(inner=True)
def rescaled(packed: Any, scale: Any, sums: Any, r: Any, out: Any) -> None:
    """Row r -> out [m]."""
    zero, low, high = scale.quantisation[0], scale.quantisation[1], scale.quantisation[2]
    own, offset = sums[0, r], packed.offset[0]
    if sums.shape[0] == 1:
        for j in range(out.shape[0]):
            total = np.int64(np.int32(own[j] - offset[j])) + scale.bias[j]
            v = (total * scale.multiplier[j] + ((np.int64(1) << scale.shift[j]) >> 1)) >> scale.shift[j]
            out[j] = min(high, max(low, v + zero))
    else:
        for j in range(out.shape[0]):
            total = _total(packed, sums, r, j) + scale.bias[j]
            v = (total * scale.multiplier[j] + ((np.int64(1) << scale.shift[j]) >> 1)) >> scale.shift[j]
            out[j] = min(high, max(low, v + zero))


@kernel(inner=True)
def _gather(known: Any, around: Any, at: Any, row: Any) -> None:
    """What the at-th output sees, as unsigned bytes."""
    height, width, stride = around.shape[0], around.shape[1], around.shape[2]
    beyond, features = np.uint8(around.shape[3] + 128), around.shape[4]
    image, rest = at // (height * width), at % (height * width)
    top, left = rest // width * stride, rest % width * stride
    last, end = around.heights[image], around.widths[image]
    for t in range(around.taps.shape[0]):
        y, x = top + around.taps[t, 0], left + around.taps[t, 1]
        first = t * features
        if 0 <= y < last and 0 <= x < end:
            for f in range(features):
                row[first + f] = known[image, y, x, f]
        else:
            for f in range(features):
                row[first + f] = beyond


@kernel(allocates=True)
def _convolve(known: Any, around: Any, packed: Any, scale: Any, first: int, end: int, out: Any) -> None:
    """uint8 [N, H, W, F], integers plus 128 -> rows first .. end of integers [N h w, m]."""
    planes, words, columns = packed.words.shape
    rows = np.zeros((8, 4 * words), np.uint8)
    as_words, sums = rows.view(np.int32), np.empty((planes, 8, columns), np.int32)
    for begin in range(first, end, 8):
        count = min(8, end - begin)
        for r in range(count):
            _gather(known, around, begin + r, rows[r])
        all_planes(packed, as_words, sums)
        for r in range(count):
            rescaled(packed, scale, sums, r, out[begin + r])


@kernel(allocates=True)
def _scaled_rows(x: Any, packed: Any, scale: Any, first: int, end: int, out: Any) -> None:
    """uint8 [n, k], integers plus 128 -> rows first .. end of integers [n, m]."""
    planes, words, columns = packed.words.shape
    rows = np.zeros((8, 4 * words), np.uint8)
    as_words, sums = rows.view(np.int32), np.empty((planes, 8, columns), np.int32)
    for begin in range(first, end, 8):
        count = min(8, end - begin)
        for r in range(count):
            for k in range(x.shape[1]):
                rows[r, k] = x[begin + r, k]
        all_planes(packed, as_words, sums)
        for r in range(count):
            rescaled(packed, scale, sums, r, out[begin + r])


@kernel(allocates=True)
def _sums_of_rows(x: Any, packed: Any, first: int, end: int, out: Any) -> None:
    """uint8 [n, k], integers plus 128 -> rows first .. end of sums, int64 [n, m]."""
    planes, words, columns = packed.words.shape
    rows = np.zeros((8, 4 * words), np.uint8)
    as_words, sums = rows.view(np.int32), np.empty((planes, 8, columns), np.int32)
    for begin in range(first, end, 8):
        count = min(8, end - begin)
        for r in range(count):
            for k in range(x.shape[1]):
                rows[r, k] = x[begin + r, k]
        all_planes(packed, as_words, sums)
        for r in range(count):
            for j in range(out.shape[1]):
                out[begin + r, j] = _total(packed, sums, r, j)


def unsigned(x: Ints) -> npt.NDArray[np.uint8]:
    """int8 as the kernels take it: the integer plus 128, in one piece."""
    return np.bitwise_xor(np.ascontiguousarray(x).view(np.uint8), np.uint8(128))


def _least(packed: Packed) -> int:
    """Rows of a thread's part, at least."""
    return ROWS + LEAST // int(packed.words[0].size)


def multiply(packed: Packed, x: Ints, wide: bool) -> Ints:
    """int8 or int16 [n, k] -> int32 [n, m], int64 where sums are wide."""
    if x.dtype == np.int8:
        out: Ints = np.empty((len(x), packed.offset.shape[1]), np.int64)  # one kind: one kernel to compile
        own = unsigned(x)
        in_parts(len(x), _least(packed), lambda first, end: _sums_of_rows(own, packed, first, end, out))
        return out if wide else out.astype(np.int32)
    low = x.astype(np.int8)  # x = 256 high + low; high may be 128, which takes two parts
    high = (x.astype(np.int32) - low) >> 8
    top = np.minimum(high, 127)
    parts = [(0, low), (8, top.astype(np.int8))]
    if (high > 127).any():
        parts.append((8, (high - top).astype(np.int8)))
    total = sum(multiply(packed, part, True) << shift for shift, part in parts)
    return np.asarray(total, np.int64 if wide else np.int32)


def multiply_and_scale(packed: Packed, scale: Scale, x: Ints, dtype: type[np.generic]) -> Ints:
    """int8 [n, k] -> int8 or int16 [n, m]."""
    out: Ints = np.empty((len(x), len(scale.bias)), dtype)
    own = unsigned(x)
    in_parts(len(x), _least(packed), lambda first, end: _scaled_rows(own, packed, scale, first, end, out))
    return out


def convolve(packed: Packed, scale: Scale, known: Ints, around: Around, dtype: type[np.generic]) -> Ints:
    """int8 [N, H, W, F] -> int8 or int16 [N, h, w, m], h and w as ``around`` says."""
    height, width = (int(size) for size in around.shape[:2])
    out: Ints = np.empty((len(known) * height * width, len(scale.bias)), dtype)
    own = unsigned(known)
    in_parts(len(out), _least(packed), lambda first, end: _convolve(own, around, packed, scale, first, end, out))
    return out.reshape(len(known), height, width, -1)
