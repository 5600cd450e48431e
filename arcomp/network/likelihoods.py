"""What a network's outputs mean: the distributions of samples they stand for, in float and in integers."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from arcomp.coding import Distribution
from arcomp.layers.categorical import averaged, categorical_of
from arcomp.layers.linear import Linear
from arcomp.layers.mixture import LOG_SCALE_RANGE, mixture_bits, mixture_of

Int32 = npt.NDArray[np.int32]
FOLLOW = 0.8
"""Part of the last channel's residual that training begins to add to the next one's mean."""


class Head(ABC):
    """One kind of distribution.

    Attributes:
        outputs: of the network, for each sample, on the grid LOGITS.
    """

    outputs: int

    def prepare(self, last: Linear) -> None:
        """Begin training well: the layer that makes the outputs of all channels."""
        return

    @abstractmethod
    def bits(self, outputs: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Bits of samples: float [n, C, outputs], uint8 [n, C] -> float [n, C]."""

    @abstractmethod
    def distribution(self, outputs: npt.NDArray[np.int16], values: Int32) -> Distribution:
        """The exact distributions of one channel.

        Args:
            outputs: int16 [n, outputs].
            values: int32 [n, c], the levels of the channels before.
        """


@dataclass(frozen=True)
class Softmax(Head):
    """Over all levels (van den Oord et al. 2016, "Pixel recurrent neural networks", section 3.5).

    Args:
        depth: bits of a sample.
    """

    depth: int

    @property
    def outputs(self) -> int:  # type: ignore[override]
        """See :class:`Head`."""
        return 1 << self.depth

    def prepare(self, last: Linear) -> None:
        """All levels about alike."""
        with torch.no_grad():
            last.weight *= 0.1

    def bits(self, outputs: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """See :meth:`Head.bits`."""
        nats = functional.cross_entropy(outputs.flatten(0, 1), values.flatten().long(), reduction="none")
        return nats.reshape(values.shape) / math.log(2)

    def distribution(self, outputs: npt.NDArray[np.int16], values: Int32) -> Distribution:
        """See :meth:`Head.distribution`."""
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
        """See :class:`Head`."""
        return self.members * ((1 << self.depth) - 1)

    def bits(self, outputs: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """See :meth:`Head.bits`; in training outputs may be those of fewer members."""
        members = outputs.reshape(*values.shape, -1, (1 << self.depth) - 1)
        logits = functional.pad(members, (1, 0))
        picked = logits.gather(3, values.long()[..., None, None].expand(-1, -1, logits.shape[2], 1))[..., 0]
        nats = picked - torch.logsumexp(logits, 3)
        return (math.log(nats.shape[2]) - torch.logsumexp(nats, 2)) / math.log(2)

    def distribution(self, outputs: npt.NDArray[np.int16], values: Int32) -> Distribution:
        """See :meth:`Head.distribution`."""
        return averaged(outputs, self.depth)


@dataclass(frozen=True)
class Mixture(Head):
    """Of discretised logistics, later channels given earlier ones.

    Salimans et al. 2017, "PixelCNN++", sections 2.1 and 2.2. Offsets and scales are in units of a quarter of the range,
    offsets from its middle. Where it differs from the paper: every channel has logits of its own, and the earlier
    channels shift all components alike.

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
    def _middle(self) -> int:
        """In 1/16 of a level."""
        return ((1 << self.depth) - 1) << 3

    @property
    def _unit(self) -> int:
        """In 1/256 of a level."""
        return 1 << (self.depth + 6)

    carried: ClassVar[float] = 0.5
    """Times a sample as networks take it (-4 .. 4 for the whole range) is an offset."""

    def prepare(self, last: Linear) -> None:
        """Components of several widths around one mean, which comes over :mod:`arcomp.network.linear_skip`."""
        k = self.components
        with torch.no_grad():
            last.weight *= 0.1
            bias = last.bias.view(-1, self.outputs)
            bias[:, 2 * k : 3 * k] = torch.linspace(-2.0, 0.0, k) if k > 1 else -1.0
            for c in range(1, self.channels):
                bias[c, 3 * k + c - 1] = FOLLOW

    def bits(self, outputs: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """See :meth:`Head.bits`."""
        k, middle, unit = self.components, self._middle / 16, self._unit / 256
        x = values.float()
        bits = []
        for c in range(self.channels):
            z = outputs[:, c]
            means = middle + unit * z[:, k : 2 * k]
            if c:
                shift = (z[:, 3 * k : 3 * k + c] * (x[:, :c] - middle)).sum(1, keepdim=True)
                means = means + shift
            scales = 0.5 * unit * torch.exp(z[:, 2 * k : 3 * k].clamp(*LOG_SCALE_RANGE))
            bits.append(mixture_bits(x[:, c], z[:, :k], means, scales, self.depth))
        return torch.stack(bits, 1)

    def distribution(self, outputs: npt.NDArray[np.int16], values: Int32) -> Distribution:
        """See :meth:`Head.distribution`."""
        n, channel = values.shape
        middle, unit = (np.full((n, self.channels), v, np.int32) for v in (self._middle, self._unit))
        z: npt.NDArray[Any] = outputs[:, : 3 * self.components + channel]
        return mixture_of(z, self.components, middle, unit, values, channel, self.depth)
