"""What is known of one component of a strip: its blocks, and what later blocks need to know of them.

Blocks are counted in a grid with two columns and two rows before the first and one column after the last, all of
nothing, so that neighbours need no special cases.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import leading_zeros
from arcomp.models.jpeg.tables import Int32, Int64

Int16 = npt.NDArray[np.int16]
PADDING_BEFORE, PADDING_AFTER = 2, 1
"""Columns (and rows) of nothing before, columns of nothing after."""
LARGEST = 1 << 14
"""Coefficients times their steps are within it."""
BANDS = (6, 15, 36)
"""Places in the order where the next band of frequencies begins."""
TOP_LINEAR, TOP, LEFT_LINEAR, LEFT = range(4)
PLACES = 128
"""Places in the order, of luma and of chroma."""
NEAR_ENDS = 8
"""Distances to the end of a block that are told apart."""
RATE = 41
"""Of running means, in 2**-12."""


class Plane(NamedTuple):
    """One component; n blocks of the grid."""

    blocks: Int16
    """[n, 64], natural order."""
    sums: Int32
    """[n, 64]: of the magnitudes (times steps) of the eight frequencies around each."""
    energy: Int32
    """[n]: sum of all AC magnitudes times steps."""
    bands: Int32
    """[n, 4]: AC magnitudes in steps, by band."""
    ends: Int32
    """[n]: place of the last coefficient that is not 0; 0 if there is none but DC."""
    known: Int32
    """[n]: 1 for blocks that are coded."""
    edges: Int32
    """[n, 4, 8]: what the block says of the one below it and of the one to its right: the DCT of the samples where they
    meet, Q4; linear and constant."""
    luma: Int32
    """[n, 64]: chroma: DCT of the luma at the same place, Q2; no rows for luma."""
    step: Int64
    """[64]."""
    inverse: Int64
    """[64]: of the step, Q24."""
    ratio: Int64
    """[64, 4]: step of the frequency right, below, left, above to its own, Q8; 0: there is none."""
    logs: Int64
    """[66]: 8 log2 of each step; their mean; 16 log2 of the mean step of the lowest AC."""
    gains: Int64
    """[4, 64]: from what is left of an edge to a prediction of a coefficient in steps, Q18."""
    width: int
    """Columns of the grid."""
    rows: int
    columns: int
    kind: int
    """0 luma, 1 chroma."""
    second: int
    """1 for the second chroma component."""
    across: int
    """Luma blocks for a block, horizontally."""
    down: int


class Means(NamedTuple):
    """Running means of a strip, for places in the order of luma and of chroma, Q16."""

    magnitude: Int64
    """[128], of |q|."""
    zero: Int64
    """[128]: how often a coefficient is 0."""
    zero_near: Int64
    """[128, 8]: the same by distance to the end of the block."""
    power: Int64
    """[64], workspace."""


def new_means() -> Means:
    """Before the first coefficient."""
    order = np.maximum(1, np.arange(PLACES) % 64)
    return Means(
        (3 << 16) // order,
        np.full(PLACES, 1 << 15, np.int64),
        np.full((PLACES, NEAR_ENDS), 1 << 15, np.int64),
        np.zeros(64, np.int64),
    )


def _log2(value: int) -> int:
    """8 log2, rounded."""
    return (value**16).bit_length() // 2


def new_plane(
    rows: int, columns: int, quantisation: npt.NDArray[np.uint16], kind: int, second: int, ratio: tuple[int, int]
) -> Plane:
    """A component of which nothing is known.

    Args:
        quantisation: [64], natural order; steps of 0 count as 1.
        ratio: luma blocks for a block, horizontally and vertically.
    """
    width = columns + PADDING_BEFORE + PADDING_AFTER
    n = (rows + PADDING_BEFORE) * width
    step = np.maximum(quantisation.astype(np.int64), 1)
    around = np.zeros((64, 4), np.int64)
    for at in range(64):
        v, u = divmod(at, 8)
        for side, (dv, du) in enumerate(((0, 1), (1, 0), (0, -1), (-1, 0))):
            if 0 <= v + dv < 8 and 0 <= u + du < 8 and (v + dv, u + du) != (0, 0):
                around[at, side] = (step[8 * (v + dv) + u + du] << 8) // step[at]
    logs = [_log2(int(s)) for s in step]
    return Plane(
        np.zeros((n, 64), np.int16),
        np.zeros((n, 64), np.int32),
        np.zeros(n, np.int32),
        np.zeros((n, 4), np.int32),
        np.zeros(n, np.int32),
        np.zeros(n, np.int32),
        np.zeros((n, 4, 8), np.int32),
        np.zeros((n if kind else 0, 64), np.int32),
        step,
        ((1 << 25) // step + 1) // 2,
        around,
        np.array([*logs, sum(logs) // 64], np.int64),
        np.zeros((4, 64), np.int64),
        width, rows, columns, kind, second, *ratio,
    )  # fmt: skip


def memory(rows: int, columns: int) -> int:
    """Bytes of a plane, about."""
    return (rows + PADDING_BEFORE) * (columns + PADDING_BEFORE + PADDING_AFTER) * (128 + 256 + 256 + 128 + 28)


@kernel(inline="always")
def logarithm(tables: Any, value: Any) -> Any:
    """16 log2(1 + value), about, of an integer from 0 on."""
    v = np.int64(value) + 1
    n = 63 - leading_zeros(v)
    return n * 16 + np.int64(tables.mantissa[((v << 6) >> n) & 63])


@kernel(inline="always")
def dequantised(plane: Any, block: Any, at: Any) -> Any:
    """A coefficient times its step, within LARGEST."""
    return max(-LARGEST, min(LARGEST, np.int64(plane.blocks[block, at]) * plane.step[at]))


@kernel(inner=True)
def shrink_luma(tables: Any, plane: Any, luma: Any, y: int, x: int) -> Any:
    """Write the DCT of the luma at a chroma block's place; returns the largest end and the mean energy there."""
    out = plane.luma[(y + PADDING_BEFORE) * plane.width + x + PADDING_BEFORE]
    for n in range(64):
        out[n] = 0
    end, energy = np.int64(0), np.int64(0)
    for a in range(plane.down):
        by_rows = tables.shrinking[plane.down, a]
        for b in range(plane.across):
            yy, xx = min(luma.rows - 1, y * plane.down + a), min(luma.columns - 1, x * plane.across + b)
            block = (yy + PADDING_BEFORE) * luma.width + xx + PADDING_BEFORE
            by_columns = tables.shrinking[plane.across, b]
            last = np.int64(luma.ends[block])
            end, energy = max(end, last), energy + luma.energy[block]
            for v in range(8):
                for u in range(8):
                    f = dequantised(luma, block, 8 * v + u)
                    if f == 0:
                        continue
                    for i in range(8):
                        part = (f * by_rows[i, v]) >> 4  # Q8
                        for j in range(8):
                            out[8 * i + j] += np.int32((part * by_columns[j, u] + (1 << 17)) >> 18)
    return end, energy // (plane.down * plane.across)


