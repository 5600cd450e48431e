"""Mixture of discretised logistics: its parameters in integers from a network's outputs.

Salimans et al. 2017, "PixelCNN++", section 2.1: the probability of level x is the mixture's mass between
x - 1/2 and x + 1/2; the two ends of the alphabet take the tails. What the integers mean is said in
:mod:`arcomp.coding.mixture`, which turns them into frequencies.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding.distribution import Int32
from arcomp.coding.mixture import INVERSE_LIMIT, WEIGHT_TOTAL, LogisticMixture, Logistics
from arcomp.exact import tables
from arcomp.exact.compiled import kernel

MIN_SCALE = 1 / 32
"""Levels; the same as the largest inverse scale of the exact evaluation."""
LOG_SCALE_RANGE = (-6.0, 4.0)


class _About(NamedTuple):
    """What a pixel's offsets are from, and in units of: int32 [n, C] in 1/16 of a level, int32 [n, C] in 1/256; and the
    levels of its channels that are known, int32 [n, >= channel]."""

    base: Int32
    scale: Int32
    values: Int32


@kernel()
def _parameters(z: Any, about: _About, channel: int, exponential: Any, inverse_scale: Any, out: Logistics) -> None:
    base, scale, values = about.base, about.scale, about.values
    weights, means, inverses = out.weights, out.means, out.inverses
    components = weights.shape[1]
    lowest, highest = INVERSE_LIMIT
    for i in range(z.shape[0]):
        best = 0
        for k in range(1, components):
            if z[i, k] > z[i, best]:
                best = k
        total = np.int64(0)
        for k in range(components):
            total += exponential[min(4095, np.int64(z[i, best]) - z[i, k])]
        rest = np.int64(WEIGHT_TOTAL)
        for k in range(components):
            w = exponential[min(4095, np.int64(z[i, best]) - z[i, k])] * WEIGHT_TOTAL // total
            weights[i, k] = w
            rest -= w
        weights[i, best] += rest
        centre = np.int64(base[i, channel]) << 4
        for g in range(channel):
            residual = (np.int64(values[i, g]) << 4) - base[i, g]
            centre += (np.int64(z[i, 3 * components + g]) * residual) >> 4
        s = np.int64(scale[i, channel])
        unit = (np.int64(1) << 28) // s
        for k in range(components):
            means[i, k] = centre + ((s * z[i, components + k]) >> 8)
            at = max(0, min(2560, np.int64(z[i, 2 * components + k]) + 1536))
            inverses[i, k] = max(lowest, min(highest, (unit * inverse_scale[at]) >> 16))


def mixture_of(
    z: npt.NDArray[np.int16], components: int, base: Int32, scale: Int32, values: Int32, channel: int, depth: int
) -> LogisticMixture:
    """The exact mixture that a head's outputs stand for.

    Args:
        z: int16 [n, 3 K + channel], quantised as LOGITS: K logits, K offsets in units of the scale, K logarithms
            of twice the scale over the unit, and a gate for each channel before this one: that part of the
            earlier channel's residual is added to the mean (PixelCNN++, section 2.2).
        components: K.
        base: int32 [n, C] in 1/16 of a level. scale: int32 [n, C] in 1/256, at least 1.
        values: int32 [n, >= channel], levels of the channels before.
        channel: which channel this is.
    """
    n = len(z)
    weights = np.empty((n, components), np.int32)
    means = np.empty((n, components), np.int64)
    inverses = np.empty((n, components), np.int64)
    made = Logistics(weights, means, inverses)
    _parameters(z, _About(base, scale, values), channel, tables.exponential(), tables.inverse_scale(), made)
    return LogisticMixture(*made, depth)
