"""Categorical distributions from tables of frequencies."""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.coding.distribution import (
    TOTAL_BITS,
    Distribution,
    Float32,
    Int32,
    Int64,
    floor_mass,
    share_out,
)
from arcomp.exact.compiled import kernel


def cumulate(counts: Int64, depth: int) -> Int64:
    """G of rows of counts: int64 [r, 2**depth], non-negative, -> [r, 2**depth + 1].

    G(e) = (sum of the counts below e) * (2**28 - floor 2**depth) // (sum of all) + floor e: strictly increasing.
    Rows without any count are uniform. Counts may be up to 2**30 a row in sum, so that products stay below 2**58.
    """
    floor = floor_mass(depth)
    below = np.zeros((len(counts), (1 << depth) + 1), np.int64)
    np.cumsum(counts, axis=1, out=below[:, 1:])
    below[below[:, -1] == 0] = np.arange((1 << depth) + 1)
    share = (1 << TOTAL_BITS) - (floor << depth)
    edges = below * share // below[:, -1:] + floor * np.arange((1 << depth) + 1, dtype=np.int64)
    return np.asarray(edges, np.int64)


@kernel(allocates=True)
def _frequencies(edges: Any, rows: Any, below: int, values: int, prefix: Any, out: Any) -> None:
    part = np.empty(values + 1, np.int64)
    for i in range(rows.shape[0]):
        first = np.int64(prefix[i]) * values
        for j in range(values + 1):
            part[j] = edges[rows[i], (first + j) << below]
        share_out(part, values, out[i])


class FrequencyTable(Distribution):
    """n distributions, each a row of a table of distribution functions.

    Args:
        edges: int64 [r, 2**depth + 1], strictly increasing from 0 to 2**28 (:func:`cumulate` makes them).
        rows: int32 [n], the row of each position.
        depth: bits of a symbol, 1 .. 16.
    """

    def __init__(self, edges: Int64, rows: Int32, depth: int) -> None:
        super().__init__(depth)
        self.edges, self.rows = edges, rows

    def __len__(self) -> int:
        return len(self.rows)

    def _share_out(self, below: int, prefix: Int32, out: Float32) -> None:
        _frequencies(self.edges, self.rows, below, out.shape[1], prefix, out)

    def masses(self, symbols: Int32) -> Int64:
        return np.asarray(self.edges[self.rows, symbols + 1] - self.edges[self.rows, symbols], np.int64)
