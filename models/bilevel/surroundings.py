"""What is around a pixel, as numbers of bits, and the contexts that are made of it.

Everything but the pixel to the left is known one pixel before. So contexts leave it out: counters are fetched from
memory while the pixel before is still being decided, which then says which of two side by side it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.coding.mixing.hashing import fold, hashed_evenly
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import all_words

REACH = 16
"""Columns to the right that are looked at in the rows above."""
TOP, SIDE = 9, 32
"""Rows above a tile and columns on each side of it."""
TABLES = 11
PERIOD = 8
"""Rows up, and columns to the left, of what is looked at far away: that of Bayer's matrix."""

_U1 = np.uint64(1)
_LAST = tuple(np.uint64((1 << bits) - 1) for bits in range(17))


@kernel(inline="always")
def part(row: Any, left: int, right: int) -> Any:
    """The bits of a row from so many columns to the left to so many to the right; negative: on the other side."""
    return (row >> np.uint64(REACH - right)) & np.uint64((1 << (left + right + 1)) - 1)


@kernel(inline="always")
def joined(number: Any, row: Any, left: int, right: int) -> Any:
    """A number of bits, and after them those of :func:`part`."""
    return number << np.uint64(left + right + 1) | part(row, left, right)


@kernel(inline="always")
def before(pixels: Any, y: Any) -> Any:
    """What is around the place before the first pixel of a row of ``pixels``: its own row, then the six above.
    (All that is to the left of a row has one colour.)

    Bit 16 of a row above is the column itself; higher bits are to the left. Bit 0 of its own is the pixel before.
    """
    one, two, three = np.uint64(0), np.uint64(0), np.uint64(0)
    four, five, six = np.uint64(0), np.uint64(0), np.uint64(0)
    for x in range(SIDE - 1 - REACH, SIDE + REACH):
        one = one << _U1 | np.uint64(pixels[y - 1, x])
        two = two << _U1 | np.uint64(pixels[y - 2, x])
        three = three << _U1 | np.uint64(pixels[y - 3, x])
        four = four << _U1 | np.uint64(pixels[y - 4, x])
        five = five << _U1 | np.uint64(pixels[y - 5, x])
        six = six << _U1 | np.uint64(pixels[y - 6, x])
    left = np.uint64(0) - np.uint64(pixels[y, SIDE - 1])
    return left, one, two, three, four, five, six


@kernel(inline="always")
def moved(around: Any, pixels: Any, y: Any, x: Any) -> Any:
    """What is around the pixel at (y, x) of ``pixels``, from what is around the one before, which counts as 0."""
    left, one, two, three, four, five, six = around
    right = x + REACH
    return (
        left << _U1,
        one << _U1 | np.uint64(pixels[y - 1, right]),
        two << _U1 | np.uint64(pixels[y - 2, right]),
        three << _U1 | np.uint64(pixels[y - 3, right]),
        four << _U1 | np.uint64(pixels[y - 4, right]),
        five << _U1 | np.uint64(pixels[y - 5, right]),
        six << _U1 | np.uint64(pixels[y - 6, right]),
    )


@kernel(inline="always")
def is_flat(around: Any, colour: Any) -> Any:
    """Whether all that is near has the colour of the pixel before, ``colour``."""
    left, one, two, three, four, five, _ = around
    fill = np.uint64(0) - np.uint64(colour)
    near = part(one ^ fill, 10, 10) | part(two ^ fill, 8, 8) | part(three ^ fill, 6, 6)
    near |= part(four ^ fill, 5, 5) | part(five ^ fill, 4, 4) | ((left ^ fill) & np.uint64(0xFFFF))
    return near == np.uint64(0)


@kernel(inline="always")
def nearest_pixels(around: Any) -> Any:
    """The ten nearest pixels: two to the left, five above, three above those."""
    return np.int64(joined(joined(around[0] & _LAST[2], around[1], 2, 2), around[2], 1, 1))


@kernel(inline="always")
def thickness(dense: Any) -> Any:
    """Of :func:`densities` the two highest bits each."""
    west, east, north = (dense >> np.uint64(10)) & _LAST[2], (dense >> np.uint64(6)) & _LAST[2], dense >> np.uint64(2)
    return np.int64(west << np.uint64(4) | east << np.uint64(2) | north & _LAST[2])


