"""Sums of products of samples' differences, LANES pixels side by side: what all windows are made of.

Two samples go to a word, since processors multiply and add 16-bit numbers in pairs; both rows of a product are read for
several others before they are read again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from arcomp.exact.compiled import kernel
from arcomp.exact.dense import dot_shorts
from arcomp.exact.lanes import (
    aligned,
    load_shorts,
    load_words,
    multiply_halves,
    pair_shorts,
    store_words,
    subtract_halves,
)
from arcomp.models.photo.planes import LANES, NEIGHBOURS, SKEW, Int32

BLOCK = 16
"""Pairs of samples that are summed at a time: their differences stay in the first cache."""


class Pairs(NamedTuple):
    """Differences of a block of samples, two to a word."""

    weighted: Int32
    """[BLOCK * m, LANES]: times their weights."""
    plain: Int32


def pairs_of(size: int) -> Pairs:
    """Workspace for windows of at most this m."""
    return Pairs(*(aligned((BLOCK * size, LANES), "int32") for _ in range(2)))


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
    flat, channels, ring = planes.flat, planes.channels, planes.values.shape[1]
    mask = ring - 1
    (a, ay), (b, by) = first, second
    west0 = _pair(flat, (a - 1) & mask, at + ay, (b - 1) & mask, at + by)
    west1, west2 = west0, west0
    if channels > 1:
        west1 = _pair(flat, ring + ((a - 1) & mask), at + ay, ring + ((b - 1) & mask), at + by)
        west2 = _pair(flat, 2 * ring + ((a - 1) & mask), at + ay, 2 * ring + ((b - 1) & mask), at + by)
    i = row
    for j in range(1, taps + 1):
        ny, nx = (NEIGHBOURS[j, 0], NEIGHBOURS[j, 1]) if j < taps else (0, 0)
        own_a, own_b, at_a, at_b = (a + nx + SKEW * ny) & mask, (b + nx + SKEW * ny) & mask, at + ay + ny, at + by + ny
        _difference(_pair(flat, own_a, at_a, own_b, at_b), west0, weights, pairs, i)
        if channels > 1:
            _difference(_pair(flat, ring + own_a, at_a, ring + own_b, at_b), west1, weights, pairs, i + 1)
            _difference(_pair(flat, 2 * ring + own_a, at_a, 2 * ring + own_b, at_b), west2, weights, pairs, i + 2)
        i += channels


@kernel(inline="always")
def _pair(flat: Any, row_a: Any, at_a: Any, row_b: Any, at_b: Any) -> Any:
    return pair_shorts(load_shorts(flat, row_a, at_a), load_shorts(flat, row_b, at_b))


@kernel(inline="always")
def _difference(own: Any, west: Any, weights: Any, pairs: Any, i: Any) -> None:
    v = subtract_halves(own, west)
    store_words(pairs.plain, i, 0, v)
    store_words(pairs.weighted, i, 0, multiply_halves(weights, v))


@kernel(inner=True)
def add(m: int, count: int, pairs: Any, sums: Any, at: int) -> None:
    """Add products of ``count`` pairs of samples to int32 [m (m + 1) / 2, columns], LANES columns from ``at`` on."""
    end = count * m
    for i in range(0, m - 1, 2):
        j = 0
        while j + 2 <= i:
            _two_rows(m, end, i, j, pairs, sums, at)
            j += 4
        if j == i:
            _corner(m, end, i, pairs, sums, at)
    if m % 2:
        _last_row(m, end, pairs, sums, at)


@kernel(inner=True)
def _two_rows(m: int, end: int, i: int, j: int, pairs: Any, sums: Any, at: int) -> None:
    """Rows i and i + 1, columns j .. j + 3; (i, i + 1) would be above the diagonal."""
    u, v = pairs.weighted, pairs.plain
    top, low = i * (i + 1) // 2 + j, (i + 1) * (i + 2) // 2 + j
    a0, a1, a2 = load_words(sums, top, at), load_words(sums, top + 1, at), load_words(sums, top + 2, at)
    b0, b1, b2 = load_words(sums, low, at), load_words(sums, low + 1, at), load_words(sums, low + 2, at)
    a3, b3 = load_words(sums, top + 3, at), load_words(sums, low + 3, at)
    for s in range(0, end, m):
        x, y = load_words(u, s + i, 0), load_words(u, s + i + 1, 0)
        v0, v1 = load_words(v, s + j, 0), load_words(v, s + j + 1, 0)
        v2, v3 = load_words(v, s + j + 2, 0), load_words(v, s + j + 3, 0)
        a0 = dot_shorts(a0, x, v0)
        a1 = dot_shorts(a1, x, v1)
        a2 = dot_shorts(a2, x, v2)
        a3 = dot_shorts(a3, x, v3)
        b0 = dot_shorts(b0, y, v0)
        b1 = dot_shorts(b1, y, v1)
        b2 = dot_shorts(b2, y, v2)
        b3 = dot_shorts(b3, y, v3)
    store_words(sums, top, at, a0)
    store_words(sums, top + 1, at, a1)
    store_words(sums, top + 2, at, a2)
    if j + 3 <= i:
        store_words(sums, top + 3, at, a3)
    store_words(sums, low, at, b0)
    store_words(sums, low + 1, at, b1)
    store_words(sums, low + 2, at, b2)
    store_words(sums, low + 3, at, b3)


@kernel(inner=True)
def _corner(m: int, end: int, i: int, pairs: Any, sums: Any, at: int) -> None:
    """(i, i), (i + 1, i), (i + 1, i + 1)."""
    u, v = pairs.weighted, pairs.plain
    top, low = i * (i + 1) // 2 + i, (i + 1) * (i + 2) // 2 + i
    a, b, c = load_words(sums, top, at), load_words(sums, low, at), load_words(sums, low + 1, at)
    for s in range(i, end, m):
        x, y, v0 = load_words(u, s, 0), load_words(u, s + 1, 0), load_words(v, s, 0)
        a = dot_shorts(a, x, v0)
        b = dot_shorts(b, y, v0)
        c = dot_shorts(c, y, load_words(v, s + 1, 0))
    store_words(sums, top, at, a)
    store_words(sums, low, at, b)
    store_words(sums, low + 1, at, c)


@kernel(inner=True)
def _last_row(m: int, end: int, pairs: Any, sums: Any, at: int) -> None:
    """Row m - 1, three columns at a time (m is a multiple of 3 wherever it is odd, but for gray)."""
    u, v = pairs.weighted, pairs.plain
    for j in range(0, m, 3):
        p = m * (m - 1) // 2 + j
        q1, q2 = min(j + 1, m - 1), min(j + 2, m - 1)
        a = load_words(sums, p, at)
        b, c = load_words(sums, p + q1 - j, at), load_words(sums, p + q2 - j, at)
        for s in range(0, end, m):
            x = load_words(u, s + m - 1, 0)
            a = dot_shorts(a, x, load_words(v, s + j, 0))
            b = dot_shorts(b, x, load_words(v, s + q1, 0))
            c = dot_shorts(c, x, load_words(v, s + q2, 0))
        store_words(sums, p, at, a)
        store_words(sums, p + q1 - j, at, b)
        store_words(sums, p + q2 - j, at, c)
