"""A model that learns, or says so, and writes samples as they are."""

from __future__ import annotations

import threading
import time
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.contract.learning import LearningModel, Stream, Tile
from arcomp.contract.model import Watch
from arcomp.contract.side_by_side import Positions
from arcomp.errors import ModelError


class Raw(LearningModel):
    """Writes the samples as they are, and does what a test asks for at a tile with a certain first sample."""

    name: ClassVar[str] = "raw"
    digest = bytes(32)
    parameters = 0

    def __init__(self) -> None:
        self.at = -1
        self.happens: Any = lambda: None
        self.begun: list[int] = []
        self.together = self.most = 0
        self.lock = threading.Lock()
        self.pause = 0.0

    def check(self, channels: int, depth: int) -> None:
        if depth != 8:
            raise ModelError("8 bits only")

    def tile(self, height: int, width: int, channels: int, depth: int) -> tuple[int, int]:
        return 1, width

    def tile_memory(self, channels: int, height: int, width: int) -> int:
        return 1000

    def _work(self, which: int, positions: int, progress: Positions) -> None:
        with self.lock:
            self.begun.append(which)
            self.together += 1
            self.most = max(self.most, self.together)
        try:
            if which == self.at:
                self.happens()
            for _ in range(positions):
                time.sleep(self.pause)
                progress(1)
        finally:
            with self.lock:
                self.together -= 1

    def tile_bits(
        self, tile: Tile, progress: Positions = lambda positions: None
    ) -> tuple[npt.NDArray[np.float32], float]:
        return np.full(tile.shape, 8, np.float32), 9.0 * tile.size

    def sample_tile(
        self,
        tile: Tile,
        rng: np.random.Generator,
        progress: Positions = lambda positions: None,
    ) -> None:
        tile[:] = rng.integers(0, 256, tile.shape)

    def encode_tile(
        self,
        tile: Tile,
        device: str = "cpu",
        progress: Positions = lambda positions: None,
        watch: Watch | None = None,
    ) -> Stream:
        self._work(int(tile[0, 0, 0]), tile.shape[0] * tile.shape[1], progress)
        return Stream(tile.tobytes(), 8.0 * tile.size, 9.0 * tile.size)

    def decode_tile(
        self,
        data: bytes | memoryview,
        tile: Tile,
        progress: Positions = lambda positions: None,
        naive: bool = False,
    ) -> None:
        tile.ravel()[:] = np.frombuffer(data, np.uint8)
        self._work(int(data[0]), tile.shape[0] * tile.shape[1], progress)
