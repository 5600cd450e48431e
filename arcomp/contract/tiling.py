"""Cutting pictures into tiles that are coded each on its own, and laying them together again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.contract.model import Canvas
from arcomp.orders import Batch


class Tiling:
    """How pictures are cut into a batch of tiles and laid together again.

    Args:
        shape: (images, height, width) of the pictures.
        tile: (height, width) of a tile; 0 for the picture's. Tiles at the right and lower edges are smaller.

    Attributes:
        whole: whether each picture is one tile.
        tile: (height, width) of a tile; (0, 0) for whole pictures.
    """

    def __init__(self, shape: tuple[int, int, int], tile: tuple[int, int]) -> None:
        images, height, width = shape
        th, tw = (tile[0] or height, tile[1] or width)
        rows, columns = range(0, height, th), range(0, width, tw)
        self.corners = [(n, y, x) for n in range(images) for y in rows for x in columns]
        heights = [min(th, height - y) for _, y, _ in self.corners]
        widths = [min(tw, width - x) for _, _, x in self.corners]
        self.batch = Batch(np.array(heights, np.int32), np.array(widths, np.int32))
        self.shape = (len(self.batch), int(self.batch.heights.max()), int(self.batch.widths.max()))
        self.whole = len(rows) == len(columns) == 1
        self.tile = (0, 0) if self.whole else (th, tw)

    def part(self, pixels: npt.NDArray[Any], i: int) -> npt.NDArray[Any]:
        """Tile i of pictures [N, H, W, C]: a view [h, w, C]."""
        n, y, x = self.corners[i]
        return pixels[n, y : y + self.batch.heights[i], x : x + self.batch.widths[i]]

    def cut(self, pixels: npt.NDArray[Any]) -> Canvas:
        """[N, H, W, C] -> [tiles, h, w, C]; the pixels themselves if they are not cut."""
        if self.whole:
            return pixels
        canvas = self.blank(pixels.shape[3], pixels.dtype)
        for i in range(len(self.corners)):
            part = self.part(pixels, i)
            canvas[i, : part.shape[0], : part.shape[1]] = part
        return canvas

    def blank(self, channels: int, dtype: npt.DTypeLike) -> Canvas:
        """A canvas of zeros."""
        return np.zeros((*self.shape, channels), dtype)

    def join(self, canvas: Canvas, shape: tuple[int, int, int]) -> npt.NDArray[Any]:
        """The inverse of :meth:`cut`."""
        if self.whole:
            return canvas
        pixels = np.zeros((*shape, canvas.shape[3]), canvas.dtype)
        for i in range(len(self.corners)):
            part = self.part(pixels, i)
            part[:] = canvas[i, : part.shape[0], : part.shape[1]]
        return pixels
