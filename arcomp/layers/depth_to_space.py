"""Up-sampling: features of a coarse position become those of the positions of its square.

Salimans et al. 2017, "PixelCNN++", section 2.3, up-samples by strided convolutions transposed; here a linear layer
gives a coarse position the features of all of its square, which are then dealt out (Shi et al. 2016,
"Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural network", 2.2).
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
from arcomp.orders import Batch, Front, coarser

SIDE = 2
"""Of a square."""


@dataclass(frozen=True)
class DepthToSpace(Spec):
    """Deals features out: [N, h, w, 4 F] -> [N, H, W, F], those of a square row by row.

    What causes a coarse position is before its square's first position, so that its features may be used in all of it.

    Attributes:
        features: F. quantisation: theirs.
        scale: of the outputs.
    """

    float_twin: ClassVar[str] = "arcomp.layers.float.depth_to_space.FloatDepthToSpace"

    features: int
    quantisation: Quantisation
    row_level: bool = False
    scale: int = 1
    groups: int = 1

    @property
    def cached(self) -> int:
        return self.features

    def total(self, *inputs: int) -> int:
        return self.features

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactDepthToSpace:
        return ExactDepthToSpace(self)


def dealt(x: Array) -> Array:
    """[N, h, w, 4 F] -> [N, 2 h, 2 w, F]: integers or real numbers, of NumPy or of torch."""
    n, h, w, _ = x.shape
    return x.reshape(n, h, w, SIDE, SIDE, -1).swapaxes(2, 3).reshape(n, SIDE * h, SIDE * w, -1)


class ExactDepthToSpace(ExactLayer):
    """The exact evaluations; the second input is there for its size alone."""

    def __init__(self, spec: DepthToSpace) -> None:
        self.spec, self.quantisation = spec, spec.quantisation

    def parallel(self, batch: Batch, *x: Array) -> Array:
        return dealt(x[0])[:, : int(batch.heights.max()), : int(batch.widths.max())]

    def start(self, batch: Batch) -> None:
        coarse = batch.coarser(SIDE)
        height, width = int(coarse.heights.max()), int(coarse.widths.max())
        self._cache = np.zeros((len(batch), height, width, SIDE, SIDE, self.spec.features), self.quantisation.dtype)

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        coarse = batch.coarser(SIDE)
        height, width = int(coarse.heights.max()), int(coarse.widths.max())
        features = self.spec.features
        square = SIDE * SIDE * features
        begin = workspace.cache(len(batch) * height * width * square, 0)
        image, row = height * width * square, width * square
        return instructions.DepthToSpace(instructions.Cache(begin, image, height, row, square, features))

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        """Given the features of those squares that begin at the front."""
        begun = coarser(front, SIDE)
        if len(begun):
            self._cache[begun.image, begun.y, begun.x] = x[0].reshape(len(begun), SIDE, SIDE, -1)
        y, x_ = front.y, front.x
        return self._cache[front.image, y // SIDE, x_ // SIDE, y % SIDE, x_ % SIDE]
