"""Colours that a pixel may well have, offered one after the other: is it this one?

First what matches say and what followed the same surroundings, then the neighbours themselves. A colour is offered
once. Each answer is mixed (:mod:`arcomp.coding.mixing`) of counters that are kept for the colour in its contexts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arcomp.coding import mixing
from arcomp.coding.mixing.hashing import fold, hashed
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import all_words, with_word
from arcomp.models.graphic.past import (
    FOUR,
    NE,
    NEE,
    NEIGHBOURS,
    NN,
    NW,
    SIX,
    TWELVE,
    TWO,
    WIDE,
    WW,
    Int64,
    N,
    UInt32,
    W,
    find_matches,
    seen,
)

CANDIDATES = 13
TABLES = 9
FAMILIAR = 3
"""Tables whose counts choose rows: those of the three largest surroundings."""
LENGTHS = 8
"""Classes of how long a match has been right."""
OFFERS = 16
"""More than can be made."""


class Candidates(NamedTuple):
    """The stage of one tile."""

    mixer: mixing.Mixer
    starts: Int64
    """[5]: the first row of each set of weights, then of each map."""
    colours: UInt32
    """[CANDIDATES]: workspace."""
    there: UInt32
    """[CANDIDATES]: workspace: whether there is such a candidate."""


def shape(bits: int) -> mixing.Shape:
    """Rows by offer and counts; by what else has the colour and what is equal around; by matches. Maps by what else has
    the colour and match; by offer and counts."""
    sets = (OFFERS * 4**FAMILIAR, 32 * 64, 2 * LENGTHS * 2 * LENGTHS * 3)
    return mixing.Shape(TABLES, bits, sets, (16 * 2 * LENGTHS * 4, OFFERS * 4**FAMILIAR), 0, 1400, 130)


def new_candidates(bits: int, weights: mixing.Int32 | None) -> Candidates:
    """The stage before the first pixel.

    Args:
        bits: log2 of the counters of a table. weights: int32 [rows, LANES] to start from.
    """
    of = shape(bits)
    started = mixing.even_weights(of, 3) if weights is None else weights
    return Candidates(
        mixing.new_mixer(of, started),
        np.array([*of.set_starts, 0, of.maps[0]], np.int64),
        np.zeros(CANDIDATES, np.uint32),
        np.zeros(CANDIDATES, np.uint32),
    )


def renew(stage: Candidates, weights: mixing.Int32 | None) -> None:
    """Make a stage as it was before its first pixel; ``weights``: to start from."""
    mixing.renew(stage.mixer, mixing.even_weights(shape(1), 3) if weights is None else weights)


@kernel(inline="always")
def _put(stage: Any, i: int, at: Any, colour: Any) -> None:
    stage.there[i] = at != 0
    stage.colours[i] = colour


@kernel(inner=True)
def gather(past: Any, stage: Any) -> None:
    """Find the candidates for what is around."""
    find_matches(past)
    around, flat = past.around, past.pixels.reshape(past.pixels.size)
    _put(stage, 0, past.wide.at[0], flat[past.wide.at[0]])
    _put(stage, 1, past.row.at[0], flat[past.row.at[0]])
    _put(stage, 2, seen(past, WIDE), flat[seen(past, WIDE)])
    _put(stage, 3, seen(past, TWELVE), flat[seen(past, TWELVE)])
    _put(stage, 4, seen(past, SIX), flat[seen(past, SIX)])
    _put(stage, 5, 1, around[W])
    _put(stage, 6, 1, around[N])
    _put(stage, 7, 1, around[NE])
    _put(stage, 8, 1, around[NW])
    _put(stage, 9, seen(past, TWO), flat[seen(past, TWO)])
    _put(stage, 10, 1, around[WW])
    _put(stage, 11, 1, around[NN])
    _put(stage, 12, 1, around[NEE])


@kernel(inline="always")
def _length_class(length: Any) -> Any:
    if length < 4:
        return min(2, length)
    return 3 if length < 8 else 4 if length < 16 else 5 if length < 32 else 6 if length < 128 else 7


@kernel(inline="always")
def holders(stage: Any, colour: Any) -> Any:
    """A bit for each candidate that is this colour."""
    found = np.int64(0)
    for i in range(CANDIDATES):
        if stage.there[i] and stage.colours[i] == colour:
            found |= 1 << i
    return found


@kernel(inline="always")
def equalities(around: Any) -> Any:
    """A bit for each pair of neighbours of one colour."""
    pairs = ((W, N), (N, NW), (N, NE), (W, NW), (W, WW), (N, NN), (NE, NEE))
    found = np.int64(0)
    for i in range(NEIGHBOURS):
        found |= np.int64(around[pairs[i][0]] == around[pairs[i][1]]) << i
    return found


@kernel(inline="always")
def surroundings(past: Any, x: Any) -> Any:
    """What is the same for all candidates of a pixel in column x: which neighbours are equal; which candidates the
    pixels to the left and above were; how long matches have been right."""
    slots = np.int64(past.slots[0, x]) | np.int64(past.slots[1, x + 1]) << 4
    wide = _length_class(past.wide.length[0]) + LENGTHS * np.int64(past.wide.misses[0] > 0)
    return equalities(past.around), slots, wide, _length_class(past.row.length[0])


@kernel(inline="always")
def find(past: Any, stage: Any, colour: Any, offered: Any, state: Any) -> Any:
    """What is known of a candidate.

    Args:
        offered: how many were offered before it.
        state: from :func:`surroundings`, then a hash of the colours that were offered before.

    Returns:
        for :mod:`arcomp.coding.mixing`: what was found, and rows.
    """
    hashes, starts = past.hashes, stage.starts
    equal, slots, wide, row, refused = state
    same = holders(stage, colour)
    nothing = all_words(np.int32(0))
    c = np.uint64(colour)
    x, checks = hashed(nothing, nothing, 0, fold(hashes[SIX], c))
    x, checks = hashed(x, checks, 1, fold(hashes[TWELVE] + np.uint64(1), c))
    x, checks = hashed(x, checks, 2, fold(hashes[WIDE] + np.uint64(2), c))
    x, checks = hashed(x, checks, 3, fold(hashes[TWO] + np.uint64(3) + refused, c))
    x, checks = hashed(x, checks, 4, fold(hashes[FOUR] + np.uint64(4) + refused, c))
    here = np.uint64(same | offered << 13)
    x, checks = hashed(x, checks, 5, fold(np.uint64(5), np.uint64(equal << 17) | here))
    x, checks = hashed(x, checks, 6, fold(np.uint64(6), np.uint64((wide * LENGTHS + row) << 17) | (here & _NEAR)))
    x, checks = hashed(x, checks, 7, fold(np.uint64(7), np.uint64(slots << 17) | here))
    x, checks = hashed(x, checks, 8, fold(fold(np.uint64(8), c), refused))
    found = mixing.find(stage.mixer, nothing, x, checks, np.int64(0))
    familiar = mixing.familiarity(stage.mixer, found, FAMILIAR)
    by_match = ((wide * LENGTHS + row) * 2 + np.int64((slots & 15) == 1)) * 3
    rows = with_word(nothing, 0, starts[0] + offered * 4**FAMILIAR + familiar)
    rows = with_word(rows, 1, starts[1] + (same >> 4 & 31) * 64 + (equal & 63))
    rows = with_word(rows, 2, starts[2] + by_match + min(2, offered))
    rows = with_word(rows, 3, starts[3] + ((same & 15) * 2 * LENGTHS + wide) * 4 + min(3, offered))
    rows = with_word(rows, 4, starts[4] + offered * 4**FAMILIAR + familiar)
    return found, rows


_NEAR = np.uint64(127 | 15 << 13)
"""Of candidates with the colour only the first seven, and the number of offers."""
