"""What the networks see: int8 features of a block's end and of a coefficient (prediction in steps of the quantiser).

Magnitudes are 1/2 log2(1 + x) with x in steps, so that most of what is seen is within 4. Features are written by
active block, side by side (a column each), packed as the first product takes them.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.models.jpeg.front import NEIGHBOURS
from arcomp.models.jpeg.planes import LEFT, LEFT_LINEAR, NEAR_ENDS, TOP, TOP_LINEAR, dequantised, logarithm
from arcomp.models.jpeg.tables import MAGNITUDES

COEFFICIENT = 96
"""Inputs of the network of coefficients."""
END = 48
"""Inputs of the network of ends."""
PREDICTIONS = 6
"""Of a coefficient: by the edges above (linear, constant) and left, by luma, by the first chroma."""
LIMIT = 300 << 6
"""Of a prediction, Q6."""
ANCHOR_LIMIT = 2047
# Columns of Front.about:
AROUND, SUMS, OWN_NEAR, OWN_FAR, TWO_RIGHT, TWO_BELOW, ENERGY, SO_FAR, ANCHOR, LUMA = range(6, 16)
"""Numbers of a coefficient that contexts use too; before these the predictions (Q6).

AROUND: neighbours at the same frequency, 4, 4, 2, 2, 1, 1 times their magnitudes. SUMS: weighted sums of what is
around them, Q4. OWN_NEAR: magnitudes right and below, Q4; OWN_FAR: right and below. TWO_RIGHT, TWO_BELOW: the
coefficients two to the right and two below, Q4. ENERGY: of the blocks left and above, in steps, Q4. SO_FAR: sum of the
own magnitudes, in steps, Q4. ANCHOR: what DC is coded as the difference from. LUMA: the luma here, Q4.
"""
OWN_DIAGONAL = 16
CHROMA = 17
_FIRST_BYTE = 0 if sys.byteorder == "little" else 3


@kernel(inline="always")
def put(out: Any, feature: Any, column: Any, value: Any) -> None:
    """Write a feature, -128 .. 127, where :mod:`arcomp.exact.dense` has it: four to a word, plus 128."""
    out[feature >> 2, column, (feature & 3) ^ _FIRST_BYTE] = np.uint8(np.int64(value) + 128)


@kernel(inline="always")
def got(out: Any, feature: Any, column: Any) -> Any:
    """A feature that was written."""
    return np.int64(out[feature >> 2, column, (feature & 3) ^ _FIRST_BYTE]) - 128


@kernel(inline="always")
def clamp8(value: Any) -> Any:
    """Within int8."""
    return max(-128, min(127, np.int64(value)))


@kernel(inline="always")
def size(tables: Any, sixteenths: Any) -> Any:
    """1/2 log2(1 + x) as a feature, of a magnitude in sixteenths."""
    return np.int64(tables.magnitude[min(MAGNITUDES - 1, sixteenths)])


@kernel(inline="always")
def signed(tables: Any, sixteenths: Any) -> Any:
    """The same with a sign."""
    a = np.int64(tables.magnitude[min(MAGNITUDES - 1, abs(sixteenths))])
    return -a if sixteenths < 0 else a


@kernel(inline="always")
def in_steps(plane: Any, n: Any, value: Any) -> Any:
    """A number, Q0, in sixteenths of a step."""
    return (value * plane.inverse[n]) >> 20


@kernel(inner=True)
def end_features(tables: Any, plane: Any, front: Any, count: int, out: Any) -> None:
    """Features of the ends of all blocks of a front: uint8 [words, columns, 4]."""
    for k in range(count):
        near = front.near[k]
        at = 0
        for i in range(NEIGHBOURS):
            put(out, i, k, plane.ends[near[i]])
            put(out, NEIGHBOURS + i, k, 32 * plane.known[near[i]])
            put(out, 2 * NEIGHBOURS + i, k, clamp8(logarithm(tables, plane.energy[near[i]]) >> 1))
        at = 3 * NEIGHBOURS
        for i in range(2):
            put(out, at + i, k, front.other_end[k, i])
            put(out, at + 2 + i, k, clamp8(logarithm(tables, front.other_energy[k, i]) >> 1))
        put(out, at + 4, k, 32 * plane.kind)
        put(out, at + 5, k, 32 * plane.second)
        put(out, at + 6, k, clamp8(plane.logs[64]))
        put(out, at + 7, k, clamp8(plane.logs[8]))
        put(out, at + 8, k, clamp8(plane.logs[63]))
        put(out, at + 9, k, clamp8(plane.logs[27]))
        at += 10
        for i in range(2):
            for j in range(4):
                put(out, at, k, clamp8((logarithm(tables, plane.bands[near[i], j]) * 13) >> 4))
                at += 1
        if plane.kind:
            _luma_bands(tables, plane, front.block[k], k, out, at)
        else:
            for j in range(3):
                put(out, at + j, k, 0)
        at += 3
        top, left = plane.edges[near[1], TOP], plane.edges[near[0], LEFT]
        for first in (1, 4):
            a, b = np.int64(0), np.int64(0)
            for u in range(first, 8):
                a += abs(top[u])
                b += abs(left[u])
            put(out, at, k, clamp8(logarithm(tables, a >> 4) >> 1))
            put(out, at + 1, k, clamp8(logarithm(tables, b >> 4) >> 1))
            at += 2
        for i in range(at, END):
            put(out, i, k, 0)


@kernel(inner=True)
def _luma_bands(tables: Any, plane: Any, block: int, k: int, out: Any, at: int) -> None:
    begin = 1
    for j in range(3):
        end = 6 if j == 0 else 15 if j == 1 else 36
        total = np.int64(0)
        for z in range(begin, end):
            n = tables.zigzag[z]
            total += (abs(np.int64(plane.luma[block, n])) * plane.inverse[n]) >> 22  # Q4
        put(out, at + j, k, clamp8((logarithm(tables, total >> 4) * 13) >> 4))
        begin = end


@kernel(inner=True)
def predict(tables: Any, plane: Any, front: Any, k: int, z: int, about: Any) -> None:
    """Predictions of a coefficient, Q6, and its anchor, into the first columns of ``about``."""
    n = tables.zigzag[z]
    v, u = n >> 3, n & 7
    rest, near = front.rest[k], front.near[k]
    above, left = plane.known[near[1]], plane.known[near[0]]
    for i in range(4):
        known = above if i < LEFT_LINEAR else left
        p = (rest[i, u if i < LEFT_LINEAR else v] * plane.gains[i, n]) >> 16
        about[i] = p if known else 0
    anchor: Any = np.int64(0)
    if z == 0 and (above or left):
        total = about[TOP_LINEAR] + about[TOP] + about[LEFT_LINEAR] + about[LEFT]
        half = np.int64(2 if above and left else 1)
        anchor = ((total >> half) + 32) >> 6
        anchor = max(-ANCHOR_LIMIT, min(ANCHOR_LIMIT, anchor))
    about[ANCHOR] = anchor
    for i in range(4):
        if above if i < LEFT_LINEAR else left:
            about[i] -= anchor << 6
        about[i] = max(-LIMIT, min(LIMIT, about[i]))
    about[4] = about[5] = about[LUMA] = about[CHROMA] = 0
    if plane.kind and z:
        block = front.block[k]
        about[LUMA] = (np.int64(plane.luma[block, n]) * plane.inverse[n]) >> 22
        about[4] = max(-LIMIT, min(LIMIT, (about[LUMA] * front.slope[k, 0]) >> 6))


@kernel(inner=True)
def features(tables: Any, planes: Any, means: Any, front: Any, z: int, m: int, out: Any) -> None:
    """Features of the coefficient at place z of an active block: column m of uint8 [words, columns, 4].

    Args:
        planes: own, luma, first chroma.
    """
    plane = planes[0]
    k = front.active[m]
    n = tables.zigzag[z]
    block, near, about = front.block[k], front.near[k], front.about[m]
    end, seen = front.end[k], front.seen[k]
    distance = end - z
    predict(tables, plane, front, k, z, about)
    if plane.second and z:
        about[CHROMA] = in_steps(plane, n, dequantised(planes[2], block, n))
        about[5] = max(-LIMIT, min(LIMIT, (about[CHROMA] * front.slope[k, 1]) >> 6))
    _neighbour_features(tables, plane, front, n, m, out)
    put(out, 24, m, plane.ends[near[0]])
    put(out, 25, m, plane.ends[near[1]])
    put(out, 26, m, end)
    put(out, 27, m, distance)
    put(out, 28, m, 32 // (1 + distance))
    _own_features(tables, plane, front, z, m, out)
    about[SO_FAR] = in_steps(plane, n, seen[1])
    put(out, 45, m, size(tables, about[SO_FAR]))
    put(out, 46, m, min(127, 2 * seen[0]))
    put(out, 47, m, size(tables, abs(seen[2]) << 4))
    put(out, 48, m, size(tables, abs(seen[3]) << 4))
    put(out, 49, m, min(127, 64 * seen[0] // (2 * distance + 1)))
    _prediction_features(tables, about, m, out)
    put(out, 60, m, clamp8(plane.logs[n]))
    put(out, 61, m, clamp8(plane.logs[64]))
    put(out, 62, m, clamp8(plane.logs[8]))
    put(out, 63, m, 32 * plane.kind)
    put(out, 64, m, 32 * plane.second)
    put(out, 65, m, 32 if distance == 0 else 0)
    _other_features(tables, front, k, m, out)
    place = 64 * plane.kind + z
    put(out, 93, m, size(tables, means.magnitude[place] >> 11))
    put(out, 94, m, means.zero[place] >> 11)
    put(out, 95, m, means.zero_near[place, min(NEAR_ENDS - 1, distance)] >> 11)


@kernel(inner=True)
def _neighbour_features(tables: Any, plane: Any, front: Any, n: int, m: int, out: Any) -> None:
    """Of the blocks around: the same coefficient, and what is around it."""
    near, about = front.near[front.active[m]], front.about[m]
    anchor = about[ANCHOR]
    around, across = np.int64(0), np.int64(0)
    for i in range(NEIGHBOURS):
        own = near[i]
        q = (np.int64(plane.blocks[own, n]) - anchor) if plane.known[own] else np.int64(0)
        f = signed(tables, q << 4)
        put(out, i, m, f)
        put(out, NEIGHBOURS + i, m, abs(f))
        around += abs(q) * (4 if i < 2 else 2 if i < 4 else 1)
        across += q if i < 2 else -q if i == 2 else 0
    about[AROUND] = around
    put(out, 12, m, size(tables, around << 3))
    sums = np.int64(0)
    for i in range(4):
        e = in_steps(plane, n, np.int64(plane.sums[near[i], n]))
        sums += e * (2 if i < 2 else 1)
        put(out, 13 + i, m, size(tables, e))
        e = in_steps(plane, n, np.int64(plane.energy[near[i]]))
        put(out, 17 + i, m, clamp8(logarithm(tables, e >> 4) >> 1))
    about[SUMS] = sums
    about[ENERGY] = in_steps(plane, n, np.int64(plane.energy[near[0]]) + plane.energy[near[1]])
    put(out, 21, m, 32 * plane.known[near[0]])
    put(out, 22, m, 32 * plane.known[near[1]])
    put(out, 23, m, 32 * plane.known[near[3]])
    put(out, 76, m, signed(tables, across << 4))
    at = 77
    for i in range(4):
        own = near[i]
        for side in range(4):
            other = n + (1 if side == 0 else 8 if side == 1 else -1 if side == 2 else -8)
            ratio = plane.ratio[n, side]
            q = abs(np.int64(plane.blocks[own, other])) if ratio else np.int64(0)
            put(out, at, m, size(tables, (q * ratio) >> 4))
            at += 1


@kernel(inner=True)
def _prediction_features(tables: Any, about: Any, m: int, out: Any) -> None:
    for i in range(4):
        put(out, 50 + i, m, signed(tables, about[i] >> 2))
    top, left = about[0] + about[1], about[2] + about[3]
    put(out, 54, m, signed(tables, top >> 3))
    put(out, 55, m, signed(tables, left >> 3))
    put(out, 56, m, signed(tables, (top + left) >> 4))
    put(out, 57, m, size(tables, abs(about[0] - about[1]) >> 2))
    put(out, 58, m, size(tables, abs(about[2] - about[3]) >> 2))
    put(out, 59, m, size(tables, abs(about[0] - about[2]) >> 2))


@kernel(inner=True)
def _own_features(tables: Any, plane: Any, front: Any, z: int, m: int, out: Any) -> None:
    """Of the coefficients of its own block that are coded."""
    k = front.active[m]
    n, block, about = tables.zigzag[z], front.block[k], front.about[m]
    own = tables.own[z]
    v, u = n >> 3, n & 7
    for i in range(12):
        at = own[i]
        f = in_steps(plane, n, abs(dequantised(plane, block, at))) if at >= 0 else np.int64(0)
        put(out, 29 + i, m, size(tables, f))
        if i == 0:
            about[OWN_NEAR] = f
        elif i == 1:
            about[OWN_FAR] = f
        elif i == 2:
            about[OWN_DIAGONAL] = f
    about[TWO_RIGHT] = in_steps(plane, n, dequantised(plane, block, n + 2)) if u < 6 else 0
    about[TWO_BELOW] = in_steps(plane, n, dequantised(plane, block, n + 16)) if v < 6 else 0
    put(out, 41, m, signed(tables, about[TWO_RIGHT]))
    put(out, 42, m, signed(tables, about[TWO_BELOW]))
    put(out, 43, m, signed(tables, in_steps(plane, n, dequantised(plane, block, n + 1))) if u < 7 else 0)
    put(out, 44, m, signed(tables, in_steps(plane, n, dequantised(plane, block, n + 8))) if v < 7 else 0)


@kernel(inner=True)
def _other_features(tables: Any, front: Any, k: int, m: int, out: Any) -> None:
    """Of luma and the first chroma at the same place."""
    about = front.about[m]
    put(out, 66, m, signed(tables, about[LUMA]))
    put(out, 67, m, size(tables, abs(about[LUMA])))
    put(out, 68, m, signed(tables, about[4] >> 2))
    put(out, 69, m, clamp8(front.slope[k, 0] >> 3))
    put(out, 70, m, signed(tables, about[CHROMA]))
    put(out, 71, m, size(tables, abs(about[CHROMA])))
    put(out, 72, m, signed(tables, about[5] >> 2))
    put(out, 73, m, clamp8(front.slope[k, 1] >> 3))
    put(out, 74, m, front.other_end[k, 1])
    put(out, 75, m, front.other_end[k, 0])
