"""Samples of many bits as differences from a prediction, so that their low bits are smooth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.samples import Pixels
from arcomp.transforms.node import Kind, Node, damaged

WEIGHTS = (2, 3, 4)
"""Of the west and the north neighbour, in quarters."""


@dataclass(frozen=True)
class Predict(Node):
    """Samples as differences from a prediction, modulo ``1 << depth``; those of 9 bits and more.

    The prediction is linear, so that a model that predicts linearly goes on from it as if it saw the samples. Of the
    samples to the west, north and north-west, in the same channel, it is
    ``(weight * (W + N) - (2 * weight - 4) * NW + 2) >> 2``. In the first row all three are the one to the west, in the
    first column the one to the north; in the first corner they are 0.

    Attributes:
        weight: 2 for the mean of west and north, 4 for the plane through all three, 3 for what is between.
        centre: what is coded where the prediction is right: if low bits are coded apart, their middle.
    """

    weight: int
    centre: int
    child: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        if kind.depth <= 8 or self.weight not in WEIGHTS or not 0 <= self.centre < 1 << kind.depth:
            raise damaged("a prediction")
        return (kind.of(),)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        coded = np.empty(kind.shape, np.uint16)
        _subtract(np.require(stack, requirements=("C", "W")), coded, self.weight, self.centre, (1 << kind.depth) - 1)
        return (coded,)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        stack = np.require(parts[0], requirements=("C", "W"))
        _add(stack, self.weight, self.centre, (1 << kind.depth) - 1)
        return stack


@kernel(inner=True)
def _prediction(stack: Any, n: int, y: int, x: int, c: int, weight: int) -> int:
    """Of a sample of uint16 [N, H, W, C], from those before it."""
    if y > 0 and x > 0:
        around = np.int64(stack[n, y, x - 1, c]) + np.int64(stack[n, y - 1, x, c])
        return int((weight * around - (2 * weight - 4) * np.int64(stack[n, y - 1, x - 1, c]) + 2) >> 2)
    if x > 0:
        return int(stack[n, y, x - 1, c])
    if y > 0:
        return int(stack[n, y - 1, x, c])
    return 0


@kernel()
def _subtract(stack: Any, coded: Any, weight: int, centre: int, mask: int) -> None:
    """Fill uint16 [N, H, W, C] with differences."""
    for n in range(stack.shape[0]):
        for y in range(stack.shape[1]):
            for x in range(stack.shape[2]):
                for c in range(stack.shape[3]):
                    shift = centre - _prediction(stack, n, y, x, c, weight)
                    coded[n, y, x, c] = (np.int64(stack[n, y, x, c]) + shift) & mask


@kernel()
def _add(stack: Any, weight: int, centre: int, mask: int) -> None:
    """Make samples of differences, in place."""
    for n in range(stack.shape[0]):
        for y in range(stack.shape[1]):
            for x in range(stack.shape[2]):
                for c in range(stack.shape[3]):
                    shift = _prediction(stack, n, y, x, c, weight) - centre
                    stack[n, y, x, c] = (np.int64(stack[n, y, x, c]) + shift) & mask
