"""Heads that go on learning from the picture: each head's last layer follows the gradient of the mixture's code length,
as :mod:`arcomp.exact.last_layers` has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.exact.last_layers import (
    Heads,
    float_weights,
    gather,
    keep_slope,
    logistic_of,
    new_heads,
    output_steps,
    steepness,
)
from arcomp.models.photo.exact import PackedNet


def heads(net: PackedNet, channels: int, longest: int, rate: float, group: int) -> Heads:
    """The heads as they were frozen; ``longest``: pixels of a front."""
    first_head = net.trunk + 1 + channels
    outputs, words = int(net.shapes[first_head, 0]), int(net.shapes[first_head, 1])
    units = int(net.shapes[net.trunk, 0]) // channels
    weights = np.empty((channels, outputs, units + 1))
    constants = int(net.shapes[: net.trunk, 0].sum()) + channels * units
    for c in range(channels):
        start = int(net.shapes[first_head + c, 2])
        packed = net.weights[start : start + outputs * words].reshape(outputs, words)
        own = slice(constants + c * outputs, constants + (c + 1) * outputs)
        weights[c, :, :units] = float_weights(packed, units, net.multiplier[own], net.shift[own])
        weights[c, :, units] = net.bias[own] * output_steps(net.multiplier[own], net.shift[own])
    return new_heads(weights, longest, rate, group)


@kernel(inner=True)
def _slopes(front: Any, outputs: Any, scale: Any, residuals: Any, k: Any, value: Any, logistic: Any, out: Any) -> None:
    """Derivatives of the code length, -ln of the mixture's mass of a value, by the outputs (in real units): float64
    [outputs], for pixel k of a front. Of more than 8 bits: the mass of a level with the sample in its middle."""
    mixture, depth = front.mixture, front.depth
    n = (mixture.shape[1] - 2) // 3
    below = (value << (8 - depth.shift)) - 128
    known = 0.0
    for j in range(n):
        inverse = mixture[k, 2 * n + j]
        low = (below - mixture[k, n + j]) * inverse >> 16
        high = (below + 256 - mixture[k, n + j]) * inverse >> 16
        a = logistic_of(low, logistic) if value > 0 else 0.0
        b = logistic_of(high, logistic) if value < depth.highest else 1.0
        w = float(mixture[k, j]) * (1.0 / 65536.0)
        mass = w * (b - a)
        known += mass
        da, db = steepness(a, low), steepness(b, high)
        out[j] = mass
        out[n + j] = w * (db - da) * (float(inverse) * (1.0 / 65536.0))
        moves = abs(outputs[2 * n + j] + 256) < 1280 and 16 < inverse < 1 << 21  # where no limit holds the scale
        out[2 * n + j] = w * (db * float(high) - da * float(low)) * (1.0 / 256.0) if moves else 0.0
    by = 1.0 / (known + 1e-6)
    centre = 0.0
    for j in range(n):
        out[j] = (float(mixture[k, j]) * (1.0 / 65536.0) * known - out[j]) * by
        out[2 * n + j] *= by
        out[n + j] *= by
        centre += out[n + j]
        out[n + j] *= float(scale) * (1.0 / 256.0)
    for g in range(len(out) - 3 * n):
        out[3 * n + g] = centre * (float(residuals[g, k]) * (1.0 / 64.0))


@kernel(inner=True)
def learn(
    heads: Any,
    channel: int,
    front: Any,
    outputs: Any,
    scale: Any,
    residuals: Any,
    values: Any,
    logistic: Any,
) -> None:
    """Add the gradient of one channel of a front, after :func:`forward` for it.

    Args:
        front: its ``mixture`` is what :func:`arcomp.models.photo.exact.mixtures` made of this channel's ``outputs``.
        values: integers [count], the levels.
    """
    slope, count = heads.slope, len(values)
    for k in range(count):
        _slopes(front, outputs[:, k], scale[k], residuals, k, np.int64(values[k]), logistic, slope)
        keep_slope(heads, k)
    gather(heads, channel, count)
