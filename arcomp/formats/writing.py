"""Samples as a file that holds them without loss: the kind that they were read from, or another."""

from __future__ import annotations

import importlib
import io
import os
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from arcomp.errors import OutputError
from arcomp.formats.bmp import write_bmp
from arcomp.formats.metadata.fields import NONE, Metadata
from arcomp.formats.npy import ARRAY_ENDINGS, write_npy
from arcomp.formats.png_writing import write_png
from arcomp.formats.pnm import write_pnm
from arcomp.formats.tiff_writing import write_tiff
from arcomp.formats.wav import write_wav
from arcomp.samples import Array, Bytes, Samples

ENDINGS: Mapping[str, str] = MappingProxyType(
    {
        "png": "PNG",
        "bmp": "BMP",
        "tif": "TIFF",
        "tiff": "TIFF",
        "webp": "WEBP",
        "ppm": "PNM",
        "pgm": "PNM",
        "pbm": "PNM",
        "pnm": "PNM",
        "pam": "PNM",
    }
)
"""Endings that can be written, lower-case without a dot, and their format."""

SOUND = "wav"
"""The ending of sounds, which are no pictures."""
LOSSY = {"jpg", "jpeg", "jpe", "jfif", "gif", "heic", "avif", "jp2", "jxl"}
"""Endings of pictures that are not written, because they lose pixels, or may."""
_MAX_SIDE_OF_WEBP = 16383


def format_of(path: str | os.PathLike[str]) -> str:
    """The ending of a file's name: lower-case, without the dot; empty when there is none.

    Args:
        path: a path; it need not exist.

    Returns:
        Such as "png" for "a/B.PNG"; a key of :data:`ENDINGS` when such pictures can be written.
    """
    return os.path.splitext(os.fspath(path))[1][1:].lower()


def write(samples: Samples, ending: str, metadata: Metadata = NONE) -> bytes:
    """A file of which :func:`arcomp.formats.read` gives the same samples back.

    Args:
        samples: bytes become what they were, whatever the ending; an array has its type, axes and name again in an
            .npy or .npz file; pictures go there as [N, H, W, C].
        ending: "npy", "npz", "wav" or a key of :data:`ENDINGS`, in any case, with or without its dot.
        metadata: goes along as far as such files have room for it.

    Returns:
        The bytes of the file.

    Raises:
        OutputError: files of that ending cannot hold them without loss.
    """
    ending = ending.lower().lstrip(".")
    if isinstance(samples.form, Bytes):
        return samples.pixels.tobytes()
    metadata = metadata if metadata.maximum is not None else replace(metadata, maximum=samples.maximum)
    if metadata.maximum is not None and ending in ENDINGS and ENDINGS[ending] != "PNM":
        white = metadata.maximum or "another number in each picture"
        raise OutputError(f"{ending} cannot hold samples of which {white} is white", remedy="choose pgm, ppm or npy")
    signed = isinstance(samples.form, Array) and samples.form.dtype.startswith("int")
    if signed and ending not in (*ARRAY_ENDINGS, SOUND):
        raise OutputError(f"{ending} cannot hold negative numbers", remedy="choose npy")
    if ending not in ("png", "bmp", *ARRAY_ENDINGS):  # which hold indices beyond their palette as they are
        check_colours(samples)
    if ending == SOUND:
        return write_wav(samples)
    if ending == "png":
        return write_png(samples, metadata)
    if ending in ("tif", "tiff"):
        return write_tiff(samples, metadata)
    if ENDINGS.get(ending) == "PNM":
        return write_pnm(samples, ending, metadata)
    if ending in ARRAY_ENDINGS:
        return write_npy(samples, ending)
    if ending not in ENDINGS:
        why = "cannot hold the pixels without loss here" if ending in LOSSY else "cannot be written"
        shown = f"a .{ending[:16]} file" if ending else "a file without an ending"
        raise OutputError(f"{shown} {why}", remedy=f"choose one of {', '.join((*ENDINGS, *ARRAY_ENDINGS))}")
    if samples.count != 1:
        raise OutputError(f"holds {samples.count} pictures", remedy="choose npz")
    return write_bmp(samples, metadata) if ending == "bmp" else _write_webp(samples, metadata)


def check_colours(samples: Samples) -> None:
    """Refuse indices that their palette lacks: no colours are made up for them.

    Raises:
        OutputError: there are some.
    """
    palette = samples.palette
    if palette is not None and max(int(stack.max()) for stack in samples.stacks) >= len(palette):
        raise OutputError("holds pixels of colours that its palette lacks", remedy="choose png")


def _write_webp(samples: Samples, metadata: Metadata) -> bytes:
    """A lossless WebP file of one picture.

    Raises:
        OutputError: such files cannot hold it.
    """
    kind = samples.channels, samples.alpha, samples.depth
    if samples.palette is not None or kind not in ((3, False, 8), (4, True, 8)):
        what = (
            "a palette"
            if samples.palette is not None
            else f"{samples.colour.replace('rgb', 'RGB')} of {samples.depth} bits"
        )
        raise OutputError(f"webp cannot hold {what}, only 8-bit RGB and RGBA", remedy="choose png")
    picture = samples.pixels[0]
    if max(picture.shape) > _MAX_SIDE_OF_WEBP:
        raise OutputError(f"webp holds at most {_MAX_SIDE_OF_WEBP} pixels a side", remedy="choose png")
    from PIL import Image

    importlib.import_module("PIL.WebPImagePlugin")
    buffer = io.BytesIO()
    about = {"icc_profile": metadata.icc, "exif": metadata.exif, "xmp": metadata.xmp}
    about = {key: value for key, value in about.items() if value}
    try:
        # exact: without it, WebP may change colours it believes to be invisible.
        Image.fromarray(picture).save(buffer, format="WEBP", lossless=True, exact=True, quality=100, method=4, **about)
    except MemoryError:
        raise OutputError("not enough memory to encode it", remedy="choose ppm or pgm") from None
    except Exception as error:  # Pillow raises nearly anything, for instance where a codec is not built in
        cause = " ".join(str(error).split())[:100]
        raise OutputError(f"cannot be encoded as webp: {cause}", remedy="choose png") from error
    return buffer.getvalue()
