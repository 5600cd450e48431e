"""Sums of products of samples' differences, LANES pixels side by side: what all windows are made of.

Two samples go to a word, since processors multiply and add 16-bit numbers in pairs; both rows of a product are read for
several others before they are read again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.exact.dense import dot_shorts
from arcomp.exact.lanes import (
    aligned,
    all_words,
    clamped_halves,
    load_pairs,
    load_words,
    multiply_halves,
    store_words,
    subtract_halves,
)
from arcomp.models.photo.depth import FARTHEST
from arcomp.models.photo.planes import LANES, NEIGHBOURS, SKEW, Int32

BLOCK = 20
"""Pairs of samples that are summed at a time."""
BEYOND = 2
"""Rows after the last pair's that are read, and of no consequence."""


class Pairs(NamedTuple):
    """Differences of a block of samples, two to a word."""

    weighted: Int32
    """[BLOCK * m + BEYOND, LANES]: times their weights."""
    plain: Int32


def pairs_of(size: int) -> Pairs:
    """Workspace for windows of at most this m."""
    return Pairs(*(aligned((BLOCK * size + BEYOND, LANES), "int32") for _ in range(2)))


@kernel(inner=True)
def differences(
    planes: Any, taps: int, at: int, first: Any, second: Any, weights: Any, pairs: Any, row: int
) -> None:  # fmt: skip
    """v of two samples of LANES pixels (:mod:`arcomp.models.photo.least_squares`).

    Args:
        at: column of the first pixel.
        first, second: of each sample, its front and how many rows below the pixels' it is.
        weights: both samples', a vector of pairs.
        row: of ``pairs`` where m rows are written.
    """
    levels, channels, ring = planes.levels, planes.channels, planes.values.shape[1]
    wide = planes.depth.wide
    mask, two = ring - 1, 2 * ring
    (a, ay), (b, by) = first, second
    west0 = load_pairs(levels, (a - 1) & mask, at + ay, (b - 1) & mask, at + by)
    west1, west2 = west0, west0
    if channels > 1:
        west1 = load_pairs(levels, ring + ((a - 1) & mask), at + ay, ring + ((b - 1) & mask), at + by)
        west2 = load_pairs(levels, two + ((a - 1) & mask), at + ay, two + ((b - 1) & mask), at + by)
    i = row
    for j in range(1, taps + 1):
        ny, nx = (NEIGHBOURS[j, 0], NEIGHBOURS[j, 1]) if j < taps else (0, 0)
        own_a, own_b, at_a, at_b = (a + nx + SKEW * ny) & mask, (b + nx + SKEW * ny) & mask, at + ay + ny, at + by + ny
        _difference(load_pairs(levels, own_a, at_a, own_b, at_b), west0, (weights, wide), pairs, i)
        if channels > 1:
            _difference(
                load_pairs(levels, ring + own_a, at_a, ring + own_b, at_b), west1, (weights, wide), pairs, i + 1
            )
            _difference(load_pairs(levels, two + own_a, at_a, two + own_b, at_b), west2, (weights, wide), pairs, i + 2)
        i += channels


@kernel(inline="always")
def _difference(own: Any, west: Any, weighted: Any, pairs: Any, i: Any) -> None:
    """``weighted``: the samples' weights, and whether differences may be larger than those of bytes."""
    weights, wide = weighted
    v = subtract_halves(own, west)
    if wide:
        v = clamped_halves(v, all_words(np.int32(FARTHEST * 65537)))
    store_words(pairs.plain, i, 0, v)
    store_words(pairs.weighted, i, 0, multiply_halves(weights, v))


@kernel(inner=True)
def add(m: int, count: int, pairs: Any, sums: Any, at: int) -> None:
    """Add products of ``count`` pairs of samples to int32 [m (m + 1) / 2, columns], LANES columns from ``at`` on."""
    for i in range(0, m, 3):
        j = 0
        while j < i:
            _tile(m, count * m, i, j, pairs, sums, at)
            j += 6
        if j == i:
            _corner(m, count * m, i, pairs, sums, at)


