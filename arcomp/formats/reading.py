"""Reading a picture: exactly the samples that are stored, or a refusal in one line.

What a file holds is checked here from its own header, before Pillow decodes it, because Pillow is helpful:
it narrows 16-bit colour, widens few bits, rescales, turns, and fills with black without a word.
"""

from __future__ import annotations

import importlib
import io
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from arcomp.errors import PictureError
from arcomp.formats.kinds import kind_of, refuse_lossy
from arcomp.formats.picture import TO_8_BITS, TO_RGB, Picture, check_size, damaged, names
from arcomp.formats.plain import check_bmp, read_pbm, read_pnm
from arcomp.formats.png import prepare
from arcomp.formats.tiff import ORIENTATION, as_stored, check_tiff
from arcomp.formats.webp import check_webp

_PLUGINS = {
    "png": ("PNG", "PngImagePlugin"),
    "bmp": ("BMP", "BmpImagePlugin"),
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

PART = 1 << 20
"""Pixels that are taken from Pillow at a time."""
_LOCK = threading.Lock()


def read_picture(
    source: str | os.PathLike[str] | bytes, *, allow_lossy: bool = False, name: str | None = None
) -> Picture:
    """Read one picture.

    An Exif orientation is not applied: the pixels are those that are stored.

    Args:
        source: a path, or the bytes of a file.
        allow_lossy: take JPEG, lossy WebP and lossy TIFF too; their pixels are what Pillow decodes.
        name: what errors call the picture; the path when it is left out.

    Returns:
        The picture: 8-bit gray or RGB or 1-bit gray, uint8 [H, W, C], with the names of what was not kept.

    Raises:
        PictureError: the file cannot be read, is damaged, larger than 2**28 pixels, or of a kind whose
            pixels could not be given back exactly. Its `path` is the path or the name.
    """
    shown = name if name is not None or isinstance(source, bytes) else os.fspath(source)
    try:
        data = source if isinstance(source, bytes) else _read_file(source)
        return _decode(data, kind_of(data[:64]), allow_lossy)
    except PictureError as error:
        if shown is None:
            raise
        raise error.at(shown) from error.__cause__
    except MemoryError:
        raise PictureError("not enough memory to read it", remedy="cut it into pieces", path=shown) from None


def _read_file(path: str | os.PathLike[str]) -> bytes:
    """The whole file, once its first bytes say that it is a picture."""
    try:
        with open(path, "rb") as file:
            start = file.read(64)
            kind_of(start)
            return start + file.read()
    except FileNotFoundError:
        raise PictureError("does not exist", remedy="check the path") from None
    except IsADirectoryError:
        raise PictureError("is a directory", remedy="name a picture") from None
    except PermissionError:
        raise PictureError("permission denied", remedy="make the file readable") from None
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror or error}") from None
    except ValueError:  # a zero byte in the name
        raise PictureError("is not a possible file name") from None


def _decode(data: bytes, kind: str, allow_lossy: bool) -> Picture:
    if data[:2] in (b"P1", b"P4"):
        pixels, dropped = read_pbm(data)
        return Picture(pixels, "pbm", 1, dropped)
    if kind == "pnm":
        pixels, ending, dropped = read_pnm(data)
        return Picture(pixels, ending, dropped=dropped)
    if kind == "jpeg" and not allow_lossy:
        raise refuse_lossy("JPEG")
    dropped = ()
    if kind == "png":
        data, dropped = prepare(data)
    elif kind == "bmp":
        dropped = check_bmp(data)
    elif kind == "webp":
        dropped = check_webp(data, allow_lossy=allow_lossy)
    pixels, depth, more = _decode_with_pillow(data, kind, allow_lossy)
    return Picture(pixels, kind, depth, names((*dropped, *more)))


def _decode_with_pillow(
    data: bytes, kind: str, allow_lossy: bool
) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], int, tuple[str, ...]]:
    """Pixels uint8 [H, W, C], their depth, and names of metadata that only an opened picture tells."""
    from PIL import Image

    shown, plugin = _PLUGINS[kind]
    importlib.import_module(f"PIL.{plugin}")
    with _our_limits(Image):
        try:
            with Image.open(io.BytesIO(data), formats=[kind.upper()]) as image:
                return _pixels(image, kind, len(data), allow_lossy)
        except (PictureError, MemoryError):
            raise
        except Exception as error:  # Pillow raises nearly anything at damaged files
            raise damaged(shown, _one_line(error)) from error


def _pixels(
    image: Any, kind: str, file_size: int, allow_lossy: bool
) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], int, tuple[str, ...]]:
    shown = _PLUGINS[kind][0]
    dropped: tuple[str, ...] = ()
    orientation = None
    check_size(*image.size)
    if kind == "tiff":
        if getattr(image, "n_frames", 1) != 1:
            raise PictureError(f"a TIFF file of {image.n_frames} pages", remedy="split it into one file a page first")
        dropped = check_tiff(image.tag_v2, file_size, allow_lossy=allow_lossy)
        orientation = image.tag_v2.get(ORIENTATION)
    elif kind == "jpeg":
        dropped = _jpeg_extras(image)
    depth = 1 if kind == "png" and image.mode == "1" else 8
    if depth == 8 and image.mode not in ("L", "RGB"):
        what, remedy = _MODES.get(image.mode.split(";")[0], (f"mode {image.mode}", TO_RGB))
        raise PictureError(f"a {shown} picture with {what} is not supported", remedy=remedy)
    image.load()
    return np.ascontiguousarray(as_stored(_samples(image), orientation)), depth, dropped


def _samples(image: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
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
