"""How a drawing that another model may code better, as a whole or in places, is divided among both."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from arcomp.contract.model import BatchSpec, Execution, Model
from arcomp.contract.tiling import Tiling
from arcomp.samples import Pixels
from arcomp.transforms import Region

BLOCKS, BLOCK = 5, 96
"""Parts, and their rows and columns, in which a drawing is compared."""
COLD = 21 / 20
"""How much more a part costs by itself than within the picture."""


class Drawing:
    """A picture coded as a drawing, and what each pixel of it costs so.

    Args:
        picture: uint8 [1, H, W, C]. depth: of its samples. model: of drawings.

    Attributes:
        whole: all of it.
    """

    def __init__(self, picture: Pixels, depth: int, model: Model) -> None:
        _, height, width, channels = picture.shape
        self._picture = np.ascontiguousarray(picture)
        size = (1, height, width)
        tiling = Tiling(size, model.tile(height, width, channels, depth))
        spec = BatchSpec(tiling.batch, channels, depth)
        bits = model.bits(self._picture, tiling, spec, Execution(threads=1)).samples[0]
        self._bits = bits.sum(axis=2, dtype=np.float64)
        self.whole = Region(0, 0, 0, height, width)

    def drawn(self, region: Region) -> float:
        """Bytes of a region as a part of the drawing."""
        return float(region.of(self._bits[None]).sum()) / 8

    def otherwise(self, region: Region, cost: Callable[[Pixels], int], apart: Sequence[Region] = ()) -> float:
        """How much smaller or larger a region is in another way: about its size there for each byte here. Of what costs
        most of it as a drawing, places that are equal parts of those costs away from each other are coded.

        Args:
            cost: gives the bytes of a part [1, h, w, C] in that way, by itself.
            apart: rectangles that do not count; if nothing else is there, nothing is lost.
        """
        bottom, right = region.y + region.height, region.x + region.width
        blocks = [
            Region(0, y, x, min(BLOCK, bottom - y), min(BLOCK, right - x))
            for y in range(region.y, bottom, BLOCK)
            for x in range(region.x, right, BLOCK)
        ]
        blocks = [block for block in blocks if not any(map(block.overlaps, apart))]
        costs = np.array([self.drawn(block) for block in blocks])
        if not costs.sum():
            return 1.0
        ends = np.cumsum(costs)
        at = np.searchsorted(ends, (np.arange(BLOCKS) + 0.5) / BLOCKS * ends[-1])
        ratios = [cost(np.ascontiguousarray(blocks[i].of(self._picture))) / costs[i] for i in at.tolist()]
        return float(np.mean(ratios)) / COLD
