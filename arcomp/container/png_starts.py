"""What a PNG begins with, in few bytes: :class:`arcomp.form.PngStart`, which forms have in a file only.

A third of a small icon's form is its signature, its header and that one's checksum, which follow from five numbers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from arcomp.container.dictionary import png_chunk
from arcomp.errors import FormatError
from arcomp.form import (
    BitsReversed,
    Chunks,
    Deflated,
    Jpeg,
    Literal,
    Lzw,
    PackBits,
    PngStart,
    Segment,
    Skeleton,
)

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
_SIZE = len(_SIGNATURE) + 12 + _HEADER.size
Stored = tuple[Segment | PngStart, ...]
"""A form as files have it."""


def bytes_of(start: PngStart) -> bytes:
    """Signature and header.

    Raises:
        FormatError: no header has such numbers.
    """
    width, height, depth, colour, interlaced = start.width, start.height, start.depth, start.colour, start.interlaced
    try:
        return _SIGNATURE + png_chunk(b"IHDR", _HEADER.pack(width, height, depth, colour, 0, 0, interlaced))
    except struct.error:
        raise FormatError("the file is damaged: a header that no PNG has") from None


def shortened(skeleton: Skeleton) -> Stored:
    """A form in which starts of PNGs, wherever they are, are such."""
    found: list[Segment | PngStart] = []
    for segment in skeleton:
        data = segment.data if isinstance(segment, Literal) else b""
        if data[: len(_SIGNATURE)] == _SIGNATURE and len(data) >= _SIZE:
            width, height, depth, colour, _, _, interlaced = _HEADER.unpack_from(data, len(_SIGNATURE) + 8)
            start = PngStart(width, height, depth, colour, bool(interlaced))
            if data[:_SIZE] == bytes_of(start):
                found += [start, *([Literal(data[_SIZE:])] if len(data) > _SIZE else [])]
                continue
        found.append(_with_content(segment, shortened))
    return tuple(found)


def whole(stored: Stored) -> Skeleton:
    """The same form with literal bytes in their place, those that follow as one with them.

    Raises:
        FormatError: no header has such numbers.
    """
    found: list[Segment] = []
    start: bytes | None = None
    for segment in stored:
        before, start = start, None
        if isinstance(segment, PngStart):
            start = bytes_of(segment)
            found.append(Literal(start))
        elif before is not None and isinstance(segment, Literal):
            found[-1] = Literal(b"".join((before, segment.data)))
        else:
            found.append(_with_content(segment, whole))
    return tuple(found)


def _with_content(segment: Segment, made: Callable[[Any], Any]) -> Segment:
    """A segment in whose content, if it has one, all is made anew."""
    if not isinstance(segment, Deflated | PackBits | Lzw | Chunks | BitsReversed | Jpeg) or not segment.content:
        return segment
    inner = made(segment.content)
    return segment if inner == segment.content else replace(segment, content=inner)
