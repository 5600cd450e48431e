"""The zigzag: diagonal after diagonal, up one and down the next, one position of every picture at a time."""

from __future__ import annotations

import numpy as np

from arcomp.orders.order import Int32
from arcomp.orders.path import Path


class Zigzag(Path):
    """Diagonals x + y = t for t = 0, 1, ...: those of even t upwards, the others downwards (as JPEG orders its
    coefficients)."""

    def path(self, height: int, width: int) -> Int32:
        y, x = np.indices((height, width), np.int32).reshape(2, -1)
        diagonal = y + x
        upwards = diagonal % 2 == 0
        return np.stack([y, x], 1)[np.lexsort((np.where(upwards, x, y), diagonal))]
