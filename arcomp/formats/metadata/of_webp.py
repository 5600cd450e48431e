"""What a WebP file says besides its pixels, chunk by chunk (RFC 9649)."""

from __future__ import annotations

from arcomp.errors import PictureError
from arcomp.formats.metadata.fields import Gathered, Metadata
from arcomp.formats.webp import chunks

_EXIF = b"Exif\0\0"
_PIXELS = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH")


def of_webp(data: bytes) -> Metadata:
    """What a WebP file says."""
    found = Gathered()
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    try:
        for kind, begin, length in chunks(data, end):
            body = data[begin : begin + length]
            if kind == b"ICCP":
                found.keep("icc", body)
            elif kind == b"EXIF":
                found.keep("exif", body.removeprefix(_EXIF))
            elif kind == b"XMP ":
                found.keep("xmp", body)
            elif kind not in _PIXELS:
                found.name("animation" if kind in (b"ANIM", b"ANMF") else f"{kind.decode('latin-1')!r} chunk")
    except PictureError:
        found.name("chunks (damaged)")
    found.rest(data, [(0, end)])
    return found.metadata()
