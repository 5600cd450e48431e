"""One picture, read from a file's bytes: exactly the samples that are stored, or a refusal in one line.

What a file holds is checked here from its own header, before Pillow decodes it, because Pillow is helpful:
it narrows 16-bit colour, widens few bits, rescales, turns, and fills with black without a word.
"""

from __future__ import annotations

import importlib
import io
import os
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.errors import PictureError
from arcomp.formats import bmp, ico, png, tiff
from arcomp.formats.common import LOSSY_HINT, TO_RGB, check_size, damaged
from arcomp.formats.kinds import kind_of, refuse_lossy
from arcomp.formats.parsing import PARSERS
from arcomp.formats.webp import check_webp
from arcomp.locks import ForkedLock
from arcomp.samples import Samples

_PLUGINS = {
    "tiff": ("TIFF", "TiffImagePlugin"),
    "webp": ("WebP", "WebPImagePlugin"),
    "gif": ("GIF", "GifImagePlugin"),
    "jpeg": ("JPEG", "JpegImagePlugin"),
}

UInt8 = npt.NDArray[np.uint8]
PART = 1 << 20
"""Pixels that are taken from Pillow at a time."""
_FRAMES, _NO_FRAMES, _SCAN = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA), (0xC4, 0xC8, 0xCC), 0xDA
"""Of JPEG, the markers: of frames that Pillow reads if samples have 8 bits; of what is no frame; of scans."""
_LINES = b"\xff\xdc\0\4"
"""What stands before the number of lines, after a first scan."""
_lock = ForkedLock()


def read_picture(data: bytes, *, allow_lossy: bool = False) -> Samples:
    """Read one picture.

    An Exif orientation is not applied: the pixels are those that are stored.

    Args:
        data: the whole file.
        allow_lossy: take JPEG, lossy WebP and lossy TIFF too; their pixels are what Pillow decodes.

    Returns:
        Of PNG, TIFF, BMP, PNM and icons whatever is in it, frames of an animation and pages too; else one picture of
        8-bit gray, RGB or RGBA, or of a GIF, with its palette.

    Raises:
        PictureError: the file is damaged, larger than 2**28 pixels, or of a kind whose pixels could not be given back
            exactly.
    """
    try:
        return _decode(data, kind_of(data[:64]), allow_lossy)
    except MemoryError:
        raise PictureError("not enough memory to read it", remedy="cut it into pieces") from None


def _decode(data: bytes, kind: str, allow_lossy: bool) -> Samples:
    if kind == "bmp":
        return bmp.read_bmp(data)
    if kind == "jpeg" and not allow_lossy:
        raise refuse_lossy("JPEG")
    if kind == "png":
        return _read_png(data)
    if kind == "icon":
        return _read_icon(data)
    if kind == "tiff":
        return _read_tiff(data, allow_lossy)
    if kind == "webp":
        check_webp(data, allow_lossy=allow_lossy)
    if kind not in _PLUGINS:
        return _taken_apart(data, kind)
    return _decode_with_pillow(_with_height(data) if kind == "jpeg" else data, kind)


def _taken_apart(data: bytes, kind: str) -> Samples:
    """The samples of a file of which nothing has to be checked but what its parser checks."""
    parsed = PARSERS[kind](data)
    if parsed is None:
        raise PictureError(f"{kind.upper()} of a form that is not read", remedy="convert it to PNG first")
    return parsed.samples


def _read_png(data: bytes) -> Samples:
    if len(data) >= 24:
        check_size(*struct.unpack_from(">II", data, 16))
    parsed = png.parse(data)
    if parsed is None:
        raise damaged("PNG", "no whole picture is in it")
    unknown = [chunk.kind.decode("latin-1") for chunk in png.chunks_of(data) if png.must_be_known(chunk)]
    if unknown:
        raise PictureError(
            f"a PNG picture with an unknown critical chunk ({unknown[0]})", remedy="save it again as PNG"
        )
    if parsed.samples.palette is None and png.lacks_palette(data):
        raise damaged("PNG", "its palette is missing")
    if not png.is_sound(data, parsed):
        raise damaged("PNG", "a checksum of its pixels, palette or transparency differs")
    if parsed.samples.palette is not None and png.has_odd_palette(data):
        raise damaged("PNG", "its palette has a length that no palette has")
    return parsed.samples


def _read_icon(data: bytes) -> Samples:
    samples = ico.read(data)
    if samples is None:
        raise PictureError("an icon file without a picture that can be read", remedy="convert it to PNG first")
    return samples


def _read_tiff(data: bytes, allow_lossy: bool) -> Samples:
    check_size(*tiff.size(data))
    parsed = tiff.parse(data)
    refusal = tiff.refusal(data, parsed)
    if parsed is not None and refusal is None:
        return parsed.samples
    if refusal is not None and not (allow_lossy and tiff.is_lossy(data)):
        raise refusal
    with _silent():
        return _decode_with_pillow(tiff.not_turned(data), "tiff")


