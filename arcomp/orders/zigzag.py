"""The zigzag: diagonal after diagonal, up one and down the next, one position of every picture at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from arcomp.orders.order import Batch, Front, Int32, Order


class Zigzag(Order):
    """Diagonals x + y = t for t = 0, 1, ...: those of even t upwards, the others downwards (as JPEG orders its
    coefficients)."""

    def fronts(self, batch: Batch) -> Iterator[Front]:
        """See :meth:`Order.fronts`."""
        sizes = batch.heights.astype(np.int64) * batch.widths
        paths = [_path(int(h), int(w)) for h, w in zip(batch.heights, batch.widths, strict=True)]
        for t in range(int(sizes.max())):
            image = np.flatnonzero(sizes > t).astype(np.int32)
            y, x = np.array([paths[i][t] for i in image.tolist()], np.int32).T
            yield Front(image, np.ascontiguousarray(y), np.ascontiguousarray(x))


@lru_cache(8)
def _path(height: int, width: int) -> Int32:
    """A picture's positions in this order: int32 [height * width, 2]."""
    y, x = np.indices((height, width), np.int32).reshape(2, -1)
    diagonal = y + x
    upwards = diagonal % 2 == 0
    return np.stack([y, x], 1)[np.lexsort((np.where(upwards, x, y), diagonal))]
