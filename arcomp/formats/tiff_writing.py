"""TIFF files of samples of every kind (TIFF 6.0): strips in deflate, of differences where samples have 8 or 16 bits."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

from arcomp.errors import OutputError
from arcomp.form import Layout
from arcomp.formats.differences import difference
from arcomp.formats.layouts import packed, row_bytes
from arcomp.formats.metadata.exif import Entries, write_directory
from arcomp.formats.metadata.fields import NONE, Metadata
from arcomp.formats.tiff_metadata import LONG, SHORT, entries_for
from arcomp.formats.tiff_pages import (
    BITS,
    BLACK_IS_ZERO,
    CHANNELS,
    COLOUR_MAP,
    COMPRESSION,
    DEFLATE,
    EXTRA_SAMPLES,
    HEIGHT,
    PALETTE,
    PHOTOMETRIC,
    PREDICTOR,
    RGB,
    ROWS_PER_STRIP,
    SEPARATED,
    STRIPS,
    WIDTH,
)
from arcomp.formats.tiff_tags import Entry
from arcomp.samples import Pixels, Samples

_STRIP = 1 << 18
"""About how many bytes a strip has before it is deflated."""
_LEVEL = 6
_LETTERS = {SHORT: "H", LONG: "I"}
"""Of a number of each type, as :mod:`struct` names it."""
_UNSPECIFIED, _OPACITY = 0, 2
"""What extra samples are: of no known meaning, or opacity with which colours are not multiplied."""
_MOST = 1 << 32
"""Bytes that a file has fewer of."""


def write_tiff(samples: Samples, metadata: Metadata = NONE) -> bytes:
    """A TIFF with a page for each picture, each with all of the metadata that TIFF has room for.

    Four channels of no known meaning are written as cyan, magenta, yellow and black, two as gray and an extra sample.
    Samples keep their bits.

    Raises:
        OutputError: the palette has opacity, or the file would be too large.
    """
    if samples.palette is not None and samples.palette.shape[1] == 4:
        raise OutputError("tiff cannot hold a palette with opacity", remedy="choose png")
    file = bytearray(b"II*\0" + bytes(4))
    link = 4
    known = entries_for(metadata)
    for stack in samples.stacks:
        for pixels in stack:
            link = _add_page(file, link, pixels, samples, known)
    return bytes(file)


def _add_page(file: bytearray, link: int, pixels: Pixels, samples: Samples, known: Entries) -> int:
    """Add the strips and the directory of a picture, and write where that is; the place to write where the next is."""
    height, width, channels = pixels.shape
    layout = Layout(samples.depth, tuple(range(channels)), little=samples.depth == 16)
    differences = samples.depth in (8, 16) and samples.palette is None
    rows = min(height, max(1, _STRIP // row_bytes(layout, width)))
    offsets, lengths = [], []
    for top in range(0, height, rows):
        strip = _strip(pixels[top : top + rows], layout, differences)
        offsets.append(len(file))
        lengths.append(len(strip))
        file += strip
    photometric, extra = _meaning(samples)
    tags: dict[int, tuple[int, list[int]]] = {
        WIDTH: (LONG, [width]),
        HEIGHT: (LONG, [height]),
        BITS: (SHORT, [samples.depth] * channels),
        COMPRESSION: (SHORT, [DEFLATE]),
        PHOTOMETRIC: (SHORT, [photometric]),
        STRIPS[0]: (LONG, offsets),
        CHANNELS: (SHORT, [channels]),
        ROWS_PER_STRIP: (LONG, [rows]),
        STRIPS[1]: (LONG, lengths),
    }
    if differences:
        tags[PREDICTOR] = SHORT, [2]
    if samples.palette is not None:
        tags[COLOUR_MAP] = SHORT, _colour_map(samples.palette, samples.depth)
    if extra:
        tags[EXTRA_SAMPLES] = SHORT, extra
    own = {(tag,): _entry(kind, numbers) for tag, (kind, numbers) in tags.items()}
    return _add_directory(file, link, known | own)


def _strip(pixels: Pixels, layout: Layout, differences: bool) -> bytes:
    deflater = zlib.compressobj(_LEVEL)
    parts = []
    for rows in packed(pixels, layout):
        if differences:
            difference(rows, layout, pixels.shape[1])
        parts.append(deflater.compress(rows.data))
    return b"".join((*parts, deflater.flush()))


def _meaning(samples: Samples) -> tuple[int, list[int]]:
    """The kind of colour, and what the samples beyond it are."""
    if samples.palette is not None:
        return PALETTE, []
    if samples.colour == "rgb":
        return RGB, [_OPACITY] * samples.alpha
    if samples.channels == 4:
        return SEPARATED, []
    return BLACK_IS_ZERO, [_UNSPECIFIED] * (samples.channels - 1 - samples.alpha) + [_OPACITY] * samples.alpha


def _colour_map(palette: npt.NDArray[np.uint8], depth: int) -> list[int]:
    """All reds, then greens, then blues, of 16 bits; as many as there are values of a sample."""
    colours = np.zeros((3, 1 << depth), np.int64)
    many = min(len(palette), 1 << depth)
    colours[:, :many] = palette[:many].T
    return (257 * colours).ravel().tolist()


def _entry(kind: int, numbers: list[int]) -> Entry:
    return Entry(kind, len(numbers), struct.pack(f"<{len(numbers)}{_LETTERS[kind]}", *numbers))


def _add_directory(file: bytearray, link: int, entries: Entries) -> int:
    """Add a directory, and write where it is; the place to write where the next is."""
    file += bytes(len(file) % 2)
    begin = len(file)
    file += write_directory(entries, begin)
    if len(file) >= _MOST:
        raise OutputError("a TIFF has fewer than 4 GiB", remedy="choose png")
    struct.pack_into("<I", file, link, begin)
    return begin + 2 + 12 * len({path[0] for path in entries})
