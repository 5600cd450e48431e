"""Room for what instructions work on: all layers' weights, constants and caches, each kind in one array."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.exact.rescale import Rescale
from arcomp.layers.frozen import FrozenLinear

Ints = npt.NDArray[Any]


class Workspace:
    """Filled by layers, each told where its part begins.

    Args:
        open_rows: of a picture, that fronts may be in at a time.
    """

    def __init__(self, open_rows: int) -> None:
        self.open_rows = open_rows
        self._weights: list[Ints] = [np.empty(0, np.int16)]
        self._rescale: list[Ints] = [np.empty((0, 3), np.int64)]
        self._caches: list[tuple[int, int]] = []
        self._size = dict.fromkeys(("weights", "rescale", "caches", "counters"), 0)
        self._widest, self.longest = 1, 1

    def _take(self, kind: str, count: int) -> int:
        begin = self._size[kind]
        self._size[kind] += count
        return begin

    def table(self, values: Ints) -> int:
        """Integers that stay: where they begin."""
        self._weights.append(values.reshape(-1).astype(np.int16))
        return self._take("weights", values.size)

    def product(self, linear: FrozenLinear) -> list[int]:
        """A linear layer: inputs, first weight, first row of the re-scaling, zero, low, high, whether sums are wide."""
        inputs = linear.weight.shape[1]
        self.reserve(inputs)
        return [inputs, self.table(linear.weight), *self.rescaled(linear.rescale), int(linear.matrix.bound >= 2**31)]

    def rescaled(self, rescale: Rescale) -> list[int]:
        """A re-scaling: its first row, zero, low, high."""
        self._rescale.append(np.stack([rescale.bias, rescale.multiplier, rescale.shift], 1))
        return [self._take("rescale", len(rescale.bias)), rescale.zero, rescale.low, rescale.high]

    def reserve(self, count: int) -> None:
        """So many int16 to work in."""
        self._widest = max(self._widest, count)

    def cache(self, count: int, fill: int) -> int:
        """So many int16 that begin as ``fill``: where they begin."""
        self._caches.append((count, fill))
        return self._take("caches", count)

    def counters(self, count: int) -> int:
        """So many int64 that begin as 0: where they begin."""
        return self._take("counters", count)

    def pools(self) -> tuple[Ints, Ints, Ints, Ints]:
        """caches int16, counters int64, weights int16, re-scaling int64 [rows, 3]."""
        caches = np.empty(self._size["caches"], np.int16)
        begin = 0
        for count, fill in self._caches:
            caches[begin : begin + count] = fill
            begin += count
        self.scratch = np.empty(self._widest, np.int16), np.empty(self.longest, np.int64), np.empty(4096, np.int64)
        counters = np.zeros(self._size["counters"], np.int64)
        return caches, counters, np.concatenate(self._weights), np.concatenate(self._rescale)
