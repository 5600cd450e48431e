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

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel

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
_UNSEEN_ERROR = 32  # 2 levels in Q4: what is assumed outside the picture
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


class Neighbourhood:
    """The planes that inputs are computed from: pixels, errors of the base, penalties of the predictors.

    Args:
        images: number of pictures (or tiles) N.
        height, width: size of the largest of them, in pixels.
        widths: int32 [N], the width of each (its right edge is repeated beyond it).
        channels: 1 or 3.

    Guarantees: planes are padded with fixed values; positions are written once, in causal order, by
    :func:`observe`, which also fills what lies beside a row once it is known.
    """

    def __init__(self, images: int, height: int, width: int, widths: Int32, channels: int) -> None:
        shape = (images, height + PAD + 1, width + 2 * PAD, channels)
        self.pixels: Int16 = np.full(shape, 128, np.int16)
        self.errors: Int16 = np.full(shape, _UNSEEN_ERROR, np.int16)
        self.penalties: UInt8 = np.full((*shape, PREDICTORS), _UNSEEN_PENALTY, np.uint8)
        self.widths = widths


@kernel(inline="always")
def _clip8(v: Any) -> Any:
    return max(-128, min(127, v))


@kernel(inline="always")
def _log2(table: Any, v: Any) -> Any:
    return table[v] if v < 4096 else table[v >> 4] + 64


