"""Lossless codecs that others use, behind one small interface: of pictures, and of bytes."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""uint8 [H, W, C], C = 1 (gray) or 3 (RGB)."""
INSTALL_PEERS = 'pip install "arcomp[bench]"'
NOT_INSTALLED = "not installed"
WEBP_SIDE = 16383
"""Most rows or columns of a WebP picture."""
ZSTD_LEVEL = 19
"""The highest that does not ask for more memory to decode."""


class Codec(ABC):
    """A lossless codec.

    Attributes:
        name: as tables show it.
        of_bytes: it codes bytes, given as a picture of one row, and not pictures.
    """

    name: str
    of_bytes: bool = False

    def available(self) -> str:
        """Empty if it can be used here, else why not in a few words."""
        return ""

    def takes(self, pixels: Pixels) -> str:
        """Empty if it can encode such a picture, else why not in a few words."""
        return ""

    @abstractmethod
    def encode(self, pixels: Pixels) -> bytes:
        """A whole file."""

    @abstractmethod
    def decode(self, data: bytes) -> Pixels:
        """The pixels of a file; gray may come back as RGB (see :func:`identical`)."""


class Pillow(Codec):
    """A format that Pillow writes.

    Args:
        name: as tables show it.
        format: as Pillow calls it.
        options: for saving.
    """

    def __init__(self, name: str, format: str, **options: Any) -> None:
        self.name, self.format, self.options = name, format, options

    def takes(self, pixels: Pixels) -> str:
        return "" if pixels.shape[2] in (1, 3) else f"{pixels.shape[2]} channels"

    def encode(self, pixels: Pixels) -> bytes:
        buffer = io.BytesIO()
        self.image(pixels).save(buffer, self.format, **self.options)
        return buffer.getvalue()

    def image(self, pixels: Pixels) -> Any:
        """Pillow's picture of the pixels."""
        from PIL import Image

        return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)

    def decode(self, data: bytes) -> Pixels:
        from PIL import Image

        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            with Image.open(io.BytesIO(data), formats=[self.format]) as image:
                pixels = np.asarray(image.convert("L") if image.mode == "1" else image, np.uint8)
        finally:
            Image.MAX_IMAGE_PIXELS = limit
        return pixels.reshape(*pixels.shape[:2], -1)


class Png(Pillow):
    """PNG as small as Pillow makes it; gray of nothing but 0 and 255 in one bit a pixel."""

    name = "PNG"

    def __init__(self) -> None:
        super().__init__(self.name, "PNG", optimize=True)

    def image(self, pixels: Pixels) -> Any:
        made = super().image(pixels)
        two_levels = pixels.shape[2] == 1 and not bool(((pixels != 0) & (pixels != 255)).any())
        return made.convert("1") if two_levels else made


class WebP(Pillow):
    """WebP lossless, the slowest method; it has no gray."""

    name = "WebP"

    def __init__(self) -> None:
        super().__init__(self.name, "WEBP", lossless=True, method=6, quality=100)

    def takes(self, pixels: Pixels) -> str:
        return super().takes(pixels) or (f"a side over {WEBP_SIDE}" if max(pixels.shape[:2]) > WEBP_SIDE else "")


class JpegXl(Pillow):
    """JPEG XL lossless, by libjxl through a plugin of Pillow.

    Args:
        effort: 1 to 10.
        threads: how many libjxl may use; -1 for one a core.
    """

    FAMILY = "JPEG XL"
    """What names begin with."""

    def __init__(self, effort: int = 9, threads: int = -1) -> None:
        super().__init__(f"{self.FAMILY} e{effort}", "JXL", lossless=True, effort=effort, num_threads=threads)

    def available(self) -> str:
        try:
            plugin: Any = importlib.import_module("pillow_jxl.JpegXLImagePlugin")
        except ImportError:
            return NOT_INSTALLED
        plugin.DECODE_THREADS = self.options["num_threads"]
        return ""

    def decode(self, data: bytes) -> Pixels:
        self.available()  # Pillow reads it once the plugin is loaded
        return super().decode(data)


class _OfBytes(Codec):
    of_bytes = True

    @abstractmethod
    def pack(self, data: bytes) -> bytes:
        """Coded bytes."""

    @abstractmethod
    def unpack(self, data: bytes) -> bytes:
        """What :meth:`pack` was given."""

    def encode(self, pixels: Pixels) -> bytes:
        return self.pack(pixels.tobytes())

    def decode(self, data: bytes) -> Pixels:
        return np.frombuffer(self.unpack(data), np.uint8).reshape(1, -1, 1)


class Gzip(_OfBytes):
    """Deflate at its highest level."""

    name = "gzip -9"

    def pack(self, data: bytes) -> bytes:
        return gzip.compress(data, 9, mtime=0)

    def unpack(self, data: bytes) -> bytes:
        return gzip.decompress(data)


class Bzip2(_OfBytes):
    """Burrows and Wheeler's transform at its highest level."""

    name = "bzip2 -9"

    def pack(self, data: bytes) -> bytes:
        return bz2.compress(data, 9)

    def unpack(self, data: bytes) -> bytes:
        return bz2.decompress(data)


class Xz(_OfBytes):
    """LZMA at its highest preset."""

    name = "xz -9"

    def pack(self, data: bytes) -> bytes:
        return lzma.compress(data, preset=9)

    def unpack(self, data: bytes) -> bytes:
        return lzma.decompress(data)


class Zstd(_OfBytes):
    """Zstandard, by the package of that name."""

    name = f"zstd -{ZSTD_LEVEL}"

    def available(self) -> str:
        try:
            importlib.import_module("zstandard")
        except ImportError:
            return NOT_INSTALLED
        return ""

    def pack(self, data: bytes) -> bytes:
        made: bytes = importlib.import_module("zstandard").ZstdCompressor(level=ZSTD_LEVEL).compress(data)
        return made

    def unpack(self, data: bytes) -> bytes:
        made: bytes = importlib.import_module("zstandard").ZstdDecompressor().decompress(data)
        return made


def of_pictures(threads: int | None = None) -> list[Codec]:
    """PNG, WebP and JPEG XL, lossless."""
    return [Png(), WebP(), JpegXl(threads=-1 if threads is None else threads)]


def of_bytes() -> list[Codec]:
    """gzip, bzip2, xz and Zstandard, each at the end of its levels."""
    return [Gzip(), Bzip2(), Xz(), Zstd()]


def identical(pixels: Pixels, decoded: Pixels) -> bool:
    """Whether a picture came back; gray may have become RGB of three equal channels."""
    if pixels.shape[2] == 1 and decoded.ndim == 3 and decoded.shape[2] == 3:
        pixels = np.repeat(pixels, 3, 2)
    return bool(np.array_equal(pixels, decoded))
