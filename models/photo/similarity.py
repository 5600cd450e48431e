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

from arcomp.exact.compiled import kernel
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
    pair_shorts,
    store_doubles,
    store_shorts_of_doubles,
    store_words,
    words_of_shorts,
)
from arcomp.models.photo import covariance
from arcomp.models.photo.planes import LANES, NEIGHBOURS, SKEW, Int16, Int32
from arcomp.models.photo.windows import COMPARED, FULL_WEIGHT, SAMPLES, SAMPLES_AT, SIZE, TAPS, Window, pairs


class Workspace(NamedTuple):
    """Of LANES pixels: the samples of the largest window, and their sums."""

    distance: Int32
    """[samples, LANES]. ratio, weight: the same shape."""
    ratio: npt.NDArray[np.float64]
    weight: Int16
    sums: Int32
    """[pairs, LANES]."""
    total: Int32
    """[1, LANES]: the sum of the weights."""


def new_workspace(windows: tuple[Window, ...], channels: int) -> Workspace:
    """For any of the windows."""
    samples = max([w.samples() + 1 for w in windows if w.similarity], default=2)
    size = max([w.size(channels) for w in windows if w.similarity], default=1)
    return Workspace(
        aligned((samples, LANES), np.int32),
        aligned((samples, LANES), np.float64),
        aligned((samples, LANES), np.int16),
        aligned((pairs(size), LANES), np.int32),
        aligned((1, LANES), np.int32),
    )


@kernel(inner=True)
def _weigh(planes: Any, squares: Any, w: int, workspace: Any, t: int, at: int) -> None:
    """Weights of all samples of LANES pixels: ``workspace.weight`` and ``workspace.total``."""
    flat, channels, ring = planes.flat, planes.channels, planes.values.shape[1]
    mask, samples, begin = ring - 1, squares.spec[w, SAMPLES], squares.spec[w, SAMPLES_AT]
    places, fading = squares.places, squares.fading
    for n in range(samples):
        dy, dx = places[begin + n, 0], places[begin + n, 1]
        distance = all_shorts(np.int16(0))
        for j in range(COMPARED):
            ny, nx = NEIGHBOURS[j, 0], NEIGHBOURS[j, 1]
            here, there = (t + nx + SKEW * ny) & mask, (t + nx + dx + SKEW * (ny + dy)) & mask
            for c in range(channels):
                own = load_shorts(flat, c * ring + here, at + ny)
                distance = distance + absolute_shorts(own - load_shorts(flat, c * ring + there, at + ny + dy))
        store_words(workspace.distance, n, 0, words_of_shorts(distance))
    least = all_doubles(squares.real[w, 3] * float((COMPARED * channels) ** 2))
    for half in range(0, LANES, 8):
        largest = all_doubles(0.0)
        for n in range(samples):
            d = load_doubles_of_words(workspace.distance, n, half)
            q = all_doubles(fading[begin + n]) / (least + d * d)
            store_doubles(workspace.ratio, n, half, q)
            largest = larger_doubles(largest, q)
        unit = all_doubles(float(FULL_WEIGHT)) / largest
        for n in range(samples):
            w = load_doubles(workspace.ratio, n, half) * unit + all_doubles(0.5)
            store_shorts_of_doubles(workspace.weight, n, half, w)
    total = all_words(np.int32(0))
    for n in range(samples):
        total = total + words_of_shorts(load_shorts(workspace.weight, n, 0))
    workspace.weight[samples] = 0  # where their number is odd
    store_words(workspace.total, 0, 0, total)


@kernel(inner=True)
def similarity_weighted(planes: Any, squares: Any, workspace: Any, w: int, t: int, at: int) -> None:
    """The sums of a window of LANES pixels: ``sums`` and ``total`` of ``workspace.similarity``.

    Args:
        w: number of the window. at: column of the first pixel in front t.
    """
    spec, places, own = squares.spec[w], squares.places, workspace.similarity
    m, begin = spec[SIZE], spec[SAMPLES_AT]
    _weigh(planes, squares, w, own, t, at)
    own.sums[: m * (m + 1) // 2] = 0
    both = (spec[SAMPLES] + 1) // 2
    for first in range(0, both, covariance.BLOCK):
        count = min(covariance.BLOCK, both - first)
        for k in range(count):
            n = 2 * (first + k)
            i, j = begin + n, begin + n + 1
            weights = pair_shorts(load_shorts(own.weight, n, 0), load_shorts(own.weight, n + 1, 0))
            a = (t + places[i, 1] + SKEW * places[i, 0], places[i, 0])
            b = (t + places[j, 1] + SKEW * places[j, 0], places[j, 0])
            covariance.differences(planes, spec[TAPS], at, a, b, weights, workspace.pairs, k * m)
        covariance.add(m, count, workspace.pairs, own.sums, 0)
