"""Features that are known beforehand: what another network makes of what was decoded earlier.

By them a network over some samples is conditioned on others (van den Oord et al. 2016, "Conditional image generation
with PixelCNN decoders", section 2.4, by a map of features of the picture's size).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from arcomp.kernels import instructions
from arcomp.kernels.workspace import Room
from arcomp.layers.quantisation import Grid
from arcomp.layers.spatial import ExactLayer, Ints
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front


@dataclass(frozen=True)
class Given(Spec):
    """The features; the network's evaluations are handed them besides the samples.

    Attributes:
        features: of a position, from the ``begin``-th on of those that are handed. grid: they are on.
    """

    features: int
    grid: Grid
    begin: int = 0
    groups: int = 1

    def total(self, *inputs: int) -> int:
        """See :meth:`Spec.total`."""
        return self.features

    def float_layer(self) -> nn.Module:
        """See :meth:`Spec.float_layer`."""
        return _FloatGiven(self.part)

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactGiven:
        """See :meth:`Spec.exact_layer`."""
        return ExactGiven(self.grid, self.part)

    @property
    def part(self) -> slice:
        """Which of the features that are handed."""
        return slice(self.begin, self.begin + self.features)


class _FloatGiven(nn.Module):
    def __init__(self, part: slice) -> None:
        super().__init__()
        self.part = part

    def forward(self, features: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        return features[..., self.part]


class ExactGiven(ExactLayer):
    """The exact evaluations.

    Attributes:
        features: integers [N, H, W, ..], all that are handed, to be set before an evaluation front by front is started.
    """

    features: Ints

    def __init__(self, grid: Grid, part: slice) -> None:
        self.grid, self.part = grid, part

    def whole(self, batch: Batch, *x: torch.Tensor) -> torch.Tensor:
        """See :meth:`ExactLayer.whole`; given the features."""
        return x[0][..., self.part]

    def instruction(self, room: Room, batch: Batch) -> tuple[int, list[int]]:
        """See :meth:`ExactLayer.instruction`: a table for each picture."""
        return instructions.PLACE, [
            room.table(np.ascontiguousarray(self.features[..., self.part])),
            *self.features.shape[1:3],
        ]

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        """See :meth:`ExactLayer.step`."""
        return np.asarray(self.features[front.image, front.y, front.x, self.part])
