"""A random order: one position of every picture at a time, wherever it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arcomp.exact.drawn import drawn
from arcomp.orders.order import Int32
from arcomp.orders.path import Path


@dataclass(frozen=True)
class Shuffled(Path):
    """Positions by a number drawn for each place: of any two, the same one comes first in pictures of all sizes.

    Attributes:
        seed: of the numbers.
    """

    seed: int

    def path(self, height: int, width: int) -> Int32:
        y, x = np.indices((height, width), np.int32).reshape(2, -1)
        return np.stack([y, x], 1)[np.argsort(drawn(self.seed, y, x), kind="stable")]
