"""What a network of ``photo`` without least squares sees of a pixel, in integers: preset ``turbo``.

The base is the median of W, N and W + N - NW (Weinberger, Seroussi and Sapiro 2000, "The LOCO-I lossless image
compression algorithm", section III.A), each channel's by itself, and the scale its mean error at six neighbours.
How far the channels before are from their bases goes into the heads, whose gates add a part of it to the means.

Units are those of :mod:`arcomp.models.photo.inputs`: bases in 1/64 of a level (Q6), errors in 1/16 (Q4), scales in
1/256 (Q8); inputs int8 in sixteenths.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.models.photo.inputs import MID_QUARTER, TYPICAL_ERROR, clip8, error_input, log2, neighbour_input
from arcomp.models.photo.planes import MARGIN, NEIGHBOURS, SKEW, Int64, base_error, fill_margins

NEAR = 12
"""Neighbours that the trunk sees."""
ERRORS = 4
"""Neighbours whose errors it sees, signed and absolute."""
ERROR_WEIGHTS: Int64 = np.array([56, 56, 36, 36, 36, 36], np.int64)
"""Of the errors at the first neighbours; their sum is 256."""
_SCALE_FLOOR = 77  # 0.3 levels in Q8
_ERROR_LIMIT = 4095
_INVERSE = float(1 << 18)


def input_names(channels: int) -> list[str]:
    """What each of the trunk's inputs is."""
    own = [f"neighbour {j}" for j in range(NEAR)]
    own += [f"{kind} at {j}" for j in range(ERRORS) for kind in ("error", "absolute error")]
    return [f"{name}, channel {c}" for c in range(channels) for name in (*own, "scale", "level")]


def inputs(channels: int) -> int:
    """Length of the trunk's input."""
    return len(input_names(channels))


@kernel(inline="always")
def extras(channel: int) -> int:
    """Length of a head's inputs besides the trunk's output."""
    return 3 * channel


@kernel(inner=True)
def predict(planes: Any, workspace: Any, t: int, first: int, count: int) -> None:
    """Bases and scales of a front."""
    values, channels, point = planes.values, planes.channels, planes.depth.point
    mask, at = values.shape[1] - 1, MARGIN + first
    for c in range(channels):
        west = values[c, (t - 1) & mask, at : at + count]
        north = values[c, (t - SKEW) & mask, at - 1 : at - 1 + count]
        north_west = values[c, (t - SKEW - 1) & mask, at - 1 : at - 1 + count]
        base = workspace.base[c]
        for k in range(count):
            w, n = np.int32(west[k]), np.int32(north[k])
            base[k] = max(min(w, n), min(max(w, n), w + n - north_west[k])) << point
        scale, inverse = workspace.scale[c], workspace.inverse[c]
        scale[:count] = 0
        for j in range(len(ERROR_WEIGHTS)):
            dy, dx = NEIGHBOURS[j, 0], NEIGHBOURS[j, 1]
            row = values[base_error(channels, c), (t + dx + SKEW * dy) & mask, at + dy : at + dy + count]
            weight = np.int32(ERROR_WEIGHTS[j])
            for k in range(count):
                scale[k] += weight * abs(np.int32(row[k]))
        for k in range(count):
            scale[k] = (scale[k] >> 4) + np.int32(_SCALE_FLOOR)
            inverse[k] = np.int32(_INVERSE / np.float64(scale[k]))


@kernel(inner=True)
def features(planes: Any, squares: Any, workspace: Any, t: int, first: int, count: int, out: Any) -> None:
    """The trunk's inputs of a front, after :func:`predict`.

    Args:
        first, count: its rows.
        out: int8 [inputs, >= count], written.
    """
    values, channels, depth = planes.values, planes.channels, planes.depth
    mask, at = values.shape[1] - 1, MARGIN + first
    o = 0
    for c in range(channels):
        base, inverse = workspace.base[c], workspace.inverse[c]
        for j in range(NEAR):
            dy, dx = NEIGHBOURS[j, 0], NEIGHBOURS[j, 1]
            row = values[c, (t + dx + SKEW * dy) & mask, at + dy : at + dy + count]
            neighbour_input(row, depth.point, base, inverse, count, out[o + j])
        o += NEAR
        for j in range(ERRORS):
            dy, dx = NEIGHBOURS[j, 0], NEIGHBOURS[j, 1]
            row = values[base_error(channels, c), (t + dx + SKEW * dy) & mask, at + dy : at + dy + count]
            error_input(row, inverse, False, count, out[o])
            error_input(row, inverse, True, count, out[o + 1])
            o += 2
        for k in range(count):
            out[o, k] = clip8(log2(squares.logs, workspace.scale[c, k]) - TYPICAL_ERROR)
            out[o + 1, k] = (base[k] >> depth.quarter) - MID_QUARTER
        o += 2


@kernel(inner=True)
def channel_features(workspace: Any, channel: int, count: int, out: Any, residuals: Any) -> None:
    """A head's further inputs, made when the channels before its own are known (in ``workspace.current``).

    Args:
        out: int8 [extras, >= count], written: of each channel before, its residual in units of its own scale, the
            absolute value of that, and its residual in units of this channel's scale.
        residuals: int32 [channels - 1, >= count], written: the residuals, Q6; 0 for channels that are not known.
    """
    point = workspace.depth.point
    own = workspace.inverse[channel]
    for c in range(residuals.shape[0]):
        row = residuals[c]
        if c >= channel:
            row[:count] = 0
            continue
        base, inverse, current = workspace.base[c], workspace.inverse[c], workspace.current[c]
        for k in range(count):
            residual = (current[k] << point) - base[k]
            r = clip8((residual * inverse[k] + np.int32(2048)) >> 12)
            row[k] = residual
            out[3 * c, k] = r
            out[3 * c + 1, k] = min(np.int32(127), abs(r))
            out[3 * c + 2, k] = clip8((residual * own[k] + np.int32(2048)) >> 12)


@kernel(inner=True)
def update_errors(planes: Any, workspace: Any, t: int, first: int, count: int) -> None:
    """Errors of a front whose levels are all known; then its margins."""
    values, channels, point = planes.values, planes.channels, planes.depth.point
    mask, at = values.shape[1] - 1, MARGIN + first
    limit = np.int32(_ERROR_LIMIT)
    for c in range(channels):
        row = values[base_error(channels, c), t & mask, at : at + count]
        for k in range(count):
            row[k] = max(-limit, min(limit, ((workspace.current[c, k] << point) - workspace.base[c, k]) >> 2))
    fill_margins(planes, t)
