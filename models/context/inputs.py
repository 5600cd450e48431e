"""What the ``context`` model sees of a pixel's causal neighbourhood, in integers.

For each channel: a *base* (a blend of six linear predictors, each weighted by how well it did at the
neighbouring pixels, after Seemann and Tischer 1997, "Generalized locally adaptive DPCM"), a *scale* (the mean
error of the base at the neighbouring pixels), and 24 neighbours as differences to the base in units of
the scale, so that neither brightness nor contrast of the picture matters.

Everything is integer: pixels in levels, bases and errors in sixteenths of a level (Q4), scales in
1/256 (Q8), the network's inputs int8 in sixteenths (clipped to about +-8 scales).

The kernels below run over positions in any causal order; encoder, decoder and training call the same ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.arrays import Ints
from arcomp.exact.compiled import kernel
from arcomp.exact.records import Record, record

Int8 = npt.NDArray[np.int8]
Int16 = npt.NDArray[np.int16]
Int32 = npt.NDArray[np.int32]
UInt8 = npt.NDArray[np.uint8]

# Neighbours (dy, dx) by importance. All are decoded before (y, x) under a wavefront of skew 4 or more.
NEIGHBOURS = np.array(
    [
        (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, -2), (-1, 2),
        (-2, -1), (-2, 1), (-2, -2), (-2, 2), (0, -3), (-3, 0), (-1, -3), (-1, 3),
        (-3, -1), (-3, 1), (-2, -3), (-2, 3), (0, -4), (-4, 0), (-3, -2), (-3, 2),
    ],
    np.int64,
)  # fmt: skip
SKEW = 4
PAD = 4
"""Rows above and columns beside the picture that the neighbourhood reaches."""

PREDICTORS = 6
SIGNED_ERRORS = 6
ABSOLUTE_ERRORS = 4
_SCALE_WEIGHTS = np.array([8, 8, 5, 5, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1], np.int64)
_SCALE_TOTAL = int(_SCALE_WEIGHTS.sum())
_SCALE_FLOOR = 51  # 0.2 levels in Q8
_BLEND_WEIGHTS = np.array([2, 2, 1, 1, 1, 1], np.int64)  # of penalties at W, N, NW, NE, WW, NN
_UNSEEN_LEVEL = 128  # what is assumed outside the picture
_UNSEEN_ERROR = 32  # 2 levels in Q4
_UNSEEN_PENALTY = 2

INPUTS_PER_CHANNEL = len(NEIGHBOURS) + SIGNED_ERRORS + ABSOLUTE_ERRORS + PREDICTORS + 3


def inputs(channels: int) -> int:
    """Length of the network's input for a pixel of that many channels."""
    return INPUTS_PER_CHANNEL * channels


def extras(channels: int) -> int:
    """Length of all heads' further inputs: two for each channel that is already coded."""
    return channels * (channels - 1)


def _log2_table() -> Int16:
    """floor(16 log2 i) for i in 0..4095 (0 for i = 0), by integers: i^16 has that many bits less one."""
    return np.array([0] + [(i**16).bit_length() - 1 for i in range(1, 4096)], np.int16)


