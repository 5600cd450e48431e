"""Some pictures after the others: an order over groups of a batch, so that memory is bounded by a group."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from arcomp.orders.order import Batch, Front, Order

GROUP = 1 << 16
"""Positions of tiles that are decoded together, at most (or one tile): bounds the memory of caches."""
GROUP_TILES = 1 << 11
"""How many tiles, at most: caches have margins around each, however small it is."""


def split(batch: Batch, positions: int) -> list[slice]:
    """A batch in groups of consecutive pictures, each of at most so many positions or of one picture, and of at most
    GROUP_TILES pictures."""
    ends = np.cumsum(batch.heights.astype(np.int64) * batch.widths)
    groups, begin, before = [], 0, 0
    while begin < len(batch):
        fitting = int(np.searchsorted(ends, before + positions, side="right"))
        end = min(max(fitting, begin + 1), begin + GROUP_TILES)
        groups.append(slice(begin, end))
        begin, before = end, int(ends[end - 1])
    return groups


class InGroups(Order):
    """Another order over each group in turn.

    Args:
        order: of a group. positions: see :func:`split`.
    """

    def __init__(self, order: Order, positions: int) -> None:
        self.order, self.positions = order, positions

    def fronts(self, batch: Batch) -> Iterator[Front]:
        for group in split(batch, self.positions):
            for front in self.order.fronts(batch.part(group)):
                yield Front(front.image + np.int32(group.start), front.y, front.x)
