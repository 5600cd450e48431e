"""Heads that go on learning from the picture: each head's last layer follows the gradient of the mixture's code length.

Kingma and Ba 2015 ("Adam") on the pixels coded so far, a step after every group of whole fronts of at least so many
pixels as the configuration says; the decoder takes the same steps. Weights, gradients and moments are float64 in a
fixed sequence of + - * / and square roots, LANES at a time; what comes out is rounded to LOGITS, and
everything before and after is integer.

Outputs are in units of LOGITS (1/256), hidden units are 0 .. 255.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding.levels import HIGHEST
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import aligned, all_doubles, load_doubles, store_doubles
from arcomp.models.photo.exact import PackedNet

Float64 = npt.NDArray[np.float64]
BIAS = 32.0
"""How much faster biases move than weights."""
FIRST, SECOND = 0.9, 0.99
"""Decay of Adam's two moments."""
TINY = 1e-8
LANES = 8


class Heads(NamedTuple):
    """The heads of one strip; hidden units padded to whole vectors, the bias the last but LANES - 1 of a row.

    ``weights``, ``gradient``, ``first``, ``second``: float64 [channels * outputs, columns].
    """

    weights: Float64
    gradient: Float64
    first: Float64
    second: Float64
    hidden: Float64
    """[n, columns]: of a front's pixels for one channel; the bias's unit is 1."""
    slopes: Float64
    """[outputs]: of one pixel."""
    partial: Float64
    """[1, LANES]: sums of one output's products."""
    progress: Float64
    """[3]: pixels since the last step; FIRST and SECOND to the power of the steps so far."""
    outputs: int
    units: int
    rate: float
    """Of weights, in output units a hidden unit; 0.016 is 0.002 in the network's own."""
    group: int
    """Pixels of a step, at least."""


def columns(units: int) -> int:
    """Of a row of weights."""
    return -(-units // LANES) * LANES + LANES


def heads(net: PackedNet, channels: int, longest: int, rate: float, group: int) -> Heads:
    """The heads as they were frozen; ``longest``: pixels of a front."""
    first_head = net.trunk + 1 + channels
    outputs, words = int(net.shapes[first_head, 0]), int(net.shapes[first_head, 1])
    units = int(net.shapes[net.trunk, 0]) // channels
    width = columns(units)
    made = Heads(
        aligned((channels * outputs, width), np.float64),
        aligned((channels * outputs, width), np.float64),
        aligned((channels * outputs, width), np.float64),
        aligned((channels * outputs, width), np.float64),
        aligned((longest + 16, width), np.float64),
        np.zeros(outputs),
        aligned((1, LANES), np.float64),
        np.array([0.0, 1.0, 1.0]),
        outputs,
        units,
        rate,
        group,
    )
    constants = int(net.shapes[: net.trunk, 0].sum()) + channels * units
    for c in range(channels):
        start = int(net.shapes[first_head + c, 2])
        packed = net.weights[start : start + outputs * words].reshape(outputs, words)
        integers = packed.astype("<i4").view(np.int8).reshape(outputs, 4 * words)[:, :units]
        own = slice(constants + c * outputs, constants + (c + 1) * outputs)
        factor = np.ldexp(net.multiplier[own].astype(np.float64), -net.shift[own].astype(np.int32))
        rows = slice(c * outputs, (c + 1) * outputs)
        made.weights[rows, :units] = integers * factor[:, None]
        made.weights[rows, width - LANES] = net.bias[own] * factor
    return made


@kernel(inner=True)
def unpack(packed: Any, units: int, count: int, out: Any) -> None:
    """Packed rectified activations (:mod:`arcomp.exact.dense`) as uint8 [units, >= count]."""
    for i in range(units):
        row, shift = packed[i // 4], 8 * (i % 4)
        for k in range(count):
            out[i, k] = (row[k] >> shift) & 255


@kernel(inner=True)
def forward(heads: Any, channel: int, units: Any, count: int, out: Any) -> None:
    """Outputs of a front's pixels: units uint8 [hidden, >= count] -> int32 [outputs, >= count]."""
    width = heads.weights.shape[1]
    hidden = heads.hidden
    for k in range(count):
        for i in range(heads.units):
            hidden[k, i] = float(units[i, k])
        hidden[k, width - LANES] = 1.0
    for k in range(count):
        for j in range(heads.outputs):
            row = channel * heads.outputs + j
            total = load_doubles(heads.weights, row, 0) * load_doubles(hidden, k, 0)
            for i in range(LANES, width, LANES):
                total = total + load_doubles(heads.weights, row, i) * load_doubles(hidden, k, i)
            store_doubles(heads.partial, 0, 0, total)
            p = heads.partial[0]
            z = ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]))
            out[j, k] = np.int32(np.floor(min(max(z, -32768.0), 32767.0) + 0.5))


