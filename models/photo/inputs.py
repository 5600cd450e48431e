"""What the network of ``photo`` sees of a pixel, in integers.

The least-squares predictions of all windows are blended by how well each did at the neighbouring pixels (Seemann and
Tischer 1997, "Generalized locally adaptive DPCM") into a *base*: first one for all channels that does without the
current pixel (the *trunk's base*), then for each channel one that knows the channels before it. The mean error of the
base at the neighbouring pixels is the *scale*. All inputs are differences to the base in units of the scale, or
logarithms of ratios of errors, int8 in sixteenths: neither brightness nor contrast of the picture matters.

Predictions and bases are in 1/64 of a level (Q6), errors in 1/16 (Q4), scales in 1/256 (Q8).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.coding.levels import MID_LEVEL
from arcomp.exact.compiled import kernel
from arcomp.models.photo.depth import LEVEL_BITS
from arcomp.models.photo.least_squares import OVERSHOOT
from arcomp.models.photo.planes import (
    MARGIN,
    NEIGHBOURS,
    SKEW,
    Int64,
    base_error,
    fill_margins,
    sample_weight,
    trunk_error,
    window_error,
)

ERROR_WEIGHTS: Int64 = np.array([40, 40, 25, 25, 15, 15, 10, 10, 10, 10, 6, 6, 6, 6, 6, 6, 4, 4], np.int64)
"""Of the errors at the first neighbours; their sum is 244."""
_ERROR_UNIT = 269
"""Weighted sum of errors in Q4 -> mean in Q8: 2**12 * 16 / 244."""
_SCALE_FLOOR = 51  # 0.2 levels in Q8
_BLEND_FLOOR = 0.15  # levels
_ERROR_LIMIT = 4095
TYPICAL_ERROR = 144  # 16 log2 of two levels in Q8
MID_QUARTER = MID_LEVEL // 4
_BEYOND = OVERSHOOT << LEVEL_BITS
SIGNED_ERRORS = 6
WINDOW_ERRORS = 2
ABSOLUTE_ERRORS = 4
_INVERSE = float(1 << 18)


def inputs(channels: int, windows: int) -> int:
    """Length of the trunk's input."""
    each = len(NEIGHBOURS) + 2 * windows + SIGNED_ERRORS + WINDOW_ERRORS * windows + ABSOLUTE_ERRORS + 4 + 2 * windows
    return channels * each


def input_names(channels: int, windows: int) -> list[str]:
    """What each of the trunk's inputs is: so that a network of more windows can take over another's weights."""
    names = []
    for c in range(channels):
        own = [f"neighbour {j}" for j in range(len(NEIGHBOURS))]
        own += [f"{kind} order of window {w}" for w in range(windows) for kind in ("low", "full")]
        for j in range(SIGNED_ERRORS):
            own.append(f"error at {j}")
            own += [f"absolute error at {j}"] if j < ABSOLUTE_ERRORS else []
            own += [f"error of window {w} at {j}" for w in range(windows)] if j < WINDOW_ERRORS else []
        own += ["scale", "trunk's scale", "near scale", "level"]
        own += [f"{kind} of window {w}" for w in range(windows) for kind in ("error", "variance")]
        names += [f"{name}, channel {c}" for name in own]
    return names


@kernel(inline="always")
def extras(channel: int, windows: int) -> int:
    """Length of a head's inputs besides the trunk's output."""
    return 2 * channel + 3 + (windows if windows > 1 else 0)


@kernel(inner=True)
def log2(table: Any, v: int) -> Any:
    """16 log2 v, rounded down (to less than four digits for large v)."""
    if v < 4096:
        return table[v]
    if v < 65536:
        return table[v >> 4] + 64
    return table[min(4095, v >> 8)] + 128


@kernel(inner=True)
def clip8(v: Any) -> Any:
    return max(np.int32(-128), min(np.int32(127), v))


