"""docs/format.md's Order: how the pictures of a part are cut into tiles."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from tests.format.reference_container import Part
from tests.format.reference_numbers import require

Position = tuple[int, int, int]  # tile, y, x


class Tile(NamedTuple):
    """Where a tile lies."""

    image: int
    top: int
    left: int
    height: int
    width: int


def tiles_of(part: Part) -> list[Tile]:
    """All tiles, image by image, row by row."""
    h, w = part.height, part.width
    th, tw = part.tile_height or h, part.tile_width or w
    require(part.images * -(-h // th) * -(-w // tw) <= 1 << 20, "too many tiles")
    corners = product(range(part.images), range(0, h, th), range(0, w, tw))
    return [Tile(image, y, x, min(th, h - y), min(tw, w - x)) for image, y, x in corners]
