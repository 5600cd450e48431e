"""The linear layer in integers: frozen from :class:`arcomp.layers.float.linear.Linear`, kept as plain arrays.

    y = rescale(W x + bias)

with weights of 7 bits (13 where they are fine), a step for each output row, and the bounds of all sums proven when it
is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.exact import products
from arcomp.exact.arrays import CPU, Array
from arcomp.exact.devices import on_host
from arcomp.exact.matmul import Matrix, choose
from arcomp.exact.rescale import Rescale
from arcomp.kernels.instructions import Product
from arcomp.kernels.workspace import Workspace
from arcomp.layers.checks import check_linear
from arcomp.layers.quantisation import Quantisation

Arrays = dict[str, npt.NDArray[Any]]


class FrozenLinear:
    """Exact evaluation of a linear layer.

    Args:
        arrays: as :func:`arcomp.layers.float.linear.freeze_linear` gives them.
        quantisation: of the outputs.
        largest: bound of the absolute inputs.
        device: where products are computed.
        fine: whether its weights have 13 bits.

    Raises:
        ModelError: shapes, types or bounds are not what exactness needs (a damaged or hostile file).
    """

    def __init__(
        self,
        arrays: Mapping[str, npt.NDArray[Any]],
        quantisation: Quantisation,
        largest: int,
        device: str = CPU,
        fine: bool = False,
    ) -> None:
        self.weight, bias, multiplier, shift = check_linear(arrays, largest, fine)
        self.quantisation, self.largest = quantisation, largest
        self.bias = bias.astype(np.int64)
        self.multiplier, self.shift = multiplier.astype(np.int64), shift.astype(np.int64)
        self.matrix = Matrix(self.weight, largest, choose(device)[0], device)
        self.rescale = Rescale(
            self.bias, self.multiplier, self.shift, quantisation.zero, quantisation.low, quantisation.high
        )

    def __call__(self, x: Array) -> Array:
        """int8 or int16 [n, k] -> int8 or int16 [n, m], quantised."""
        return multiply_and_scale(self.matrix, self.rescale, x)

    def product(self, workspace: Workspace) -> Product:
        """Its part of a compiled program."""
        return workspace.product(self.weight, self.rescale, self.matrix.bound)


def multiply_and_scale(matrix: Matrix, rescale: Rescale, x: Array) -> Array:
    """int8 or int16 [n, k] -> int8 or int16 [n, m]: in one pass, where kernels are compiled for it."""
    if matrix.packed is not None and on_host(x) and x.dtype == np.int8:
        return products.multiply_and_scale(matrix.packed, rescale.scale, x, rescale.dtype)
    return rescale(matrix(x))
