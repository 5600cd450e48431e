"""Which distributions of samples a network's outputs stand for.

Their bits in float, for training, are in :mod:`arcomp.network.float.likelihoods`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.coding import Distribution
from arcomp.layers.categorical import averaged, categorical_of
from arcomp.layers.mixture import mixture_of

Int32 = npt.NDArray[np.int32]
FOLLOW = 0.8
"""Part of the last channel's residual that training begins to add to the next one's mean."""


class Head(ABC):
    """One kind of distribution.

    Attributes:
        outputs: of the network, for each sample, quantised as LOGITS.
    """

    outputs: int

    @abstractmethod
    def distribution(self, outputs: npt.NDArray[np.int16], values: Int32) -> Distribution:
        """The exact distributions of one channel.

        Args:
            outputs: int16 [n, outputs].
            values: int32 [n, c], the levels of the channels before.
        """


@dataclass(frozen=True)
class Softmax(Head):
    """A softmax over all levels (van den Oord et al. 2016, "Pixel recurrent neural networks", section 3.5).

    Args:
        depth: bits of a sample.
    """

    depth: int

    @property
    def outputs(self) -> int:  # type: ignore[override]
        return 1 << self.depth

    def distribution(self, outputs: npt.NDArray[np.int16], values: Int32) -> Distribution:
        return categorical_of(outputs, self.depth)


@dataclass(frozen=True)
class Ensemble(Head):
    """The mean of several softmaxes over all levels; the first level's logit is 0 in each, the others are outputs.

    Args:
        depth: bits of a sample. members: how many.
    """

    depth: int
    members: int

    @property
    def outputs(self) -> int:  # type: ignore[override]
        return self.members * ((1 << self.depth) - 1)

    def distribution(self, outputs: npt.NDArray[np.int16], values: Int32) -> Distribution:
        return averaged(outputs, self.depth)


@dataclass(frozen=True)
class Mixture(Head):
    """A mixture of discretised logistics, in which later channels are conditioned on earlier ones.

    Salimans et al. 2017, "PixelCNN++", sections 2.1 and 2.2. Offsets and scales are in units of a quarter of the range,
    offsets from its middle. Where it differs from the paper: every channel has logits of its own, and the earlier
    channels shift all components by as much.

    Args:
        channels, depth: of the pictures. components: K of each channel.
    """

    channels: int
    depth: int
    components: int

    @property
    def outputs(self) -> int:  # type: ignore[override]
        """K logits, K offsets, K log scales, and a part of each earlier channel's distance from the middle."""
        return 3 * self.components + self.channels - 1

    @property
    def middle(self) -> int:
        """The middle of the range, in 1/16 of a level."""
        return ((1 << self.depth) - 1) << 3

    @property
    def unit(self) -> int:
        """A quarter of the range, in 1/256 of a level."""
        return 1 << (self.depth + 6)

    carried: ClassVar[float] = 0.5
    """A sample as networks take it (-4 .. 4 for the whole range), times this, is an offset."""

    def distribution(self, outputs: npt.NDArray[np.int16], values: Int32) -> Distribution:
        n, channel = values.shape
        middle, unit = (np.full((n, self.channels), v, np.int32) for v in (self.middle, self.unit))
        z: npt.NDArray[Any] = outputs[:, : 3 * self.components + channel]
        return mixture_of(z, self.components, middle, unit, values, channel, self.depth)