@kernel(inner=True)
def finish_block(tables: Any, plane: Any, block: int) -> None:
    """Keep what later blocks need to know of a block that is coded."""
    magnitudes = plane.sums[block]
    edges, basis = plane.edges[block], tables.basis
    end = np.int64(plane.ends[block])
    for i in range(4):
        plane.bands[block, i] = 0
        for j in range(8):
            edges[i, j] = 0
    for n in range(64):
        magnitudes[n] = 0
    energy = np.int64(0)
    for z in range(end + 1):
        n = tables.zigzag[z]
        f = dequantised(plane, block, n)
        if f == 0:
            continue
        v, u = n >> 3, n & 7
        last_v, before_v, last_u, before_u = basis[v, 7], basis[v, 6], basis[u, 7], basis[u, 6]
        edges[TOP, u] += np.int32((f * last_v) >> 8)
        edges[LEFT, v] += np.int32((f * last_u) >> 8)
        edges[TOP_LINEAR, u] += np.int32((f * (3 * last_v - before_v)) >> 9)
        edges[LEFT_LINEAR, v] += np.int32((f * (3 * last_u - before_u)) >> 9)
        if z > 0:
            a = abs(f)
            energy += a
            q = abs(np.int64(plane.blocks[block, n]))
            plane.bands[block, 0 if z < BANDS[0] else 1 if z < BANDS[1] else 2 if z < BANDS[2] else 3] += np.int32(q)
            for dv in range(max(0, v - 1), min(8, v + 2)):
                for du in range(max(0, u - 1), min(8, u + 2)):
                    if dv != v or du != u:
                        magnitudes[8 * dv + du] += np.int32(a)
    plane.energy[block] = energy
    plane.known[block] = 1


@kernel(inner=True)
def update_gains(tables: Any, plane: Any, means: Any) -> None:
    """How much of what an edge leaves open is a coefficient's, by the running means of the magnitudes."""
    first = 64 * plane.kind
    power = means.power
    lowest = 3 * max(
        means.magnitude[first + 1] * plane.step[1], means.magnitude[first + 2] * plane.step[8]
    )  # fmt: skip
    for z in range(64):
        n = tables.zigzag[z]
        power[n] = min(1 << 26, (means.magnitude[first + z] * plane.step[n] if z else lowest) >> 4)  # Q12
    for n in range(64):
        v, u = n >> 3, n & 7
        for side in range(2):  # top, left
            own, rest = v if side == 0 else u, np.int64(1)
            mine = np.int64(0)
            for t in range(own + 1):
                g = (power[8 * t + u if side == 0 else 8 * v + t] * tables.halfway[t]) >> 12
                mine = g * g
                rest += mine
            share = (mine << 8) // ((rest >> 6) + 1)  # Q14
            for way in range(2):
                gain = (share * tables.inverse[way, own]) >> 16  # Q18
                plane.gains[2 * side + way, n] = (gain * plane.inverse[n]) >> 24


@kernel(inline="always")
def update_means(means: Any, place: Any, distance: Any, magnitude: Any) -> None:
    """A coefficient of this place in the order is known."""
    near = min(NEAR_ENDS - 1, distance)
    zero = (1 << 16) if magnitude == 0 else 0
    means.magnitude[place] += (((magnitude << 16) - means.magnitude[place]) * RATE) >> 12
    means.zero[place] += ((zero - means.zero[place]) * RATE) >> 12
    means.zero_near[place, near] += ((zero - means.zero_near[place, near]) * RATE) >> 12
