"""Bytes of no known structure, smaller: headers and metadata of files, and files that are kept as bytes.

Three methods, all of them standards: as they are; deflate (RFC 1951) with a preset dictionary of what pictures' files
begin with; LZMA2 as in the xz format, without its container. Decoding is defined by the standards. Which bytes an
encoder makes may depend on the version of the library.
"""

from __future__ import annotations

import lzma
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, TypeAlias

from arcomp.container.dictionary import dictionary
from arcomp.errors import FormatError

_PART = 1 << 15
"""Bytes of each place that is looked at to guess how small a file becomes."""
_PLACES = 16
_FEW = 4
"""Places so few that all bytes are tried."""
_BETTER, _BETTER_OF_NOISE, _NOISE = 0.4, 0.6, 0.3
"""What LZMA makes, at best, of what deflate at its fastest makes; and where that is more than such a part of all, as of
photographs: of 12 of them it made 0.66 and more."""
_MUCH = 1 << 20
"""Bytes of which LZMA is shown the same places, too, since it takes longer for all than models do for photographs."""
_FURTHER = 0.9
"""What LZMA makes of a whole, at best, of what it makes of such places."""
Parts: TypeAlias = Sequence[bytes | memoryview]
"""Bytes, one part after the other."""
STORED, DEFLATE, LZMA2 = 0, 1, 2
"""Methods, as the format numbers them."""

DICTIONARY = dictionary()
"""Preset dictionary of the second method."""

_PRESET = 6
WINDOW = 1 << 24
"""Most bytes that LZMA2 looks back here."""
_LOOK = 1 << 16
"""Bytes of each of a few places that tell whether a long text is worth trying."""


def squeeze(parts: Parts) -> tuple[int, Parts]:
    """The smallest of all methods: its number, and the bytes it makes.

    Args:
        parts: the bytes, one part after the other. They are not put together, for that would take as much memory again.
    """
    length = size_of(parts)
    found: tuple[int, Parts] = STORED, parts
    if _hopeless(parts, length):
        return found
    if length <= 4 * _LOOK:
        deflater = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=DICTIONARY)
        made = [deflater.compress(b"".join(parts)), deflater.flush()]
        found = min(found, (DEFLATE, made), key=lambda made: size_of(made[1]))
    compressor = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=_filters(length))
    chunks = [*map(compressor.compress, parts), compressor.flush()]
    return min(found, (LZMA2, chunks), key=lambda made: size_of(made[1]))


def guessed(data: bytes) -> float:
    """How small bytes could become, guessed from a few places; 0 if they are few enough to try. What repeats further
    away is not seen."""
    places = min(_PLACES, len(data) // _PART)
    if places <= _FEW:
        return 0
    step = (len(data) - _PART) // (places - 1)
    looked = [data[at : at + _PART] for at in range(0, len(data) - _PART + 1, step)]
    deflated = sum(len(zlib.compress(part, 1)) for part in looked) / size_of(looked)
    best = len(data) * deflated * (_BETTER_OF_NOISE if deflated > _NOISE else _BETTER)
    if len(data) <= _MUCH:
        return best
    return max(best, _FURTHER * len(data) * size_of(squeeze(looked)[1]) / size_of(looked))


def size_of(parts: Parts) -> int:
    """Bytes of all parts."""
    return sum(map(len, parts))


def unsqueeze(method: int, data: bytes | memoryview, length: int) -> bytes | memoryview:
    """What was squeezed; the data themselves if they are stored and cannot be changed.

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


def _unsqueezed(method: int, data: bytes | memoryview, length: int) -> bytes | memoryview | None:
    if method == STORED:
        return data if isinstance(data, bytes) or data.readonly else bytes(data)
    inflater: Any
    if method == DEFLATE:
        inflater = zlib.decompressobj(-15, zdict=DICTIONARY)
        made: bytes = inflater.decompress(data, length + 1)
        return made if inflater.eof and not inflater.unused_data else None
    if method == LZMA2:
        inflater = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(length))
        made = inflater.decompress(bytes(data), length + 1)
        return made if inflater.eof and not inflater.unused_data else None
    raise FormatError(f"bytes are packed by method {method}, not known here", remedy="install a newer arcomp")


def _filters(length: int) -> list[dict[str, Any]]:
    """LZMA2 with a window that does not exceed what there is."""
    return [{"id": lzma.FILTER_LZMA2, "preset": _PRESET, "dict_size": max(4096, min(WINDOW, length))}]


def _hopeless(parts: Parts, length: int) -> bool:
    """Whether a long text gains so little in a few places that trying all of it would be lost time: it is compressed
    already."""
    if length <= 8 * _LOOK:
        return False
    ends = list(accumulate(map(len, parts)))
    looked = [_at(parts, ends, at) for at in range(0, length - _LOOK, (length - _LOOK) // 7)]
    return sum(len(zlib.compress(part, 1)) for part in looked) > 0.985 * size_of(looked)


def _at(parts: Parts, ends: Sequence[int], at: int) -> bytes:
    """The bytes from a place on that are looked at."""
    found = b""
    for index in range(bisect_right(ends, at), len(parts)):
        begin = at + len(found) - ends[index] + len(parts[index])
        found += bytes(parts[index][begin : begin + _LOOK - len(found)])
        if len(found) == _LOOK:
            break
    return found
