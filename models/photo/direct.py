"""Values coded straight from the mixture, a step of the range coder each: preset ``turbo``.

Nothing is learnt and nothing is counted. The distribution function at the edge before value v is

    C(v) = mass(v) (1 - share levels / 2**24) + share v,    C(0) = 0, C(levels) = 2**24

in 2**-24, with the mixture's mass (:mod:`arcomp.coding.decisions`) and a share that no value is without: C rises by it
at least. A decoder finds the value by steps outward from the rounded mean, doubled until they pass it, then halved.

Of samples of more than 8 bits the lowest bits are equally likely where noise is wider than they are, as in
:mod:`arcomp.models.photo.stage`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arcomp.coding.binary import close, decode, decode_between, encode, encode_between, opened, part_of
from arcomp.coding.decisions import mass_before
from arcomp.exact import tables
from arcomp.exact.compiled import kernel
from arcomp.exact.records import Fixed
from arcomp.models.photo.depth import even_bits
from arcomp.models.photo.planes import Int32

SHARES = 1 << 11
"""What all values have together besides the mixture's mass, in 2**-24; but each has one at least."""
_WHOLE = 1 << 24
_UNIT = 2.0**-24
_SMALL = 1e-80
"""Products of probabilities stay above its square."""


class Direct(NamedTuple):
    """What stands in the place of a mixing stage."""

    logistic: Int32
    """[6145]: 2**24 times the logistic function of -12 .. 12, in steps of 1/256."""
    components: int
    """K of the mixtures."""


def new_direct(components: int) -> Direct:
    """For mixtures of K components."""
    return Direct(tables.fine_logistic(), Fixed(components))


@kernel(inline="always")
def _edge(v: Any, levels: Any, share: Any, places: Any, half: Any, mixture: Any, direct: Any) -> Any:
    """C(v), 0 <= v <= levels."""
    if v <= 0:
        return np.int64(0)
    if v >= levels:
        return np.int64(_WHOLE)
    mass = mass_before((v << places) - half, mixture, direct.components, direct.logistic)
    return ((mass * (_WHOLE - share * levels)) >> 24) + share * v


@kernel(inner=True)
def code(direct: Any, coder: Any, front: Any, decoding: bool, channel: int, count: int) -> None:
    """Code one channel of a front.

    Args:
        direct: record of a :class:`Direct`.
        coder: record of a :class:`arcomp.coding.binary.Coder`.
        front: record of a :class:`arcomp.models.photo.stage.FrontData`. count: its pixels.
    """
    totals, costs, depth = front.totals, front.costs, front.depth
    base_at = 3 * direct.components
    numbers, shares = opened(coder), 1.0
    for i in range(count):
        mixture = front.mixture[i]
        even = even_bits(front.scale[channel, i], depth)
        levels, places, half = np.int64((depth.highest >> even) + 1), 8 - depth.shift + even, 128 >> depth.shift
        share = max(np.int64(1), SHARES // levels)
        if decoding:
            base = max(np.int64(1), min(levels - 1, np.int64(mixture[base_at]) >> even))
            value, below, above = _find(direct, numbers, mixture, base, (levels, share, places, half))
            numbers = decode_between(coder, numbers, below, above)
            for _ in range(even):
                bit, numbers = decode(coder, numbers, 1 << 15)
                value = value * 2 + bit
            front.values[channel, i] = value
        else:
            value = np.int64(front.values[channel, i])
            wanted = value >> even
            below = _edge(wanted, levels, share, places, half, mixture, direct)
            above = _edge(wanted + 1, levels, share, places, half, mixture, direct)
            numbers = encode_between(coder, numbers, below, above)
            probability = float(above - below) * _UNIT
            for at in range(even - 1, -1, -1):
                numbers = encode(coder, numbers, (value >> at) & 1, 1 << 15)
                probability *= 0.5
            shares *= probability
            if costs.shape[0]:
                costs[i] = -np.log2(probability)
            if shares < _SMALL or i == count - 1:  # a logarithm for each value would take longer
                bits = -np.log2(shares)
                totals[0] += bits
                totals[1] += bits
                shares = 1.0
    close(coder, numbers)


@kernel(inline="always")
def _find(direct: Any, numbers: Any, mixture: Any, base: Any, scale: Any) -> Any:
    """The value whose interval the decoder's point is in, and its edges."""
    levels, share, places, half = scale
    span, point = numbers[1], numbers[2]
    low, high, below, above, step = np.int64(0), np.int64(levels), np.int64(0), np.int64(_WHOLE), np.int64(1)
    middle, side = base, 0
    while high - low > 1:
        here = _edge(middle, levels, share, places, half, mixture, direct)
        if point < part_of(span, here):
            high, above = middle, here
            side = side if side == 2 else 2 if side > 0 else -1
        else:
            low, below = middle, here
            side = side if side == 2 else 2 if side < 0 else 1
        if side == 2:
            middle = (low + high) >> 1
        else:
            middle = max(np.int64(0), min(np.int64(levels), middle + side * step))
            step *= 2
    return low, below, above
