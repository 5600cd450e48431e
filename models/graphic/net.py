"""What stands in place of a network, as ``graphic`` has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from arcomp.contract.settings import choice
from arcomp.contract.trainer import Crops


@dataclass(frozen=True)
class GraphicConfig:
    """There is nothing to set: one set of weights is for all pictures, and learnt from those of three channels."""

    channels: int = choice(3)


class Nothing(nn.Module):
    """In place of a network, for a loop that trains one: every sample takes 8 bits."""

    def __init__(self, config: GraphicConfig) -> None:
        super().__init__()
        self.config = config
        self.unused = nn.Parameter(torch.zeros(1))

    def prepare(self, crops: Crops) -> None:
        """Nothing is taken from crops."""

    def adopt(self, other: Any) -> None:
        """Nothing is taken over."""

    def examples(self, pixels: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
        """Values [n, C]."""
        return {"values": pixels.reshape(-1, pixels.shape[2])}

    def bits(self, rounding: bool = False, **examples: torch.Tensor) -> torch.Tensor:
        """8 each: float [n, C]."""
        return torch.full(examples["values"].shape, 8.0, device=self.unused.device) + 0 * self.unused
