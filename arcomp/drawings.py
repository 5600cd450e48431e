"""How a drawing that another model may code better, as a whole or in places, is divided among both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from arcomp.contract.model import BatchSpec, Execution, Model
from arcomp.contract.tiling import Tiling
from arcomp.samples import Pixels
from arcomp.transforms import Region

BLOCKS, BLOCK = 5, 96
"""Parts, and their rows and columns, in which a drawing is compared."""
COLD = 21 / 20
"""How much more a part costs by itself than within the picture."""
LOOKED = 1 << 20
"""Pixels that are coded as a drawing to see what they cost; of larger pictures, as many in bands of rows."""


class Drawing:
    """A picture coded as a drawing, and what its pixels cost so.

    Args:
        picture: uint8 [1, H, W, C]. depth: of its samples. model: of drawings.

    Attributes:
        whole: all of it.
    """

    def __init__(self, picture: Pixels, depth: int, model: Model) -> None:
        _, height, width, channels = picture.shape
        self._picture, self._bands = picture, _bands(height, width)
        looked = np.concatenate([picture[:, y:end] for y, end in self._bands], axis=1)
        size = (1, looked.shape[1], width)
        tiling = Tiling(size, model.tile(looked.shape[1], width, channels, depth))
        spec = BatchSpec(tiling.batch, channels, depth)
        self._bits = model.bits(looked, tiling, spec, Execution(threads=1)).samples[0].sum(axis=2)
        self._rows = np.concatenate([np.arange(*band) for band in self._bands])  # whose bits are known
        self.whole = Region(0, 0, 0, height, width)

    def drawn(self, region: Region) -> float | None:
        """Bytes of a region as a part of the drawing, from those of its rows that are known; None if none are."""
        begin, end = map(int, np.searchsorted(self._rows, (region.y, region.y + region.height)))
        if begin == end:
            return None
        bits = self._bits[begin:end, region.x : region.x + region.width].sum(dtype=np.float64)
        return float(bits) / 8 * (region.height / (end - begin))

    def otherwise(self, region: Region, cost: Callable[[Pixels], int], apart: Sequence[Region] = ()) -> float:
        """How much smaller or larger a region is in another way: about its size there for each byte here. Of what costs
        most of it as a drawing, places that are equal parts of those costs away from each other are coded.

        Args:
            cost: gives the bytes of a part [1, h, w, C] in that way, by itself.
            apart: rectangles that do not count; if nothing else is there, nothing is lost.
        """
        blocks = [block for block in self._blocks(region) if not any(map(block.overlaps, apart))]
        costs = np.array([self.drawn(block) for block in blocks], np.float64)
        if not costs.sum():
            return 1.0
        ends = np.cumsum(costs)
        at = np.searchsorted(ends, (np.arange(BLOCKS) + 0.5) / BLOCKS * ends[-1])
        ratios = [cost(np.ascontiguousarray(blocks[i].of(self._picture))) / costs[i] for i in at.tolist()]
        return float(np.mean(ratios)) / COLD

    def _blocks(self, region: Region) -> Iterator[Region]:
        """The parts of a region whose bits are known."""
        right = region.x + region.width
        for begin, end in self._bands:
            bottom = min(end, region.y + region.height)
            for y in range(max(begin, region.y), bottom, BLOCK):
                for x in range(region.x, right, BLOCK):
                    yield Region(0, y, x, min(BLOCK, bottom - y), min(BLOCK, right - x))


def _bands(height: int, width: int) -> list[tuple[int, int]]:
    """The rows that are looked at, from and to: all, or bands of :data:`BLOCK` rows as far from each other."""
    if height * width <= LOOKED or height <= BLOCK:
        return [(0, height)]
    count = max(1, min(LOOKED // (width * BLOCK), height // BLOCK))
    middles = ((2 * i + 1) * height // (2 * count) for i in range(count))
    return [(middle - BLOCK // 2, middle - BLOCK // 2 + BLOCK) for middle in middles]