@kernel(allocates=True)
def look(
    image: Int32, ys: Int32, xs: Int32, pixels: Int16, errors: Int16, penalties: UInt8,
    neighbours: Any, blend: Any, log2: Any, scale_weights: Any, blend_weights: Any,
    out: Int8, base: Int32, scale: Int32, predictions: Int32,
) -> None:  # fmt: skip
    """Inputs, bases and scales of positions whose neighbourhood is known.

    Args:
        image, ys, xs: int32 [n], the positions.
        pixels, errors, penalties: planes of a :class:`Neighbourhood`.
        out: int8 [n, inputs], written.
        base: int32 [n, C] in Q4, written. scale: int32 [n, C] in Q8, written.
        predictions: int32 [n, C, PREDICTORS] in Q4, written (for :func:`observe`).
    """
    channels = pixels.shape[3]
    count = neighbours.shape[0]
    v = np.empty(count, np.int32)
    e = np.empty(14, np.int32)
    sums = np.empty(PREDICTORS, np.int32)
    for i in range(ys.shape[0]):
        n = image[i]
        y = ys[i] + PAD
        x = xs[i] + PAD
        o = 0
        for c in range(channels):
            for j in range(count):
                v[j] = pixels[n, y + neighbours[j, 0], x + neighbours[j, 1], c]
            sums[:] = 0
            for j in range(6):
                at = penalties[n, y + neighbours[j, 0], x + neighbours[j, 1], c]
                for k in range(PREDICTORS):
                    sums[k] += blend_weights[j] * at[k]
            p = predictions[i, c]
            p[0] = v[0] << 4
            p[1] = v[1] << 4
            p[2] = (v[0] + v[1] - v[2]) << 4
            p[3] = (v[0] + v[3] - v[1]) << 4
            p[4] = (v[1] + v[3] - v[9]) << 4
            p[5] = ((v[0] + v[1]) << 3) + ((v[3] - v[2]) << 2)
            total = np.int64(0)
            mean = np.int64(0)
            for k in range(PREDICTORS):
                w = blend[sums[k]]
                total += w
                mean += w * p[k]
            b = np.int32(max(np.int64(0), min(np.int64(255 << 4), mean // total)))
            s = np.int32(0)
            for j in range(14):
                e[j] = errors[n, y + neighbours[j, 0], x + neighbours[j, 1], c]
                s += scale_weights[j] * abs(e[j])
            s = (s << 4) // _SCALE_TOTAL + _SCALE_FLOOR
            base[i, c] = b
            scale[i, c] = s
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
            ls = _log2(log2, s)
            for k in range(PREDICTORS):
                out[i, o + k] = _clip8(2 * (_log2(log2, 32 * sums[k] + _SCALE_FLOOR) - ls))
            o += PREDICTORS
            near = abs(e[0]) + abs(e[1]) + abs(e[2]) + abs(e[3])
            out[i, o] = _clip8(ls - 144)
            out[i, o + 1] = _clip8(2 * (_log2(log2, 4 * near + _SCALE_FLOOR) - ls))
            out[i, o + 2] = (b >> 5) - 64
            o += 3


@kernel()
def observe(
    image: Int32, ys: Int32, xs: Int32, channel: int, values: Int32, base: Int32, predictions: Int32,
    widths: Int32, pixels: Int16, errors: Int16, penalties: UInt8,
) -> None:  # fmt: skip
    """Enter the decoded values (int32 [n], levels) of one channel at the positions into the planes."""
    for i in range(ys.shape[0]):
        n = image[i]
        y = ys[i] + PAD
        x = xs[i] + PAD
        v = values[i]
        pixels[n, y, x, channel] = v
        if xs[i] == 0:  # to the left of the next row
            for k in range(PAD):
                pixels[n, y + 1, k, channel] = v
        if xs[i] == widths[n] - 1:
            for k in range(PAD):
                pixels[n, y, x + 1 + k, channel] = v
        errors[n, y, x, channel] = (v << 4) - base[i, channel]
        for k in range(PREDICTORS):
            d = abs((v << 4) - predictions[i, channel, k]) >> 4
            penalties[n, y, x, channel, k] = min(255, d)


@kernel()
def head_extras(values: Int32, base: Int32, scale: Int32, channel: int, out: Int8) -> None:
    """What head ``channel`` is told of the channels before it: out int8 [n, 2 * channel], written.

    The residual of each earlier channel to its base in units of its scale (sixteenths), and its absolute value.
    """
    for i in range(values.shape[0]):
        for c in range(channel):
            r = _clip8((((values[i, c] << 4) - base[i, c]) * ((1 << 20) // scale[i, c]) + 2048) >> 12)
            out[i, 2 * c] = r
            out[i, 2 * c + 1] = min(127, abs(r))


@kernel()
def walk(
    image: Int32, ys: Int32, xs: Int32, values: Int32, widths: Int32,
    pixels: Int16, errors: Int16, penalties: UInt8,
    neighbours: Any, blend: Any, log2: Any, scale_weights: Any, blend_weights: Any,
    out: Int8, base: Int32, scale: Int32, predictions: Int32,
) -> None:  # fmt: skip
    """:func:`look` and :func:`observe` at one position after the other: for pictures that are known."""
    for i in range(ys.shape[0]):
        j = i + 1
        look(
            image[i:j], ys[i:j], xs[i:j], pixels, errors, penalties,
            neighbours, blend, log2, scale_weights, blend_weights,
            out[i:j], base[i:j], scale[i:j], predictions[i:j],
        )  # fmt: skip
        for c in range(values.shape[1]):
            observe(
                image[i:j], ys[i:j], xs[i:j], c, values[i:j, c], base[i:j], predictions[i:j],
                widths, pixels, errors, penalties,
            )  # fmt: skip


TABLES = (NEIGHBOURS, BLEND, LOG2, _SCALE_WEIGHTS, _BLEND_WEIGHTS)
"""What :func:`look` and :func:`walk` take after the planes."""


@dataclass
class Seen:
    """Results of :func:`look` for n positions: inputs int8 [n, inputs], base int32 [n, C] in Q4,
    scale int32 [n, C] in Q8, predictions int32 [n, C, PREDICTORS] in Q4."""

    inputs: Int8
    base: Int32
    scale: Int32
    predictions: Int32

    @classmethod
    def workspace(cls, positions: int, channels: int) -> Seen:
        """Unwritten arrays for so many positions."""
        return cls(
            np.empty((positions, inputs(channels)), np.int8),
            np.empty((positions, channels), np.int32),
            np.empty((positions, channels), np.int32),
            np.empty((positions, channels, PREDICTORS), np.int32),
        )


def examine(values: Int32) -> Seen:
    """Everything seen of a known picture (int32 [H, W, C], channels in coding order), in raster order."""
    height, width, channels = values.shape
    around = Neighbourhood(1, height, width, np.array([width], np.int32), channels)
    ys, xs = (np.ascontiguousarray(a.ravel(), np.int32) for a in np.indices((height, width)))
    seen = Seen.workspace(height * width, channels)
    walk(
        np.zeros_like(ys), ys, xs, values.reshape(-1, channels), around.widths,
        around.pixels, around.errors, around.penalties, *TABLES,
        seen.inputs, seen.base, seen.scale, seen.predictions,
    )  # fmt: skip
    return seen


def all_extras(values: Int32, base: Int32, scale: Int32) -> Int8:
    """:func:`head_extras` of all heads side by side: int8 [n, extras]."""
    n, channels = values.shape
    parts = []
    for c in range(channels):
        part = np.empty((n, 2 * c), np.int8)
        head_extras(values, base, scale, c, part)
        parts.append(part)
    return np.concatenate(parts, 1)
