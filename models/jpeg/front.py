"""A front: blocks none of which depends on another, and what is known of each while it is coded."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.exact.dense import LANES
from arcomp.models.jpeg.planes import (
    LARGEST,
    LEFT,
    LEFT_LINEAR,
    PADDING_BEFORE,
    TOP,
    TOP_LINEAR,
    dequantised,
    shrink_luma,
)
from arcomp.models.jpeg.tables import Int64

SKEW = 2
"""A block needs the one above and to its right: fronts are x + 2 y = t."""
NEIGHBOURS = 6
"""Left, above, above left, above right, two to the left, two above."""
FITTED = 15
"""Places in the order before which coefficients are compared with those of other components."""


class Front(NamedTuple):
    """At most n blocks."""

    block: Int64
    """[n]: in the grid."""
    near: Int64
    """[n, 6]: the neighbours, in the grid."""
    end: Int64
    """[n]."""
    other_end: Int64
    """[n, 2]: chroma: the largest end of the luma here, the end of the first chroma component here."""
    other_energy: Int64
    """[n, 2]: the energies."""
    rest: Int64
    """[n, 4, 8]: what is left of the edges, Q4."""
    slope: Int64
    """[n, 2]: chroma against luma, against the first chroma, Q8."""
    seen: Int64
    """[n, 4]: coefficients that are not 0 so far, sum of their magnitudes times steps, the last and the one before."""
    active: Int64
    """[n]: blocks that have a coefficient at the place that is coded."""
    about: Int64
    """[n, 24]: what inputs and contexts of a coefficient share, by active block; see :mod:`inputs`."""


def new_front(longest: int) -> Front:
    """For fronts of at most so many blocks."""
    n = -(-longest // LANES) * LANES

    def integers(*shape: int) -> Int64:
        return np.zeros((n, *shape), np.int64)

    return Front(
        integers(), integers(NEIGHBOURS), integers(), integers(2), integers(2), integers(4, 8), integers(2),
        integers(4), integers(), integers(24),
    )  # fmt: skip


def front_count(rows: int, columns: int) -> int:
    """Fronts of a component."""
    return columns + SKEW * (rows - 1)


def longest(rows: int, columns: int) -> int:
    """Blocks of the longest front."""
    return min(rows, -(-columns // SKEW))


@kernel(inner=True)
def begin_front(tables: Any, planes: Any, front: Any, t: int) -> int:
    """Take the blocks of front t of a component, in the sequence in which they are coded; returns how many.

    Args:
        planes: the component's own; luma; first chroma (the same again where there are no others).
    """
    plane = planes[0]
    count = 0
    first = max(0, (t - plane.columns + SKEW) // SKEW)
    for y in range(first, min(plane.rows - 1, t // SKEW) + 1):
        x = t - SKEW * y
        block = (y + PADDING_BEFORE) * plane.width + x + PADDING_BEFORE
        front.block[count] = block
        near = front.near[count]
        near[0], near[1], near[2] = block - 1, block - plane.width, block - plane.width - 1
        near[3], near[4], near[5] = block - plane.width + 1, block - 2, block - 2 * plane.width
        _begin_block(plane, front, count)
        if plane.kind:
            end, energy = shrink_luma(tables, plane, planes[1], y, x)
            front.other_end[count, 0], front.other_energy[count, 0] = end, energy
            _fit(tables, plane, planes[2], front, count)
        count += 1
    return count


@kernel(inner=True)
def _begin_block(plane: Any, front: Any, k: int) -> None:
    rest, seen, near = front.rest[k], front.seen[k], front.near[k]
    for i in range(4):
        edge = plane.edges[near[1 if i < LEFT_LINEAR else 0], i]
        for j in range(8):
            rest[i, j] = edge[j]
        seen[i] = 0
    for i in range(2):
        front.other_end[k, i] = front.other_energy[k, i] = front.slope[k, i] = 0


@kernel(inner=True)
def _fit(tables: Any, plane: Any, chroma: Any, front: Any, k: int) -> None:
    """Slopes of the lowest coefficients of four neighbours against the luma's, and the first chroma's."""
    near, block = front.near[k], front.block[k]
    both, squares, both_chroma, squares_chroma = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for i in range(4):
        at, weight = near[i], np.int64(2 if i < 2 else 1)
        for z in range(1, FITTED):
            n = tables.zigzag[z]
            f, luma = dequantised(plane, at, n), np.int64(plane.luma[at, n])
            both += weight * f * luma
            squares += weight * luma * luma
            if plane.second:
                g = dequantised(chroma, at, n)
                both_chroma += weight * f * g
                squares_chroma += weight * g * g
    front.slope[k, 0] = max(-1024, min(1024, 1024 * both // (squares + 6400)))
    if plane.second:
        front.slope[k, 1] = max(-1024, min(1024, 256 * both_chroma // (squares_chroma + 400)))
        front.other_end[k, 1], front.other_energy[k, 1] = chroma.ends[block], chroma.energy[block]


@kernel(inline="always")
def push(tables: Any, plane: Any, front: Any, k: Any, z: Any, value: Any) -> None:
    """A coefficient of a block is known."""
    n = tables.zigzag[z]
    v, u = n >> 3, n & 7
    rest, seen = front.rest[k], front.seen[k]
    if value != 0:
        f = max(-LARGEST, min(LARGEST, value * plane.step[n]))
        rest[TOP_LINEAR, u] -= (f * tables.halfway[v]) >> 8
        rest[TOP, u] -= (f * tables.basis[v, 0]) >> 8
        rest[LEFT_LINEAR, v] -= (f * tables.halfway[u]) >> 8
        rest[LEFT, v] -= (f * tables.basis[u, 0]) >> 8
        if z:
            seen[0] += 1
            seen[1] += abs(f)
    seen[3] = seen[2]
    seen[2] = value
