"""``bilevel`` as the codec sees it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.contract.learning import LearningModel, Stream, Tile
from arcomp.contract.model import Watch, refuse
from arcomp.contract.registry import register
from arcomp.contract.side_by_side import Positions
from arcomp.contract.tiling import evenly_cut
from arcomp.contract.weights_file import Weights

MOST_PIXELS = 1 << 24
"""Of a tile: larger pictures are cut, an even number of times."""
PIXELS_A_SECOND = 3e7
"""Of a picture of one colour."""
RANDOM_BYTES = 3
"""For each pixel that is drawn: more than its decision takes."""


@register
class BilevelModel(LearningModel):
    """Pictures of one channel of one bit. It has no weights: all starts even."""

    name: ClassVar[str] = "bilevel"
    weightless: ClassVar[bool] = True

    def __init__(self, weights: Weights | None = None) -> None:
        self.digest = (weights or Weights(self.name, {}, {})).digest
        self.parameters = 0

    def check(self, channels: int, depth: int) -> None:
        if (channels, depth) != (1, 1):
            raise refuse(self.name, "one channel of one bit", channels, depth)

    def tile(self, height: int, width: int, channels: int, depth: int) -> tuple[int, int]:
        """Whole pictures, unless they are very large."""
        return evenly_cut(height, width, MOST_PIXELS)

    def tile_memory(self, channels: int, height: int, width: int) -> int:
        from arcomp.models.bilevel.tile import memory

        return memory(height, width)

    def seconds(self, pixels: int) -> float:
        return pixels / PIXELS_A_SECOND

    def encode_tile(
        self,
        tile: Tile,
        device: str = "cpu",
        progress: Positions = lambda positions: None,
        watch: Watch | None = None,
    ) -> Stream:
        from arcomp.models.bilevel import tile as tiles

        return tiles.Tile(*tile.shape[:2]).encode(tile, progress)

    def tile_bits(
        self, tile: Tile, progress: Positions = lambda positions: None
    ) -> tuple[npt.NDArray[np.float32], float]:
        from arcomp.models.bilevel import tile as tiles

        costs = np.zeros(tile.shape[:2], np.float32)
        stream = tiles.Tile(*tile.shape[:2]).encode(tile, progress, costs)
        return costs[..., None], stream.network_bits

    def sample_tile(self, tile: Tile, rng: np.random.Generator, progress: Positions = lambda positions: None) -> None:
        """Random bytes are decoded, more than decisions can use up."""
        self.decode_tile(rng.bytes(RANDOM_BYTES * tile.size + 8), tile, progress)

    def decode_tile(
        self,
        data: bytes | memoryview,
        tile: Tile,
        progress: Positions = lambda positions: None,
        naive: bool = False,
    ) -> None:
        """There are no caches: ``naive`` is the same."""
        from arcomp.models.bilevel import tile as tiles

        tiles.Tile(*tile.shape[:2]).decode(data, tile, progress)
