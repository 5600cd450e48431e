"""Cuts pictures into tiles, which are coded independently, and joins them again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.container.member import MAX_TILES
from arcomp.errors import FormatError
from arcomp.orders import Batch
from arcomp.transforms import Region


def evenly_cut(height: int, width: int, most: int) -> tuple[int, int]:
    """Height and width of tiles as wide as a picture: one, or as few, an even number of them, as have about ``most``
    pixels each."""
    parts = -(-height * width // most)
    parts += parts % 2 if parts > 1 else 0
    return -(-height // min(parts, height)), width


def row_steps(height: int, width: int, pixels: int) -> list[tuple[int, int]]:
    """Rows (begin, end) of a tile, about so many pixels at a time."""
    rows = max(1, pixels // width)
    return [(y, min(y + rows, height)) for y in range(0, height, rows)]


class Tiling:
    """How pictures are cut into a batch of tiles, and joined again.

    Args:
        shape: (images, height, width) of the pictures.
        tile: (height, width) of a tile; 0: the picture's. Tiles at the right and lower edges may be smaller.

    Raises:
        FormatError: there are more than a file may have.

    Attributes:
        pictures: (images, height, width) of the pictures. shape: the same of the padded batch of tiles.
        corners: int32 [tiles, 3], (picture, y, x) of each tile's first pixel. batch: sizes of the tiles.
        whole: whether each picture is one tile.
        tile: (height, width) of a tile; (0, 0) for whole pictures.
    """

    def __init__(self, shape: tuple[int, int, int], tile: tuple[int, int]) -> None:
        self.pictures = images, height, width = shape
        th, tw = (tile[0] or height, tile[1] or width)
        rows, columns = range(0, height, th), range(0, width, tw)
        if images * len(rows) * len(columns) > MAX_TILES:
            raise FormatError(f"more than {MAX_TILES} tiles", remedy="choose larger tiles or fewer images")
        grid = np.meshgrid(np.arange(images), rows, columns, indexing="ij")
        self.corners = np.stack([a.ravel() for a in grid], 1).astype(np.int32)
        sizes = np.minimum((th, tw), (height, width) - self.corners[:, 1:]).astype(np.int32)
        self.batch = Batch(np.ascontiguousarray(sizes[:, 0]), np.ascontiguousarray(sizes[:, 1]))
        self.shape = (len(self.batch), int(self.batch.heights.max()), int(self.batch.widths.max()))
        self.whole = len(rows) == len(columns) == 1
        self.tile = (0, 0) if self.whole else (th, tw)

    def region(self, i: int) -> Region:
        """Where tile i is."""
        n, y, x = self.corners[i].tolist()
        return Region(n, y, x, int(self.batch.heights[i]), int(self.batch.widths[i]))

    def covering(self, region: Region) -> tuple[list[int], Region]:
        """The tiles that have a part in a region, in their sequence, and the region that they fill."""
        _, height, width = self.pictures
        th, tw = self.tile if self.tile != (0, 0) else (height, width)
        top, left = region.y // th * th, region.x // tw * tw
        bottom = min(height, -(-(region.y + region.height) // th) * th)
        right = min(width, -(-(region.x + region.width) // tw) * tw)
        box = Region(region.picture, top, left, bottom - top, right - left)
        rows, columns = -(-height // th), -(-width // tw)
        first = region.picture * rows * columns
        found = [
            first + row * columns + column
            for row in range(top // th, -(-bottom // th))
            for column in range(left // tw, -(-right // tw))
        ]
        return found, box

    def part(self, pixels: npt.NDArray[Any], i: int) -> npt.NDArray[Any]:
        """Tile i of pictures [N, H, W, C], as a view of the array: [h, w, C]."""
        n, y, x = self.corners[i]
        return pixels[n, y : y + self.batch.heights[i], x : x + self.batch.widths[i]]

    def cut(self, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """[N, H, W, C] -> a padded batch [tiles, h, w, C]; the pixels themselves if they are not cut."""
        if self.whole:
            return pixels
        padded = self.blank(pixels.shape[3], pixels.dtype)
        for i in range(len(self.corners)):
            part = self.part(pixels, i)
            padded[i, : part.shape[0], : part.shape[1]] = part
        return padded

    def blank(self, channels: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """A padded batch of zeros."""
        return np.zeros((*self.shape, channels), dtype)

    def join(self, padded: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The pictures of a padded batch: the inverse of :meth:`cut`."""
        if self.whole:
            return padded
        pixels = np.zeros((*self.pictures, padded.shape[3]), padded.dtype)
        for i in range(len(self.corners)):
            part = self.part(pixels, i)
            part[:] = padded[i, : part.shape[0], : part.shape[1]]
        return pixels
