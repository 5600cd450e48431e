"""Least squares over samples that resemble the pixel: each counts the more, the more its surroundings are like it.

Ye and Hou 2008, "A least-squares-based lossless image coder" (similarity weights); the weights of the samples of
each pixel are its own, so that sums cannot be moved along: they are made anew, from few neighbours but many samples.

The distance d of a sample is the sum of the absolute differences between its first neighbours and the pixel's, over all
channels; its weight is fade^(city-block distance) / (e + d^2), relative to the largest weight of all samples 0..64.
Weights are float32 in a fixed sequence, rounded to integers; distances and sums are integers. All windows of a front
share the distances.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import (
    absolute_shorts,
    aligned,
    all_floats,
    all_shorts,
    all_words,
    larger_floats,
    load_floats,
    load_shorts,
    load_words,
    smaller_shorts,
    store_floats,
    store_shorts,
    store_words,
    words_of_floats,
)
from arcomp.models.photo import covariance
from arcomp.models.photo.planes import LANES, MARGIN, SKEW, Int16, Int32
from arcomp.models.photo.windows import (
    COMPARED,
    FULL_WEIGHT,
    SAMPLES,
    SAMPLES_AT,
    SIZE,
    TAPS,
    Window,
    compared,
    pairs,
)

_UNLIKE = 1023
"""Levels from which two are equally unlike: eighteen such differences are an int16."""


class Workspace(NamedTuple):
    """Of a front of n pixels, and of LANES of them: the samples of the largest window, and their sums."""

    distance: Int16
    """[places, n]."""
    ratio: npt.NDArray[np.float32]
    """[samples, LANES]."""
    weight: Int32
    """[samples / 2, LANES]: two to a word."""
    sums: Int32
    """[pairs, LANES]."""
    total: Int32
    """[1, LANES]: the sum of the weights."""


def new_workspace(windows: tuple[Window, ...], channels: int, n: int) -> Workspace:
    """For any of the windows; n: pixels of the longest front, rounded up to LANES."""
    samples = max([w.samples() + 1 for w in windows if w.similarity], default=2)
    size = max([w.size(channels) for w in windows if w.similarity], default=1)
    return Workspace(
        aligned((len(compared(windows)), n), np.int16),
        aligned((samples, LANES), np.float32),
        aligned(((samples + 1) // 2, LANES), np.int32),
        aligned((pairs(size), LANES), np.int32),
        aligned((1, LANES), np.int32),
    )


@kernel(inner=True)
def distances(planes: Any, squares: Any, workspace: Any, t: int, first: int, count: int) -> None:
    """Of a front's pixels to all samples that any window compares them with: ``workspace.distance``."""
    levels, channels, ring = planes.levels, planes.channels, planes.values.shape[1]
    compared, wide = squares.compared, planes.depth.wide
    for offset in range(0, count, LANES):
        at = MARGIN + first + offset
        own0 = _surroundings(levels, 0, ring, t, at)
        own1, own2 = own0, own0
        if channels > 1:
            own1, own2 = _surroundings(levels, ring, ring, t, at), _surroundings(levels, 2 * ring, ring, t, at)
        for n in range(compared.shape[0]):
            dy, dx = compared[n, 0], compared[n, 1]
            there, a = t + dx + SKEW * dy, at + dy
            distance = _distance(own0, _surroundings(levels, 0, ring, there, a), wide)
            if channels > 1:
                distance = distance + _distance(own1, _surroundings(levels, ring, ring, there, a), wide)
                distance = distance + _distance(own2, _surroundings(levels, 2 * ring, ring, there, a), wide)
            store_shorts(workspace.distance, n, offset, distance)


