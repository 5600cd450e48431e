"""Functions of a position's own features in float: sums and other quantisations, and the gate of PixelCNN."""

from __future__ import annotations

import torch

from arcomp.layers.float.layer import FloatLayer
from arcomp.layers.float.rounding import carry
from arcomp.layers.quantisation import UNIT8
from arcomp.layers.spec import Add, Gate, Requantize


class FloatSum(FloatLayer):
    """The sum of the inputs, one or more, quantised."""

    def __init__(self, spec: Add | Requantize) -> None:
        super().__init__()
        self.quantisation = spec.quantisation

    def forward(self, *x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        total = x[0]
        for more in x[1:]:
            total = total + more
        return carry(total, self.quantisation, rounding)


class FloatGate(FloatLayer):
    """tanh(a) sigmoid(b)."""

    def __init__(self, spec: Gate) -> None:
        super().__init__()

    def forward(self, a: torch.Tensor, b: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        tanh = 2 * torch.sigmoid(2 * a) - 1  # as its exact twin has it; torch's own takes five times as long
        return carry(tanh * torch.sigmoid(b), UNIT8, rounding)
