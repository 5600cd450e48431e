"""Lossless codecs that others use, behind one small interface: of pictures, and of bytes."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]
"""uint8 or uint16 [H, W, C]; C is 1 for gray, 2 for gray with alpha, 3 for RGB, 4 for RGBA."""
INSTALL_PEERS = 'pip install "arcomp[bench]"'
NOT_INSTALLED = "not installed"
WEBP_SIDE = 16383
"""Most rows or columns of a WebP picture."""
ZSTD_LEVEL = 19
"""The highest that does not ask for more memory to decode."""
_LOOKED_AT = 1 << 16
"""Pixels that are looked at first to see whether there are few colours."""


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
        return "" if pixels.dtype == np.uint8 else "more than 8 bits a sample"

    def encode(self, pixels: Pixels) -> bytes:
        return _saved(self.image(pixels), self.format, self.options)

    def image(self, pixels: Pixels) -> Any:
        """Pillow's picture of the pixels."""
        from PIL import Image

        return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)

    def decode(self, data: bytes) -> Pixels:
        from PIL import Image

        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            with Image.open(io.BytesIO(data), formats=[self.format]) as image:
                image.load()
                colours = "RGBA" if "transparency" in image.info else "RGB"
                as_given = image.convert({"1": "L", "P": colours}.get(image.mode, image.mode))
                pixels = np.asarray(as_given, np.uint16 if image.mode.startswith("I") else np.uint8)
        finally:
            Image.MAX_IMAGE_PIXELS = limit
        return pixels.reshape(*pixels.shape[:2], -1)


def _saved(image: Any, format: str, options: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def _indexed(pixels: Pixels) -> Any:
    """A picture of at most 256 colours as Pillow's picture with a palette, opaque colours last; None if it has more."""
    from PIL import Image

    packed = np.zeros(pixels.shape[:2], np.uint32)
    for channel in range(pixels.shape[2]):
        packed |= pixels[..., channel].astype(np.uint32) << np.uint32(8 * channel)
    if len(np.unique(packed.ravel()[:_LOOKED_AT])) > 256:  # of most pictures that is enough to see it
        return None
    found, indices = np.unique(packed, return_inverse=True)
    if len(found) > 256:
        return None
    colours = found[:, None].view(np.uint8) if np.little_endian else found[:, None].byteswap().view(np.uint8)
    opacity = colours[:, 3] if pixels.shape[2] == 4 else np.full(len(colours), 255, np.uint8)
    order = np.argsort(opacity, kind="stable")
    places = np.empty(len(colours), np.uint8)
    places[order] = np.arange(len(colours))
    made = Image.fromarray(places[indices.reshape(pixels.shape[:2])], "L").convert("P")
    made.putpalette(colours[order, :3].tobytes(), "RGB")
    if (opacity < 255).any():
        made.info["transparency"] = opacity[order].tobytes()
    return made


class Png(Pillow):
    """PNG as small as Pillow makes it; gray of nothing but 0 and 255 in one bit a pixel, few colours as a palette."""

    name = "PNG"

    def __init__(self) -> None:
        super().__init__(self.name, "PNG", optimize=True)

    def takes(self, pixels: Pixels) -> str:
        return "" if pixels.shape[2] == 1 else super().takes(pixels)

    def encode(self, pixels: Pixels) -> bytes:
        indices = _indexed(pixels) if pixels.shape[2] >= 3 else None
        with_palette = [] if indices is None else [_saved(indices, self.format, self.options)]
        return min((super().encode(pixels), *with_palette), key=len)

    def image(self, pixels: Pixels) -> Any:
        made = super().image(pixels)
        two_levels = pixels.shape[2] == 1 and not bool(((pixels != 0) & (pixels != 255)).any())
        return made.convert("1") if two_levels else made


class WebP(Pillow):
    """WebP lossless, the slowest method; it has no gray."""

    name = "WebP"

    def __init__(self) -> None:
        super().__init__(self.name, "WEBP", lossless=True, exact=True, method=6, quality=100)

    def image(self, pixels: Pixels) -> Any:
        made = super().image(pixels)
        return made.convert("RGBA") if pixels.shape[2] == 2 else made

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
        self._deep = False

    def available(self) -> str:
        try:
            plugin: Any = importlib.import_module("pillow_jxl.JpegXLImagePlugin")
        except ImportError:
            return NOT_INSTALLED
        plugin.DECODE_THREADS = self.options["num_threads"]
        return ""

    def takes(self, pixels: Pixels) -> str:
        """Of more than 8 bits by imagecodecs."""
        return "" if pixels.dtype == np.uint8 or not Deep.missing() else super().takes(pixels)

    def encode(self, pixels: Pixels) -> bytes:
        self._deep = pixels.dtype != np.uint8
        if not self._deep:
            return super().encode(pixels)
        return Deep("jpegxl", self.name, effort=self.options["effort"], lossless=True).encode(pixels)

    def decode(self, data: bytes) -> Pixels:
        if self._deep:
            return Deep("jpegxl", self.name).decode(data)
        self.available()  # Pillow reads it once the plugin is loaded
        return super().decode(data)


class Deep(Codec):
    """A codec of imagecodecs, of pictures of more than 8 bits.

    Args:
        codec: its name there. name: as tables show it. options: for encoding.
    """

    def __init__(self, codec: str, name: str, **options: Any) -> None:
        self.codec, self.name, self.options = codec, name, options

    @staticmethod
    def missing() -> str:
        """Empty if imagecodecs is here."""
        try:
            importlib.import_module("imagecodecs")
        except ImportError:
            return NOT_INSTALLED
        return ""

    def available(self) -> str:
        return self.missing()

    def takes(self, pixels: Pixels) -> str:
        if pixels.dtype == np.uint8:
            return "8 bits a sample"
        return "alpha" if pixels.shape[2] in (2, 4) and self.codec == "jpegls" else ""

    def encode(self, pixels: Pixels) -> bytes:
        given = pixels[..., 0] if pixels.shape[2] == 1 else pixels
        return bytes(getattr(importlib.import_module("imagecodecs"), f"{self.codec}_encode")(given, **self.options))

    def decode(self, data: bytes) -> Pixels:
        found: Pixels = getattr(importlib.import_module("imagecodecs"), f"{self.codec}_decode")(data)
        return found.reshape(*found.shape[:2], -1)


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


def of_deep_pictures() -> list[Codec]:
    """JPEG-LS and JPEG 2000, lossless."""
    return [Deep("jpegls", "JPEG-LS"), Deep("jpeg2k", "JPEG 2000", reversible=True)]


def of_bytes() -> list[Codec]:
    """gzip, bzip2, xz and Zstandard, each at the end of its levels."""
    return [Gzip(), Bzip2(), Xz(), Zstd()]


def identical(pixels: Pixels, decoded: Pixels) -> bool:
    """Whether a picture came back; gray may have become RGB of three equal channels, and alpha that is opaque
    everywhere none at all (WebP and palettes of PNG do not keep it)."""
    if (
        pixels.shape[2] in (2, 4)
        and decoded.ndim == 3
        and decoded.shape[2] in (1, 3)
        and (pixels[..., -1] == 255).all()
    ):
        pixels = pixels[..., :-1]
    if pixels.shape[2] <= 2 and decoded.ndim == 3 and decoded.shape[2] == pixels.shape[2] + 2:
        pixels = np.concatenate([np.repeat(pixels[..., :1], 3, 2), pixels[..., 1:]], 2)
    return bool(np.array_equal(pixels, decoded))
