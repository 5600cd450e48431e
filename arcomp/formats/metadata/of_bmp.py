"""What a BMP file says besides its pixels, field by field ("Bitmap Storage" in Microsoft's documentation of GDI)."""

from __future__ import annotations

import struct

from arcomp.errors import PictureError
from arcomp.formats import bmp
from arcomp.formats.metadata.fields import Gathered, Metadata

_V4, _V5, _OS2 = 108, 124, 64
_PLAIN_OS2 = 12
_WITH_MASKS = 52, 56
"""Headers of Windows that end with masks, of three colours, and of opacity too."""


def of_bmp(data: bytes) -> Metadata:
    """What a BMP file says."""
    found = Gathered()
    start = bmp.FILE_HEADER
    try:
        bitmap = bmp.header(data, start)
    except PictureError:
        return found.metadata()
    size = int.from_bytes(data[start : start + 4], "little")
    fields = data[start : start + size].ljust(_V5, b"\0")
    at = bmp.pixels_at(bitmap, data)
    pixels = at, at + bitmap.stride * bitmap.height
    colours = min(bitmap.end + bitmap.entry * bitmap.entries, at)
    spans = [(0, bitmap.end), (bitmap.end, colours), pixels]
    found.name_if(any(data[6:10]), "reserved fields")
    if size != _PLAIN_OS2:
        across, down = struct.unpack_from("<ii", fields, 24)
        if across or down:
            found.scale(across, down, metre=True)
        (important,) = struct.unpack_from("<I", fields, 36)
        found.name_if(important not in (0, bitmap.entries), "important colours")
    if size in (_V4, _V5):
        _colour_space(found, data, fields, size, spans)
    elif size in _WITH_MASKS and fields[40:size] == struct.pack("<4I", *bitmap.masks)[: size - 40]:
        pass
    elif size <= _OS2:
        found.name_if(any(fields[40:size]), "fields of OS/2")
    entries = data[bitmap.end : colours]
    found.name_if(bitmap.bits > 8 and len(entries), "suggested palette")
    found.name_if(bitmap.entry == 4 and any(entries[3::4]), "reserved bytes of its palette")
    found.name_if(bitmap.bits in (16, 32) and bmp.has_reserved_bits(bitmap, data, at), "reserved bits")
    found.rest(data, spans)
    return found.metadata()


def _colour_space(found: Gathered, data: bytes, fields: bytes, size: int, spans: list[tuple[int, int]]) -> None:
    """The fields that V4 and V5 add after the masks."""
    space, ends, gamma = fields[56:60], fields[60:96], fields[96:108]
    found.name_if(space == bmp.SRGB, "sRGB")
    found.name_if(any(ends), "colour endpoints")
    found.name_if(any(gamma), "gamma")
    if size == _V4:
        return
    intent, offset, length, reserved = struct.unpack_from("<4I", fields, 108)
    found.name_if(intent, "rendering intent")
    found.name_if(reserved, "reserved fields")
    begin = bmp.FILE_HEADER + offset
    profile = data[begin : begin + length]
    if space == bmp.EMBEDDED and length and len(profile) == length:
        found.keep("icc", profile)
        spans.append((begin, begin + length))
    elif space in (bmp.EMBEDDED, bmp.LINKED):
        found.name("linked profile" if space == bmp.LINKED else "ICC profile (damaged)")
