"""Features that are known beforehand: what another network makes of what was decoded earlier.

By them a network over some samples is conditioned on others (van den Oord et al. 2016, "Conditional image generation
with PixelCNN decoders", section 2.4, by a map of features of the picture's size).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from arcomp.exact.arrays import Array, Ints
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.layer import ExactLayer
from arcomp.layers.quantisation import Quantisation
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front


@dataclass(frozen=True)
class Conditioning(Spec):
    """The features; the network's evaluations are handed them besides the samples.

    Attributes:
        features: of a position, from the ``begin``-th on of those that are handed. quantisation: theirs.
    """

    float_twin: ClassVar[str] = "arcomp.layers.float.conditioning.FloatConditioning"

    features: int
    quantisation: Quantisation
    begin: int = 0
    groups: int = 1

    def total(self, *inputs: int) -> int:
        return self.features

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactConditioning:
        return ExactConditioning(self.quantisation, self.part)

    @property
    def part(self) -> slice:
        """Which of the features that are handed."""
        return slice(self.begin, self.begin + self.features)


class ExactConditioning(ExactLayer):
    """The exact evaluations.

    Attributes:
        features: integers [N, H, W, ..], all that are handed, to be set before an evaluation front by front is started.
    """

    features: Ints

    def __init__(self, quantisation: Quantisation, part: slice) -> None:
        self.quantisation, self.part = quantisation, part

    def parallel(self, batch: Batch, *x: Array) -> Array:
        """Given the features."""
        return x[0][..., self.part]

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        table = workspace.table(np.ascontiguousarray(self.features[..., self.part]))
        return instructions.PositionTable(table, *self.features.shape[1:3])

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        return np.asarray(self.features[front.image, front.y, front.x, self.part])
