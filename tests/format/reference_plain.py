"""The reference decoder's part for networks of model ``photo`` without windows: docs/format.md in plain Python.

Integers, with the names of that page.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.format.reference_coders import BinaryDecoder
from tests.format.reference_models import NEIGHBOURS, c8
from tests.format.reference_numbers import clamp, require
from tests.format.reference_squares import Depth, Planes
from tests.format.reference_stage import Mixture
from tests.format.reference_tables import LOG2


def log2(v: int) -> int:
    return LOG2[v] if v < 4096 else LOG2[v >> 4] + 64 if v < 65536 else LOG2[v >> 8] + 128


class Known:
    """What other channels ask of one at a position."""

    depth: Depth
    inputs: list[int]
    value: int
    base: int
    scale: int
    r: int
    predictions: list[int]
    """What gates add a part of, and the base."""


class PlainChannel(Known):
    """A channel at a position: what is known without the channels before it, then with them."""

    def __init__(self, planes: Planes, y: int, x: int, c: int) -> None:
        self.depth = depth = planes.depth
        v = [planes.pixels[c][y + dy, x + dx] for dy, dx in NEIGHBOURS[:12]]
        e = [planes.errors[c][y + dy, x + dx] for dy, dx in NEIGHBOURS[:6]]
        w, n, nw = v[:3]
        self.base = sorted([w, n, w + n - nw])[1] << depth.point
        self.scale = (56 * (abs(e[0]) + abs(e[1])) + 36 * sum(map(abs, e[2:])) >> 4) + 77
        self.r = (1 << 18) // self.scale
        self.inputs = [c8((((vj << depth.point) - self.base) * self.r + 2048) >> 12) for vj in v]
        for ej in e[:4]:
            self.inputs += [c8((told * self.r + 512) >> 10) for told in (ej, abs(ej))]
        self.inputs += [c8(log2(self.scale) - 144), (self.base >> depth.bits) - 32]

    def features(self, c: int, before: Sequence[Known]) -> list[int]:
        """With the channels before: the extras; ``predictions``."""
        extras, self.predictions = [], []
        for other in before:
            d = (other.value << self.depth.point) - other.base
            rho = c8((d * other.r + 2048) >> 12)
            extras += [rho, min(127, abs(rho)), c8((d * self.r + 2048) >> 12)]
            self.predictions.append(self.base + d)
        return extras

    def push(self, planes: Planes, y: int, x: int, c: int, value: int) -> None:
        """The value is known."""
        self.value = planes.pixels[c][y, x] = value
        planes.errors[c][y, x] = clamp(((value << self.depth.point) - self.base) >> 2, -4095, 4095)


class Direct:
    """What codes the values of a tile."""

    def __init__(self, stream: bytes, depth: Depth) -> None:
        require(depth.wide or stream[:1] == b"\0", "the payload is damaged")
        self.coder = BinaryDecoder(stream[3 if depth.wide else 1 :])
        self.done = 0

    def value(self, mixture: Mixture) -> int:
        """A channel's value: of all units the one whose part of the range holds the point."""
        units, coder = mixture.levels, self.coder
        share = max(1, 2048 // units)

        def bound(unit: int) -> int:
            part = ((mixture.mass(unit) * ((1 << 24) - share * units)) >> 24) + share * unit
            return (coder.range * part) >> 24

        low, high = 0, units
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if coder.point < bound(middle) else (middle, high)
        coder.keep(bound(low), bound(low + 1))
        value = low
        for _ in range(mixture.even):
            value = 2 * value + coder.cut((coder.range >> 16) << 15)
        return value
