"""Samples as a file that holds them without loss: the kind that they were read from, or another."""

from __future__ import annotations

import importlib
import io
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.errors import OutputError
from arcomp.formats.arrays import ARRAY_ENDINGS, write_array
from arcomp.formats.png_writing import write_png
from arcomp.formats.tiff_writing import write_tiff
from arcomp.samples import Array, Bytes, Samples

ENDINGS: Mapping[str, str] = MappingProxyType(
    {
        "png": "PNG",
        "bmp": "BMP",
        "tif": "TIFF",
        "tiff": "TIFF",
        "webp": "WEBP",
        "ppm": "PPM",
        "pgm": "PPM",
        "pbm": "PPM",
        "pnm": "PPM",
    }
)
"""Endings that can be written, lower-case without a dot, and Pillow's name of their format."""

_PLUGINS = {
    "BMP": "BmpImagePlugin",
    "WEBP": "WebPImagePlugin",
    "PPM": "PpmImagePlugin",
}

_OPTIONS: dict[str, dict[str, Any]] = {
    # exact: without it, WebP may change colours it believes to be invisible.
    "WEBP": {"lossless": True, "exact": True, "quality": 100, "method": 4},
}

_CHANNELS = {"ppm": 3, "pgm": 1, "webp": 3}
_DEPTHS = {"pbm": (1,), "pnm": (1, 8)}
"""Bits a sample that files of an ending hold, unless only 8."""
_MAX_SIDE = {"webp": 16383}
_LOSSY = {"jpg", "jpeg", "jpe", "jfif", "gif", "heic", "avif", "jp2", "jxl"}


def format_of(path: str | os.PathLike[str]) -> str:
    """The ending of a file's name: lower-case, without the dot; empty when there is none.

    Args:
        path: a path; it need not exist.

    Returns:
        Such as "png" for "a/B.PNG"; a key of :data:`ENDINGS` when such pictures can be written.
    """
    return os.path.splitext(os.fspath(path))[1][1:].lower()


def write(samples: Samples, ending: str) -> bytes:
    """A file of which :func:`arcomp.formats.read` gives the same samples back.

    Args:
        samples: bytes become what they were, whatever the ending; an array has its type, axes and name again in an
            .npy or .npz file; pictures go there as [N, H, W, C].
        ending: "npy", "npz" or a key of :data:`ENDINGS`, in any case, with or without its dot.

    Returns:
        The bytes of the file.

    Raises:
        OutputError: files of that ending cannot hold them without loss.
    """
    ending = ending.lower().lstrip(".")
    if isinstance(samples.form, Bytes):
        return samples.pixels.tobytes()
    if ending == "png":
        return write_png(samples)
    if ending in ("tif", "tiff"):
        return write_tiff(samples)
    if samples.palette is not None or (samples.alpha and ending not in ARRAY_ENDINGS):
        what = "transparency" if samples.alpha else "a palette"
        raise OutputError(f"pictures with {what} cannot be written as {ending[:16]}", remedy="choose png")
    if ending in ARRAY_ENDINGS:
        if isinstance(samples.form, Array):
            return write_array(samples.array, samples.form.name, ending)
        return write_array(samples.pixels, "", ending)
    if samples.count != 1:
        raise OutputError(f"holds {samples.count} pictures", remedy="choose npy")
    return _write_picture(samples.pixels[0], samples.depth, ending)


def _write_picture(picture_pixels: npt.NDArray[Any], depth: int, ending: str) -> bytes:
    """The bytes of a picture, uint8 [H, W, C] with C = 1 (gray) or 3 (RGB).

    Raises:
        OutputError: files of that ending cannot hold it without loss.
    """
    _check(picture_pixels, depth, ending)
    from PIL import Image

    form = ENDINGS[ending]
    importlib.import_module(f"PIL.{_PLUGINS[form]}")
    raster = picture_pixels[:, :, 0] if picture_pixels.shape[2] == 1 else picture_pixels
    image = Image.fromarray(np.ascontiguousarray(raster.astype(bool) if depth == 1 else raster))
    buffer = io.BytesIO()
    try:
        image.save(buffer, format=form, **_OPTIONS.get(form, {}))
    except MemoryError:
        raise OutputError("not enough memory to encode it", remedy="choose ppm or pgm") from None
    except Exception as error:  # Pillow raises nearly anything, for instance where a codec is not built in
        cause = " ".join(str(error).split())[:100]
        raise OutputError(f"cannot be encoded as {ending}: {cause}", remedy="choose png") from error
    return buffer.getvalue()


def _check(pixels: npt.NDArray[Any], depth: int, ending: str) -> None:
    if ending not in ENDINGS:
        why = "cannot hold the pixels without loss here" if ending in _LOSSY else "cannot be written"
        shown = f"a .{ending[:16]} file" if ending else "a file without an ending"
        raise OutputError(f"{shown} {why}", remedy=f"choose one of {', '.join(ENDINGS)}")
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or 0 in pixels.shape:
        raise OutputError(f"an array of shape {pixels.shape} is not a picture, [H, W, 1] or [H, W, 3] is")
    kind = {1: "gray", 3: "RGB"}
    channels = pixels.shape[2]
    if channels != _CHANNELS.get(ending, channels):
        raise OutputError(
            f"{ending} cannot hold {kind[channels]} pixels as such, only {kind[_CHANNELS[ending]]}",
            remedy="choose png",
        )
    if pixels.dtype != np.uint8 or depth not in (1, 8) or (depth == 1 and channels != 1):
        raise OutputError(
            f"{kind[channels]} samples of {depth} bits ({pixels.dtype}) cannot be written as {ending}, "
            "only 8 bits (uint8), or 1 bit of gray"
        )
    if depth not in _DEPTHS.get(ending, (8,)):
        raise OutputError(f"{ending} cannot hold samples of {depth} bit{'s' if depth > 1 else ''}", remedy="choose png")
    limit = _MAX_SIDE.get(ending)
    if limit is not None and max(pixels.shape[:2]) > limit:
        raise OutputError(f"{ending} holds at most {limit} pixels a side", remedy="choose png")
