"""Where a position is, as features that are learnt: a row's plus a column's.

Learnt position embeddings (Gehring et al. 2017, "Convolutional sequence to sequence learning", section 3.1), one table
for each axis (Parmar et al. 2018, "Image transformer", section 3). They begin as waves (Vaswani et al. 2017, "Attention
is all you need", section 3.5), rows in one half of the features and columns in the other, so that places near each
other have similar features.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.errors import ModelError
from arcomp.exact.arrays import CPU, Array, Ints
from arcomp.exact.devices import backend, backend_of
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.layer import ExactLayer, check_size
from arcomp.layers.pointwise import clamped
from arcomp.layers.quantisation import SIGNED8, Quantisation
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front


@dataclass(frozen=True)
class PositionEmbedding(Spec):
    """Features of a position, whatever is there.

    Attributes:
        height, width: of the largest pictures.
        features: of a position.
    """

    float_twin: ClassVar[str] = "arcomp.layers.float.position.FloatPositionEmbedding"
    has_weights: ClassVar[bool] = True

    height: int
    width: int
    features: int
    groups: int = 1
    quantisation: Quantisation = SIGNED8
    samples: bool = True
    """Given the samples, for their shape alone."""

    @property
    def parameters(self) -> int:
        return (self.height + self.width) * self.features

    def total(self, *inputs: int) -> int:
        return self.features

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactPositionEmbedding:
        return ExactPositionEmbedding(self, arrays, device)


SHORTEST, LONGEST = 3.0, 64.0
"""Lengths of the waves, in positions."""


def wave_lengths(features: int) -> npt.NDArray[np.float32]:
    """Of so many features, sines first: float32 [half of features, rounded up], in positions."""
    pairs = -(-features // 2)
    return np.asarray(SHORTEST * (LONGEST / SHORTEST) ** (np.arange(pairs) / max(1, pairs - 1)), np.float32)


def waves(count: int, features: int) -> npt.NDArray[np.float32]:
    """Sines and cosines of 0 .. count - 1: float32 [count, features]."""
    angles = 2 * math.pi * np.arange(count)[:, None] / wave_lengths(features)
    return np.concatenate([np.sin(angles), np.cos(angles)], 1)[:, :features].astype(np.float32)


class ExactPositionEmbedding(ExactLayer):
    """The exact evaluations.

    Raises:
        ModelError: tables that are not int8 of the sizes said.
    """

    def __init__(self, spec: PositionEmbedding, arrays: Mapping[str, Ints], device: str = CPU) -> None:
        shapes = {"rows": (spec.height, spec.features), "columns": (spec.width, spec.features)}
        for name, shape in shapes.items():
            if arrays.keys() != shapes.keys() or arrays[name].shape != shape or arrays[name].dtype != np.int8:
                raise ModelError(
                    "a table of places has not the size it should have", remedy="install the model's weights again"
                )
        self.spec, self.quantisation = spec, spec.quantisation
        rows, columns = (arrays[name].astype(np.int32) for name in shapes)
        self._table: Ints = clamped(rows[:, None] + columns[None], spec.quantisation)
        self._on_device = backend(device).constant(self._table)

    def parallel(self, batch: Batch, *x: Array) -> Array:
        check_size(batch, self.spec.height, self.spec.width)
        height, width = int(batch.heights.max()), int(batch.widths.max())
        one = self._on_device[None, :height, :width]
        return backend_of(one).concat([one] * len(batch), 0)

    def start(self, batch: Batch) -> None:
        check_size(batch, self.spec.height, self.spec.width)

    def push(self, front: Front, first: int, x: Ints) -> None:
        """Samples do not matter."""

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        check_size(batch, self.spec.height, self.spec.width)
        return instructions.PositionTable(workspace.table(self._table), height=0, width=self.spec.width)

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        return np.asarray(self._table[front.y, front.x])
