"""Exact layers that look at nothing but the position's own features: nothing is cached."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch

from arcomp.errors import ModelError
from arcomp.exact import tables
from arcomp.exact.constants import constant
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.quantisation import UNIT8, Quantisation
from arcomp.layers.spatial import ExactLayer, Ints
from arcomp.orders import Batch, Front


class Pointwise(ExactLayer):
    """A function of each feature, or of the same feature of several inputs."""

    @abstractmethod
    def compute(self, *x: torch.Tensor) -> torch.Tensor:
        """Integers of any shape -> integers of that shape."""

    def parallel(self, batch: Batch, *x: torch.Tensor) -> torch.Tensor:
        """See :meth:`ExactLayer.parallel`."""
        return self.compute(*x)

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        """See :meth:`ExactLayer.step`."""
        return np.asarray(self.compute(*map(torch.from_numpy, x)).numpy())


def kept(x: torch.Tensor, grid: Quantisation) -> torch.Tensor:
    """Wide integers, clamped to a grid and in its type."""
    return x.clamp(grid.low, grid.high).to(torch.int8 if grid.dtype is np.int8 else torch.int16)


class ExactRequantize(Pointwise):
    """The same real numbers on another grid, rounded and clamped: a rectifier, if that one starts at 0.

    Args:
        source: grid of the inputs, at least as fine. grid: of the outputs.
    """

    def __init__(self, source: Quantisation, grid: Quantisation) -> None:
        if source.bits < grid.bits:
            raise ModelError("a grid can be made coarser, not finer")
        self.source, self.grid = source, grid
        self._shift = source.bits - grid.bits

    def instruction(self, workspace: Workspace, batch: Batch) -> tuple[int, list[int]]:
        """See :meth:`ExactLayer.instruction`."""
        return instructions.REQUANTIZE, [self.source.zero, self._shift, self.grid.zero, self.grid.low, self.grid.high]

    def compute(self, *x: torch.Tensor) -> torch.Tensor:
        """See :meth:`Pointwise.compute`."""
        wide = x[0].to(torch.int32) - self.source.zero
        if self._shift:
            wide = (wide + (1 << (self._shift - 1))) >> self._shift
        return kept(wide + self.grid.zero, self.grid)


class ExactAdd(Pointwise):
    """The sum of inputs (He et al. 2016, "Deep residual learning for image recognition"), clamped.

    Args:
        sources: grids of the inputs, all with as many fractional bits as the sum.
        grid: of the sum.
    """

    def __init__(self, sources: tuple[Quantisation, ...], grid: Quantisation) -> None:
        if any(source.bits != grid.bits for source in sources):
            raise ModelError("the sides of a sum are on different grids")
        self.grid = grid
        self._offset = grid.zero - sum(source.zero for source in sources)

    def instruction(self, workspace: Workspace, batch: Batch) -> tuple[int, list[int]]:
        """See :meth:`ExactLayer.instruction`."""
        return instructions.ADD, [self._offset, self.grid.low, self.grid.high]

    def compute(self, *x: torch.Tensor) -> torch.Tensor:
        """See :meth:`Pointwise.compute`."""
        total = x[0].to(torch.int32)
        for more in x[1:]:
            total = total + more
        return kept(total + self._offset, self.grid)


def logistic15(z: torch.Tensor) -> torch.Tensor:
    """The logistic function of integers on the grid LOGITS, from the table in 24 bits, 15 of them, rounded down."""
    return _logistic24(z) >> (tables.FINE_BITS - 15)


def _logistic24(z: torch.Tensor) -> torch.Tensor:
    end = tables.FINE_STEPS * tables.FINE_RANGE
    return constant(tables.fine_logistic(), z.device)[(z.clamp(-end, end) + end).to(torch.int64)]


class ExactGate(Pointwise):
    """tanh(a) sigmoid(b) (van den Oord et al. 2016, "Conditional image generation with PixelCNN decoders", equation 2).

    a and b are on the grid LOGITS, the result is on UNIT8. With L(z) the table of the logistic function in 24 bits,
    tanh(a) = 2 L(2 a) - 1; both factors are taken in 15 bits, rounded down, and their product is rounded.
    """

    grid = UNIT8

    def instruction(self, workspace: Workspace, batch: Batch) -> tuple[int, list[int]]:
        """See :meth:`ExactLayer.instruction`."""
        return instructions.GATE, []

    def compute(self, *x: torch.Tensor) -> torch.Tensor:
        """See :meth:`Pointwise.compute`."""
        a, b = (part.to(torch.int32) for part in x)
        tanh = (2 * _logistic24(2 * a) - (1 << tables.FINE_BITS)) >> (tables.FINE_BITS - 15)
        return kept((tanh * logistic15(b) + (1 << 22)) >> 23, self.grid)
