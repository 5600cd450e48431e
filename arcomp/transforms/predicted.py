"""Samples of many bits as differences from a prediction, so that their low bits are smooth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arcomp.samples import Pixels
from arcomp.transforms.node import Kind, Mask, Node, damaged
from arcomp.transforms.region import Region

WEIGHTS = (2, 3, 4)
"""Of the west and the north neighbour, in quarters."""


@dataclass(frozen=True)
class Predict(Node):
    """Samples as differences from a prediction, modulo ``1 << depth``; those of 9 bits and more.

    The prediction is linear, so that a model that predicts linearly goes on from it as if it saw the samples. Of the
    samples to the west, north and north-west, in the same channel, it is
    ``(weight * (W + N) - (2 * weight - 4) * NW + 2) >> 2``. In the first row all three are the one to the west, in the
    first column the one to the north; in the first corner they are 0.

    Attributes:
        weight: 2 for the mean of west and north, 4 for the plane through all three, 3 for what is between.
        centre: what is coded where the prediction is right: if low bits are coded apart, their middle.
    """

    weight: int
    centre: int
    child: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        if kind.depth <= 8 or self.weight not in WEIGHTS or not 0 <= self.centre < 1 << kind.depth:
            raise damaged("a prediction")
        return (kind.of(),)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        from arcomp.transforms.prediction import subtract  # Numba takes a while to import: only where it is needed

        coded = np.empty(kind.shape, np.uint16)
        subtract(np.require(stack, requirements=("C", "W")), coded, self.weight, self.centre, (1 << kind.depth) - 1)
        return (coded,)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        from arcomp.transforms.prediction import add

        stack = np.require(parts[0], requirements=("C", "W"))
        add(stack, self.weight, self.centre, (1 << kind.depth) - 1)
        return stack

    def regions(self, kind: Kind, region: Region) -> tuple[Region, ...]:
        """All that is above or to the left: each sample is made of those before it."""
        return (Region(region.picture, 0, 0, region.y + region.height, region.x + region.width),)

    def join_region(self, parts: Sequence[Pixels], kind: Kind, region: Region) -> Pixels:
        _, height, width, _ = parts[0].shape
        return self.join(parts, kind.sized(1, height, width))[:, region.y :, region.x :]

    def unknown(self, parts: Sequence[Mask], kind: Kind) -> Mask:
        """All that is below and to the right of a difference that is not known, in its channel."""
        above = np.logical_or.accumulate(parts[0], axis=1)
        found: Mask = np.logical_or.accumulate(above, axis=2)
        return found