def _blend_table() -> npt.NDArray[np.int64]:
    """Weight of a predictor whose weighted penalty (sum of weights 8) is i: 2^40 / (i + 2)^3, rounded down."""
    return np.array([(1 << 40) // (i + 2) ** 3 for i in range(8 * 255 + 1)], np.int64)


LOG2 = _log2_table()
BLEND = _blend_table()


def plane_bytes(images: int, height: int, width: int, channels: int) -> int:
    """What a :class:`Neighbourhood` takes."""
    return images * (height + PAD + 1) * (width + 2 * PAD) * channels * (2 + 2 + PREDICTORS)


class Neighbourhood(NamedTuple):
    """The planes that inputs are computed from. N pictures (or tiles), padded with fixed values; ``update_errors``
    writes each position once, in causal order, and what lies beside a row as soon as it is known.

    All is kept with the bits flipped that the fixed value has: so that is 0, and memory that the system gives only when
    it is written to is as good as filled. A damaged file may claim millions of pixels, and end after a few.
    """

    pixels: Int16
    """[N, PAD + height + 1, PAD + width + PAD, C]: levels, exclusive or _UNSEEN_LEVEL."""
    errors: Int16
    """The same shape: errors of the base, Q4, exclusive or _UNSEEN_ERROR."""
    penalties: UInt8
    """[..., PREDICTORS]: absolute errors of the predictors, in levels, exclusive or _UNSEEN_PENALTY."""
    widths: Int32
    """[N]: the width of each picture; its right edge is repeated beyond it."""
    scratch: Int32
    """[3, 24], of one position: neighbours, errors, sums of penalties."""


def neighbourhood(images: int, height: int, width: int, widths: Int32, channels: int) -> Neighbourhood:
    """The planes of pictures of which nothing is known.

    Args:
        images: number of pictures (or tiles) N. height, width: size of the largest of them, in pixels.
        widths: int32 [N], the width of each. channels: 1 or 3.
    """
    shape = (images, height + PAD + 1, width + 2 * PAD, channels)
    return Neighbourhood(
        np.zeros(shape, np.int16),
        np.zeros(shape, np.int16),
        np.zeros((*shape, PREDICTORS), np.uint8),
        np.ascontiguousarray(widths, np.int32),
        np.zeros((3, len(NEIGHBOURS)), np.int32),
    )


class Positions(NamedTuple):
    """Positions (image, y, x): int32 [n] each."""

    image: Int32
    ys: Int32
    xs: Int32


def positions(image: Ints, ys: Ints, xs: Ints) -> Positions:
    """Of any integers, in a form that kernels take."""
    return Positions(*(np.ascontiguousarray(a, np.int32) for a in (image, ys, xs)))


class Features(NamedTuple):
    """What the network reads of n positions."""

    inputs: Int8
    """[n, inputs]."""
    base: Int32
    """[n, C], Q4."""
    scale: Int32
    """[n, C], Q8."""
    predictions: Int32
    """[n, C, PREDICTORS], Q4: for ``update_errors``."""

    def part(self, own: slice) -> Features:
        """Of some of the positions: views."""
        return Features(self.inputs[own], self.base[own], self.scale[own], self.predictions[own])


def unwritten(count: int, channels: int) -> Features:
    """Arrays for so many positions."""
    return Features(
        np.empty((count, inputs(channels)), np.int8),
        np.empty((count, channels), np.int32),
        np.empty((count, channels), np.int32),
        np.empty((count, channels, PREDICTORS), np.int32),
    )


@kernel(inline="always")
def _clip8(v: Any) -> Any:
    return max(-128, min(127, v))


@kernel(inline="always")
def _log2(v: Any) -> Any:
    return LOG2[v] if v < 4096 else LOG2[v >> 4] + 64


@kernel(inner=True)
def _predictors(v: Any, p: Any) -> None:
    """Six linear predictors (Q4) from the neighbours."""
    p[0] = v[0] << 4
    p[1] = v[1] << 4
    p[2] = (v[0] + v[1] - v[2]) << 4
    p[3] = (v[0] + v[3] - v[1]) << 4
    p[4] = (v[1] + v[3] - v[9]) << 4
    p[5] = ((v[0] + v[1]) << 3) + ((v[3] - v[2]) << 2)


@kernel(inner=True)
def _features_at(around: Any, at: Positions, i: int, into: Any) -> None:
    """Inputs, bases and scales of position i, whose neighbourhood is known."""
    pixels, errors, penalties, out = around.pixels, around.errors, around.penalties, into.inputs
    v, e, sums = around.scratch[0], around.scratch[1], around.scratch[2]
    count = NEIGHBOURS.shape[0]
    n, y, x = at.image[i], at.ys[i] + PAD, at.xs[i] + PAD
    o = 0
    for c in range(pixels.shape[3]):
        for j in range(count):
            v[j] = pixels[n, y + NEIGHBOURS[j, 0], x + NEIGHBOURS[j, 1], c] ^ _UNSEEN_LEVEL
        sums[:PREDICTORS] = 0
        for j in range(6):
            there = penalties[n, y + NEIGHBOURS[j, 0], x + NEIGHBOURS[j, 1], c]
            for k in range(PREDICTORS):
                sums[k] += _BLEND_WEIGHTS[j] * (there[k] ^ _UNSEEN_PENALTY)
        p = into.predictions[i, c]
        _predictors(v, p)
        total = np.int64(0)
        mean = np.int64(0)
        for k in range(PREDICTORS):
            w = BLEND[sums[k]]
            total += w
            mean += w * p[k]
        b = np.int32(max(np.int64(0), min(np.int64(255 << 4), mean // total)))
        s = np.int32(0)
        for j in range(14):
            e[j] = errors[n, y + NEIGHBOURS[j, 0], x + NEIGHBOURS[j, 1], c] ^ _UNSEEN_ERROR
            s += _SCALE_WEIGHTS[j] * abs(e[j])
        s = (s << 4) // _SCALE_TOTAL + _SCALE_FLOOR
        into.base[i, c] = b
        into.scale[i, c] = s
        inverse = np.int32((1 << 20) // s)
        for j in range(count):
            out[i, o + j] = _clip8((((v[j] << 4) - b) * inverse + 2048) >> 12)
        o += count
        for j in range(SIGNED_ERRORS):
            out[i, o + j] = _clip8((e[j] * inverse + 2048) >> 12)
        o += SIGNED_ERRORS
        for j in range(ABSOLUTE_ERRORS):
            out[i, o + j] = _clip8((abs(e[j]) * inverse + 2048) >> 12)
        o += ABSOLUTE_ERRORS
        ls = _log2(s)
        for k in range(PREDICTORS):
            out[i, o + k] = _clip8(2 * (_log2(32 * sums[k] + _SCALE_FLOOR) - ls))
        o += PREDICTORS
        near = abs(e[0]) + abs(e[1]) + abs(e[2]) + abs(e[3])
        out[i, o] = _clip8(ls - 144)
        out[i, o + 1] = _clip8(2 * (_log2(4 * near + _SCALE_FLOOR) - ls))
        out[i, o + 2] = (b >> 5) - 64
        o += 3


@kernel(inner=True)
def _update_at(around: Any, at: Positions, i: int, channel: int, v: int, seen: Any) -> None:
    """The level v of a channel at position i becomes known."""
    pixels, errors = around.pixels, around.errors
    n, y, x = at.image[i], at.ys[i] + PAD, at.xs[i] + PAD
    kept = v ^ _UNSEEN_LEVEL
    pixels[n, y, x, channel] = kept
    if at.xs[i] == 0:  # to the left of the next row
        for k in range(PAD):
            pixels[n, y + 1, k, channel] = kept
    if at.xs[i] == around.widths[n] - 1:
        for k in range(PAD):
            pixels[n, y, x + 1 + k, channel] = kept
    errors[n, y, x, channel] = ((v << 4) - seen.base[i, channel]) ^ _UNSEEN_ERROR
    for k in range(PREDICTORS):
        d = abs((v << 4) - seen.predictions[i, channel, k]) >> 4
        around.penalties[n, y, x, channel, k] = min(255, d) ^ _UNSEEN_PENALTY


@kernel()
def _features(around: Any, at: Any, out: Any) -> None:
    for i in range(at.ys.shape[0]):
        _features_at(around, at, i, out)


@kernel()
def _update_errors(around: Any, at: Any, channel: int, values: Int32, seen: Any) -> None:
    for i in range(at.ys.shape[0]):
        _update_at(around, at, i, channel, values[i], seen)


@kernel()
def _sequential(around: Any, at: Any, values: Int32, out: Any) -> None:
    for i in range(at.ys.shape[0]):
        _features_at(around, at, i, out)
        for c in range(values.shape[1]):
            _update_at(around, at, i, c, values[i, c], out)


class FrontPart:
    """Some positions of a front, packed for kernels once.

    Args:
        around: the record of a :class:`Neighbourhood`. at: the positions. seen: where what is seen of them goes.
    """

    def __init__(self, around: Record, at: Positions, seen: Features) -> None:
        self._around, self._at, self._seen = around, record(at), record(seen)

    def features(self) -> None:
        """Write inputs, bases and scales of positions whose neighbourhood is known."""
        _features(self._around, self._at, self._seen)

    def update_errors(self, channel: int, values: Int32) -> None:
        """The levels int32 [n] of one channel become known; after :meth:`features`."""
        _update_errors(self._around, self._at, channel, values, self._seen)

    def sequential(self, values: Int32) -> None:
        """Both at one position after the other: for pictures that are known.

        Args:
            values: int32 [n, C], levels.
        """
        _sequential(self._around, self._at, values, self._seen)


@kernel()
def head_extras(values: Int32, base: Int32, scale: Int32, channel: int, out: Int8) -> None:
    """Further inputs of the head of a channel, of the channels before it: out int8 [n, 2 * channel], written.

    The residual of each earlier channel to its base in units of its scale (sixteenths), and its absolute value.
    """
    for i in range(values.shape[0]):
        for c in range(channel):
            r = _clip8((((values[i, c] << 4) - base[i, c]) * ((1 << 20) // scale[i, c]) + 2048) >> 12)
            out[i, 2 * c] = r
            out[i, 2 * c + 1] = min(127, abs(r))


def extract_features(values: Int32) -> Features:
    """The features of a known picture (int32 [H, W, C], channels in coding order), in raster order."""
    height, width, channels = values.shape
    around = record(neighbourhood(1, height, width, np.array([width]), channels))
    ys, xs = (a.ravel() for a in np.indices((height, width)))
    out = unwritten(height * width, channels)
    at = positions(np.zeros_like(ys), ys, xs)
    FrontPart(around, at, out).sequential(np.ascontiguousarray(values.reshape(-1, channels)))
    return out


def all_extras(values: Int32, base: Int32, scale: Int32) -> Int8:
    """The further inputs of all heads side by side: int8 [n, extras]."""
    n, channels = values.shape
    parts = []
    for c in range(channels):
        part = np.empty((n, 2 * c), np.int8)
        head_extras(values, base, scale, c, part)
        parts.append(part)
    return np.concatenate(parts, 1)
