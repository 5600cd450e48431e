"""Least squares over samples that resemble the pixel: each counts the more, the more its surroundings are like it.

Ye and Hou 2008, "A least-squares-based lossless image coder" (similarity weights); the weights of the samples of
each pixel are its own, so that sums cannot be moved along: they are made anew, from few neighbours but many samples.

The distance d of a sample is the sum of the absolute differences between its first neighbours and the pixel's, over all
channels; its weight is fade^(city-block distance) / (e + d^2), relative to the largest weight of all samples 0..64.
Weights are float64 in a fixed sequence, rounded to integers; sums are integers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.dense import dot_shorts
from arcomp.exact.kernels import kernel
from arcomp.exact.lanes import (
    absolute_shorts,
    aligned,
    all_doubles,
    all_shorts,
    all_words,
    larger_doubles,
    load_doubles,
    load_doubles_of_words,
    load_shorts,
    load_words,
    pair_shorts,
    store_doubles,
    store_shorts_of_doubles,
    store_words,
    words_of_shorts,
)
from arcomp.models.photo.planes import LANES, NEIGHBOURS, SKEW, Int16, Int32
from arcomp.models.photo.windows import ALIKE, FULL_WEIGHT, SAMPLES, SIZE, TAPS, Window, pairs

BLOCK = 16
"""Pairs of samples that are summed at a time: their differences stay in the first cache."""


class Room(NamedTuple):
    """Room for the samples of LANES pixels, those of the largest window."""

    distance: Int32
    """[samples, LANES]. ratio, weight: the same shape."""
    ratio: npt.NDArray[np.float64]
    weight: Int16
    weighted: Int32
    """[BLOCK * m, LANES]: differences of two samples to a word, times their weights; plain: without."""
    plain: Int32
    sums: Int32
    """[pairs, LANES]."""
    total: Int32
    """[LANES]: the sum of the weights."""


def room(windows: tuple[Window, ...], channels: int) -> Room:
    """Room for any of the windows."""
    samples = max([w.samples() + 1 for w in windows if w.similar], default=2)
    size = max([w.size(channels) for w in windows if w.similar], default=1)
    return Room(
        aligned((samples, LANES), np.int32),
        aligned((samples, LANES), np.float64),
        aligned((samples, LANES), np.int16),
        aligned((BLOCK * size, LANES), np.int32),
        aligned((BLOCK * size, LANES), np.int32),
        aligned((pairs(size), LANES), np.int32),
        aligned((LANES,), np.int32),
    )


@kernel()
def _weigh(planes: Any, spec: Any, similar: float, places: Any, fading: Any, t: int, at: int, room: Any) -> None:
    """Weights of all samples of LANES pixels: room.weight and room.total."""
    ring = planes.values.shape[1]
    flat = planes.values.reshape(planes.values.shape[0] * ring, planes.values.shape[2])
    mask, channels, samples = ring - 1, planes.channels, spec[SAMPLES]
    for n in range(samples):
        dy, dx = places[n, 0], places[n, 1]
        distance = all_shorts(np.int16(0))
        for j in range(ALIKE):
            ny, nx = NEIGHBOURS[j, 0], NEIGHBOURS[j, 1]
            here, there = (t + nx + SKEW * ny) & mask, (t + nx + dx + SKEW * (ny + dy)) & mask
            for c in range(channels):
                own = load_shorts(flat, c * ring + here, at + ny)
                distance = distance + absolute_shorts(own - load_shorts(flat, c * ring + there, at + ny + dy))
        store_words(room.distance, n, 0, words_of_shorts(distance))
    least = all_doubles(similar * float((ALIKE * channels) ** 2))
    for half in range(0, LANES, 8):
        largest = all_doubles(0.0)
        for n in range(samples):
            d = load_doubles_of_words(room.distance, n, half)
            q = all_doubles(fading[n]) / (least + d * d)
            store_doubles(room.ratio, n, half, q)
            largest = larger_doubles(largest, q)
        unit = all_doubles(float(FULL_WEIGHT)) / largest
        for n in range(samples):
            w = load_doubles(room.ratio, n, half) * unit + all_doubles(0.5)
            store_shorts_of_doubles(room.weight, n, half, w)
    total = all_words(np.int32(0))
    for n in range(samples):
        total = total + words_of_shorts(load_shorts(room.weight, n, 0))
    room.weight[samples] = 0  # where their number is odd
    store_words(room.total.reshape(1, LANES), 0, 0, total)


@kernel()
def _differences(planes: Any, spec: Any, places: Any, t: int, at: int, first: int, count: int, room: Any) -> None:
    """v of the samples 2 first .. 2 (first + count) - 1, two to a word."""
    ring = planes.values.shape[1]
    flat = planes.values.reshape(planes.values.shape[0] * ring, planes.values.shape[2])
    mask, channels, taps, m = ring - 1, planes.channels, spec[TAPS], spec[SIZE]
    for k in range(count):
        n = 2 * (first + k)
        ay, ax, by, bx = places[n, 0], places[n, 1], places[n + 1, 0], places[n + 1, 1]
        a, b = t + ax + SKEW * ay, t + bx + SKEW * by
        wa, wb = load_shorts(room.weight, n, 0), load_shorts(room.weight, n + 1, 0)
        for c in range(channels):
            west_a = load_shorts(flat, c * ring + ((a - 1) & mask), at + ay)
            west_b = load_shorts(flat, c * ring + ((b - 1) & mask), at + by)
            for j in range(1, taps + 1):
                ny, nx = (NEIGHBOURS[j, 0], NEIGHBOURS[j, 1]) if j < taps else (0, 0)
                move = nx + SKEW * ny
                va = load_shorts(flat, c * ring + ((a + move) & mask), at + ay + ny) - west_a
                vb = load_shorts(flat, c * ring + ((b + move) & mask), at + by + ny) - west_b
                i = k * m + (j - 1) * channels + c
                store_words(room.plain, i, 0, pair_shorts(va, vb))
                store_words(room.weighted, i, 0, pair_shorts(wa * va, wb * vb))


@kernel()
def _add(m: int, count: int, room: Any) -> None:
    """Add the products of ``count`` pairs of samples to the sums."""
    sums, u, v = room.sums, room.weighted, room.plain
    for i in range(m):
        p = i * (i + 1) // 2
        j = 0
        while j + 3 <= i:
            a, b = load_words(sums, p + j, 0), load_words(sums, p + j + 1, 0)
            c, d = load_words(sums, p + j + 2, 0), load_words(sums, p + j + 3, 0)
            for s in range(0, count * m, m):
                x = load_words(u, s + i, 0)
                a = dot_shorts(a, x, load_words(v, s + j, 0))
                b = dot_shorts(b, x, load_words(v, s + j + 1, 0))
                c = dot_shorts(c, x, load_words(v, s + j + 2, 0))
                d = dot_shorts(d, x, load_words(v, s + j + 3, 0))
            store_words(sums, p + j, 0, a)
            store_words(sums, p + j + 1, 0, b)
            store_words(sums, p + j + 2, 0, c)
            store_words(sums, p + j + 3, 0, d)
            j += 4
        while j <= i:
            a = load_words(sums, p + j, 0)
            for s in range(0, count * m, m):
                a = dot_shorts(a, load_words(u, s + i, 0), load_words(v, s + j, 0))
            store_words(sums, p + j, 0, a)
            j += 1


@kernel()
def gather(planes: Any, spec: Any, similar: float, places: Any, fading: Any, t: int, at: int, room: Any) -> None:
    """The window's sums of LANES pixels: room.sums and room.total.

    Args:
        similar: e over the square of the number of values compared. places: int64 [samples + 1, 2], dy and dx.
        fading: float64 [samples]. at: column of the first pixel in front t.
    """
    m = spec[SIZE]
    _weigh(planes, spec, similar, places, fading, t, at, room)
    room.sums[: m * (m + 1) // 2] = 0
    both = (spec[SAMPLES] + 1) // 2
    for first in range(0, both, BLOCK):
        count = min(BLOCK, both - first)
        _differences(planes, spec, places, t, at, first, count, room)
        _add(m, count, room)
