"""Models that learn while they code: every tile a stream of its own, several coded at a time."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.contract.model import BatchSpec, Bits, Execution, Model, Payload, Progress, Watch, surplus_side
from arcomp.contract.side_by_side import Meter, Positions, do_all, processors
from arcomp.contract.tiling import Tiling
from arcomp.errors import FormatError, ModelError
from arcomp.samples import Pixels

Tile = npt.NDArray[Any]
"""uint8, or uint16 of more than 8 bits, [height, width, C]: one tile, channels in coding order."""


@dataclass(frozen=True)
class Stream:
    """A coded tile.

    Attributes:
        data: the coded bytes.
        nll_bits: bits of the samples under the model as it learnt.
        network_bits: bits under the network alone.
    """

    data: bytes
    nll_bits: float
    network_bits: float


class LearningModel(Model):
    """A model whose state learns from each decision while it is coded, so that coder and model run in one loop.

    Tiles are coded independently, several at a time. Subclasses say how one tile is coded.
    """

    learns: ClassVar[bool] = True
    tile_streams: ClassVar[bool] = True
    batches: ClassVar[bool] = False

    @abstractmethod
    def tile_memory(self, channels: int, height: int, width: int) -> int:
        """Bytes of memory that a tile of that size takes while it is coded, besides its samples."""

    @abstractmethod
    def encode_tile(
        self,
        tile: Tile,
        device: str = "cpu",
        progress: Positions = lambda positions: None,
        watch: Watch | None = None,
    ) -> Stream:
        """Code a tile; ``watch`` is given every layer's output."""

    @abstractmethod
    def decode_tile(
        self,
        data: bytes | memoryview,
        tile: Tile,
        progress: Positions = lambda positions: None,
        naive: bool = False,
    ) -> None:
        """Fill a tile from coded bytes; ``naive``: without caches, to test them."""

    @abstractmethod
    def tile_bits(
        self, tile: Tile, progress: Positions = lambda positions: None
    ) -> tuple[npt.NDArray[np.float32], float]:
        """Bits of each sample of a tile as :meth:`encode_tile` codes it, float32 [height, width, C]; and the tile's
        bits under the network alone."""

    @abstractmethod
    def sample_tile(self, tile: Tile, rng: np.random.Generator, progress: Positions = lambda positions: None) -> None:
        """Fill a tile with a draw from the model."""

    def memory(self, spec: BatchSpec, threads: int | None = None) -> int:
        at_a_time = min(len(spec.batch), threads or processors())
        height, width = int(spec.batch.heights.max()), int(spec.batch.widths.max())
        return at_a_time * self.tile_memory(spec.channels, height, width)

    def encode(self, pixels: Pixels, tiling: Tiling, spec: BatchSpec, how: Execution) -> Payload:
        streams: list[Stream] = [Stream(b"", 0.0, 0.0)] * len(spec.batch)

        def work(i: int, meter: Positions) -> None:
            streams[i] = self.encode_tile(self._tile(pixels, tiling, i), how.device, meter)

        do_all(work, _sizes(spec), how.threads, how.progress)
        return Payload(
            tuple(s.data for s in streams),
            nll_bits=sum(s.nll_bits for s in streams),
            network_bits=sum(s.network_bits for s in streams),
        )

    def decode(self, payload: Payload, tiling: Tiling, spec: BatchSpec, how: Execution) -> Pixels:
        if payload.side:
            raise surplus_side()
        batch, order = spec.batch, list(self.coding_order(spec.channels))
        pixels: Pixels = np.zeros((*tiling.pictures, spec.channels), spec.dtype)
        if len(payload.streams) != len(batch):
            raise FormatError(
                f"the file has {len(payload.streams)} streams for {len(batch)} tiles", remedy="get a fresh copy of it"
            )

        def work(i: int, meter: Positions) -> None:
            tile = np.zeros((batch.heights[i], batch.widths[i], spec.channels), spec.dtype)
            self.decode_tile(payload.streams[i], tile, meter, how.naive)
            tiling.part(pixels, i)[..., order] = tile

        do_all(work, _sizes(spec), how.threads, how.progress)
        return pixels

    def bits(self, pixels: Pixels, tiling: Tiling, spec: BatchSpec, how: Execution) -> Bits:
        found = np.zeros(pixels.shape, np.float32)
        order, network = list(self.coding_order(spec.channels)), [0.0] * len(spec.batch)

        def work(i: int, meter: Positions) -> None:
            tiling.part(found, i)[..., order], network[i] = self.tile_bits(self._tile(pixels, tiling, i), meter)

        do_all(work, _sizes(spec), how.threads, how.progress)
        return Bits(found, network=sum(network))

    def check_sampling(self, temperature: float, kept: int) -> None:
        if temperature != 1 or kept:  # it only decodes
            what = "complete pictures" if kept else "draw at another temperature than 1"
            raise ModelError(
                f"model {self.name} learns from each decision and cannot {what}",
                remedy="choose a model that does not learn (`arcomp models` lists all)",
            )

    def sample(
        self,
        pixels: Pixels,
        spec: BatchSpec,
        rng: np.random.Generator,
        temperature: float = 1.0,
        kept: int = 0,
        progress: Progress = lambda part: None,
    ) -> None:
        self.check_sampling(temperature, kept)
        order, meter = list(self.coding_order(spec.channels)), Meter(spec.batch.positions, progress)
        for picture in pixels:
            tile = np.zeros_like(picture)
            self.sample_tile(tile, rng, meter)
            picture[..., order] = tile

    def watch(self, pixels: Pixels, tiling: Tiling, spec: BatchSpec, callback: Watch, device: str = "cpu") -> None:
        for i in range(len(spec.batch)):
            stream = self.encode_tile(self._tile(pixels, tiling, i), device, watch=callback)
            callback("stream", np.frombuffer(stream.data, np.uint8))

    def _tile(self, pixels: Pixels, tiling: Tiling, i: int) -> Tile:
        """A copy of a tile, channels in coding order."""
        return np.ascontiguousarray(tiling.part(pixels, i)[..., list(self.coding_order(pixels.shape[3]))])


def _sizes(spec: BatchSpec) -> list[int]:
    """Positions of each tile."""
    sizes: list[int] = (spec.batch.heights.astype(np.int64) * spec.batch.widths).tolist()
    return sizes
