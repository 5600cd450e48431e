"""Rows that are samples in time, and what is expected of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from arcomp.samples import Pixels
from arcomp.transforms.depth import Octets, Scale
from arcomp.transforms.forecast import Forecast
from arcomp.transforms.leaves import Coded
from arcomp.transforms.node import Kind, Node

FILTERS = ((32, 8), (16, 8))
"""Taps and rates of the filters, one after the other: found on speech and music."""
SHORTEST = 64
"""Samples of a row, at least."""
LOOKED_AT = 1 << 16
"""Samples of a row that tell whether it is a sound."""


def in_bytes(stack: Pixels, kind: Kind) -> Node:
    """What the filters leave, a byte after the other: of samples of 8 bits the high one is 0."""
    return Octets(Coded(8)) if kind.depth > 8 else Scale(1, 16, Octets(Coded(8)))


def is_row(shape: tuple[int, ...], depth: int) -> bool:
    """Whether pictures [N, H, W, C] can be sounds."""
    return shape[1] == 1 and shape[3] == 1 and shape[2] >= SHORTEST and depth >= 8


def is_sound(stack: Pixels, depth: int) -> bool:
    """Whether rows are better known by a forecast than by the sample before."""
    if not is_row(stack.shape, depth):
        return False
    some = np.ascontiguousarray(stack[:1, :, :LOOKED_AT])
    left = _filtered(some, Kind((1, 1, some.shape[2], 1), depth))[0].astype(np.int64) - (1 << (depth - 1))
    return _bits(left) < _bits(np.diff(some.astype(np.int64), axis=2))


def _bits(differences: Pixels) -> float:
    """About how many bits a difference has, in the mean."""
    return float(np.log2(1.0 + np.abs(differences)).mean())


def _filtered(stack: Pixels, kind: Kind) -> tuple[Pixels, Kind]:
    for taps, rate in FILTERS:
        node = Forecast(taps, rate, Coded(kind.depth))
        (stack,), (kind,) = node.split(stack, kind), node.kinds(kind)
    return stack, kind


def expected(stack: Pixels, kind: Kind, rest: Callable[[Pixels, Kind], Node]) -> Node:
    """The tree of a sound.

    Args:
        rest: makes the tree of what the filters leave.
    """
    node = rest(*_filtered(stack, kind))
    for taps, rate in reversed(FILTERS):
        node = Forecast(taps, rate, node)
    return node
