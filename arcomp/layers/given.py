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

from arcomp.layers import ops
from arcomp.layers.grid import Grid
from arcomp.layers.room import Room
from arcomp.layers.spatial import ExactLayer, Ints
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front


@dataclass(frozen=True)
class Given(Spec):
    """The features; the network's evaluations are handed them besides the samples.

    Attributes:
        features: of a position. grid: they are on.
    """

    features: int
    grid: Grid
    groups: int = 1

    def total(self, *inputs: int) -> int:
        """See :meth:`Spec.total`."""
        return self.features

    def float_layer(self) -> nn.Module:
        """See :meth:`Spec.float_layer`."""
        return _FloatGiven()

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactGiven:
        """See :meth:`Spec.exact_layer`."""
        return ExactGiven(self.grid)


class _FloatGiven(nn.Module):
    def forward(self, features: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        return features


class ExactGiven(ExactLayer):
    """The exact evaluations.

    Attributes:
        features: integers [N, H, W, F], to be set before an evaluation front by front is started.
    """

    features: Ints

    def __init__(self, grid: Grid) -> None:
        self.grid = grid

    def whole(self, batch: Batch, *x: torch.Tensor) -> torch.Tensor:
        """See :meth:`ExactLayer.whole`; given the features."""
        return x[0]

    def instruction(self, room: Room, batch: Batch) -> tuple[int, list[int]]:
        """See :meth:`ExactLayer.instruction`: a table for each picture."""
        return ops.PLACE, [room.table(self.features), *self.features.shape[1:3]]

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        """See :meth:`ExactLayer.step`."""
        return np.asarray(self.features[front.image, front.y, front.x])
