"""What is compared: arcomp's models, and lossless codecs that others use, behind one small interface."""

from __future__ import annotations

import argparse
import importlib
import io
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""uint8 [H, W, C], C = 1 (gray) or 3 (RGB)."""
INSTALL_JXL = 'pip install "arcomp[bench]"'
NOT_INSTALLED = "not installed"
MODELS_HELP = "arcomp's models, separated by commas (default: all that are installed)"
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
    """JPEG XL lossless at effort 9, by libjxl through a plugin of Pillow.

    Args:
        threads: how many libjxl may use; -1 for one a core.
    """

    name = "JPEG XL"

    def __init__(self, threads: int = -1) -> None:
        super().__init__(self.name, "JXL", lossless=True, effort=9, num_threads=threads)

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
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._model: Any = None
        self._nll: float | None = None

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

        encoded = codec.encode(pixels[None], 8, self.model)
        self._nll = encoded.nll_bits
        return encoded.data

    def decode(self, data: bytes) -> Pixels:
        """See :meth:`Codec.decode`."""
        from arcomp import codec

        pixels: Pixels = codec.decode(data, model=self.model)[0][0]
        return pixels

    def nll_bits(self) -> float | None:
        """See :meth:`Codec.nll_bits`."""
        return self._nll


def peers(jxl: bool = True, threads: int = -1) -> list[Codec]:
    """The codecs of others.

    Args:
        jxl: JPEG XL among them; at effort 9 it takes its time.
        threads: for those that can use more than one; -1 for one a core.
    """
    first: list[Codec] = [Pillow("PNG", "PNG", optimize=True), WebP()]
    return [*first, JpegXl(threads)] if jxl else first


def chosen(models: Sequence[str] | None, jxl: bool, threads: int = -1) -> list[Codec]:
    """Peers, then models.

    Args:
        models: their names; None for all that are installed.
        jxl: JPEG XL among the peers.
        threads: see :func:`peers`.
    """
    return [*peers(jxl, threads), *(Model(name) for name in (all_models() if models is None else models))]


def all_models() -> list[str]:
    """Names of the models that are installed."""
    from arcomp.models import registry

    return list(registry.names())


def warm_up(codec: Codec) -> None:
    """Have it load and compile what it needs; if it fails, it will do so again where that is reported."""
    for channels in (1, 3):
        small = np.arange(64 * channels, dtype=np.uint8).reshape(8, 8, channels)
        with suppress(Exception):
            if not (codec.available() or codec.takes(small)):
                codec.decode(codec.encode(small))


def model_names(listed: str) -> tuple[str, ...]:
    """Names separated by commas, for a command line.

    Raises:
        argparse.ArgumentTypeError: one of them is no model here.
    """
    names = tuple(filter(None, listed.split(",")))
    for name in names:
        why = Model(name).available()
        if why:
            raise argparse.ArgumentTypeError(why)
    return names


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
