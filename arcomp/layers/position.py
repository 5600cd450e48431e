"""Where a position is, as features that are learnt: a row's plus a column's.

Learnt position embeddings (Gehring et al. 2017, "Convolutional sequence to sequence learning", section 3.1), one table
for each axis (Parmar et al. 2018, "Image transformer", section 3). They begin as waves (Vaswani et al. 2017, "Attention
is all you need", section 3.5), rows in one half of the features and columns in the other, so that places near each
other are alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from arcomp.errors import ModelError
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.frozen import Arrays
from arcomp.layers.pointwise import kept
from arcomp.layers.quantisation import SIGNED8, Quantisation
from arcomp.layers.spatial import ExactLayer, Ints, check_size
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front


@dataclass(frozen=True)
class PositionEmbedding(Spec):
    """Features of a position, whatever is there.

    Attributes:
        height, width: of the largest pictures.
        features: of a position.
    """

    height: int
    width: int
    features: int
    groups: int = 1
    grid: Quantisation = SIGNED8
    samples: bool = True
    """Given the samples, for their shape alone."""

    @property
    def parameters(self) -> int:
        """See :attr:`Spec.parameters`."""
        return (self.height + self.width) * self.features

    def total(self, *inputs: int) -> int:
        """See :meth:`Spec.total`."""
        return self.features

    def float_layer(self) -> nn.Module:
        """See :meth:`Spec.float_layer`."""
        return _FloatPositionEmbedding(self)

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactPositionEmbedding:
        """See :meth:`Spec.exact_layer`."""
        return ExactPositionEmbedding(self, arrays, device)

    def freeze(self, layer: nn.Module) -> Arrays:
        """See :meth:`Spec.freeze`."""
        assert isinstance(layer, _FloatPositionEmbedding)
        tables = {"rows": layer.rows, "columns": layer.columns}
        return {
            name: np.rint(table.detach().numpy() / self.grid.step).clip(self.grid.low, self.grid.high).astype(np.int8)
            for name, table in tables.items()
        }

    def dequantize(self, layer: nn.Module, arrays: Mapping[str, Ints]) -> None:
        """See :meth:`Spec.dequantize`."""
        assert isinstance(layer, _FloatPositionEmbedding)
        with torch.no_grad():
            for name, table in (("rows", layer.rows), ("columns", layer.columns)):
                table.copy_(torch.from_numpy(arrays[name]) * self.grid.step)


SHORTEST, LONGEST = 3.0, 64.0
"""Lengths of the waves, in positions."""


def wave_lengths(features: int) -> torch.Tensor:
    """Of so many features, sines first: float [half of features, rounded up]."""
    pairs = -(-features // 2)
    return SHORTEST * (LONGEST / SHORTEST) ** (torch.arange(pairs) / max(1, pairs - 1))


def waves(count: int, features: int) -> torch.Tensor:
    """Sines and cosines of 0 .. count - 1: float [count, features]."""
    angles = 2 * math.pi * torch.arange(count)[:, None] / wave_lengths(features)
    return torch.cat([angles.sin(), angles.cos()], 1)[:, :features]


class _FloatPositionEmbedding(nn.Module):
    def __init__(self, spec: PositionEmbedding) -> None:
        super().__init__()
        self.grid = spec.grid
        half = spec.features // 2
        rows, columns = 0.1 * torch.randn(spec.height, spec.features), 0.1 * torch.randn(spec.width, spec.features)
        rows[:, :half] += waves(spec.height, half)
        columns[:, half:] += waves(spec.width, spec.features - half)
        self.rows, self.columns = nn.Parameter(rows), nn.Parameter(columns)

    def forward(self, samples: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        n, height, width, _ = samples.shape
        rows, columns = (
            self.grid.carry(table, rounding) for table in (self.rows[:height, None], self.columns[None, :width])
        )
        return self.grid.carry((rows + columns).expand(n, -1, -1, -1), rounding)


class ExactPositionEmbedding(ExactLayer):
    """The exact evaluations.

    Raises:
        ModelError: tables that are not int8 of the sizes said.
    """

    def __init__(self, spec: PositionEmbedding, arrays: Mapping[str, Ints], device: str = "cpu") -> None:
        shapes = {"rows": (spec.height, spec.features), "columns": (spec.width, spec.features)}
        for name, shape in shapes.items():
            if arrays.keys() != shapes.keys() or arrays[name].shape != shape or arrays[name].dtype != np.int8:
                raise ModelError(
                    "a table of places has not the size it should have", remedy="install the model's weights again"
                )
        self.spec, self.grid = spec, spec.grid
        rows, columns = (torch.from_numpy(arrays[name].astype(np.int32)) for name in shapes)
        self._table = kept(rows[:, None] + columns[None], spec.grid)
        self._on_device = self._table.to(device)

    def parallel(self, batch: Batch, *x: torch.Tensor) -> torch.Tensor:
        """See :meth:`ExactLayer.parallel`."""
        check_size(batch, self.spec.height, self.spec.width)
        height, width = int(batch.heights.max()), int(batch.widths.max())
        return self._on_device[:height, :width].expand(len(batch), -1, -1, -1)

    def start(self, batch: Batch) -> None:
        """See :meth:`ExactLayer.start`."""
        check_size(batch, self.spec.height, self.spec.width)

    def push(self, front: Front, first: int, x: Ints) -> None:
        """See :meth:`ExactLayer.push`: samples do not matter."""

    def instruction(self, workspace: Workspace, batch: Batch) -> tuple[int, list[int]]:
        """See :meth:`ExactLayer.instruction`."""
        check_size(batch, self.spec.height, self.spec.width)
        return instructions.POSITION, [workspace.table(self._table.numpy()), 0, self.spec.width]

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        """See :meth:`ExactLayer.step`."""
        return np.asarray(self._table.numpy()[front.y, front.x])
