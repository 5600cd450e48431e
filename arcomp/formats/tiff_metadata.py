"""Metadata as the tags of a TIFF (TIFF 6.0, section 2; Exif 2.32, section 4.6)."""

from __future__ import annotations

import struct

from arcomp.formats.metadata.exif import Entries, entries_of
from arcomp.formats.metadata.fields import Metadata
from arcomp.formats.metadata.of_tiff import ACROSS, DOWN, ICC, OF_THE_FILE, TEXTS, UNIT, XMP
from arcomp.formats.tiff_tags import Entry

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
"""Types of a tag's values."""
_NO_UNIT, _CENTIMETRE = 1, 3


def entries_for(metadata: Metadata) -> Entries:
    """What the directory of a page says of some metadata: all entries of Exif that do not speak of a file's own
    structure, a profile, XMP, resolution, and those texts that TIFF has tags for."""
    made = {path: entry for path, entry in entries_of(metadata.exif or b"").items() if path[0] >= 0}
    made = {path: entry for path, entry in made.items() if path[0] not in OF_THE_FILE}
    for keyword, value in metadata.text:
        if keyword in TEXTS:
            made.setdefault((TEXTS[keyword],), _bytes(ASCII, value.encode("utf-8") + b"\0"))
    if metadata.icc:
        made[(ICC,)] = _bytes(UNDEFINED, metadata.icc)
    if metadata.xmp:
        made[(XMP,)] = _bytes(BYTE, metadata.xmp)
    sides, unit = metadata.resolution or metadata.aspect, _CENTIMETRE if metadata.resolution else _NO_UNIT
    if sides:
        per = 100 if metadata.resolution else 1
        for tag, side in zip((ACROSS, DOWN), sides, strict=True):
            made[(tag,)] = Entry(RATIONAL, 1, struct.pack("<II", side, per))
        made[(UNIT,)] = Entry(SHORT, 1, struct.pack("<H", unit))
    return made


def _bytes(kind: int, body: bytes) -> Entry:
    return Entry(kind, len(body), body)
