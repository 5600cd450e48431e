"""Some pictures after the others: an order over groups of a batch, so that memory is bounded by a group."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from arcomp.orders.order import Batch, Front, Order


def split(batch: Batch, positions: int) -> list[slice]:
    """A batch in groups of consecutive pictures, each of at most so many positions or of one picture."""
    sizes = batch.heights.astype(np.int64) * batch.widths
    groups, begin, held = [], 0, 0
    for i, size in enumerate(sizes.tolist()):
        if held and held + size > positions:
            groups.append(slice(begin, i))
            begin, held = i, 0
        held += size
    return [*groups, slice(begin, len(batch))]


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
