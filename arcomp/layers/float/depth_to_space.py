"""Depth to space (:mod:`arcomp.layers.depth_to_space`) in float."""

from __future__ import annotations

import torch

from arcomp.layers.depth_to_space import DepthToSpace, dealt
from arcomp.layers.float.layer import FloatLayer


class FloatDepthToSpace(FloatLayer):
    """Deals features out."""

    def __init__(self, spec: DepthToSpace) -> None:
        super().__init__()

    def forward(self, x: torch.Tensor, like: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """``like``: anything as large as the outputs are to be."""
        made: torch.Tensor = dealt(x)[:, : like.shape[1], : like.shape[2]]
        return made
