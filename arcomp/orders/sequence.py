"""Pictures as sequences: what layers work on that look along an order instead of around a position."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from arcomp.orders.order import Batch, Order

if TYPE_CHECKING:
    import torch


class Sequences:
    """Where a batch's positions are in an order that takes one position of a picture at a time.

    Args:
        order: such an order.
        batch: the pictures, on a canvas as large as the largest.

    Attributes:
        at: int64 [N, P], the row-major position on the canvas of each picture's t-th position; height * width of the
            canvas, where nothing is, beyond the end of a picture that is shorter than the longest.

    Raises:
        ValueError: the order takes several positions of a picture at a time.
    """

    def __init__(self, order: Order, batch: Batch) -> None:
        sizes = batch.heights.astype(np.int64) * batch.widths
        self.height, self.width = int(batch.heights.max()), int(batch.widths.max())
        self.at: npt.NDArray[np.int64] = np.full((len(batch), int(sizes.max())), self.height * self.width, np.int64)
        for t, front in enumerate(order.fronts(batch)):
            if t >= self.at.shape[1] or not np.array_equal(front.image, np.flatnonzero(sizes > t)):
                raise ValueError("an order that takes several positions of a picture at a time is no sequence")
            self.at[front.image, t] = front.y.astype(np.int64) * self.width + front.x

    def gathered(self, x: torch.Tensor) -> torch.Tensor:
        """[N, H, W, F] -> [N, P, F], in the order; 0 beyond the ends."""
        flat = x.new_zeros(len(x), self.height * self.width + 1, x.shape[3])
        flat[:, :-1] = x.flatten(1, 2)
        return flat.gather(1, self._index(x))

    def scattered(self, x: torch.Tensor) -> torch.Tensor:
        """[N, P, F] -> [N, H, W, F], back from the order; 0 outside the pictures."""
        flat = x.new_zeros(len(x), self.height * self.width + 1, x.shape[2])
        flat = flat.scatter(1, self._index(x), x)
        return flat[:, :-1].reshape(len(x), self.height, self.width, -1)

    def _index(self, x: torch.Tensor) -> torch.Tensor:
        from arcomp.exact.constants import constant  # by torch, which orders themselves do without

        return constant(self.at, x.device)[..., None].expand(-1, -1, x.shape[-1])


def sequences(order: Order, batch: Batch) -> Sequences:
    """:class:`Sequences`; of batches that were lately asked for, those made before."""
    return _sequences(order, batch.heights.tobytes(), batch.widths.tobytes())


@lru_cache(4)
def _sequences(order: Order, heights: bytes, widths: bytes) -> Sequences:
    return Sequences(order, Batch(np.frombuffer(heights, np.int32), np.frombuffer(widths, np.int32)))
