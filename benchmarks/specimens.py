"""Small pictures for the exactness matrix, made by integer arithmetic alone."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from arcomp.samples import Pixels, Samples

SEPARATOR = "__"
"""Between a model and a specimen in the names of files."""
TINY = 64
"""Most pixels of a picture for decoders that take a parallel evaluation, or plain Python, for each."""


@dataclass(frozen=True)
class Specimen:
    """Pictures that go into one file.

    Attributes:
        name: part of file names.
        pixels: uint8 or uint16 [N, H, W, C].
        tile: rows and columns of tiles; (0, 0) for none.
        depth, alpha: see :class:`arcomp.samples.Samples`.
        palette: entries of three or four numbers; none for samples that are no indices.
        file: a whole file in place of pixels.
    """

    name: str
    pixels: Pixels
    tile: tuple[int, int] = (0, 0)
    depth: int = 8
    alpha: bool = False
    palette: tuple[tuple[int, ...], ...] = ()
    file: bytes = b""

    @property
    def tiny(self) -> bool:
        """Whether slow decoders get it."""
        n, height, width, _ = self.pixels.shape
        return int(n * height * width) <= TINY and not self.file

    def about(self) -> dict[str, Any]:
        """All but the pixels, for another process."""
        fields = {k: v for k, v in asdict(self).items() if k != "pixels"}
        return fields | {"tiny": self.tiny, "file": self.file.hex()}


def samples_of(about: dict[str, Any], pixels: Pixels) -> Samples:
    """A specimen's samples, from what :meth:`Specimen.about` said."""
    palette = np.array(about["palette"], np.uint8) if about["palette"] else None
    return Samples((pixels,), about["depth"], alpha=about["alpha"], palette=palette)


def built_in() -> list[Specimen]:
    """Smooth, noisy, flat and extreme ones, gray and RGB, batches, tiles, a single row, column, pixel; other depths,
    alpha, palettes; and whole files."""
    return [
        *_bytes_each(),
        *_other_kinds(),
        Specimen("png-rgb", _noise(1, 1, 1, 1), file=png(_smooth(1, 40, 50, 3)[0], 2, 8, 6)),
        Specimen("png-fast", _noise(1, 1, 1, 1), file=png(_smooth(1, 40, 50, 1)[0], 0, 8, 1)),
        Specimen("text", _noise(1, 1, 1, 1), file=b"Call me Ishmael. " * 30),
    ]


def _other_kinds() -> list[Specimen]:
    deep = (_smooth(1, 20, 33, 3).astype(np.uint16) << 4) + (_noise(1, 20, 33, 3) >> 4)
    colours = tuple((5 * i, 255 - 3 * i, i * i % 256) for i in range(40))
    return [
        Specimen("bits", (_smooth(3, 28, 28, 1) > 128).astype(np.uint8), depth=1),
        Specimen("tiny-bits", (_noise(1, 6, 7, 1) > 99).astype(np.uint8), depth=1),
        Specimen("four-bits", _smooth(1, 21, 30, 1) >> 4, depth=4),
        Specimen("rgba", _smooth(1, 24, 31, 4), alpha=True),
        Specimen("tiny-gray-alpha", _smooth(1, 6, 8, 2), alpha=True),
        Specimen("palette", _smooth(1, 30, 35, 1) % 40, palette=colours),
        Specimen("twelve-bits", deep[..., :1], depth=12),
        Specimen("sixteen-bits-rgb", deep * 13, depth=16),
        Specimen("tiny-sixteen-bits", deep[:, :5, :6, :1], depth=16),
    ]


def png(pixels: Pixels, colour: int, depth: int, level: int) -> bytes:
    """A PNG of uint8 [H, W, C], each row filtered by its difference from the one above."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    lines = np.concatenate([np.full((height, 1), 2, np.uint8), np.diff(rows, axis=0, prepend=rows[:1] * 0)], 1)
    header = b"".join(v.to_bytes(4, "big") for v in (width, height)) + bytes([depth, colour, 0, 0, 0])
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), level)), (b"IEND", b""))
    made = (len(d).to_bytes(4, "big") + k + d + zlib.crc32(k + d).to_bytes(4, "big") for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


def _bytes_each() -> list[Specimen]:
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