@kernel(inner=True)
def _mean_error(plane: Any, t: int, at: int, count: int, first: int, last: int, out: Any) -> None:
    """Weighted sum of the absolute values at neighbours first .. last - 1."""
    mask = plane.shape[0] - 1
    out[:count] = 0
    for j in range(first, last):
        dy, dx = NEIGHBOURS[j, 0], NEIGHBOURS[j, 1]
        row = plane[(t + dx + SKEW * dy) & mask, at + dy : at + dy + count]
        w = np.int32(ERROR_WEIGHTS[j])
        for k in range(count):
            out[k] += w * abs(np.int32(row[k]))


@kernel(inner=True)
def _errors(planes: Any, t: int, at: int, count: int, workspace: Any) -> None:
    """All mean errors of a front, and scales from them."""
    values, channels, windows = planes.values, planes.channels, planes.windows
    neighbours = len(ERROR_WEIGHTS)
    for c in range(channels):
        total = workspace.total[c]
        near = total[2]
        _mean_error(values[base_error(channels, c)], t, at, count, 0, 4, near)
        _mean_error(values[base_error(channels, c)], t, at, count, 4, neighbours, total[0])
        _mean_error(values[trunk_error(channels, c)], t, at, count, 0, neighbours, total[1])
        for w in range(windows):
            _mean_error(values[window_error(channels, w, c)], t, at, count, 0, neighbours, total[3 + w])
        for k in range(count):
            total[0, k] = (((total[0, k] + near[k]) * np.int32(_ERROR_UNIT)) >> 12) + np.int32(_SCALE_FLOOR)
            total[1, k] = ((total[1, k] * np.int32(_ERROR_UNIT)) >> 12) + np.int32(_SCALE_FLOOR)
            near[k] = (near[k] >> 3) + np.int32(_SCALE_FLOOR)
            workspace.scale[c, k] = total[0, k]
            workspace.inverse[c, k] = np.int32(_INVERSE / np.float64(total[0, k]))
            workspace.trunk_inverse[c, k] = np.int32(_INVERSE / np.float64(total[1, k]))
        for w in range(windows):
            for k in range(count):
                total[3 + w, k] = (total[3 + w, k] * np.int32(_ERROR_UNIT)) >> 12


@kernel(inner=True)
def _blend(total: Any, predictions: Any, weight: Any, highest: Any, count: int, out: Any) -> None:
    """The windows' predictions int32 [windows, n], each weighted by the inverse fourth power of its mean error;
    none is above ``highest``."""
    windows = predictions.shape[0]
    if windows == 1:
        for k in range(count):
            out[k] = max(np.int32(0), min(np.int32(highest), predictions[0, k]))
        return
    above, below = weight[windows], weight[windows + 1]
    for k in range(count):
        above[k] = 0.0
        below[k] = 0.0
    for w in range(windows):
        for k in range(count):
            e = np.float64(total[3 + w, k]) * (1.0 / 256.0) + _BLEND_FLOOR
            q = 1.0 / (e * e)
            q = q * q
            above[k] += q * np.float64(predictions[w, k])
            below[k] += q
    for k in range(count):
        b = np.int32(np.floor(above[k] / below[k] + 0.5))
        out[k] = max(np.int32(0), min(np.int32(highest), b))


@kernel(inner=True)
def _scaled(values: Any, base: Any, inverse: Any, count: int, out: Any) -> None:
    """(values - base) / scale in sixteenths; values and base in Q6."""
    for k in range(count):
        out[k] = clip8(((values[k] - base[k]) * inverse[k] + np.int32(2048)) >> 12)


@kernel(inner=True)
def neighbour_input(row: Any, point: Any, base: Any, inverse: Any, count: int, out: Any) -> None:
    for k in range(count):
        v = np.int32(row[k]) << point
        out[k] = clip8(((v - base[k]) * inverse[k] + np.int32(2048)) >> 12)


