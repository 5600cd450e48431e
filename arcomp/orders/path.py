"""Orders that go along a path through a picture: one position of every picture at a time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np

from arcomp.orders.order import Batch, Front, Int32, Order


class Path(Order):
    """The t-th front is the t-th position of every picture that has so many."""

    @abstractmethod
    def path(self, height: int, width: int) -> Int32:
        """A picture's positions in this order: int32 [height * width, 2], y and x."""

    def fronts(self, batch: Batch) -> Iterator[Front]:
        lengths = batch.heights.astype(np.int64) * batch.widths
        sizes, which = np.unique(np.stack([batch.heights, batch.widths], 1), axis=0, return_inverse=True)
        which = which.reshape(-1)  # NumPy 2.0 gives it another shape
        paths = np.zeros((int(lengths.max()), len(sizes), 2), np.int32)
        for i, (height, width) in enumerate(sizes.tolist()):
            paths[: height * width, i] = self.path(height, width)
        for t in range(len(paths)):
            image = np.flatnonzero(lengths > t).astype(np.int32)
            y, x = paths[t, which[image]].T
            yield Front(image, np.ascontiguousarray(y), np.ascontiguousarray(x))
