"""Where layers' weights, tables and caches get their places: all of a kind lie in one array."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arcomp.exact.rescale import Rescale
from arcomp.kernels.instructions import Cache, Product, Rescaling
from arcomp.kernels.memory import Ints, Memory, Scratch
from arcomp.orders import Batch

Margins = tuple[int, int, int]


class Workspace:
    """Filled by layers, each of which learns where its part begins, in elements.

    Args:
        open_rows: of a picture, that fronts may be in at a time.
    """

    def __init__(self, open_rows: int) -> None:
        self.open_rows = open_rows
        self._constants: list[Ints] = [np.empty(0, np.int16)]
        self._rescale: list[Ints] = [np.empty((0, 3), np.int64)]
        self._caches: list[tuple[int, int]] = []
        self._size = dict.fromkeys(("constants", "rescale", "caches", "counters"), 0)
        self._features, self._scores, self._totals = 1, 1, 1

    def _take(self, kind: str, count: int) -> int:
        begin = self._size[kind]
        self._size[kind] += count
        return begin

    def table(self, values: Ints) -> int:
        """Integers that stay, within int16."""
        self._constants.append(values.reshape(-1).astype(np.int16))
        return self._take("constants", values.size)

    def product(self, weight: Ints, rescale: Rescale, bound: int) -> Product:
        """A linear layer.

        Args:
            weight: int8 or int16 [outputs, inputs]. bound: of the absolute sums.
        """
        inputs = weight.shape[1]
        self.reserve(features=inputs)
        return Product(inputs, self.table(weight), self.rescaling(rescale), int(bound >= 2**31))

    def rescaling(self, rescale: Rescale) -> Rescaling:
        """A row for each output."""
        self._rescale.append(np.stack([rescale.bias, rescale.multiplier, rescale.shift], 1))
        return Rescaling(self._take("rescale", len(rescale.bias)), rescale.zero, rescale.low, rescale.high)

    def reserve(self, features: int = 1, scores: int = 1, totals: int = 1) -> None:
        """So many numbers of each kind to work in (:class:`Scratch`)."""
        self._features, self._scores = max(self._features, features), max(self._scores, scores)
        self._totals = max(self._totals, totals)

    def cache(self, count: int, fill: int) -> int:
        """So many int16 that begin as ``fill``."""
        self._caches.append((count, fill))
        return self._take("caches", count)

    def rows(self, batch: Batch, margins: Margins, features: int, groups: int = 1, fill: int = 0) -> Cache:
        """A cache of the rows that are open and those that are looked back at.

        Args:
            margins: positions above, to the left and to the right. features: of a position, in so many groups.
        """
        top, left, right = margins
        rows = min(int(batch.heights.max()), self.open_rows) + top
        row = (int(batch.widths.max()) + left + right) * features
        begin = self.cache(len(batch) * rows * row, fill)
        return Cache(begin + left * features, rows * row, rows, row, features, features // groups)

    def counters(self, count: int) -> int:
        """So many int64 that begin as 0."""
        return self._take("counters", count)

    def memory(self, values: npt.NDArray[np.int16]) -> Memory:
        """All arrays, caches as they begin."""
        caches = np.empty(self._size["caches"], np.int16)
        begin = 0
        for count, fill in self._caches:
            caches[begin : begin + count] = fill
            begin += count
        counters = np.zeros(self._size["counters"], np.int64)
        return Memory(values, caches, counters, np.concatenate(self._constants), np.concatenate(self._rescale))

    def scratch(self) -> Scratch:
        """Arrays to work in."""
        return Scratch(
            np.empty(self._features, np.int16), np.empty(self._scores, np.int64), np.empty(self._totals, np.int64)
        )
