"""Small pictures for the exactness matrix, made by integer arithmetic alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arcomp.measure.codecs import Pixels

SEPARATOR = "__"
"""Between a model and a specimen in the names of files."""
TINY = 64
"""Most pixels of a picture for decoders that take a parallel evaluation, or plain Python, for each."""


@dataclass(frozen=True)
class Specimen:
    """Pictures that go into one file.

    Attributes:
        name: part of file names.
        pixels: uint8 [N, H, W, C].
        tile: rows and columns of tiles; (0, 0) for none.
    """

    name: str
    pixels: Pixels
    tile: tuple[int, int] = (0, 0)

    @property
    def tiny(self) -> bool:
        """Whether slow decoders get it."""
        n, height, width, _ = self.pixels.shape
        return int(n * height * width) <= TINY


def built_in() -> list[Specimen]:
    """Smooth, noisy, flat and extreme ones, gray and RGB, batches, tiles, and a single row, column, pixel."""
    return [
        Specimen("smooth-rgb", _smooth(1, 48, 67, 3)),
        Specimen("smooth-gray", _smooth(1, 61, 45, 1)),
        Specimen("noise-rgb", _noise(1, 24, 31, 3)),
        Specimen("noise-gray", _noise(1, 29, 40, 1)),
        Specimen("extremes-rgb", np.where(_noise(1, 23, 26, 3) < 128, 0, 255).astype(np.uint8)),
        Specimen("flat-rgb", np.full((1, 17, 33, 3), 200, np.uint8)),
        Specimen("batch-rgb", _smooth(5, 16, 19, 3)),
        Specimen("tiles-rgb", _smooth(2, 37, 50, 3), (16, 16)),
        Specimen("row-rgb", _smooth(1, 1, 83, 3)),
        Specimen("column-gray", _smooth(1, 71, 1, 1)),
        Specimen("tiny-rgb", _smooth(1, 5, 7, 3)),
        Specimen("tiny-gray", _noise(1, 6, 5, 1)),
        Specimen("tiny-pixel", _noise(1, 1, 1, 3)),
        Specimen("tiny-batch-rgb", _noise(2, 3, 4, 3)),
        Specimen("tiny-tiles-gray", _smooth(1, 6, 7, 1), (4, 4)),
    ]


def _noise(*shape: int) -> Pixels:
    """Independent samples: the high byte of a linear congruential generator."""
    samples, state = np.empty(int(np.prod(shape)), np.uint8), 1
    for i in range(len(samples)):
        state = (state * 1664525 + 1013904223) % 2**32
        samples[i] = state >> 24
    return samples.reshape(shape)


def _smooth(images: int, height: int, width: int, channels: int) -> Pixels:
    """Slopes and an edge with a little noise, as photographs have them."""
    n, y, x, c = np.meshgrid(*map(np.arange, (images, height, width, channels)), indexing="ij")
    slope = 60 + 2 * y + x * (1 + c) + 25 * n
    edge = 70 * ((x - width // 2) ** 2 + (y - height // 2) ** 2 < (min(height, width) // 3) ** 2)
    noise = _noise(images, height, width, channels) >> 5
    smooth: Pixels = np.clip(slope + edge + noise, 0, 255).astype(np.uint8)
    return smooth
