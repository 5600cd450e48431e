"""Orders over batches of pictures or tiles.

A *front* is a set of positions that may be decoded together, because none of them is in another one's causal
neighbourhood. An order is a sequence of fronts that covers every position of a batch once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Front:
    """Positions: int32 [n] each, sorted by image, then y, then x. ``image`` counts the pictures (or tiles) of a
    batch."""

    image: Int32
    y: Int32
    x: Int32

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True)
class Batch:
    """Pictures or tiles that are coded side by side, each on its own.

    Args:
        heights, widths: int32 [N], in pixels, all at least 1.
    """

    heights: Int32
    widths: Int32

    def __len__(self) -> int:
        return len(self.heights)

    @property
    def positions(self) -> int:
        """Pixels of all pictures together."""
        return int((self.heights.astype(np.int64) * self.widths).sum())

    def part(self, pictures: slice) -> Batch:
        """Some consecutive pictures."""
        return Batch(self.heights[pictures], self.widths[pictures])

    def coarser(self, scale: int) -> Batch:
        """The pictures with one position for each square of that side, also where one is cut off by an edge."""
        return Batch(-(-self.heights // np.int32(scale)), -(-self.widths // np.int32(scale)))


def coarser(front: Front, scale: int) -> Front:
    """Of a front the positions that are the first of such a square, as positions among squares."""
    own = (front.y % scale == 0) & (front.x % scale == 0)
    return Front(front.image[own], front.y[own] // np.int32(scale), front.x[own] // np.int32(scale))


class Order(ABC):
    """A sequence of fronts for any batch."""

    @abstractmethod
    def fronts(self, batch: Batch) -> Iterator[Front]:
        """The fronts, none of them empty, covering every position once."""

    def open_rows(self, batch: Batch) -> int:
        """How many rows of a picture fronts may be in at a time: all before the first of them are known as a whole, and
        of those after the last nothing is."""
        return int(batch.heights.max())


class Raster(Order):
    """Row by row, left to right; one position of every picture at a time."""

    def open_rows(self, batch: Batch) -> int:
        return 1

    def fronts(self, batch: Batch) -> Iterator[Front]:
        sizes = batch.heights.astype(np.int64) * batch.widths
        for t in range(int(sizes.max())):
            image = np.flatnonzero(sizes > t).astype(np.int32)
            y, x = np.divmod(np.int32(t), batch.widths[image])
            yield Front(image, y.astype(np.int32), x.astype(np.int32))


class Independent(Order):
    """No position depends on another: fronts are blocks of so many positions in raster order.

    Args:
        block: positions of a front.
    """

    def __init__(self, block: int = 1 << 15) -> None:
        self.block = block

    def fronts(self, batch: Batch) -> Iterator[Front]:
        ends = np.cumsum(batch.heights.astype(np.int64) * batch.widths)
        for begin in range(0, int(ends[-1]), self.block):
            flat = np.arange(begin, min(begin + self.block, int(ends[-1])))
            image = np.searchsorted(ends, flat, side="right")
            within = flat - np.concatenate([[0], ends])[image]
            y, x = np.divmod(within, batch.widths[image])
            yield Front(image.astype(np.int32), y.astype(np.int32), x.astype(np.int32))


def grouped(fronts: Iterable[Front], least: int) -> Iterator[tuple[Front, npt.NDArray[np.int64]]]:
    """Join consecutive fronts until they hold at least so many positions.

    Returns:
        Pairs of the joined positions and int64 [fronts], where each front ends among them.
    """
    waiting: list[Front] = []
    held = 0
    for front in fronts:
        waiting.append(front)
        held += len(front)
        if held >= least:
            yield _join(waiting)
            waiting, held = [], 0
    if waiting:
        yield _join(waiting)


def _join(fronts: list[Front]) -> tuple[Front, npt.NDArray[np.int64]]:
    ends = np.cumsum([len(f) for f in fronts], dtype=np.int64)
    parts = [np.concatenate([getattr(f, name) for f in fronts]) for name in ("image", "y", "x")]
    return Front(*parts), ends
