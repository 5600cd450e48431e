"""What was known one position before, in an order that takes one position of a picture at a time.

Through it a layer that sees its own position, such as attention, sees what became known of the past only afterwards:
the samples. (Vaswani et al. 2017, "Attention is all you need", section 3.1: "the output embeddings are offset by one
position".)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.quantisation import Quantisation
from arcomp.layers.spatial import ExactLayer, Ints
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front, Order, sequences


@dataclass(frozen=True)
class Shift(Spec):
    """The same features one position before; real 0 at the first.

    Attributes:
        order: what "before" means.
        features: how many (samples: all of a position).
        grid: they are on; zero is 0.
        samples: whether they are the samples themselves.
    """

    order: Order
    features: int
    grid: Quantisation
    samples: bool = False
    groups: int = 1

    def total(self, *inputs: int) -> int:
        """See :meth:`Spec.total`."""
        return self.features

    def float_layer(self) -> nn.Module:
        """See :meth:`Spec.float_layer`."""
        return _FloatShift(self.order)

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactShift:
        """See :meth:`Spec.exact_layer`."""
        return ExactShift(self)


def _shifted(order: Order, batch: Batch, x: torch.Tensor) -> torch.Tensor:
    places = sequences(order, batch)
    return places.scattered(functional.pad(places.gathered(x), (0, 0, 1, -1)))


def whole_batch(x: torch.Tensor) -> Batch:
    """The batch that a float [N, H, W, F] is, all pictures being as large as the canvas."""
    n, height, width, _ = x.shape
    return Batch(np.full(n, height, np.int32), np.full(n, width, np.int32))


class _FloatShift(nn.Module):
    def __init__(self, order: Order) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        return _shifted(self.order, whole_batch(x), x)


class ExactShift(ExactLayer):
    """The exact evaluations."""

    def __init__(self, spec: Shift) -> None:
        if spec.grid.zero:
            raise ValueError("beyond the ends of a sequence there would be no real 0")
        self.spec, self.grid, self.order = spec, spec.grid, spec.order

    def parallel(self, batch: Batch, *x: torch.Tensor) -> torch.Tensor:
        """See :meth:`ExactLayer.parallel`."""
        return _shifted(self.order, batch, x[0])

    def start(self, batch: Batch) -> None:
        """See :meth:`ExactLayer.start`."""
        self.cache = np.zeros((len(batch), self.spec.features), self.grid.dtype)

    def push(self, front: Front, first: int, x: Ints) -> None:
        """See :meth:`ExactLayer.push`."""
        self.cache[front.image, first : first + x.shape[1]] = x

    def instruction(self, workspace: Workspace, batch: Batch) -> tuple[int, list[int]]:
        """See :meth:`ExactLayer.instruction`."""
        return instructions.SHIFT, [workspace.cache(len(batch) * self.spec.features, 0), int(self.spec.samples)]

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        """See :meth:`ExactLayer.step`."""
        before = self.cache[front.image]
        for known in x:
            self.push(front, 0, known)
        return before
