"""A file without its pixels, for what it says besides them."""

from __future__ import annotations

import zlib

from arcomp.form import Chunks, Differences, Literal, Raster, Segment, Skeleton
from arcomp.formats import ico, png, tiff
from arcomp.formats.layouts import row_bytes
from arcomp.formats.metadata.fields import Metadata
from arcomp.formats.metadata.reading import read_metadata

_LIMIT = 1 << 32
"""Most bytes of a file that is looked at."""
_UNSEEN = Metadata(others=("metadata",))


def metadata_of(skeleton: Skeleton, length: int) -> Metadata:
    """What a file says besides its pixels, from its form alone, as :func:`read_metadata` of all of it.

    Args:
        skeleton: its form.
        length: of the file.
    """
    return read_metadata(hollow(skeleton, length)) if length <= _LIMIT else _UNSEEN


def says_what_samples_mean(skeleton: Skeleton, length: int, alpha: bool, palette: bool) -> bool:
    """Whether a file says what its samples do not: that pixels have a mask, as in icons; that one of four channels
    means nothing, as in BMP; that colours are none that are usual, as in TIFF; that they are indices without a palette,
    as in PNG. Then only its reader knows its picture.

    Args:
        skeleton: its form. length: of the file.
        alpha: whether the last channel of its samples is opacity. palette: whether they are indices into one.
    """
    first = skeleton[0] if skeleton else None
    head = bytes(first.data[:64]) if isinstance(first, Literal) else b""
    if png.lacks_palette(head):
        return not palette
    start = head[:4]
    if start.startswith((ico.ICON, ico.CURSOR)):
        return True
    if start.startswith(b"BM"):
        return not alpha and any(len(part.layout.channels) == 4 for part in skeleton if isinstance(part, Raster))
    return start in tiff.STARTS and (length > _LIMIT or tiff.is_peculiar(hollow(skeleton, length)))


def hollow(skeleton: Skeleton, length: int) -> bytes:
    """A file in which no picture is, but all else where it was.

    Where it is not known how long something is, it and all between it and the last such thing is 0.

    Args:
        skeleton: its form.
        length: of the file.
    """
    parts = [_without_pixels(segment, length) for segment in skeleton]
    missing = [i for i, part in enumerate(parts) if part is None]
    if not missing:
        return b"".join(part for part in parts if part is not None)
    before = b"".join(part for part in parts[: missing[0]] if part is not None)
    after = b"".join(part for part in parts[missing[-1] + 1 :] if part is not None)
    return before + bytes(max(0, length - len(before) - len(after))) + after


def _without_pixels(segment: Segment, most: int) -> bytes | None:
    """A segment's bytes, zeros for pixels, no bytes for chunks of image data; None: how many there are is not known, or
    more than `most`."""
    if isinstance(segment, Literal):
        return bytes(segment.data)
    if isinstance(segment, Chunks):
        return bytes(4) + segment.kind + zlib.crc32(segment.kind).to_bytes(4, "big")
    raster = segment.raster if isinstance(segment, Differences) else segment
    if not isinstance(raster, Raster):
        return None
    rows, columns = raster.height, raster.width
    if raster.transposed:
        rows, columns = columns, rows
    size = rows * (raster.stride or row_bytes(raster.layout, columns))
    return bytes(size) if size <= most else None
