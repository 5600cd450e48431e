"""JPEG files as inputs that are compared, and codecs of others that make JPEGs smaller."""

from __future__ import annotations

import importlib
import io
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arcomp.errors import PictureError
from arcomp.formats import start_of
from arcomp.measure.codecs import NOT_INSTALLED

START = b"\xff\xd8\xff"
"""How a JPEG begins."""
ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif")


@dataclass(frozen=True)
class Jpeg:
    """A JPEG file.

    Attributes:
        data: the file.
        width, height: pixels.
        components: 1 for gray, 3 for colours, 4 for inks.
    """

    data: bytes
    width: int
    height: int
    components: int

    @property
    def positions(self) -> int:
        """Pixels."""
        return self.width * self.height

    @property
    def samples(self) -> int:
        """Sub-pixels that it decodes to."""
        return self.positions * self.components


def is_jpeg(path: Path) -> bool:
    """Whether a file begins as a JPEG does; not if it cannot be read: who reads it then says why."""
    return start_of(path).startswith(START)


def jpeg_of(data: bytes) -> Jpeg:
    """A file that begins as a JPEG does.

    Raises:
        PictureError: its headers cannot be read.
    """
    from PIL import Image

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            return Jpeg(data, *image.size, len(image.getbands()))
    except (OSError, SyntaxError, ValueError) as error:
        raise PictureError("a JPEG whose headers are damaged", remedy="get a fresh copy") from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def small_jpeg(components: int) -> Jpeg:
    """A JPEG of a few pixels and so many components; kernels are compiled for it before others are timed.

    Raises:
        PictureError: JPEGs of so many cannot be made.
    """
    from PIL import Image

    modes = {1: "L", 3: "RGB", 4: "CMYK"}
    if components not in modes:
        raise PictureError(f"a JPEG of {components} components", remedy="leave it out")
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((40, 40)).convert(modes[components]).save(buffer, "JPEG", quality=80)
    return jpeg_of(buffer.getvalue())


class Transcoder(ABC):
    """Makes a JPEG smaller so that the very same file comes back.

    Attributes:
        name: as tables show it.
    """

    name: str

    def available(self) -> str:
        """Empty if it can be used here, else why not in a few words."""
        return ""

    @abstractmethod
    def encode(self, jpeg: bytes) -> bytes:
        """A whole file."""

    @abstractmethod
    def decode(self, data: bytes) -> bytes:
        """The JPEG that it was made of."""


class AsItIs(Transcoder):
    """The JPEG itself."""

    name = "JPEG as it is"

    def encode(self, jpeg: bytes) -> bytes:
        return jpeg

    def decode(self, data: bytes) -> bytes:
        return data


class _Imagecodecs(Transcoder):
    """One of the package imagecodecs.

    Attributes:
        codec: its constant there; what it cannot do in this installation it says by that.
    """

    codec: str

    def available(self) -> str:
        try:
            found = bool(getattr(importlib.import_module("imagecodecs"), self.codec).available)
        except (ImportError, AttributeError):
            found = False
        return "" if found else NOT_INSTALLED

    @property
    def library(self) -> Any:
        """The package."""
        return importlib.import_module("imagecodecs")


class JpegXlOfJpeg(_Imagecodecs):
    """JPEG XL's transcoding, by libjxl."""

    name, codec = "JPEG XL of the JPEG", "JPEGXL"

    def encode(self, jpeg: bytes) -> bytes:
        return bytes(self.library.jpegxl_encode_jpeg(jpeg))

    def decode(self, data: bytes) -> bytes:
        return bytes(self.library.jpegxl_decode_jpeg(data))


class Brunsli(_Imagecodecs):
    """Brunsli, which JPEG XL's transcoding comes from."""

    name, codec = "brunsli", "BRUNSLI"

    def encode(self, jpeg: bytes) -> bytes:
        return bytes(self.library.brunsli_encode(jpeg))

    def decode(self, data: bytes) -> bytes:
        return bytes(self.library.brunsli_decode(data, asjpeg=True))


def of_jpegs() -> list[Transcoder]:
    """The JPEG itself, JPEG XL and brunsli."""
    return [AsItIs(), JpegXlOfJpeg(), Brunsli()]