def _with_height(data: bytes) -> bytes:
    """A JPEG whose frame says its height, as Pillow needs it, also if a DNL marker says it (ITU-T T.81, B.2.5).

    Raises:
        PictureError: it is of a kind that Pillow does not read.
    """
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF and data[at + 1] != _SCAN:
        if 0xC0 <= data[at + 1] <= 0xCF and data[at + 1] not in _NO_FRAMES:
            if data[at + 1] not in _FRAMES or data[at + 4] != 8:
                how = "coded in a rare way" if data[at + 4] == 8 else f"of {data[at + 4]} bits"
                raise PictureError(f"a JPEG picture {how} is not supported", remedy=LOSSY_HINT)
            lines = data.find(_LINES, at)
            if data[at + 5 : at + 7] == b"\0\0" and lines >= 0:
                return data[: at + 5] + data[lines + 4 : lines + 6] + data[at + 7 :]
            return data
        at += 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data


def _decode_with_pillow(data: bytes, kind: str) -> Samples:
    from PIL import Image

    shown, plugin = _PLUGINS[kind]
    importlib.import_module(f"PIL.{plugin}")
    with _our_limits(Image):
        try:
            with Image.open(io.BytesIO(data), formats=[kind.upper()]) as image:
                return _opened(image, kind)
        except (PictureError, MemoryError):
            raise
        except Exception as error:  # Pillow raises nearly anything at damaged files
            raise damaged(shown, _one_line(error)) from error


def _opened(image: Any, kind: str) -> Samples:
    shown = _PLUGINS[kind][0]
    check_size(*image.size)
    if kind != "jpeg" and getattr(image, "n_frames", 1) != 1:
        raise PictureError(f"a {shown} file of {image.n_frames} pictures", remedy="split it into one file each first")
    if kind == "gif":
        return _of_gif(image)
    if image.mode not in ("L", "RGB", "RGBA"):
        raise PictureError(f"a {shown} picture of {image.mode} is not supported", remedy=TO_RGB)
    image.load()
    return Samples((_samples(image)[None],), 8, alpha=image.mode == "RGBA")


def _of_gif(image: Any) -> Samples:
    """Indices, and a palette that has an entry for each of them; gray where Pillow found no more in it.

    Raises:
        PictureError: the picture does not fill the screen that it is on; what is around it is not said.
    """
    if not image.tile or tuple(image.tile[0][1]) != (0, 0, *image.size):
        raise PictureError("a GIF picture that does not fill its screen", remedy="crop it to its picture first")
    image.load()
    indices = _samples(image)
    transparent = image.info.get("transparency")
    if image.mode == "L" and transparent is None:
        return Samples((indices[None],), 8)
    flat = bytes(np.arange(256).repeat(3).astype(np.uint8)) if image.mode == "L" else bytes(image.getpalette("RGB"))
    entries = max(len(flat) // 3, int(indices.max()) + 1, (transparent or 0) + 1)
    palette = np.zeros((entries, 4), np.uint8)
    palette[: len(flat) // 3, :3] = np.frombuffer(flat, np.uint8).reshape(-1, 3)
    palette[:, 3] = 255
    if transparent is None:
        palette = palette[:, :3].copy()
    else:
        palette[transparent, 3] = 0
    depth = next(bits for bits in (1, 2, 4, 8) if entries <= 1 << bits)
    return Samples((indices[None],), depth, palette=palette)


def _samples(image: Any) -> UInt8:
    """A loaded picture's samples, uint8 [H, W, C]; by parts, since Pillow copies what it hands out several times."""
    width, height = image.size
    pixels = np.empty((height, width, len(image.getbands())), np.uint8)
    rows = max(1, PART // width)
    for y in range(0, height, rows):
        part = image.crop((0, y, width, min(height, y + rows)))
        pixels[y : y + rows] = np.asarray(part, np.uint8).reshape(-1, width, pixels.shape[2])
    return pixels


@contextmanager
def _our_limits(image_module: Any) -> Iterator[None]:
    """Pillow without its own size limit, and silent: sizes are checked here, and refusals are errors."""
    with _lock:
        before = image_module.MAX_IMAGE_PIXELS
        image_module.MAX_IMAGE_PIXELS = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            image_module.MAX_IMAGE_PIXELS = before


@contextmanager
def _silent() -> Iterator[None]:
    """Without the lines that libtiff itself, in C, writes to standard error; nothing else tells it not to."""
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _one_line(error: Exception) -> str:
    """What Pillow says, without the address of the object it says it about."""
    text = " ".join(str(error).split())
    if not text or "<_io" in text:
        return "it is truncated or not understood"
    return text[:100]
