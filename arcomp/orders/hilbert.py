"""Hilbert's curve: one position of every picture at a time, each beside the one before it."""

from __future__ import annotations

import numpy as np

from arcomp.orders.order import Int32
from arcomp.orders.path import Path


class Hilbert(Path):
    """Positions by their place on the curve through the least square that holds the picture and whose side is a power
    of two (Hilbert 1891, "Ueber die stetige Abbildung einer Linie auf ein Flächenstück"); what lies outside of the
    picture is left out, so in other pictures than such squares it may leap there."""

    def path(self, height: int, width: int) -> Int32:
        y, x = np.indices((height, width), np.int64).reshape(2, -1)
        at, place = np.stack([y, x], 1).astype(np.int32), np.zeros(height * width, np.int64)
        side = 1
        while side < max(height, width):
            side *= 2
        half = side // 2
        while half:
            down, right = (y & half > 0).astype(np.int64), (x & half > 0).astype(np.int64)
            place += half * half * ((3 * right) ^ down)
            # The quarters above are the curve turned over: rows and columns change places, on the right mirrored, too.
            mirrored = (down == 0) & (right == 1)
            y, x = np.where(mirrored, side - 1 - y, y), np.where(mirrored, side - 1 - x, x)
            y, x = np.where(down == 0, x, y), np.where(down == 0, y, x)
            half //= 2
        return at[np.argsort(place, kind="stable")]
