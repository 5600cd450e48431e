"""Samples in time as differences from what an adaptive filter expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arcomp.samples import Pixels
from arcomp.transforms.node import Kind, Mask, Node, damaged
from arcomp.transforms.region import Region

MOST_TAPS, MOST_RATE = 64, 256


@dataclass(frozen=True)
class Forecast(Node):
    """Samples as differences from a forecast, modulo ``1 << depth``: for sounds, whose rows are time.

    The forecast is a weighted sum of the samples before, in the same row and channel, about the middle of their range.
    The weights are learnt as rows go on, by normalised least mean squares (Widrow and Hoff 1960; Nagumo and Noda 1967)
    in integers, so none are stored. What is coded where the forecast is right is the middle of the range.

    Attributes:
        taps: how many samples before, 1 to :data:`MOST_TAPS`.
        rate: how fast weights follow, 1 to :data:`MOST_RATE`, in parts of 256.
    """

    taps: int
    rate: int
    child: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        if kind.depth < 2 or not 1 <= self.taps <= MOST_TAPS or not 1 <= self.rate <= MOST_RATE:
            raise damaged("a forecast")
        return (kind.of(),)

    def _room(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """What kernels work in: samples before, and weights."""
        return np.zeros(self.taps, np.int64), np.zeros(self.taps, np.int64)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        from arcomp.transforms.filtering import subtract  # Numba takes a while to import: only where it is needed

        coded = np.empty(kind.shape, kind.dtype)
        subtract(np.require(stack, requirements=("C", "W")), coded, *self._room(), self.rate, kind.depth)
        return (coded,)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        from arcomp.transforms.filtering import add

        stack = np.require(parts[0], requirements=("C", "W"))
        add(stack, *self._room(), self.rate, kind.depth)
        return stack

    def regions(self, kind: Kind, region: Region) -> tuple[Region, ...]:
        """All that is to the left: each sample is made of those before it."""
        return (Region(region.picture, region.y, 0, region.height, region.x + region.width),)

    def join_region(self, parts: Sequence[Pixels], kind: Kind, region: Region) -> Pixels:
        _, height, width, _ = parts[0].shape
        return self.join(parts, kind.sized(1, height, width))[:, :, region.x :]

    def unknown(self, parts: Sequence[Mask], kind: Kind) -> Mask:
        """All that is to the right of a difference that is not known, in its channel."""
        found: Mask = np.logical_or.accumulate(parts[0], axis=2)
        return found