@kernel(inner=True)
def _logistic(z: int, logistic: Any) -> float:
    return float(logistic[max(0, min(6144, z + 3072))]) * (1.0 / 16777216.0)


@kernel(inner=True)
def _slopes(
    mixture: Any, scale: Any, residuals: Any, k: Any, value: Any, components: Any, logistic: Any, out: Any
) -> None:
    """Derivatives of the code length, -ln of the mixture's mass of a value, by the outputs (in real units): float64
    [outputs], for pixel k of a front; mixture as :func:`arcomp.models.photo.exact.mixtures` gives it."""
    n = components
    below = (value << 8) - 128
    total = 1e-6
    for j in range(n):
        inverse = mixture[k, 2 * n + j]
        low = (below - mixture[k, n + j]) * inverse >> 16
        high = (below + 256 - mixture[k, n + j]) * inverse >> 16
        a = _logistic(low, logistic) if value > 0 else 0.0
        b = _logistic(high, logistic) if value < HIGHEST else 1.0
        w = float(mixture[k, j]) * (1.0 / 65536.0)
        mass = w * (b - a)
        total += mass
        da, db = a * (1.0 - a), b * (1.0 - b)
        out[j] = mass
        out[n + j] = w * (db - da) * (float(inverse) * (1.0 / 65536.0))
        out[2 * n + j] = w * (db * float(high) - da * float(low)) * (1.0 / 256.0)
    by = 1.0 / total
    centre = 0.0
    for j in range(n):
        out[j] = float(mixture[k, j]) * (1.0 / 65536.0) - out[j] * by
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
    mixture: Any,
    scale: Any,
    residuals: Any,
    values: Any,
    logistic: Any,
) -> None:
    """Add the gradient of one channel of a front, after :func:`forward` for it.

    Args:
        values: integers [count], the levels.
    """
    width = heads.weights.shape[1]
    components = (mixture.shape[1] - 2) // 3
    slopes = heads.slopes
    for k in range(len(values)):
        _slopes(mixture, scale[k], residuals, k, np.int64(values[k]), components, logistic, slopes)
        for j in range(heads.outputs):
            row = channel * heads.outputs + j
            slope = all_doubles(slopes[j])
            for i in range(0, width, LANES):
                store_doubles(
                    heads.gradient,
                    row,
                    i,
                    load_doubles(heads.gradient, row, i) + slope * load_doubles(heads.hidden, k, i),
                )


@kernel(inner=True)
def step(heads: Any, count: int) -> None:
    """A front of so many pixels is done: one step of Adam if the group is full."""
    progress = heads.progress
    progress[0] += float(count)
    if progress[0] < float(heads.group):
        return
    progress[1] *= FIRST
    progress[2] *= SECOND
    mean = 1.0 / progress[0]
    first_part, second_part = 1.0 / (1.0 - progress[1]), 1.0 / (1.0 - progress[2])
    width = heads.weights.shape[1]
    for row in range(heads.weights.shape[0]):
        w, g, m, v = heads.weights[row], heads.gradient[row], heads.first[row], heads.second[row]
        for i in range(width):
            rate = BIAS * heads.rate if i == width - LANES else heads.rate
            slope = g[i] * mean
            m[i] = FIRST * m[i] + (1.0 - FIRST) * slope
            v[i] = SECOND * v[i] + (1.0 - SECOND) * (slope * slope)
            w[i] -= rate * (m[i] * first_part) / (np.sqrt(v[i] * second_part) + TINY)
            g[i] = 0.0
    progress[0] = 0.0
