"""Models that learn while they code: every tile a stream of its own, several coded at a time."""

from __future__ import annotations

import os
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.contract.model import BatchSpec, Bits, Execution, Model, Payload, Progress, Watch, surplus_side
from arcomp.contract.tiling import Tiling
from arcomp.errors import FormatError, ModelError
from arcomp.orders import Batch
from arcomp.samples import Pixels

Positions = Callable[[int], None]
"""Callback that is given how many positions have been done since it was last called."""
_WAITING = 4
"""How many times as many pieces of work as there are threads have been handed to them."""
_TOGETHER = 1 << 6
"""Positions of small tiles, at least, that are one piece of work."""
Tile = npt.NDArray[np.uint8]
"""uint8 [height, width, C]: one tile, channels in coding order."""


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

        _run(work, spec, how)
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

        _run(work, spec, how)
        return pixels

    def bits(self, pixels: Pixels, tiling: Tiling, spec: BatchSpec, how: Execution) -> Bits:
        found = np.zeros(pixels.shape, np.float32)
        order, network = list(self.coding_order(spec.channels)), [0.0] * len(spec.batch)

        def work(i: int, meter: Positions) -> None:
            tiling.part(found, i)[..., order], network[i] = self.tile_bits(self._tile(pixels, tiling, i), meter)

        _run(work, spec, how)
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
        order, meter = list(self.coding_order(spec.channels)), _Meter(spec.batch.positions, progress)
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


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


class _Meter:
    """Adds up the positions that threads have done and calls back with the part done, one thread at a time."""

    def __init__(self, total: int, progress: Progress) -> None:
        self.total, self.progress = total, progress
        self.done, self.stopped = 0, False
        self.lock = threading.Lock()

    def __call__(self, positions: int) -> None:
        with self.lock:
            self.done += positions
            if self.stopped:
                raise _StoppedError
            self.progress(self.done / self.total)


def _together(batch: Batch) -> Iterator[range]:
    """All tiles, those that are small several at a time."""
    first, positions = 0, 0
    for i, size in enumerate((batch.heights.astype(np.int64) * batch.widths).tolist()):
        positions += size
        if positions >= _TOGETHER:
            yield range(first, i + 1)
            first, positions = i + 1, 0
    if first < len(batch):
        yield range(first, len(batch))


def _first(waiting: set[Future[None]]) -> None:
    """Wait for the first of several, and take it out; raises what it raised."""
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    waiting -= done
    for future in done:
        future.result()


class _StoppedError(Exception):
    """Raised in threads whose work is no longer wanted."""


def _run(work: Callable[[int, Positions], None], spec: BatchSpec, how: Execution) -> None:
    """Do the work for each tile, several at a time; the first error stops all of them. Small tiles are done many at a
    time, and no more wait than will be begun soon: there may be a million."""
    meter, threads = _Meter(spec.batch.positions, how.progress), min(len(spec.batch), how.threads or processors())
    waiting: set[Future[None]] = set()

    def some(tiles: range) -> None:
        for i in tiles:
            if meter.stopped:
                raise _StoppedError
            work(i, meter)

    with ThreadPoolExecutor(threads) as pool:
        try:
            for tiles in _together(spec.batch):
                if len(waiting) >= _WAITING * threads:
                    _first(waiting)
                waiting.add(pool.submit(some, tiles))
            while waiting:
                _first(waiting)
        except BaseException:
            meter.stopped = True
            for future in waiting:
                future.cancel()
            raise
