"""The wavefront: slanted lines of positions, x + skew * y = t, all decoded together.

A position may then look at rows above as far as skew - 1 columns to its right for each row; the picture takes
width + skew * (height - 1) fronts instead of width * height.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.orders.order import Batch, Front, Order


@kernel()
def _front(t: int, skew: int, heights: Any, widths: Any, image: Any, ys: Any, xs: Any) -> int:
    n = 0
    for i in range(heights.shape[0]):
        first = 0 if t < widths[i] else (t - widths[i]) // skew + 1
        last = min(heights[i] - 1, t // skew)
        for y in range(first, last + 1):
            image[n] = i
            ys[n] = y
            xs[n] = t - skew * y
            n += 1
    return n


class Wavefront(Order):
    """Fronts x + skew * y = t for t = 0, 1, ...

    Args:
        skew: at least 1.
    """

    def __init__(self, skew: int) -> None:
        if skew < 1:
            raise ValueError(f"a wavefront of skew {skew}")
        self.skew = skew

    def open_rows(self, batch: Batch) -> int:
        return -(-int(batch.widths.max()) // self.skew)

    def fronts(self, batch: Batch) -> Iterator[Front]:
        heights, widths = batch.heights.astype(np.int64), batch.widths.astype(np.int64)
        longest = int(np.minimum(heights, -(-widths // self.skew)).sum())
        buffer = np.empty((3, longest), np.int32)
        for t in range(int((widths + self.skew * (heights - 1)).max())):
            n = _front(t, self.skew, heights, widths, buffer[0], buffer[1], buffer[2])
            if n:
                yield Front(*buffer[:, :n].copy())
