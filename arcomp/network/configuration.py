"""What networks over samples say of themselves in a file of weights, and what of it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar

from arcomp.errors import ModelError
from arcomp.network.likelihoods import Head, Mixture, Softmax
from arcomp.orders import Order

C = TypeVar("C", bound="LayeredConfig")
LIMITS: dict[str, tuple[int, int]] = {
    "channels": (1, 4),
    "depth": (1, 8),
    "width": (1, 512),
    "blocks": (1, 64),
    "kernel": (1, 64),
    "cycle": (1, 12),
    "rows": (1, 64),
    "columns": (1, 64),
    "mixture": (0, 16),
    "heads": (1, 16),
    "resnets": (1, 8),
    "dropout": (0, 90),
    "zigzag": (0, 1),
    "masks": (1, 32),
    "degrees": (0, 65535),
    "direct": (0, 1),
    "symbols": (0, 1),
    "order": (0, 65535),
}
"""Least and most of settings, by name."""


@dataclass(frozen=True)
class LayeredConfig:
    """What every network says of itself; each model's adds its own sizes.

    Attributes:
        channels: samples of a position, 1 to 4.
        depth: bits of a sample, 1 to 8.
    """

    channels: int
    depth: int

    @property
    def head(self) -> Head:
        """What its outputs mean."""
        return Softmax(self.depth)

    @property
    def sequence(self) -> Order | None:
        """The order of a group of pictures, where the configuration chooses it."""
        return None


def frame(config: LayeredConfig) -> tuple[int, int] | None:
    """Rows and columns of the largest pictures that a network takes; None if of any size."""
    settings: Any = config
    return (settings.rows, settings.columns) if hasattr(config, "rows") else None


def check_side(kernel: int, most: int) -> None:
    """Refuse a square of taps without a middle, or a larger one than the model's order knows.

    Raises:
        ModelError: it is not odd, or not in 1..most.
    """
    if kernel % 2 == 0 or not 0 < kernel <= most:
        raise ModelError(f"a kernel of side {kernel}", remedy=f"set an odd one, {most} at most")


@dataclass(frozen=True)
class MixtureConfig(LayeredConfig):
    """Of networks that give all channels of a position at once: a mixture says how they depend on each other.

    Attributes:
        mixture: components of each channel's mixture of logistics; 0, for one channel only: a softmax over all levels.
    """

    mixture: int

    def __post_init__(self) -> None:
        if not self.mixture and self.channels > 1:
            raise ModelError("a softmax for each of several channels would not know the others", remedy="set mixture")

    @property
    def head(self) -> Head:
        """See :meth:`LayeredConfig.head`."""
        return Mixture(self.channels, self.depth, self.mixture) if self.mixture else Softmax(self.depth)


def checked(kind: type[C], plain: Mapping[str, Any]) -> C:
    """A configuration from plain types.

    Raises:
        ModelError: unknown or missing settings, or values out of their LIMITS.
    """
    names = {f.name for f in fields(kind)}
    needed = {f.name for f in fields(kind) if f.default is MISSING}  # others came later than some weights
    if not isinstance(plain, Mapping) or not needed <= set(plain) <= names:
        raise ModelError(f"this configuration is not one of {kind.__name__}: {str(plain)[:80]}")
    for name, value in plain.items():
        least, most = LIMITS[name]
        if type(value) is not int or not least <= value <= most:
            raise ModelError(f"a configuration's {name} is {str(value)[:20]}, not within {least} .. {most}")
    return kind(**plain)
