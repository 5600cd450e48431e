"""What is known of a tile while it is coded: its colours so far, and where each surrounding was seen last.

A pixel is one number, its channels side by side in 32 bits. Rows have margins, so that every neighbour exists: to the
left of a row lies the first colour of the row above, to the right of it its own last one; above all lie zeros.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding.mixing.hashing import FACTOR, fold
from arcomp.exact.compiled import kernel

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt32 = npt.NDArray[np.uint32]
UInt64 = npt.NDArray[np.uint64]

TOP, SIDE = 3, 8
"""Rows above the tile, columns on each side of it."""
SURROUNDINGS, REMEMBERED = 6, 5
"""Sets of neighbours: the nearest 2, 6, 12 and 26 pixels and the 8 before in the row, which are remembered, and 4."""
TWO, SIX, TWELVE, WIDE, ROW, FOUR = range(SURROUNDINGS)
NEIGHBOURS = 7
W, N, NW, NE, WW, NN, NEE = range(NEIGHBOURS)
REACH = 7
"""Columns that :data:`WIDE` reaches to each side in the row above, less one."""
SURE = 16
"""Pixels after which a match is not given up for another one."""
MISSES = 8
"""Times that a match may be wrong, never so long right in between."""

_ROW_FACTOR = np.uint64(0x2545F49100)
"""Ends in eight zero bits, so that a pixel leaves the hash of 64 bits after eight more."""


class Match(NamedTuple):
    """Earlier pixels that are supposed to go on as these do: a single number each, in arrays."""

    at: Int64
    """[1]: where in ``pixels`` (flat) the next one is; 0: there is no match."""
    length: Int64
    """[1]: pixels that it has been right for."""
    misses: Int64
    """[1]: times that it was wrong lately."""


class Past(NamedTuple):
    """One tile so far."""

    pixels: UInt32
    """[TOP + height, SIDE + width + SIDE]"""
    last: Int32
    """[REMEMBERED, 2**n]: where in ``pixels`` (flat) the pixel of such surroundings was last; 0: nowhere."""
    around: UInt32
    """[NEIGHBOURS]: the colours around the pixel."""
    hashes: UInt64
    """[SURROUNDINGS]: of what is around the pixel."""
    slots: npt.NDArray[np.uint8]
    """[2, width + 1]: which of the candidates the pixels of this row and of the one above were."""
    wide: Match
    """By what is around in all directions: windows, glyphs, patterns."""
    row: Match
    """By what is to the left: rows that are shifted."""
    done: Int64
    """[2]: pixels, and of them those that were none of the candidates."""


def new_past(height: int, width: int, last: Int32) -> Past:
    """A tile before its first pixel; ``last``: zeros, [REMEMBERED, 2**n]."""
    wide, row = (Match(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64)) for _ in range(2))
    return Past(
        np.zeros((TOP + height, SIDE + width + SIDE), np.uint32),
        last,
        np.zeros(NEIGHBOURS, np.uint32),
        np.zeros(SURROUNDINGS, np.uint64),
        np.zeros((2, width + 1), np.uint8),
        wide,
        row,
        np.zeros(2, np.int64),
    )


@kernel(inner=True)
def begin_row(past: Any, y: Any) -> None:
    """Make the left margin of a row, and the right one of the row above; ``y``: of ``pixels``."""
    pixels, slots = past.pixels, past.slots
    end = pixels.shape[1] - SIDE
    for x in range(SIDE):
        pixels[y, x] = pixels[y - 1, SIDE]
        pixels[y - 1, end + x] = pixels[y - 1, end - 1]
    for x in range(slots.shape[1]):
        slots[1, x] = slots[0, x]
    slots[0, 0] = 0


@kernel(inner=True)
def gather_neighbours(past: Any, y: Any, x: Any) -> None:
    """Fill ``around`` and ``hashes`` for the pixel at a place of ``pixels``."""
    pixels, around, hashes = past.pixels, past.around, past.hashes
    w, n, nw, ne = pixels[y, x - 1], pixels[y - 1, x], pixels[y - 1, x - 1], pixels[y - 1, x + 1]
    ww, nn, nee = pixels[y, x - 2], pixels[y - 2, x], pixels[y - 1, x + 2]
    around[W], around[N], around[NW], around[NE] = w, n, nw, ne
    around[WW], around[NN], around[NEE] = ww, nn, nee
    h = fold(fold(np.uint64(1), w), n)
    hashes[TWO] = h
    h = fold(fold(h, nw), ne)
    hashes[FOUR] = h
    h = fold(fold(h, ww), nn)
    hashes[SIX] = h
    h = fold(fold(fold(h, nee), pixels[y - 2, x + 1]), pixels[y - 1, x - 2])
    h = fold(fold(fold(h, pixels[y - 2, x - 1]), pixels[y, x - 3]), pixels[y - 3, x])
    hashes[TWELVE] = h
    for k in range(3, REACH):
        h = fold(fold(h, pixels[y - 1, x + k]), pixels[y - 1, x - k])
    h = fold(fold(h, pixels[y, x - 4]), pixels[y, x - 5])
    hashes[WIDE] = fold(fold(h, pixels[y - 2, x + 2]), pixels[y - 2, x - 2])


@kernel(inline="always")
def seen(past: Any, surrounding: int) -> Any:
    """Where a pixel of such surroundings was last, or 0."""
    return np.int64(past.last[surrounding, _place(past, surrounding)])


@kernel(inline="always")
def _place(past: Any, surrounding: int) -> Any:
    return np.int64((past.hashes[surrounding] * FACTOR) >> np.uint64(20)) & (past.last.shape[1] - 1)


@kernel(inner=True)
def find_matches(past: Any) -> None:
    """Look for matches, unless there are good ones. A wide one outlasts a few pixels that it is wrong about, as those
    of a letter on a pattern."""
    wide, row = past.wide, past.row
    if wide.length[0] < SURE:
        found = seen(past, WIDE)
        if found and found != wide.at[0]:
            wide.at[0], wide.length[0], wide.misses[0] = found, 1, 0
        elif wide.misses[0] >= MISSES:
            wide.at[0], wide.length[0], wide.misses[0] = 0, 0, 0
    if row.length[0] == 0:
        row.at[0] = seen(past, ROW)
        row.length[0] = 1 if row.at[0] else 0


@kernel(inner=True)
def remember(past: Any, here: Any, colour: Any) -> None:
    """The pixel at ``here`` (flat) has become known."""
    pixels, wide, row, hashes = past.pixels, past.wide, past.row, past.hashes
    flat = pixels.reshape(pixels.size)
    if wide.at[0]:
        if flat[wide.at[0]] == colour:
            wide.length[0] += 1
            if wide.length[0] >= SURE:
                wide.misses[0] = 0
        else:
            wide.length[0] = 0
            wide.misses[0] += 1
        wide.at[0] += 1
    if row.at[0]:
        row.length[0] = row.length[0] + 1 if flat[row.at[0]] == colour else 0
        row.at[0] += 1
    for s in range(REMEMBERED):
        past.last[s, _place(past, s)] = here
    hashes[ROW] = hashes[ROW] * _ROW_FACTOR + np.uint64(colour) * np.uint64(0x9E3779B1) + np.uint64(1)
    past.done[0] += 1
