"""The linear layer in float: what :mod:`arcomp.layers.frozen` freezes to integers."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from arcomp.layers.grid import Grid
from arcomp.layers.rounding import round_through

WEIGHT_LIMIT = 63
"""7-bit weights: larger ones saturate in 16 bits on processors without VNNI (see arcomp.exact.matmul)."""


def weight_steps(weight: torch.Tensor) -> torch.Tensor:
    """Step of each output row's 7-bit weights: float [rows, 1]."""
    return weight.detach().abs().amax(1, keepdim=True).clamp_min(1e-12) / WEIGHT_LIMIT


def rounded(weight: torch.Tensor) -> torch.Tensor:
    """Weights on the steps of their rows, straight-through: as they are frozen."""
    steps = weight_steps(weight)
    return round_through(weight / steps) * steps


class Linear(nn.Linear):
    """y = W x + b, clamped to the output grid.

    Args:
        inputs, outputs: widths.
        grid: of the outputs; a grid that starts at real 0 makes this a linear layer followed by ReLU.
    """

    def __init__(self, inputs: int, outputs: int, grid: Grid) -> None:
        super().__init__(inputs, outputs)
        self.grid = grid
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        nn.init.zeros_(self.bias)

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """Float evaluation: float [n, inputs] -> [n, outputs]; with rounding, weights and outputs as frozen."""
        weight = self.weight
        if rounding:
            weight = rounded(weight)
        return self.grid.carry(functional.linear(x, weight, self.bias), rounding)
