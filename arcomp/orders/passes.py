"""Orders that go over a picture several times: every so many rows and columns, and then what lies between.

A *pass* takes one lattice of positions, in an order of its own among them; all that earlier passes took is known, on
both sides of a position.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arcomp.exact.arrays import Array
from arcomp.exact.devices import backend_of
from arcomp.orders.order import Batch, Front, Independent, Int32, Order, Raster


@dataclass(frozen=True)
class Lattice:
    """In each of some pictures every ``step``-th position of every ``step``-th row, from (y, x) on.

    Attributes:
        y, x: of the first position.
        step: int32 [m], of each picture. pictures: int32 [m], which ones of a batch: those that have such positions.
        batch: their sizes, counted in such positions.
        squares: their sizes, counted in squares of side ``step``, also where one is cut off by an edge: in each square
            there is at most one position of the lattice.
    """

    y: int
    x: int
    step: Int32
    pictures: Int32
    batch: Batch
    squares: Batch

    @classmethod
    def of(cls, batch: Batch, y: int, x: int, step: Int32) -> Lattice:
        """Of a batch, given a step for each picture; a step of 0: nothing of that picture."""
        counted = np.maximum(step, 1)
        heights, widths = -(-(batch.heights - np.int32(y)) // counted), -(-(batch.widths - np.int32(x)) // counted)
        own = np.flatnonzero((step > 0) & (heights > 0) & (widths > 0)).astype(np.int32)
        squares = Batch(-(-batch.heights[own] // step[own]), -(-batch.widths[own] // step[own]))
        return cls(y, x, step[own], own, Batch(heights[own], widths[own]), squares)

    def __len__(self) -> int:
        return len(self.pictures)

    def placed(self, front: Front) -> Front:
        """Positions of the lattice as positions of the pictures."""
        step = self.step[front.image]
        return Front(self.pictures[front.image], self.y + step * front.y, self.x + step * front.x)

    def within(self, front: Front) -> Front:
        """The inverse."""
        image = np.searchsorted(self.pictures, front.image).astype(np.int32)
        step = self.step[image]
        return Front(image, (front.y - self.y) // step, (front.x - self.x) // step)

    def taken(self, x: Array) -> Array:
        """What is at the lattice: [N, H, W, F] -> [m, h, w, F]. ``x`` is 0 outside the pictures."""
        return self._gathered(x, self.y, self.x, self.batch)

    def beside(self, x: Array, dy: int, dx: int) -> Array:
        """What is so far beside the lattice's position of each square: [N, H, W, F] -> [m, h, w, F], h and w of
        ``squares``."""
        return self._gathered(x, self.y + dy, self.x + dx, self.squares)

    def _gathered(self, x: Array, top: int, left: int, sizes: Batch) -> Array:
        arrays, (n, height, width, features) = backend_of(x), x.shape
        step = self.step.astype(np.int64)[:, None]
        ys, xs = (
            arrays.constant(_capped(first + step * np.arange(int(count.max())), end))
            for first, count, end in ((top, sizes.heights, height), (left, sizes.widths, width))
        )
        pictures = arrays.constant(self.pictures.astype(np.int64))
        padded = arrays.full((n, height + 1, width + 1, features), 0, x)  # a row and a column of zeros
        padded[:, :-1, :-1] = x
        return padded[pictures[:, None, None], ys[:, :, None], xs[:, None, :]]

    def put(self, x: Array, values: Array) -> None:
        """Set what is at the lattice: [N, H, W, F], [m, h, w, F]."""
        arrays = backend_of(x)
        counts = self.batch.heights.astype(np.int64) * self.batch.widths
        front = next(Independent(int(counts.sum())).fronts(self.batch))
        to, here = (
            tuple(arrays.constant(a.astype(np.int64)) for a in (f.image, f.y, f.x)) for f in (self.placed(front), front)
        )
        x[to] = values[here]


def _capped(index: npt.NDArray[np.int64], end: int) -> npt.NDArray[np.int64]:
    """What is not within 0 .. end becomes end."""
    return np.where((index < 0) | (index > end), end, index)


@dataclass(frozen=True)
class Pass:
    """One of the passes of an order.

    Attributes:
        name: what it is, the same for those that a model has one network for.
        lattice: its positions. order: they are decoded in.
    """

    name: str
    lattice: Lattice
    order: Order


class Passes(Order):
    """One pass after the other."""

    @abstractmethod
    def passes(self, batch: Batch) -> list[Pass]:
        """The passes over a batch, those left out that take nothing."""

    def fronts(self, batch: Batch) -> Iterator[Front]:
        for one in self.passes(batch):
            for front in one.order.fronts(one.lattice.batch):
                yield one.lattice.placed(front)


class Once(Passes):
    """A single pass over everything.

    Args:
        order: its order.
    """

    def __init__(self, order: Order) -> None:
        self.order = order

    def passes(self, batch: Batch) -> list[Pass]:
        return [Pass("all", Lattice.of(batch, 0, 0, np.ones(len(batch), np.int32)), self.order)]


class Multiscale(Passes):
    """From a picture of a few positions to one of twice the sides, and so on (Reed et al. 2017, "Parallel multiscale
    autoregressive density estimation", section 3 and figure 2).

    The first pass takes every 2**L-th row and column, in raster order; L is the least with which a picture has at most
    ``base`` of each. Then level after level, for a step s = 2**L, .., 2, three passes take what lies half a step to the
    right of what is known ("right"), below it ("below"), and both ("across"), each at once.

    Args:
        base: at least 1.
    """

    NEW = (("right", 0, 1), ("below", 1, 0), ("across", 1, 1))

    def __init__(self, base: int) -> None:
        self.base = base

    def levels(self, batch: Batch) -> Int32:
        """L of each picture."""
        longest = np.maximum(batch.heights, batch.widths).astype(np.int64)
        levels = np.zeros(len(batch), np.int32)
        while (more := -(-longest >> levels) > self.base).any():
            levels += more
        return levels

    def passes(self, batch: Batch) -> list[Pass]:
        levels = self.levels(batch)
        found = [Pass("base", Lattice.of(batch, 0, 0, np.int32(1) << levels), Raster())]
        for level in range(int(levels.max()), 0, -1):
            step = np.where(levels >= level, np.int32(1 << level), np.int32(0))
            half = 1 << (level - 1)
            for name, y, x in self.NEW:
                found.append(Pass(name, Lattice.of(batch, half * y, half * x, step), Independent()))
        return [one for one in found if len(one.lattice)]


class Subscale(Passes):
    """Slices of every ``step``-th row and column, one after the other, each in raster order (Menick and Kalchbrenner
    2018, "Generating high fidelity images with subscale pixel networks and multidimensional upscaling", section 3.1).

    Args:
        step: at least 2.
    """

    def __init__(self, step: int) -> None:
        self.step = step

    def passes(self, batch: Batch) -> list[Pass]:
        steps = np.full(len(batch), self.step, np.int32)
        slices = [Lattice.of(batch, y, x, steps) for y in range(self.step) for x in range(self.step)]
        names = ["first"] + ["later"] * (len(slices) - 1)
        return [Pass(name, one, Raster()) for name, one in zip(names, slices, strict=True) if len(one)]
