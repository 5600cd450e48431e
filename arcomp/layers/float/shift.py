"""What was known one position before (:mod:`arcomp.layers.shift`), in float."""

from __future__ import annotations

import torch

from arcomp.layers.float.layer import FloatLayer
from arcomp.layers.shift import Shift, shifted, whole_batch


class FloatShift(FloatLayer):
    """The same features one position before; 0 at the first."""

    def __init__(self, spec: Shift) -> None:
        super().__init__()
        self.order = spec.order

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        made: torch.Tensor = shifted(self.order, whole_batch(x.shape), x)
        return made
