"""The linear layer in float: what :mod:`arcomp.layers.frozen` freezes to integers."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from arcomp.exact.bounds import FINE_LIMIT, WEIGHT_LIMIT
from arcomp.layers.quantisation import Quantisation
from arcomp.layers.rounding import round_through


def weight_steps(weight: torch.Tensor, limit: int = WEIGHT_LIMIT) -> torch.Tensor:
    """Step of each output row's weights, the largest of which become ``limit``: float [rows, 1]."""
    return weight.detach().abs().amax(1, keepdim=True).clamp_min(1e-12) / limit


def rounded(weight: torch.Tensor, limit: int = WEIGHT_LIMIT) -> torch.Tensor:
    """Weights on the steps of their rows, straight-through: as they are frozen."""
    steps = weight_steps(weight, limit)
    return round_through(weight / steps) * steps


class Linear(nn.Linear):
    """y = W x + b, clamped to the output grid.

    Args:
        inputs, outputs: widths.
        grid: of the outputs; a grid that starts at real 0 makes this a linear layer followed by ReLU.
        fine: whether weights will have 13 bits, not 7.
    """

    def __init__(self, inputs: int, outputs: int, grid: Quantisation, fine: bool = False) -> None:
        super().__init__(inputs, outputs)
        self.grid, self.fine, self.limit = grid, fine, FINE_LIMIT if fine else WEIGHT_LIMIT
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        nn.init.zeros_(self.bias)

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """Float evaluation: float [n, inputs] -> [n, outputs]; with rounding, weights and outputs as frozen."""
        weight = self.weight
        if rounding:
            weight = rounded(weight, self.limit)
        return self.grid.carry(functional.linear(x, weight, self.bias), rounding)
