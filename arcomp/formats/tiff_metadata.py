"""Metadata as the tags of a TIFF (TIFF 6.0, section 2; Exif 2.32, section 4.6)."""

from __future__ import annotations

from typing import Any

from arcomp.formats.metadata import OF_THE_FILE, ORIENTATION, Metadata, exif_of

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
"""Types of a tag's values."""
_XMP, _ICC, _ACROSS, _DOWN, _UNIT, _CENTIMETRE = 700, 34675, 282, 283, 296, 3
_DIRECTORIES = (0x8769, 0x8825)
"""Tags that hold directories: Exif's own, and the one of places on Earth."""

Tags = dict[int, tuple[int, list[int]]]
"""The type and the values of each tag; of a RATIONAL numerators and denominators in turn."""


def tags_of(metadata: Metadata, file: bytearray) -> Tags:
    """The tags of a page of some metadata.

    Args:
        file: so far; directories within Exif are added to it.
    """
    tags: Tags = {}
    if metadata.exif:
        tags |= _of_exif(metadata.exif, file)
    if metadata.icc:
        tags[_ICC] = UNDEFINED, list(metadata.icc)
    if metadata.xmp:
        tags[_XMP] = BYTE, list(metadata.xmp)
    if metadata.resolution is not None:
        tags[_ACROSS], tags[_DOWN] = ((RATIONAL, [side, 100]) for side in metadata.resolution)
        tags[_UNIT] = SHORT, [_CENTIMETRE]
    return tags


def _of_exif(exif: bytes, file: bytearray) -> Tags:
    """The tags of Exif that are texts, the orientation, and the directories in it."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    found: Any = exif_of(exif)
    tags: Tags = {}
    for tag, value in found.items():
        if tag == ORIENTATION and isinstance(value, int) and 1 <= value <= 8:
            tags[tag] = SHORT, [value]
        elif isinstance(value, str) and tag not in OF_THE_FILE:
            tags[tag] = ASCII, list(value.encode("utf-8", "replace") + b"\0")
    for tag in _DIRECTORIES:
        inner = found.get_ifd(tag)
        if inner:
            made = ImageFileDirectory_v2()
            made.update({key: value for key, value in inner.items() if not isinstance(value, dict)})
            file += bytes(len(file) % 2)
            tags[tag] = LONG, [len(file)]
            file += made.tobytes(len(file))
    return tags