@kernel(inline="always")
def ones(value: Any) -> Any:
    """How many of 32 bits are set, uint64."""
    u64 = np.uint64
    v = value - ((value >> _U1) & u64(0x55555555))
    v = (v & u64(0x33333333)) + ((v >> u64(2)) & u64(0x33333333))
    return ((((v + (v >> u64(4))) & u64(0x0F0F0F0F)) * u64(0x01010101)) >> u64(24)) & u64(63)


@kernel(inline="always")
def _put(contexts: Any, checks: Any, table: int, h: Any) -> Any:
    """A table's context; addresses are even."""
    return hashed_evenly(contexts, checks, table, fold(h, np.uint64(table)))


@kernel(inline="always")
def _nine(pixels: Any, bottom: Any, right: Any) -> Any:
    """Three rows of three pixels, as a number."""
    found = np.uint64(0)
    for v in range(-2, 1):
        for u in range(-2, 1):
            found = found << _U1 | np.uint64(pixels[bottom + v, right + u])
    return found


@kernel(inline="always")
def densities(around: Any) -> Any:
    """How many ones there are to the left, to the right and above, each halved: 4 bits each. All of it is known before
    the pixel to the left."""
    left, one, two, three, four, five, _ = around
    west = ones(part(one, 6, -1)) + ones(part(two, 6, -1)) + ones(left & np.uint64(126))
    east = ones(part(one, -1, 6)) + ones(part(two, -1, 6)) + ones(part(three, -1, 6))
    north = ones(part(two, 1, 1)) + ones(part(three, 3, 3)) + ones(part(four, 4, 4)) + ones(part(five, 4, 4))
    return (west >> _U1) << np.uint64(8) | (east >> _U1) << np.uint64(4) | north >> _U1


@kernel(inner=True)
def contexts(around: Any, pixels: Any, y: Any, x: Any) -> Any:
    """The contexts of the pixel at (y, x) of ``pixels``; what the pixel before is, is no part of them.

    Returns:
        contexts and checks for :mod:`arcomp.coding.mixing`, and :func:`densities`.
    """
    left, one, two, three, four, five, six = around
    left >>= _U1
    out = checks = all_words(np.int32(0))
    dense = densities(around)
    near = joined(joined(left & _LAST[2], one, 2, 2), two, 1, 1)
    out, checks = _put(out, checks, 0, near)
    out, checks = _put(out, checks, 1, joined(joined(left & _LAST[3], one, 3, 3), two, 2, 2))
    h = joined(joined(joined(left & _LAST[4], one, 4, 4), two, 3, 3), three, 1, 1)
    out, checks = _put(out, checks, 2, h)
    h = joined(joined(joined(joined(left & _LAST[7], one, 7, 6), two, 6, 5), three, 5, 4), four, 3, 3)
    out, checks = _put(out, checks, 3, h)
    h = joined(joined(left & _LAST[10], one, 9, 9), two, 8, 8)
    h = fold(h, joined(joined(part(three, 6, 6), four, 5, 5), five, 4, 4))
    out, checks = _put(out, checks, 4, h)
    out, checks = _put(out, checks, 5, joined(left & _LAST[16], one, 1, 2))
    h = joined(joined(joined(left & _LAST[1], one, 1, 1), two, 1, 1), three, 1, 1)
    out, checks = _put(out, checks, 6, joined(joined(joined(h, four, 1, 1), five, 1, 1), six, 1, 1))
    h = joined(joined(joined(left & _LAST[1], one, 0, 3), two, -1, 5), three, -2, 6)
    out, checks = _put(out, checks, 7, joined(joined(h, four, -2, 7), five, -3, 8))
    h = joined(joined(joined(left & _LAST[2], one, 3, 0), two, 5, -1), three, 6, -2)
    out, checks = _put(out, checks, 8, joined(joined(h, four, 7, -2), five, 8, -3))
    out, checks = _put(out, checks, 9, joined(dense << np.uint64(2) | left & _LAST[2], one, 1, 1))
    h = _nine(pixels, y - PERIOD + 1, x + 1) << np.uint64(9) | _nine(pixels, y, x - PERIOD + 1)
    out, checks = _put(out, checks, 10, joined(h << _U1 | left & _LAST[1], one, 1, 1))
    return out, checks, dense
