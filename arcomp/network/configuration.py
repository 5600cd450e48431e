"""What networks over samples say of themselves in a file of weights."""

from __future__ import annotations

from dataclasses import dataclass

from arcomp.contract.settings import setting
from arcomp.errors import ModelError
from arcomp.network.likelihoods import Head, Mixture, Softmax
from arcomp.orders import Order


@dataclass(frozen=True)
class LayeredConfig:
    """What every network's configuration has; each model adds its own sizes.

    Attributes:
        channels: samples of a position, 1 to 4.
        depth: bits of a sample, 1 to 8.
    """

    channels: int = setting(1, 4)
    depth: int = setting(1, 8)

    @property
    def head(self) -> Head:
        """Which distributions the outputs stand for."""
        return Softmax(self.depth)

    @property
    def sequence(self) -> Order | None:
        """The order of a group of pictures; None for the model's default."""
        return None

    @property
    def frame(self) -> tuple[int, int] | None:
        """Rows and columns of the largest pictures that the network takes; None if it takes any size."""
        return None


def check_side(kernel: int, most: int) -> None:
    """Refuse a square of taps whose side is even, or larger than the model's order allows.

    Raises:
        ModelError: the side is not odd, or not within 1 .. most.
    """
    if kernel % 2 == 0 or not 0 < kernel <= most:
        raise ModelError(f"a kernel of side {kernel}", remedy=f"set an odd one, {most} at most")


@dataclass(frozen=True)
class MixtureConfig(LayeredConfig):
    """For networks that give all channels of a position at once, and a mixture that says how they depend on each other.

    Attributes:
        mixture: components of each channel's mixture of logistics; 0, for one channel only: a softmax over all levels.
    """

    mixture: int = setting(0, 16)

    def __post_init__(self) -> None:
        if not self.mixture and self.channels > 1:
            raise ModelError("a softmax for each of several channels would not know the others", remedy="set mixture")

    @property
    def head(self) -> Head:
        return Mixture(self.channels, self.depth, self.mixture) if self.mixture else Softmax(self.depth)