@kernel(inline="always")
def _surroundings(levels: Any, plane: Any, ring: Any, t: Any, at: Any) -> Any:
    """The first COMPARED neighbours of LANES pixels in a plane that begins at a row: W, N, NW, NE, WW, NN."""
    mask = ring - 1
    return (
        load_shorts(levels, plane + ((t - 1) & mask), at),
        load_shorts(levels, plane + ((t - SKEW) & mask), at - 1),
        load_shorts(levels, plane + ((t - SKEW - 1) & mask), at - 1),
        load_shorts(levels, plane + ((t - SKEW + 1) & mask), at - 1),
        load_shorts(levels, plane + ((t - 2) & mask), at),
        load_shorts(levels, plane + ((t - 2 * SKEW) & mask), at - 2),
    )


@kernel(inline="always")
def _distance(own: Any, other: Any, wide: Any) -> Any:
    a = _apart(own[0], other[0], wide) + _apart(own[1], other[1], wide)
    b = _apart(own[2], other[2], wide) + _apart(own[3], other[3], wide)
    return a + b + (_apart(own[4], other[4], wide) + _apart(own[5], other[5], wide))


@kernel(inline="always")
def _apart(own: Any, other: Any, wide: Any) -> Any:
    found = absolute_shorts(own - other)
    return smaller_shorts(found, all_shorts(np.int16(_UNLIKE))) if wide else found


@kernel(inner=True)
def _weigh(squares: Any, w: int, channels: int, workspace: Any, offset: int) -> None:
    """Weights of all samples of LANES pixels: ``workspace.weight`` and ``workspace.total``."""
    samples, begin = squares.spec[w, SAMPLES], squares.spec[w, SAMPLES_AT]
    places, fading = squares.places, squares.fading
    distance, ratio, weight = workspace.distance, workspace.ratio, workspace.weight
    least = all_floats(squares.real[w, 3]) * all_floats(np.float32((COMPARED * channels) ** 2))
    largest = all_floats(np.float32(0.0))
    for n in range(samples):
        d = load_floats(distance, places[begin + n, 2], offset)
        q = all_floats(fading[begin + n]) / (least + d * d)
        store_floats(ratio, n, 0, q)
        largest = larger_floats(q, largest)
    unit, half = all_floats(np.float32(FULL_WEIGHT)) / largest, all_floats(np.float32(0.5))
    total = all_words(np.int32(0))
    store_floats(ratio, samples, 0, all_floats(np.float32(0.0)))  # where their number is odd
    for n in range(0, samples, 2):
        a = words_of_floats(load_floats(ratio, n, 0) * unit + half)
        b = words_of_floats(load_floats(ratio, n + 1, 0) * unit + half)
        total = total + a + b
        store_words(weight, n // 2, 0, a + b * all_words(np.int32(1 << 16)))
    store_words(workspace.total, 0, 0, total)


@kernel(inner=True)
def similarity_weighted(
    planes: Any, squares: Any, workspace: Any, w: int, t: int, first: int, offset: int
) -> None:  # fmt: skip
    """The sums of a window of LANES pixels: ``sums`` and ``total`` of ``workspace.similarity``.

    Args:
        w: number of the window. first: row of the front's first pixel. offset: of the first of the pixels.
    """
    spec, places, own = squares.spec[w], squares.places, workspace.similarity
    m, begin, at = spec[SIZE], spec[SAMPLES_AT], MARGIN + first + offset
    _weigh(squares, w, planes.channels, own, offset)
    own.sums[: m * (m + 1) // 2] = 0
    both = (spec[SAMPLES] + 1) // 2
    for begins in range(0, both, covariance.BLOCK):
        count = min(covariance.BLOCK, both - begins)
        for k in range(count):
            i, j = begin + 2 * (begins + k), begin + 2 * (begins + k) + 1
            a = (t + places[i, 1] + SKEW * places[i, 0], places[i, 0])
            b = (t + places[j, 1] + SKEW * places[j, 0], places[j, 0])
            weights = load_words(own.weight, begins + k, 0)
            covariance.differences(planes, spec[TAPS], at, a, b, weights, workspace.pairs, k * m)
        covariance.add(m, count, workspace.pairs, own.sums, 0)
