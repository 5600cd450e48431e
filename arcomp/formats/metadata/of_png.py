"""What a PNG says besides its pixels, chunk by chunk (PNG, third edition, section 11)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from arcomp.formats.metadata.fields import Gathered, Metadata
from arcomp.formats.png import chunks_of, in_effect

XMP = b"XML:com.adobe.xmp"
"""The keyword of the text that is XMP."""
_EXIF = b"Exif\0\0"
_LIMIT = 1 << 24
"""Most bytes of a profile or a text, unpacked."""
_PALETTE = 3
_PIXELS = (b"IHDR", b"IDAT", b"IEND")
_COLOURS = {b"PLTE": "palette", b"tRNS": "transparency"}
"""Chunks of which no more than one each is in effect, and what they are of indices."""
_NAMES = {
    b"PLTE": "suggested palette", b"tRNS": "transparent colour", b"sRGB": "sRGB", b"gAMA": "gamma",
    b"cHRM": "chromaticities", b"cICP": "colour space", b"iCCP": "ICC profile", b"eXIf": "Exif",
    b"pHYs": "resolution", b"tIME": "time of change", b"bKGD": "background", b"sBIT": "significant bits",
    b"hIST": "frequencies", b"sPLT": "suggested palette", b"acTL": "animation", b"fcTL": "animation",
    b"fdAT": "animation", b"caBX": "content credentials",
}  # fmt: skip
"""What chunks are called; others by their type."""


def of_png(data: bytes) -> Metadata:
    """What a PNG or an APNG says."""
    found = Gathered()
    spans = [(0, 8)]
    frames = 0
    indices = data[25:26] == bytes([_PALETTE])
    used = in_effect(data, chunks_of(data))
    for chunk in chunks_of(data):
        spans.append((chunk.start, chunk.end))
        frames += chunk.kind == b"fcTL"
        ignored = chunk.kind in _COLOURS and used.get(chunk.kind) != chunk
        if chunk.kind in _PIXELS or (indices and chunk.kind in _COLOURS and not ignored):
            continue
        name = _NAMES.get(chunk.kind, f"{chunk.kind.decode('latin-1')} chunk")
        if ignored:
            found.name(f"{_COLOURS[chunk.kind] if indices else name} (ignored)")
            continue
        read = _READERS.get(chunk.kind)
        sound = zlib.crc32(data[chunk.start + 4 : chunk.end - 4]).to_bytes(4, "big") == data[chunk.end - 4 : chunk.end]
        if not sound or (read and not read(found, data[chunk.body])):
            found.name(f"{name} (damaged)")
        elif read is None:
            found.name(name)
    found.rest(data, spans)
    return found.metadata(pictures=max(1, frames))


def _profile(found: Gathered, body: bytes) -> bool:
    name, _, packed = body.partition(b"\0")
    profile = _inflated(packed[1:])
    if not name or profile is None:
        return False
    found.keep("icc", profile)
    return True


def _exif(found: Gathered, body: bytes) -> bool:
    found.keep("exif", body.removeprefix(_EXIF))
    return bool(body)


def _resolution(found: Gathered, body: bytes) -> bool:
    if len(body) != 9 or body[8] > 1:
        return False
    across, down = struct.unpack(">II", body[:8])
    found.scale(across, down, metre=body[8] == 1)
    return True


def _plain(found: Gathered, body: bytes) -> bool:
    key, zero, value = body.partition(b"\0")
    return bool(zero) and _add(found, key, value, "latin-1")


def _packed(found: Gathered, body: bytes) -> bool:
    key, _, rest = body.partition(b"\0")
    return _add(found, key, _inflated(rest[1:]), "latin-1")


def _international(found: Gathered, body: bytes) -> bool:
    key, _, rest = body.partition(b"\0")
    packed, zeros = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    if len(zeros) < 3:
        return False
    return _add(found, key, _inflated(zeros[2]) if packed else zeros[2], "utf-8")


def _add(found: Gathered, key: bytes, value: bytes | None, encoding: str) -> bool:
    if not key or value is None:
        return False
    if key == XMP:
        found.keep("xmp", value)
    else:
        found.add_text(key.decode("latin-1"), value.decode(encoding, "replace"))
    return True


def _inflated(packed: bytes) -> bytes | None:
    """What is in a stream of zlib; None if it is damaged or too large."""
    inflater = zlib.decompressobj()
    try:
        made = inflater.decompress(packed, _LIMIT)
    except zlib.error:
        return None
    return made if inflater.eof else None


_READERS: Mapping[bytes, Callable[[Gathered, bytes], bool]] = MappingProxyType(
    {
        b"iCCP": _profile, b"eXIf": _exif, b"pHYs": _resolution, b"tEXt": _plain, b"zTXt": _packed,
        b"iTXt": _international,
    }
)  # fmt: skip
"""Read a chunk into fields; False if it is damaged."""
