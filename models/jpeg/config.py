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
        second: hidden layers of a second network of coefficients, an expert more for mixing; () for none.
        online: whether the last layers of networks of coefficients go on learning from the picture
            (:mod:`arcomp.models.jpeg.experts`).
        rate, group: of those: of their weights, and coefficients of a step, at least.
    """

    channels: int = choice(3)
    hidden: tuple[int, ...] = setting(1, 512, count=2)
    end_hidden: tuple[int, ...] = setting(1, 512, count=2)
    tables: int = setting(2, 12)
    bits: int = setting(8, 22)
    second: tuple[int, ...] = setting(1, 512, default=(), count=2)
    online: bool = choice(False, True, default=False)
    rate: float = setting(1e-6, 1.0, default=0.001)
    group: int = setting(1, 1 << 20, default=64)

    def __post_init__(self) -> None:
        if len(self.hidden) != 2 or len(self.end_hidden) != 2 or len(self.second) == 1:
            raise ModelError("networks of model jpeg have two hidden layers")

    def to_dict(self) -> dict[str, Any]:
        """Plain types, as weights and recipes have them."""
        plain = {**asdict(self), "hidden": list(self.hidden), "end_hidden": list(self.end_hidden)}
        plain.pop("second")
        return {**plain, "second": list(self.second)} if self.second else plain

    @property
    def experts(self) -> int:
        """Networks of coefficients."""
        return 2 if self.second else 1
