"""One picture, read from a file's bytes: exactly the samples that are stored, or a refusal in one line.

What a file holds is checked here from its own header, before Pillow decodes it, because Pillow is helpful:
it narrows 16-bit colour, widens few bits, rescales, turns, and fills with black without a word.
"""

from __future__ import annotations

import importlib
import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.errors import PictureError
from arcomp.formats import bmp, png, pnm, tiff
from arcomp.formats.common import TO_8_BITS, TO_RGB, check_size, damaged, names
from arcomp.formats.kinds import kind_of, refuse_lossy
from arcomp.formats.webp import check_webp
from arcomp.samples import Samples

_PLUGINS = {
    "tiff": ("TIFF", "TiffImagePlugin"),
    "webp": ("WebP", "WebPImagePlugin"),
    "jpeg": ("JPEG", "JpegImagePlugin"),
}

_MODES = {
    "1": ("1 bit a pixel", TO_8_BITS),
    "P": ("a palette", TO_RGB),
    "PA": ("a palette", TO_RGB),
    "LA": ("transparency", TO_RGB),
    "RGBA": ("transparency", TO_RGB),
    "CMYK": ("CMYK colour", TO_RGB),
    "YCbCr": ("YCbCr colour", TO_RGB),
    "LAB": ("Lab colour", TO_RGB),
    "I": ("more than 8 bits a sample", TO_8_BITS),
    "F": ("floating-point samples", TO_8_BITS),
}

UInt8 = npt.NDArray[np.uint8]
PART = 1 << 20
"""Pixels that are taken from Pillow at a time."""
_LOCK = threading.Lock()


def read_picture(data: bytes, *, allow_lossy: bool = False) -> Samples:
    """Read one picture.

    An Exif orientation is not applied: the pixels are those that are stored.

    Args:
        data: the whole file.
        allow_lossy: take JPEG, lossy WebP and lossy TIFF too; their pixels are what Pillow decodes.

    Returns:
        Of PNG, TIFF, BMP and PNM whatever is in it, frames of an animation and pages too; else one picture of 8-bit
        gray or RGB. Its `ending` says what the file was: "png", "bmp", "tiff", "webp", "ppm", "pgm", "pbm", "pam" or,
        lossy, "jpeg". All but the last can be written.

    Raises:
        PictureError: the file is damaged, larger than 2**28 pixels, or of a kind whose pixels could not be given back
            exactly.
    """
    try:
        return _decode(data, kind_of(data[:64]), allow_lossy)
    except MemoryError:
        raise PictureError("not enough memory to read it", remedy="cut it into pieces") from None


def _picture(pixels: UInt8, ending: str, depth: int = 8, dropped: tuple[str, ...] = ()) -> Samples:
    return Samples((pixels[None],), depth, ending=ending, dropped=dropped)


def _decode(data: bytes, kind: str, allow_lossy: bool) -> Samples:
    if kind == "pnm":
        return pnm.parsed(data).samples
    if kind == "bmp":
        return _gray_if_it_is(bmp.parsed(data).samples)
    if kind == "jpeg" and not allow_lossy:
        raise refuse_lossy("JPEG")
    if kind == "png":
        return _read_png(data)
    if kind == "tiff":
        return _read_tiff(data, allow_lossy)
    dropped = check_webp(data, allow_lossy=allow_lossy) if kind == "webp" else ()
    pixels, more = _decode_with_pillow(data, kind)
    return _picture(pixels, kind, dropped=names((*dropped, *more)))


def _read_png(data: bytes) -> Samples:
    if len(data) >= 24:
        check_size(*struct.unpack_from(">II", data, 16))
    parsed = png.parse(data)
    if parsed is None:
        raise damaged("PNG", "no whole picture is in it")
    if not png.is_sound(data, parsed):
        raise damaged("PNG", "a checksum of its pixels differs")
    return parsed.samples


def _read_tiff(data: bytes, allow_lossy: bool) -> Samples:
    check_size(*tiff.size(data))
    parsed = tiff.parse(data)
    refusal = tiff.refusal(data, parsed)
    if parsed is not None and refusal is None:
        return parsed.samples
    if refusal is not None and not (allow_lossy and tiff.is_lossy(data)):
        raise refusal
    pixels, _ = _decode_with_pillow(tiff.not_turned(data), "tiff")
    return _picture(pixels, "tiff")


def _gray_if_it_is(samples: Samples) -> Samples:
    """Samples without their palette where it is that of grays, from black on, as BMP has it for gray pictures."""
    if samples.palette is None:
        return samples
    grays = np.arange(len(samples.palette)) * (255 // ((1 << samples.depth) - 1))
    return replace(samples, palette=None) if (samples.palette == grays[:, None]).all() else samples


def _decode_with_pillow(data: bytes, kind: str) -> tuple[UInt8, tuple[str, ...]]:
    """Pixels uint8 [H, W, C], and names of metadata that only an opened picture tells."""
    from PIL import Image

    shown, plugin = _PLUGINS[kind]
    importlib.import_module(f"PIL.{plugin}")
    with _our_limits(Image):
        try:
            with Image.open(io.BytesIO(data), formats=[kind.upper()]) as image:
                return _pixels(image, kind)
        except (PictureError, MemoryError):
            raise
        except Exception as error:  # Pillow raises nearly anything at damaged files
            raise damaged(shown, _one_line(error)) from error


def _pixels(image: Any, kind: str) -> tuple[UInt8, tuple[str, ...]]:
    shown = _PLUGINS[kind][0]
    dropped: tuple[str, ...] = ()
    check_size(*image.size)
    if kind == "tiff" and getattr(image, "n_frames", 1) != 1:
        raise PictureError(f"a TIFF file of {image.n_frames} pages", remedy="split it into one file a page first")
    if kind == "jpeg":
        dropped = _jpeg_extras(image)
    if image.mode not in ("L", "RGB"):
        what, remedy = _MODES.get(image.mode.split(";")[0], (f"mode {image.mode}", TO_RGB))
        raise PictureError(f"a {shown} picture with {what} is not supported", remedy=remedy)
    image.load()
    return _samples(image), dropped


def _samples(image: Any) -> UInt8:
    """A loaded picture's samples, uint8 [H, W, C]; by parts, since Pillow copies what it hands out several times."""
    width, height = image.size
    pixels = np.empty((height, width, len(image.getbands())), np.uint8)
    rows = max(1, PART // width)
    for y in range(0, height, rows):
        part = image.crop((0, y, width, min(height, y + rows)))
        pixels[y : y + rows] = np.asarray(part, np.uint8).reshape(-1, width, pixels.shape[2])
    return pixels


def _jpeg_extras(image: Any) -> tuple[str, ...]:
    known = {"icc_profile": "ICC profile", "exif": "Exif", "xmp": "XMP", "comment": "comment"}
    known |= {"photoshop": "Photoshop data", "mp": "further pictures"}
    return names(name for key, name in known.items() if key in image.info)


@contextmanager
def _our_limits(image_module: Any) -> Iterator[None]:
    """Pillow without its own size limit, and silent: sizes are checked here, and refusals are errors."""
    with _LOCK:
        before = image_module.MAX_IMAGE_PIXELS
        image_module.MAX_IMAGE_PIXELS = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            image_module.MAX_IMAGE_PIXELS = before


def _one_line(error: Exception) -> str:
    """What Pillow says, without the address of the object it says it about."""
    text = " ".join(str(error).split())
    if not text or "<_io" in text:
        return "it is truncated or not understood"
    return text[:100]