@kernel(inner=True)
def error_input(row: Any, inverse: Any, absolute: bool, count: int, out: Any) -> None:
    """Errors (Q4) in units of the scale."""
    if absolute:
        for k in range(count):
            out[k] = clip8((abs(np.int32(row[k])) * inverse[k] + np.int32(512)) >> 10)
    else:
        for k in range(count):
            out[k] = clip8((np.int32(row[k]) * inverse[k] + np.int32(512)) >> 10)


@kernel(inner=True)
def features(planes: Any, squares: Any, workspace: Any, t: int, first: int, count: int, out: Any) -> None:
    """The trunk's inputs of a front, which do without its own values; after :func:`least_squares.predict`.

    Args:
        first, count: its rows.
        out: int8 [inputs, >= count], written: the trunk's inputs.
    """
    values, channels, windows = planes.values, planes.channels, planes.windows
    mask, depth = values.shape[1] - 1, planes.depth
    highest = depth.highest << depth.point
    at = MARGIN + first
    _errors(planes, t, at, count, workspace)
    o = 0
    for c in range(channels):
        base, inverse, own = workspace.trunk_base[c], workspace.trunk_inverse[c], workspace.inverse[c]
        _blend(workspace.total[c], workspace.full[c], workspace.weight, highest, count, base)
        for j in range(len(NEIGHBOURS)):
            dy, dx = NEIGHBOURS[j, 0], NEIGHBOURS[j, 1]
            row = values[c, (t + dx + SKEW * dy) & mask, at + dy : at + dy + count]
            neighbour_input(row, depth.point, base, inverse, count, out[o])
            o += 1
        for w in range(windows):
            _scaled(workspace.low[c, w], base, inverse, count, out[o])
            _scaled(workspace.full[c, w], base, inverse, count, out[o + 1])
            o += 2
        for j in range(SIGNED_ERRORS):
            dy, dx = NEIGHBOURS[j, 0], NEIGHBOURS[j, 1]
            row = values[base_error(channels, c), (t + dx + SKEW * dy) & mask, at + dy : at + dy + count]
            error_input(row, own, False, count, out[o])
            o += 1
            if j < ABSOLUTE_ERRORS:
                error_input(row, own, True, count, out[o])
                o += 1
            if j < WINDOW_ERRORS:
                for w in range(windows):
                    row = values[window_error(channels, w, c), (t + dx + SKEW * dy) & mask, at + dy : at + dy + count]
                    error_input(row, own, False, count, out[o])
                    o += 1
        total = workspace.total[c]
        for k in range(count):
            s = log2(squares.logs, total[0, k])
            out[o, k] = clip8(s - TYPICAL_ERROR)
            out[o + 1, k] = clip8(log2(squares.logs, total[1, k]) - TYPICAL_ERROR)
            out[o + 2, k] = clip8(2 * (log2(squares.logs, total[2, k]) - s))
            out[o + 3, k] = (base[k] >> depth.quarter) - MID_QUARTER
        o += 4
        for w in range(windows):
            for k in range(count):
                s = log2(squares.logs, total[0, k])
                out[o, k] = clip8(4 * (log2(squares.logs, total[3 + w, k] + _SCALE_FLOOR) - s))
                v = log2(squares.logs, workspace.variance[c, w, k] + 2)
                out[o + 1, k] = clip8((v >> 1) + 96 - s)
            o += 2


