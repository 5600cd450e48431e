"""A colour that was no candidate: channel by channel, from the highest bit to the lowest.

Contexts are what is exactly around, with the channels that are already known; guesses that go on as a neighbour did;
and a blend: where text and lines are smoothed, a colour lies between two of its neighbours, by the same part in each
channel. Mixed with what these counted is what a smooth picture would go on with (:mod:`arcomp.models.graphic.smooth`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arcomp.coding import mixing
from arcomp.coding.mixing.hashing import fold, hashed
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import all_words, with_word
from arcomp.models.graphic.past import NE, NN, NW, WW, Int64, N, UInt32, UInt64, W
from arcomp.models.graphic.smooth import Smooth, new_smooth

TABLES = 14
FAMILIAR = 3
CHANNELS, BITS = 4, 8
LEVELS = 1 << BITS


class Escape(NamedTuple):
    """The stage of one tile."""

    mixer: mixing.Mixer
    starts: Int64
    """[5]: the first row of each set of weights, then of each map."""
    recent: UInt32
    """[1]: the colour that was spelled last."""
    smooth: Smooth
    contexts: UInt64
    """[TABLES]: workspace."""


def shape(bits: int) -> mixing.Shape:
    """Rows by channel, bit and counts; by channel and the bits before; by channel and bit. Maps by channel and the bits
    before; by channel, bit and counts."""
    places = CHANNELS * BITS + 1
    sets = (places * 4**FAMILIAR, CHANNELS * LEVELS, places)
    return mixing.Shape(TABLES, bits, sets, (CHANNELS * LEVELS, places * 4**FAMILIAR), 1, 1400, 200)


def new_escape(bits: int, weights: mixing.Int32 | None) -> Escape:
    """The stage before the first pixel.

    Args:
        bits: log2 of the counters of a table. weights: int32 [rows, LANES] to start from.
    """
    of = shape(bits)
    started = mixing.even_weights(of, 4) if weights is None else weights
    return Escape(
        mixing.new_mixer(of, started),
        np.array([*of.set_starts, 0, of.maps[0]], np.int64),
        np.zeros(1, np.uint32),
        new_smooth(),
        np.zeros(TABLES, np.uint64),
    )


def renew(stage: Escape, weights: mixing.Int32 | None) -> None:
    """Make a stage as it was before its first pixel; ``weights``: to start from."""
    mixing.renew(stage.mixer, mixing.even_weights(shape(1), 4) if weights is None else weights)
    stage.recent[0] = 0


@kernel(inline="always")
def channel(colour: Any, c: Any) -> Any:
    """A channel of a colour."""
    return np.int64(colour >> np.uint32(BITS * c)) & (LEVELS - 1)


@kernel(inline="always")
def _clamp(value: Any) -> Any:
    return min(LEVELS - 1, max(0, value))


@kernel(inline="always")
def _blend(around: Any, guess: Any, c: Any, before: Any) -> Any:
    """Channel c if the colour lies between that to the left and the next other one around by the part that the channel
    before says; ``before``: its value."""
    first, second = around[W], around[N]
    if first == second:
        second = around[NE]
    if first == second:
        second = around[NW]
    if first == second:
        second = around[WW]
    if first == second:
        second = around[NN]
    if first == second:
        second = guess
    start, end = channel(first, c), channel(second, c)
    start_before, end_before = channel(first, c - 1), channel(second, c - 1)
    if start_before == end_before:
        return _clamp(start + before - start_before)
    return _clamp(start + (end - start) * (before - start_before) // (end_before - start_before))


@kernel(inline="always")
def below(alpha: Any) -> Any:
    """The bits of all channels before alpha."""
    return np.uint32((1 << BITS * alpha) - 1)


@kernel(inline="always")
def kept_colour(stage: Any, around: Any, alpha: Any) -> Any:
    """Of the neighbours the first that is not transparent, or what was spelled last: a colour that may go on with
    another alpha. Without that; ``alpha``: its channel."""
    colour = stage.recent[0]
    for i in range(NE, -1, -1):
        if channel(around[i], alpha):
            colour = around[i]
    return colour & below(alpha)


@kernel(inner=True)
def begin_kept(past: Any, stage: Any, kept: Any, alpha: Any, guess: Any) -> None:
    """Hash the contexts of whether a colour goes on with another alpha.

    Args:
        kept: the colour, from :func:`kept_colour`. guess: as for :func:`begin_channel`.
    """
    a, out = past.around, stage.contexts
    same, solid = np.int64(0), np.int64(0)
    for i in range(NN + 1):
        same |= np.int64((a[i] & below(alpha)) == kept) << i
        solid |= np.int64((channel(a[i], alpha) > 0) + (channel(a[i], alpha) == LEVELS - 1)) << 2 * i
    tag = np.uint64(CHANNELS + 1)
    w, n, nw, ne = channel(a[W], alpha), channel(a[N], alpha), channel(a[NW], alpha), channel(a[NE], alpha)
    out[0] = fold(fold(tag, a[W]), np.uint64(1))
    out[1] = fold(fold(tag, a[N]), np.uint64(2))
    out[2] = fold(fold(tag, a[W]), a[N])
    out[3] = fold(tag, same | solid << 6)
    out[4] = fold(fold(tag, same), np.uint64(4))
    out[5] = fold(fold(tag, solid), np.uint64(5))
    out[6] = fold(fold(tag, kept), np.uint64(6))
    out[7] = fold(fold(tag, w << 8 | n), np.uint64(7))
    out[8] = fold(fold(tag, guess), np.uint64(8))
    out[9] = fold(fold(tag, a[NE]), np.uint64(9))
    out[10] = fold(fold(tag, stage.recent[0]), np.uint64(10))
    out[11] = fold(fold(tag, (w >> 5) << 9 | (n >> 5) << 6 | (nw >> 5) << 3 | ne >> 5), np.uint64(11))
    out[12] = fold(tag, np.uint64(12))
    out[13] = fold(fold(tag, same), solid)


@kernel(inner=True)
def begin_channel(past: Any, stage: Any, known: Any, c: Any, alpha: Any, guess: Any) -> None:
    """Hash the contexts of a channel.

    Args:
        alpha: which channel it is, if there is one.
        known: the colour, as far as the channels before.
        guess: what a match, or the neighbour to the left, would have it be.
    """
    a, out = past.around, stage.contexts
    w, n, nw, ne = channel(a[W], c), channel(a[N], c), channel(a[NW], c), channel(a[NE], c)
    nn, ww = channel(a[NN], c), channel(a[WW], c)
    tag = np.uint64(c + 1)
    exact = fold(tag, known)
    p, rise = np.int64(0), np.int64(0)
    if c > 0 and c != alpha:
        p = channel(known, c - 1)
        by_west, by_north = _clamp(w + p - channel(a[W], c - 1)), _clamp(n + p - channel(a[N], c - 1))
        rise = p - (channel(a[W], c - 1) + channel(a[N], c - 1) - channel(a[NW], c - 1))
        out[4] = fold(fold(tag, by_west), np.uint64(4))
        out[7] = fold(fold(tag, _blend(a, guess, c, p)), np.uint64(7))
        out[11] = fold(fold(fold(tag, w * LEVELS + n), np.uint64(11)), p)
        out[12] = fold(fold(tag, by_west * LEVELS + by_north), np.uint64(12))
    else:  # of lines that go up or down: what two pixels share of one stays the same
        up = w + nw - n + LEVELS
        out[4] = fold(fold(tag, up), np.uint64(4))
        out[7] = fold(fold(fold(tag, a[NE]), np.uint64(7)), w)
        out[11] = fold(fold(tag, (w >> 2) << 15 | (n >> 2) << 9 | (nw >> 2) << 3 | ne >> 5), np.uint64(11))
        out[12] = fold(fold(tag, (up >> 2) * LEVELS + ((n + nw - w + LEVELS) >> 2)), np.uint64(12))
    plane = _clamp(w + n - nw + rise)
    out[0] = fold(fold(exact, a[W]), np.uint64(1))
    out[1] = fold(fold(exact, a[N]), np.uint64(2))
    out[2] = fold(fold(exact, a[W]), a[N])
    out[3] = fold(exact, np.uint64(3))
    out[6] = fold(fold(tag, plane), np.uint64(6))
    out[8] = fold(fold(exact, guess), np.uint64(8))
    out[9] = fold(fold(fold(exact, a[NE]), np.uint64(9)), w)
    out[10] = fold(fold(exact, stage.recent[0]), np.uint64(10))
    out[13] = fold(fold(tag, (plane >> 2) * LEVELS + ((ne - n + LEVELS) >> 3)), np.uint64(13))
    rough = w >> 4 | (n >> 4) << 4 | (nw >> 4) << 8 | (ne >> 4) << 12 | (nn >> 5) << 16 | (ww >> 5) << 20
    out[5] = fold(fold(tag, rough | (p >> 4) << 24), np.uint64(14))


@kernel(inline="always")
def find(stage: Any, c: Any, bit: Any, prefix: Any, said: Any) -> Any:
    """What is known of a bit of channel c.

    Args:
        bit: 0 for the highest. prefix: a 1, then the bits before. (Whether a colour is kept: channel 4, bit 0, 0.)
        said: what is expected of a smooth channel, 256 times the logarithm of the odds of 1.

    Returns:
        for :mod:`arcomp.coding.mixing`: what was found, and rows.
    """
    starts = stage.starts
    nothing = all_words(np.int32(0))
    x, checks = nothing, nothing
    for j in range(TABLES):
        x, checks = hashed(x, checks, j, stage.contexts[j])
    found = mixing.find(stage.mixer, with_word(nothing, 0, said), x, checks, prefix)
    by_counts = (c * BITS + bit) * 4**FAMILIAR + mixing.familiarity(stage.mixer, found, FAMILIAR)
    rows = with_word(nothing, 0, starts[0] + by_counts)
    rows = with_word(rows, 1, starts[1] + (c * LEVELS + prefix) % (CHANNELS * LEVELS))
    rows = with_word(rows, 2, starts[2] + c * BITS + bit)
    rows = with_word(rows, 3, starts[3] + (c * LEVELS + prefix) % (CHANNELS * LEVELS))
    rows = with_word(rows, 4, starts[4] + by_counts)
    return found, rows
