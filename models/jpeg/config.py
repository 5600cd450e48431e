"""The configuration of ``jpeg``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from arcomp.contract.settings import choice, setting
from arcomp.errors import ModelError


@dataclass(frozen=True)
class JpegConfig:
    """Shape of the two networks and of the mixing stage.

    Attributes:
        channels: of the pictures that training makes JPEGs of.
        hidden: widths of the hidden layers of the network of coefficients.
        end_hidden: of the network of ends of blocks.
        tables: contexts that are counted.
        bits: log2 of the counters of a context, at most.
    """

    channels: int = choice(3)
    hidden: tuple[int, ...] = setting(1, 512, count=2)
    end_hidden: tuple[int, ...] = setting(1, 512, count=2)
    tables: int = setting(2, 12)
    bits: int = setting(8, 22)

    def __post_init__(self) -> None:
        if len(self.hidden) != 2 or len(self.end_hidden) != 2:
            raise ModelError("networks of model jpeg have two hidden layers")

    def to_dict(self) -> dict[str, Any]:
        """Plain types, as weights and recipes have them."""
        return {**asdict(self), "hidden": list(self.hidden), "end_hidden": list(self.end_hidden)}
