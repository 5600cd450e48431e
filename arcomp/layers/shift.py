"""What was known one position before, in an order that takes one position of a picture at a time.

Through it a layer that sees its own position, such as attention, sees what became known of the past only afterwards:
the samples. (Vaswani et al. 2017, "Attention is all you need", section 3.1: "the output embeddings are offset by one
position".)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from arcomp.exact.arrays import Array, Ints
from arcomp.exact.devices import backend_of
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.layer import ExactLayer
from arcomp.layers.quantisation import Quantisation
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front, Order, sequences


@dataclass(frozen=True)
class Shift(Spec):
    """The same features one position before; real 0 at the first.

    Attributes:
        order: what "before" means.
        features: how many (samples: all of a position).
        quantisation: theirs; zero is 0.
        samples: whether they are the samples themselves.
    """

    float_twin: ClassVar[str] = "arcomp.layers.float.shift.FloatShift"

    order: Order
    features: int
    quantisation: Quantisation
    samples: bool = False
    groups: int = 1

    def total(self, *inputs: int) -> int:
        return self.features

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactShift:
        return ExactShift(self)


def shifted(order: Order, batch: Batch, x: Array) -> Array:
    """Features, [N, H, W, F], each at the position after its own; 0 at the first."""
    places = sequences(order, batch)
    inside = places.gathered(x)
    moved = backend_of(x).full(inside.shape, 0, x)
    moved[:, 1:] = inside[:, :-1]
    return places.scattered(moved)


def whole_batch(shape: Sequence[int]) -> Batch:
    """The batch of pictures that are all as large as the padded batch, [N, H, W, F], is."""
    n, height, width, _ = shape
    return Batch(np.full(n, height, np.int32), np.full(n, width, np.int32))


class ExactShift(ExactLayer):
    """The exact evaluations."""

    def __init__(self, spec: Shift) -> None:
        if spec.quantisation.zero:
            raise ValueError("beyond the ends of a sequence there would be no real 0")
        self.spec, self.quantisation, self.order = spec, spec.quantisation, spec.order

    def parallel(self, batch: Batch, *x: Array) -> Array:
        return shifted(self.order, batch, x[0])

    def start(self, batch: Batch) -> None:
        self.cache = np.zeros((len(batch), self.spec.features), self.quantisation.dtype)

    def push(self, front: Front, first: int, x: Ints) -> None:
        self.cache[front.image, first : first + x.shape[1]] = x

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        features = self.spec.features
        begin = workspace.cache(len(batch) * features, 0)
        cache = instructions.Cache(begin, image=features, rows=1, row=0, column=0, group=1)
        return instructions.Shift(cache, samples=int(self.spec.samples))

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        before = self.cache[front.image]
        for known in x:
            self.push(front, 0, known)
        return before
