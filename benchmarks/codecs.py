"""Lossless codecs that others use and arcomp's models, behind one small interface; which are compared: choice.py."""

from __future__ import annotations

import importlib
import io
import os
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""uint8 [H, W, C], C = 1 (gray) or 3 (RGB)."""
INSTALL_JXL = 'pip install "arcomp[bench]"'
NOT_INSTALLED = "not installed"
WEBP_SIDE = 16383
"""Most rows or columns of a WebP picture."""


class Codec(ABC):
    """A lossless codec of pictures.

    Attributes:
        name: as tables show it.
    """

    name: str

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
        """What :meth:`encode` was given; gray may come back as RGB (see :func:`identical`)."""

    def nll_bits(self) -> float | None:
        """Negative log-likelihood of the picture encoded last, for codecs that are models."""
        return None

    def static_bits(self) -> float | None:
        """What :meth:`nll_bits` would be without learning from the picture, for models that do."""
        return None


class Pillow(Codec):
    """A format that Pillow writes.

    Args:
        name: as tables show it.
        format: as Pillow calls it.
        options: for saving.
    """

    def __init__(self, name: str, format: str, **options: Any) -> None:
        self.name, self.format, self.options = name, format, options

    def encode(self, pixels: Pixels) -> bytes:
        """See :meth:`Codec.encode`."""
        from PIL import Image

        buffer = io.BytesIO()
        plain = pixels[..., 0] if pixels.shape[2] == 1 else pixels
        Image.fromarray(plain).save(buffer, self.format, **self.options)
        return buffer.getvalue()

    def decode(self, data: bytes) -> Pixels:
        """See :meth:`Codec.decode`."""
        from PIL import Image

        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            with Image.open(io.BytesIO(data), formats=[self.format]) as image:
                pixels = np.asarray(image, np.uint8)
        finally:
            Image.MAX_IMAGE_PIXELS = limit
        return pixels.reshape(*pixels.shape[:2], -1)


class WebP(Pillow):
    """WebP lossless, the slowest method; it has no gray."""

    name = "WebP"

    def __init__(self) -> None:
        super().__init__(self.name, "WEBP", lossless=True, method=6, quality=100)

    def takes(self, pixels: Pixels) -> str:
        """See :meth:`Codec.takes`."""
        return f"a side over {WEBP_SIDE}" if max(pixels.shape[:2]) > WEBP_SIDE else ""


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
        """See :meth:`Codec.available`."""
        try:
            plugin: Any = importlib.import_module("pillow_jxl.JpegXLImagePlugin")
        except ImportError:
            return NOT_INSTALLED
        plugin.DECODE_THREADS = self.options["num_threads"]
        return ""


class Model(Codec):
    """One of arcomp's models.

    Args:
        name: as arcomp calls it, or the path of its weights.
        threads: for models that code several tiles at a time; -1 for one a core.
    """

    def __init__(self, name: str, threads: int = -1) -> None:
        self.name, self.threads = name, None if threads < 0 else threads
        self._model: Any = None
        self._nll: float | None = None
        self._static: float | None = None

    @property
    def model(self) -> Any:
        """Loaded on first use."""
        if self._model is None:
            from arcomp.models import registry

            self._model = registry.load(self.name)
        return self._model

    def available(self) -> str:
        """See :meth:`Codec.available`."""
        from arcomp.errors import ModelError

        try:
            return "" if self.model else "no model"
        except ModelError as error:
            return str(error)

    def takes(self, pixels: Pixels) -> str:
        """See :meth:`Codec.takes`."""
        from arcomp.errors import ModelError

        try:
            self.model.check(pixels.shape[2], 8)
        except ModelError as error:
            return error.cause
        return ""

    def encode(self, pixels: Pixels) -> bytes:
        """See :meth:`Codec.encode`."""
        from arcomp import codec

        encoded = codec.encode(pixels[None], 8, self.model, threads=self.threads)
        self._nll, self._static = encoded.nll_bits, encoded.static_bits
        return encoded.data

    def decode(self, data: bytes) -> Pixels:
        """See :meth:`Codec.decode`."""
        from arcomp import codec

        pixels: Pixels = codec.decode(data, model=self.model, threads=self.threads)[0][0]
        return pixels

    def nll_bits(self) -> float | None:
        """See :meth:`Codec.nll_bits`."""
        return self._nll

    def static_bits(self) -> float | None:
        """See :meth:`Codec.static_bits`."""
        return self._static


def identical(pixels: Pixels, decoded: Pixels) -> bool:
    """Whether a picture came back; gray may have become RGB of three equal channels."""
    if pixels.shape[2] == 1 and decoded.ndim == 3 and decoded.shape[2] == 3:
        pixels = np.repeat(pixels, 3, 2)
    return bool(np.array_equal(pixels, decoded))


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
