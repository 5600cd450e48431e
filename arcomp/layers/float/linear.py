"""The linear layer in float: what :mod:`arcomp.layers.frozen` freezes to integers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from arcomp.exact.arrays import Ints
from arcomp.exact.bounds import FINE_LIMIT, WEIGHT_LIMIT
from arcomp.exact.rescale import as_multiplier
from arcomp.layers.float.rounding import carry, round_through
from arcomp.layers.frozen import Arrays
from arcomp.layers.quantisation import Quantisation


def weight_steps(weight: torch.Tensor, limit: int = WEIGHT_LIMIT) -> torch.Tensor:
    """Step of each output row's weights, the largest of which become ``limit``: float [rows, 1]."""
    return weight.detach().abs().amax(1, keepdim=True).clamp_min(1e-12) / limit


def rounded(weight: torch.Tensor, limit: int = WEIGHT_LIMIT) -> torch.Tensor:
    """Weights on the steps of their rows, straight-through: as they are frozen."""
    steps = weight_steps(weight, limit)
    return round_through(weight / steps) * steps


class Linear(nn.Linear):
    """y = W x + b, clamped to the outputs' quantisation.

    Args:
        inputs, outputs: widths.
        quantisation: of the outputs; a quantisation that starts at real 0 makes this a linear layer followed by ReLU.
        fine: whether weights will have 13 bits, not 7.
    """

    def __init__(self, inputs: int, outputs: int, quantisation: Quantisation, fine: bool = False) -> None:
        super().__init__(inputs, outputs)
        self.quantisation, self.fine, self.limit = quantisation, fine, FINE_LIMIT if fine else WEIGHT_LIMIT
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        nn.init.zeros_(self.bias)

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """Float evaluation: float [n, inputs] -> [n, outputs]; with rounding, weights and outputs as frozen."""
        weight = self.weight
        if rounding:
            weight = rounded(weight, self.limit)
        return carry(functional.linear(x, weight, self.bias), self.quantisation, rounding)


def freeze_linear(layer: Linear, bits: int, zeros: npt.NDArray[np.int64]) -> Arrays:
    """A float layer's integers.

    Args:
        bits: of its inputs' quantisations (one step for all).
        zeros: int64 [inputs], the zero point of each input.

    Returns:
        weight int8 [m, k] (int16 if fine), bias int32 [m], multiplier int16 [m], shift int8 [m].
    """
    step = 2.0**-bits
    weight, offset = layer.weight.detach().double(), layer.bias.detach().double()
    # A row of (almost) no weights may still have a bias: its step must let the bias fit.
    steps = torch.maximum(weight_steps(layer.weight, layer.limit).double()[:, 0], offset.abs() / (2.0**24 * step))
    integers = torch.round(weight / steps[:, None]).to(torch.int64).numpy()
    bias = torch.round(offset / (steps * step)).to(torch.int64).numpy() - integers @ zeros
    scales = [as_multiplier(float(s) * step / layer.quantisation.step) for s in steps]
    return {
        "weight": integers.astype(np.int8 if layer.limit == WEIGHT_LIMIT else np.int16),
        "bias": bias.astype(np.int32),
        "multiplier": np.array([m for m, _ in scales], np.int16),
        "shift": np.array([s for _, s in scales], np.int8),
    }


def dequantize_linear(layer: Linear, arrays: Mapping[str, Ints], bits: int, zeros: npt.NDArray[np.int64]) -> None:
    """Give a float layer the real numbers that integers stand for: the inverse of :func:`freeze_linear`.

    Args:
        arrays: as :func:`freeze_linear` gives them.
        bits, zeros: as given to it.
    """
    step = 2.0**-bits
    weight = arrays["weight"].astype(np.float64)
    # A sum of integers times multiplier / 2**shift counts steps of the output's quantisation.
    ratio = np.ldexp(arrays["multiplier"].astype(np.float64), -arrays["shift"].astype(np.int32))
    steps = ratio * layer.quantisation.step / step
    offset = arrays["bias"] + weight @ zeros
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight * steps[:, None]))
        layer.bias.copy_(torch.from_numpy(offset * steps * step))
