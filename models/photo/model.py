"""``photo`` as the codec sees it: frozen networks for gray and colour, strips, and how a float model is frozen."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.container.tensors import part
from arcomp.contract.learning import LearningModel, Stream, Tile
from arcomp.contract.model import Watch, refuse
from arcomp.contract.registry import register
from arcomp.contract.settings import checked
from arcomp.contract.side_by_side import Positions
from arcomp.contract.trainer import Trainer
from arcomp.contract.weights_file import Weights, by_channels
from arcomp.errors import ModelError, needs_torch
from arcomp.models.photo.config import CODING_ORDER, PhotoConfig

STRIP_PIXELS = 1 << 21
"""Pixels of a strip in large pictures."""
STRIP_ROWS = 1 << 13
"""Rows of a strip: what is kept of it grows with them."""
RANDOM_BYTES = 16
"""For each sample that is drawn: a decision takes less than a bit of them on average, a sample has at most 40."""
SPLIT_PIXELS = 1 << 19
"""Pictures of more pixels than this are cut into two strips at least, for two cores; smaller ones are not, since what a
strip learns ends with it: a quarter of a percent of 512 x 512 pixels."""
SHARED_PIXELS, PROCESSORS, LEAST_COLUMNS = 15 << 18, 8, 256
"""Strips of pictures of so many pixels (3.9 million) are cut across, too, into eight parts in all at least, for as many
cores. A part that is as high as two and a quarter as wide learns nearly as much as a strip: eight such parts are 0.01
and 0.26 % more than two strips of two photographs of 2.8 and 2.4 megapixels, eight strips 0.26 and 0.76 %."""


@register
class PhotoModel(LearningModel):
    """A network for gray pictures and one for colour, 8 to 16 bits.

    Args:
        weights: as :func:`freeze` makes them; at least one network.

    Raises:
        ModelError: the configuration or the arrays are not this model's.
    """

    name: ClassVar[str] = "photo"
    preset: ClassVar[str] = "balanced"
    for_jpegs: ClassVar[str] = "jpeg"

    def __init__(self, weights: Weights) -> None:
        self.weights, self.digest, self.parameters = weights, weights.digest, weights.count
        self.configs: dict[int, PhotoConfig] = by_channels(weights, partial(checked, PhotoConfig))
        self._made: dict[Any, Any] = {}

    @classmethod
    def trainer(cls) -> Trainer:
        from arcomp.models.photo.training import PhotoTrainer

        return PhotoTrainer()

    def check(self, channels: int, depth: int) -> None:
        if channels not in self.configs or not 8 <= depth <= 16:
            raise refuse(self.name, "gray and RGB of 8 to 16 bits", channels, depth)

    def coding_order(self, channels: int) -> tuple[int, ...]:
        return CODING_ORDER[channels]

    def tile(self, height: int, width: int, channels: int, depth: int) -> tuple[int, int]:
        """Strips as wide as the picture, an even number of them in large pictures, of which very large ones are cut
        across."""
        pixels, columns = height * width, 1
        strips = max(-(-pixels // STRIP_PIXELS), -(-height // STRIP_ROWS))
        if pixels > SPLIT_PIXELS:
            strips += strips % 2
        strips = min(strips, height)
        if pixels >= SHARED_PIXELS:
            columns = max(1, min(-(-PROCESSORS // strips), width // LEAST_COLUMNS))
        return -(-height // strips), -(-width // columns)

    def tile_memory(self, channels: int, height: int, width: int) -> int:
        from arcomp.models.photo.strip import memory

        return memory(self.configs[channels], height, width)

    def _arrays(self, channels: int) -> dict[str, npt.NDArray[Any]]:
        return part(self.weights.arrays, str(channels))

    def _layers(self, channels: int) -> Any:
        from arcomp.models.photo.exact import check_arrays

        if channels not in self._made:
            with self.weights.with_path():
                self._made[channels] = check_arrays(self.configs[channels], self._arrays(channels))
        return self._made[channels]

    def frozen(self, channels: int) -> Any:
        """What strips are made of (an :class:`arcomp.models.photo.strip.Frozen`)."""
        from arcomp.models.photo import exact, strip

        if ("frozen", channels) not in self._made:
            layers, arrays = self._layers(channels), self._arrays(channels)
            net = exact.pack_net(self.configs[channels], layers)
            with self.weights.with_path():
                made = strip.Frozen(self.configs[channels], net, arrays.get("prior"), arrays.get("mixer"))
                made.check()
            self._made["frozen", channels] = made
        return self._made["frozen", channels]

    def chunk_network(self, channels: int, device: str = "cpu") -> Any:
        """The network for whole chunks (an :class:`arcomp.models.photo.exact.ChunkNetwork`)."""
        from arcomp.exact.matmul import choose
        from arcomp.models.photo.exact import ChunkNetwork

        key = ("chunk network", channels, device, choose(device)[0])
        if key not in self._made:
            self._made[key] = ChunkNetwork(self.configs[channels], self._layers(channels), device)
        return self._made[key]

    def dequantized(self, channels: int, depth: int) -> Any:
        """Heads that learn while coding do not learn here."""
        with needs_torch("a network in float"):
            import torch

            from arcomp.models.photo.net import Photo
            from arcomp.network.float.perceptron import dequantize_layers

        network, arrays = Photo(self.configs[channels]), self._arrays(channels)
        dequantize_layers(network, arrays)
        if "prior" in arrays:
            network.prior.copy_(torch.from_numpy(arrays["prior"]))
        return network

    def float_bits(self, pixels: npt.NDArray[Any], depth: int, device: str = "cpu") -> float:
        network = self.dequantized(pixels.shape[3], depth)
        from arcomp.network.float.perceptron import total_bits

        return total_bits(network, pixels, device)

    def encode_tile(
        self,
        tile: Tile,
        device: str = "cpu",
        progress: Positions = lambda positions: None,
        watch: Watch | None = None,
    ) -> Stream:
        from arcomp.models.photo.depth import of_tile
        from arcomp.models.photo.strip import Strip

        height, width, channels = tile.shape
        frozen, depth = self.frozen(channels), of_tile(tile)
        strip, learns = Strip(frozen, height, width, depth), self.configs[channels].inner_rate > 0
        if watch is None and (learns or (device == "cpu" and not os.environ.get("ARCOMP_BACKEND"))):
            return strip.encode(tile, progress)  # without torch
        stream = strip.encode_by_chunks(tile, self.chunk_network(channels, device), progress, watch)
        # Layers are watched as they were frozen, all positions at once; what is coded is made of what they learn.
        return Strip(frozen, height, width, depth).encode(tile, lambda positions: None) if learns else stream

    def tile_bits(
        self, tile: Tile, progress: Positions = lambda positions: None
    ) -> tuple[npt.NDArray[np.float32], float]:
        from arcomp.models.photo.depth import of_tile
        from arcomp.models.photo.strip import Strip

        height, width, channels = tile.shape
        found = np.zeros(tile.shape, np.float32)
        stream = Strip(self.frozen(channels), height, width, of_tile(tile)).encode(tile, progress, found)
        return found, stream.network_bits

    def sample_tile(self, tile: Tile, rng: np.random.Generator, progress: Positions = lambda positions: None) -> None:
        """Random bytes are decoded, more than decisions can use up."""
        from arcomp.coding import lattice

        if tile.dtype != np.uint8:
            raise ModelError("model photo draws pictures of 8 bits only", remedy="ask for 8 bits a sample")
        self.decode_tile(bytes([lattice.NONE]) + rng.bytes(RANDOM_BYTES * tile.size), tile, progress)

    def decode_tile(
        self,
        data: bytes | memoryview,
        tile: Tile,
        progress: Positions = lambda positions: None,
        naive: bool = False,
    ) -> None:
        from arcomp.models.photo.strip import Strip, depth_of

        height, width, channels = tile.shape
        if naive:
            from arcomp.models.photo.naive import decode_naively

            decode_naively(self.frozen(channels), self.chunk_network(channels), data, tile)
        else:
            Strip(self.frozen(channels), height, width, depth_of(data, tile)).decode(data, tile, progress)