@kernel(inner=True)
def _tile(m: int, end: int, i: int, j: int, pairs: Any, sums: Any, at: int) -> None:
    """Rows i .. i + 2, columns j .. j + 5. What is read beyond row m - 1 is not stored."""
    u, v, zero = pairs.weighted, pairs.plain, all_words(np.int32(0))
    a0, a1, a2, a3, a4, a5 = zero, zero, zero, zero, zero, zero
    b0, b1, b2, b3, b4, b5 = zero, zero, zero, zero, zero, zero
    c0, c1, c2, c3, c4, c5 = zero, zero, zero, zero, zero, zero
    for s in range(0, end, m):
        x, y, z = load_words(u, s + i, 0), load_words(u, s + i + 1, 0), load_words(u, s + i + 2, 0)
        w = load_words(v, s + j, 0)
        a0, b0, c0 = dot_shorts(a0, x, w), dot_shorts(b0, y, w), dot_shorts(c0, z, w)
        w = load_words(v, s + j + 1, 0)
        a1, b1, c1 = dot_shorts(a1, x, w), dot_shorts(b1, y, w), dot_shorts(c1, z, w)
        w = load_words(v, s + j + 2, 0)
        a2, b2, c2 = dot_shorts(a2, x, w), dot_shorts(b2, y, w), dot_shorts(c2, z, w)
        w = load_words(v, s + j + 3, 0)
        a3, b3, c3 = dot_shorts(a3, x, w), dot_shorts(b3, y, w), dot_shorts(c3, z, w)
        w = load_words(v, s + j + 4, 0)
        a4, b4, c4 = dot_shorts(a4, x, w), dot_shorts(b4, y, w), dot_shorts(c4, z, w)
        w = load_words(v, s + j + 5, 0)
        a5, b5, c5 = dot_shorts(a5, x, w), dot_shorts(b5, y, w), dot_shorts(c5, z, w)
    _add_row(m, i, j, (a0, a1, a2, a3, a4, a5), sums, at)
    _add_row(m, i + 1, j, (b0, b1, b2, b3, b4, b5), sums, at)
    _add_row(m, i + 2, j, (c0, c1, c2, c3, c4, c5), sums, at)


@kernel(inner=True)
def _corner(m: int, end: int, i: int, pairs: Any, sums: Any, at: int) -> None:
    """Rows and columns i .. i + 2, up to the diagonal."""
    u, v, zero = pairs.weighted, pairs.plain, all_words(np.int32(0))
    a, b0, b1, c0, c1, c2 = zero, zero, zero, zero, zero, zero
    for s in range(i, end, m):
        y, z = load_words(u, s + 1, 0), load_words(u, s + 2, 0)
        w = load_words(v, s, 0)
        a, b0, c0 = dot_shorts(a, load_words(u, s, 0), w), dot_shorts(b0, y, w), dot_shorts(c0, z, w)
        w = load_words(v, s + 1, 0)
        b1, c1 = dot_shorts(b1, y, w), dot_shorts(c1, z, w)
        c2 = dot_shorts(c2, z, load_words(v, s + 2, 0))
    _add_row(m, i, i, (a, a, a, a, a, a), sums, at)
    _add_row(m, i + 1, i, (b0, b1, b1, b1, b1, b1), sums, at)
    _add_row(m, i + 2, i, (c0, c1, c2, c2, c2, c2), sums, at)


@kernel(inline="always")
def _add_row(m: Any, i: Any, j: Any, found: Any, sums: Any, at: Any) -> None:
    """Six columns of a row: those up to the diagonal."""
    if i < m:
        p = i * (i + 1) // 2 + j
        _add_to(sums, p, at, found[0])
        if j + 1 <= i:
            _add_to(sums, p + 1, at, found[1])
        if j + 2 <= i:
            _add_to(sums, p + 2, at, found[2])
        if j + 3 <= i:
            _add_to(sums, p + 3, at, found[3])
        if j + 4 <= i:
            _add_to(sums, p + 4, at, found[4])
        if j + 5 <= i:
            _add_to(sums, p + 5, at, found[5])


@kernel(inline="always")
def _add_to(sums: Any, p: Any, at: Any, found: Any) -> None:
    store_words(sums, p, at, load_words(sums, p, at) + found)
