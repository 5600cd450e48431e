"""The linear layer in integers: frozen from :class:`arcomp.layers.linear.Linear`, kept as plain arrays.

    y = rescale(W x + bias)

with weights of 7 bits (13 where they are fine), a step for each output row, and the bounds of all sums proven when it
is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from arcomp.exact.bounds import WEIGHT_LIMIT
from arcomp.exact.matmul import Matrix, choose
from arcomp.exact.rescale import Rescale, as_multiplier
from arcomp.layers.checks import check_linear
from arcomp.layers.linear import Linear, weight_steps
from arcomp.layers.quantisation import Quantisation

Arrays = dict[str, npt.NDArray[Any]]


def freeze_linear(layer: Linear, bits: int, zeros: npt.NDArray[np.int64]) -> Arrays:
    """A float layer's integers.

    Args:
        bits: of the grids its inputs are on (one step for all).
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
    scales = [as_multiplier(float(s) * step / layer.grid.step) for s in steps]
    return {
        "weight": integers.astype(np.int8 if layer.limit == WEIGHT_LIMIT else np.int16),
        "bias": bias.astype(np.int32),
        "multiplier": np.array([m for m, _ in scales], np.int16),
        "shift": np.array([s for _, s in scales], np.int8),
    }


def dequantize_linear(
    layer: Linear, arrays: Mapping[str, npt.NDArray[Any]], bits: int, zeros: npt.NDArray[np.int64]
) -> None:
    """Give a float layer the real numbers that integers stand for: the inverse of :func:`freeze_linear`.

    Args:
        arrays: as :func:`freeze_linear` gives them.
        bits, zeros: as given to it.
    """
    step = 2.0**-bits
    weight = arrays["weight"].astype(np.float64)
    # A sum of integers times multiplier / 2**shift counts steps of the output's grid.
    ratio = np.ldexp(arrays["multiplier"].astype(np.float64), -arrays["shift"].astype(np.int32))
    steps = ratio * layer.grid.step / step
    offset = arrays["bias"] + weight @ zeros
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight * steps[:, None]))
        layer.bias.copy_(torch.from_numpy(offset * steps * step))


class FrozenLinear:
    """Exact evaluation of a linear layer.

    Args:
        arrays: as :func:`freeze_linear` gives them.
        grid: of the outputs.
        largest: bound of the absolute inputs.
        device: where products are computed.
        fine: whether its weights have 13 bits.

    Raises:
        ModelError: shapes, types or bounds are not what exactness needs (a damaged or hostile file).
    """

    def __init__(
        self,
        arrays: Mapping[str, npt.NDArray[Any]],
        grid: Quantisation,
        largest: int,
        device: str = "cpu",
        fine: bool = False,
    ) -> None:
        self.weight, bias, multiplier, shift = check_linear(arrays, largest, fine)
        self.grid, self.largest = grid, largest
        self.bias = bias.astype(np.int64)
        self.multiplier, self.shift = multiplier.astype(np.int64), shift.astype(np.int64)
        self.matrix = Matrix(self.weight, largest, choose(device)[0], device)
        self.rescale = Rescale(self.bias, self.multiplier, self.shift, grid.zero, grid.low, grid.high)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """int8 or int16 [n, k] -> int8 or int16 [n, m], by the grid."""
        return self.rescale(self.matrix(x))
