"""A short-cut from the samples themselves to the mixtures: what is linear in them need not go through features.

Most of what a pixel will be is a weighted mean of its neighbours. Features between layers have 8 bits, outputs 16:
where means come from features alone they are as coarse as these, and training has to teach a network to copy first. The
short-cut is a convolution of samples that is added to a network's last layer, and begins as the prediction that
:data:`PLANE` says. Its weights are fine: an error in one of 7 bits would be multiplied by how bright the picture is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from arcomp.layers.conv import Tap, square
from arcomp.layers.quantisation import LOGITS, SIGNED8
from arcomp.layers.spec import Add, Conv, Spec
from arcomp.network.likelihoods import FOLLOW, Head, Mixture
from arcomp.network.wiring import Floats, Run, Wiring

TAPS = square(5)[:-1]
PLANE: dict[tuple[int, Tap], float] = {(0, (0, -1)): 0.75, (0, (-1, 0)): 0.75, (0, (-1, -1)): -0.5}
"""Between a plane through W, N and NW and the mean of W and N."""


@dataclass(frozen=True)
class LinearSkip:
    """The short-cut of one network; none if its head is no mixture.

    Attributes:
        head: what the network's outputs mean.
        channels: of the pictures.
        planes: features of a position that it reads; ``each`` of them belong to one sample of all channels.
        taps: positions that it reads.
        start: what means begin as: parts of their channel's samples, by (which sample of a position, tap).
        samples: whether it is the samples that it reads, not a layer's copy of them.
        more: outputs that follow those that stand for distributions.
    """

    head: Head
    channels: int
    planes: int
    each: int
    taps: tuple[Tap, ...]
    start: Mapping[tuple[int, Tap], float]
    samples: bool = True
    more: int = 0

    @property
    def there(self) -> bool:
        """Whether there is one."""
        return isinstance(self.head, Mixture)

    def layers(self) -> dict[str, Spec]:
        """Its layers by name; the network's last one comes after them."""
        if not self.there:
            return {}
        outputs = self.channels * self.head.outputs + self.more
        return {
            "near": Conv(self.taps, "B", 1, self.planes, outputs, SIGNED8, LOGITS, samples=self.samples, fine=True),
            "sum": Add(1, (LOGITS, LOGITS), LOGITS),
        }

    def init(self, weights: Callable[[str], Floats]) -> None:
        """Begin as ``start`` says (:meth:`arcomp.network.definition.Wiring.init`)."""
        if not isinstance(self.head, Mixture):
            return
        k = self.head.components
        weight = weights("near")
        weight[:] = 0
        of_output = weight[: self.channels * self.head.outputs].reshape(self.channels, -1, len(self.taps), self.planes)
        for c in range(self.channels):
            means = of_output[c, k : 2 * k]
            for (sample, tap), part in self.start.items():
                at, plane = self.taps.index(tap), sample * self.each + c
                means[:, at, plane] = part * self.head.carried
                if c:  # the channel before is known: what is added to the mean is its residual
                    means[:, at, plane - 1] = -FOLLOW * part * self.head.carried

    def forward(self, run: Run, outputs: Any, samples: Any) -> Any:
        """The network's outputs, given those of its last layer and what its first one reads."""
        return run("sum", outputs, run("near", samples)) if self.there else outputs


def causal(head: Head, channels: int, start: Mapping[tuple[int, Tap], float] = PLANE) -> LinearSkip:
    """Of a network that sees the samples before, in raster order."""
    return LinearSkip(head, channels, channels, channels, TAPS, start)


class LinearSkipWiring(Wiring):
    """A network of samples in raster order, with the short-cut from them."""

    @property
    def linear_skip(self) -> LinearSkip:
        """The short-cut."""
        return causal(self.config.head, self.channels)

    def init(self, weights: Callable[[str], Floats]) -> None:
        self.linear_skip.init(weights)
