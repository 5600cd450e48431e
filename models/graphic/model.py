"""``graphic`` as the codec sees it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.coding import mixing
from arcomp.container.tensors import part
from arcomp.contract.learning import LearningModel, Stream, Tile
from arcomp.contract.model import Watch, refuse
from arcomp.contract.registry import register
from arcomp.contract.side_by_side import Positions
from arcomp.contract.tiling import evenly_cut
from arcomp.contract.trainer import Trainer
from arcomp.contract.weights_file import Weights
from arcomp.errors import ModelError

MOST_PIXELS = 1 << 23
"""Of a tile: larger pictures are cut, an even number of times."""
MOST_CHANNELS = 4
PIXELS_A_SECOND = 6e6
"""Of a drawing in which next to nothing happens."""
RANDOM_BYTES = 24
"""For each pixel that is drawn: more than its decisions take."""


@register
class GraphicModel(LearningModel):
    """Pictures of 1 to 4 channels of up to 8 bits.

    Args:
        weights: ``candidates`` and ``escape`` of a network of three channels: the mixing weights that a tile of any
            number of channels starts from.

    Raises:
        ModelError: the configuration or the arrays are not this model's.
    """

    name: ClassVar[str] = "graphic"

    def __init__(self, weights: Weights) -> None:
        from arcomp.models.graphic import candidates, escape
        from arcomp.models.graphic.tile import Start

        self.weights, self.digest = weights, weights.digest
        self.parameters = sum(int(np.count_nonzero(array)) for array in weights.arrays.values())
        shapes = {"candidates": candidates.shape(1), "escape": escape.shape(1)}
        started = part(weights.arrays, "3")
        if weights.config != {"networks": {"3": {"channels": 3}}} or set(started) != set(shapes):
            raise ModelError("weights of another generation of model graphic", remedy="install arcomp again")
        for name, array in started.items():
            wanted = (shapes[name].weight_rows, mixing.LANES)
            if array.dtype != np.int32 or array.shape != wanted or np.abs(array.astype(np.int64)).max() >= 1 << 20:
                raise ModelError(f"the mixing weights {name!r} are not right", remedy="install arcomp again")
        self.start = Start(**started)

    @classmethod
    def trainer(cls) -> Trainer:
        from arcomp.models.graphic.training import GraphicTrainer

        return GraphicTrainer()

    def check(self, channels: int, depth: int) -> None:
        if channels > MOST_CHANNELS or depth > 8:
            raise refuse(self.name, "1 to 4 channels of up to 8 bits", channels, depth)

    def tile(self, height: int, width: int, channels: int, depth: int) -> tuple[int, int]:
        """Whole pictures, unless they are very large."""
        return evenly_cut(height, width, MOST_PIXELS)

    def tile_memory(self, channels: int, height: int, width: int) -> int:
        from arcomp.models.graphic.tile import memory

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
        from arcomp.models.graphic import tile as tiles

        drawing = tiles.Tile(self.start, *tile.shape)
        stream = drawing.encode(tile, progress)
        drawing.done()
        return stream

    def tile_bits(
        self, tile: Tile, progress: Positions = lambda positions: None
    ) -> tuple[npt.NDArray[np.float32], float]:
        """A pixel's bits are shared out equally among its channels."""
        from arcomp.models.graphic import tile as tiles

        height, width, channels = tile.shape
        costs = np.zeros((height, width), np.float32)
        stream = tiles.Tile(self.start, *tile.shape).encode(tile, progress, costs)
        return np.repeat(costs[..., None] / np.float32(channels), channels, axis=2), stream.network_bits

    def sample_tile(self, tile: Tile, rng: np.random.Generator, progress: Positions = lambda positions: None) -> None:
        """Random bytes are decoded, more than decisions can use up."""
        height, width, _ = tile.shape
        self.decode_tile(rng.bytes(RANDOM_BYTES * height * width), tile, progress)

    def decode_tile(
        self,
        data: bytes | memoryview,
        tile: Tile,
        progress: Positions = lambda positions: None,
        naive: bool = False,
    ) -> None:
        """There are no caches: ``naive`` is the same."""
        from arcomp.models.graphic import tile as tiles

        drawing = tiles.Tile(self.start, *tile.shape)
        drawing.decode(data, tile, progress)
        drawing.done()
