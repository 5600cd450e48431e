"""Icons and cursors of Windows, and icons of macOS: PNGs, and bitmaps without the header of a BMP file."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from arcomp.form import Layout, Literal, Raster
from arcomp.formats import png
from arcomp.formats.embedded import Part, together
from arcomp.formats.layouts import row_bytes, unpack
from arcomp.formats.parsed import Parsed
from arcomp.samples import Samples

ICON, CURSOR, ICNS = b"\0\0\1\0", b"\0\0\2\0", b"icns"
_ENTRY = struct.Struct("<8xII")
_BITMAP = struct.Struct("<IiiHHI")
_HEADER = 40
"""Bytes of a BITMAPINFOHEADER, the only header that icons have."""
_LAYOUTS = {bits: Layout(bits, (0,)) for bits in (1, 4, 8)} | {24: Layout(8, (2, 1, 0)), 32: Layout(8, (2, 1, 0, 3))}


def parse(data: bytes) -> Parsed | None:
    """Take an .ico, .cur or .icns file apart.

    Args:
        data: the whole file.

    Returns:
        The pictures of the kind that holds most bytes, such as all with alpha; masks and the others stay literal. None
        if there are none.
    """
    entries = _icns(data) if data.startswith(ICNS) else _ico(data)
    parts: list[Part] = []
    at = 0
    for begin, end in sorted(entries):
        if begin < at:
            continue  # one picture twice, or a trap: many that overlap
        body, at = data[begin:end], end
        parsed = png.parse(body) if body.startswith(png.SIGNATURE) else _bitmap(body)
        if parsed is not None:
            parts.append((begin, end, parsed))
    return together(data, parts)


def _ico(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the pictures of an icon lie."""
    count = int.from_bytes(data[4:6], "little")
    for at in range(6, min(6 + 16 * count, len(data) - 15), 16):
        size, offset = _ENTRY.unpack_from(data, at)
        if 6 + 16 * count <= offset < offset + size <= len(data):
            yield offset, offset + size


def _icns(data: bytes) -> Iterator[tuple[int, int]]:
    at = 8
    while len(data) - at >= 8:
        end = at + int.from_bytes(data[at + 4 : at + 8], "big")
        if not at + 8 < end <= len(data):
            return
        if data[at + 8 : end].startswith(png.SIGNATURE):
            yield at + 8, end
        at = end


def _bitmap(body: bytes) -> Parsed | None:
    """A bitmap of an icon: header, palette, colours from below, and a mask of as many pixels again, of 1 bit."""
    if len(body) < _HEADER:
        return None
    size, width, height, _, bits, compression = _BITMAP.unpack_from(body)
    used = int.from_bytes(body[32:36], "little")
    if size != _HEADER or bits not in _LAYOUTS or compression or width < 1 or height < 2:
        return None
    entries = (used or 1 << bits) if bits <= 8 else used
    layout, height, start = _LAYOUTS[bits], height // 2, _HEADER + 4 * entries
    stride = -(-row_bytes(layout, width) // 4) * 4
    end = start + stride * height
    if end > len(body) or entries > 256:
        return None
    pixels = np.empty((height, width, len(layout.channels)), np.uint8)
    padding = unpack(body[start:end], pixels, layout, stride=stride, upward=True)
    raster = Raster(0, 0, 0, height, width, layout, stride, True, padding)
    palette = None
    if bits <= 8:
        palette = np.frombuffer(body[_HEADER:start], np.uint8).reshape(-1, 4)[:, 2::-1].copy()
    samples = Samples((pixels[None],), layout.bits, alpha=bits == 32, palette=palette)
    rest = (Literal(body[end:]),) if end < len(body) else ()
    return Parsed(samples, (Literal(body[:start]), raster, *rest))
