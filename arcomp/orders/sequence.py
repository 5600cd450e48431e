"""Pictures as sequences: what layers work on that look along an order instead of around a position."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from arcomp.exact.arrays import Array, Backend
from arcomp.exact.devices import backend_of
from arcomp.orders.order import Batch, Order


class Sequences:
    """Where a batch's positions are in an order that takes one position of a picture at a time.

    Args:
        order: such an order.
        batch: the pictures, a padded batch as large as the largest.

    Attributes:
        at: int64 [N, P], the row-major position in the padded batch of each picture's t-th position; height * width,
            where nothing is, beyond the end of a picture that is shorter than the longest.
        plain: whether that is row by row, and all pictures are of one size.

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

        self.plain = (
            bool((self.at == np.arange(self.at.shape[1])).all()) and self.at.shape[1] == self.height * self.width
        )

    def gathered(self, x: Array) -> Array:
        """[N, H, W, F] -> [N, P, F], in the order; 0 beyond the ends."""
        n, features = len(x), x.shape[3]
        if self.plain:
            return x.reshape(n, -1, features)
        arrays = backend_of(x)
        flat = arrays.full((n, self.height * self.width + 1, features), 0, x)
        flat[:, :-1] = x.reshape(n, -1, features)
        return flat[self._index(arrays)]

    def scattered(self, x: Array) -> Array:
        """[N, P, F] -> [N, H, W, F], back from the order; 0 outside the pictures."""
        n, features = len(x), x.shape[2]
        if not self.plain:
            arrays = backend_of(x)
            flat = arrays.full((n, self.height * self.width + 1, features), 0, x)
            flat[self._index(arrays)] = x
            x = flat[:, :-1]
        return x.reshape(n, self.height, self.width, features)

    def _index(self, arrays: Backend) -> tuple[Array, Array]:
        rows = np.arange(len(self.at), dtype=np.int64)[:, None]
        return arrays.constant(rows), arrays.constant(self.at)


def sequences(order: Order, batch: Batch) -> Sequences:
    """:class:`Sequences`; of batches that were lately asked for, those made before."""
    return _sequences(order, batch.heights.tobytes(), batch.widths.tobytes())


@lru_cache(4)
def _sequences(order: Order, heights: bytes, widths: bytes) -> Sequences:
    return Sequences(order, Batch(np.frombuffer(heights, np.int32), np.frombuffer(widths, np.int32)))
