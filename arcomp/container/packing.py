"""Bytes of no known structure, smaller: headers and metadata of files, and files that are kept as bytes.

Three methods, all of them standards: as they are; deflate (RFC 1951) with a preset dictionary of what pictures' files
begin with; LZMA2 as in the xz format, without its container. Decoding is defined by the standards. Which bytes an
encoder makes may depend on the version of the library.
"""

from __future__ import annotations

import lzma
import zlib
from typing import Any

from arcomp.container.dictionary import dictionary
from arcomp.errors import FormatError

STORED, DEFLATE, LZMA2 = 0, 1, 2
"""Methods, as the format numbers them."""

DICTIONARY = dictionary()
"""Preset dictionary of the second method."""

_PRESET = 6
WINDOW = 1 << 24
"""Most bytes that LZMA2 looks back here."""
_LOOK = 1 << 16
"""Bytes of each of a few places that tell whether a long text is worth trying."""


def squeeze(data: bytes) -> tuple[int, bytes]:
    """The smallest of all methods: its number, and the bytes it makes."""
    found = (STORED, data)
    if _hopeless(data):
        return found
    if len(data) <= 4 * _LOOK:
        deflater = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=DICTIONARY)
        found = min(found, (DEFLATE, deflater.compress(data) + deflater.flush()), key=lambda made: len(made[1]))
    chunks = lzma.compress(data, lzma.FORMAT_RAW, filters=_filters(len(data)))
    return min(found, (LZMA2, chunks), key=lambda made: len(made[1]))


def unsqueeze(method: int, data: bytes | memoryview, length: int) -> bytes:
    """What was squeezed.

    Args:
        length: of it, in bytes; no more is made.

    Raises:
        FormatError: an unknown method, or not `length` bytes.
    """
    try:
        made = _unsqueezed(method, data, length)
    except (zlib.error, lzma.LZMAError, EOFError):
        made = None
    if made is None or len(made) != length:
        raise FormatError("the file is damaged: its bytes are not as long as it says", remedy="get a fresh copy")
    return made


def _unsqueezed(method: int, data: bytes | memoryview, length: int) -> bytes | None:
    if method == STORED:
        return bytes(data)
    inflater: Any
    if method == DEFLATE:
        inflater = zlib.decompressobj(-15, zdict=DICTIONARY)
        made = inflater.decompress(data, length + 1)
        return made if inflater.eof and not inflater.unused_data else None
    if method == LZMA2:
        inflater = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(length))
        made = inflater.decompress(bytes(data), length + 1)
        return made if inflater.eof and not inflater.unused_data else None
    raise FormatError(f"bytes are packed by method {method}, not known here", remedy="install a newer arcomp")


def _filters(length: int) -> list[dict[str, Any]]:
    """LZMA2 with a window that does not exceed what there is."""
    return [{"id": lzma.FILTER_LZMA2, "preset": _PRESET, "dict_size": max(4096, min(WINDOW, length))}]


def _hopeless(data: bytes) -> bool:
    """Whether a long text gains so little in a few places that trying all of it would be lost time: it is compressed
    already."""
    if len(data) <= 8 * _LOOK:
        return False
    places = range(0, len(data) - _LOOK, (len(data) - _LOOK) // 7)
    looked = [bytes(data[at : at + _LOOK]) for at in places]
    return sum(len(zlib.compress(part, 1)) for part in looked) > 0.985 * sum(map(len, looked))