@kernel(inner=True)
def channel_features(squares: Any, workspace: Any, channel: int, count: int, out: Any) -> None:
    """A head's further inputs, int8 [extras, >= count], made when the channels before its own are known.

    Those are in ``workspace.current``.
    """
    windows, depth = workspace.full.shape[1], workspace.depth
    highest = depth.highest << depth.point
    above = highest + (1 << depth.point) + _BEYOND
    for w in range(windows):
        p = workspace.predictions[channel, w]
        for k in range(count):
            p[k] = workspace.full[channel, w, k]
        for c in range(channel):
            factor = workspace.factor[w, channel * (channel - 1) // 2 + c]
            for k in range(count):
                residual = (workspace.current[c, k] << depth.point) - workspace.predictions[c, w, k]
                p[k] += np.int32((np.int64(factor[k]) * residual + 512) >> 10)
        for k in range(count):
            p[k] = max(np.int32(-_BEYOND), min(np.int32(above), p[k]))
    base, inverse = workspace.base[channel], workspace.inverse[channel]
    _blend(workspace.total[channel], workspace.predictions[channel], workspace.weight, highest, count, base)
    o = 0
    for c in range(channel):
        for k in range(count):
            v = workspace.current[c, k] << depth.point
            r = clip8(((v - workspace.base[c, k]) * workspace.inverse[c, k] + np.int32(2048)) >> 12)
            out[o, k] = r
            out[o + 1, k] = min(np.int32(127), abs(r))
        o += 2
    for k in range(count):
        out[o, k] = clip8(((base[k] - workspace.trunk_base[channel, k]) * inverse[k] + np.int32(2048)) >> 12)
        s = log2(squares.logs, workspace.total[channel, 0, k])
        out[o + 1, k] = clip8(2 * (s - log2(squares.logs, workspace.total[channel, 1, k])))
        out[o + 2, k] = (base[k] >> depth.quarter) - MID_QUARTER
    o += 3
    if windows > 1:
        for w in range(windows):
            _scaled(workspace.predictions[channel, w], base, inverse, count, out[o])
            o += 1


@kernel(inner=True)
def push(planes: Any, t: int, first: int, count: int, channel: int, current: Any) -> None:
    """A channel's levels int32 [n] become known."""
    ring = planes.values.shape[1]
    here = t & (ring - 1)
    row = planes.values[channel, here, MARGIN + first : MARGIN + first + count]
    levels = planes.levels[channel * ring + here, MARGIN + first : MARGIN + first + count]
    for k in range(count):
        row[k] = current[k]
        levels[k] = current[k] >> planes.depth.shift


@kernel(inner=True)
def update_errors(planes: Any, workspace: Any, t: int, first: int, count: int) -> None:
    """Errors and sample weights of a front whose levels are all known; then its margins."""
    values, channels, windows = planes.values, planes.channels, planes.windows
    mask, shift, point = values.shape[1] - 1, planes.depth.shift, planes.depth.point
    at = MARGIN + first
    limit = np.int32(_ERROR_LIMIT)
    for c in range(channels):
        own = workspace.current[c]
        signed = values[base_error(channels, c), t & mask, at : at + count]
        absolute = values[trunk_error(channels, c), t & mask, at : at + count]
        for k in range(count):
            v = own[k] << point
            signed[k] = max(-limit, min(limit, (v - workspace.base[c, k]) >> 2))
            absolute[k] = min(limit, abs(v - workspace.trunk_base[c, k]) >> 2)
        for w in range(windows):
            row = values[window_error(channels, w, c), t & mask, at : at + count]
            for k in range(count):
                row[k] = max(-limit, min(limit, ((own[k] << point) - workspace.predictions[c, w, k]) >> 2))
    activity = workspace.total[0, 0]  # no longer needed
    activity[:count] = 0
    for c in range(channels):
        own = workspace.current[c]
        west = values[c, (t - 1) & mask, at : at + count]
        north = values[c, (t - SKEW) & mask, at - 1 : at - 1 + count]
        north_west = values[c, (t - SKEW - 1) & mask, at - 1 : at - 1 + count]
        north_east = values[c, (t - SKEW + 1) & mask, at - 1 : at - 1 + count]
        for k in range(count):
            here, above = np.int32(west[k]), np.int32(north[k])
            activity[k] += (
                abs(here - north_west[k])
                + abs(above - north_west[k])
                + abs(above - north_east[k])
                + abs(own[k] - here)
                + abs(own[k] - above)
            )
    row = values[sample_weight(channels, windows), t & mask, at : at + count]
    five = 5 * channels
    for k in range(count):
        around = activity[k] >> shift
        row[k] = (64 * five + (five + around) // 2) // (five + around)
    fill_margins(planes, t)
