"""Position embeddings (:mod:`arcomp.layers.position`) in float."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from arcomp.exact.arrays import Ints
from arcomp.layers.float.layer import FloatLayer
from arcomp.layers.float.rounding import carry
from arcomp.layers.frozen import Arrays
from arcomp.layers.position import PositionEmbedding, waves


class FloatPositionEmbedding(FloatLayer):
    """Tables of rows and of columns; at first waves and noise."""

    def __init__(self, spec: PositionEmbedding) -> None:
        super().__init__()
        self.quantisation = spec.quantisation
        half = spec.features // 2
        rows, columns = 0.1 * torch.randn(spec.height, spec.features), 0.1 * torch.randn(spec.width, spec.features)
        rows[:, :half] += torch.from_numpy(waves(spec.height, half))
        columns[:, half:] += torch.from_numpy(waves(spec.width, spec.features - half))
        self.rows, self.columns = nn.Parameter(rows), nn.Parameter(columns)

    def forward(self, samples: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        n, height, width, _ = samples.shape
        rows, columns = (
            carry(table, self.quantisation, rounding)
            for table in (self.rows[:height, None], self.columns[None, :width])
        )
        return carry((rows + columns).expand(n, -1, -1, -1), self.quantisation, rounding)

    def freeze(self) -> Arrays:
        tables, quantisation = {"rows": self.rows, "columns": self.columns}, self.quantisation
        return {
            name: np.rint(table.detach().numpy() / quantisation.step)
            .clip(quantisation.low, quantisation.high)
            .astype(np.int8)
            for name, table in tables.items()
        }

    def dequantize(self, arrays: Mapping[str, Ints]) -> None:
        with torch.no_grad():
            for name, table in (("rows", self.rows), ("columns", self.columns)):
                table.copy_(torch.from_numpy(arrays[name]) * self.quantisation.step)
