"""A model's weights in a file: a section after a member, or at the beginning of an archive."""

from __future__ import annotations

import zlib

from arcomp.container.fields import CRC, Cursor, numbers, read_fields, write_fields
from arcomp.container.header import TAG_STREAMS
from arcomp.container.layout import (
    START_BYTES,
    TAG_DIGEST,
    TAG_PACKED,
    WEIGHTS,
    extent,
    fields_of,
    framed,
    weights_length,
)
from arcomp.container.packing import squeeze, unsqueeze
from arcomp.errors import FormatError

MAX_WEIGHTS_BYTES = 64 << 20
"""Most bytes of a file of weights."""


def weights_section(weights: bytes, digest: bytes) -> bytes:
    """A section.

    Args:
        weights: a file of weights (safetensors). digest: 32 bytes, of the weights.

    Raises:
        FormatError: they are more than a file may hold.
    """
    if len(weights) > MAX_WEIGHTS_BYTES:
        raise FormatError(f"{len(weights)} bytes of weights, the limit is {MAX_WEIGHTS_BYTES}")
    method, parts = squeeze([weights])
    packed = b"".join(parts)
    streams = numbers(len(packed)) + CRC.pack(zlib.crc32(packed))
    fields = [(TAG_PACKED, numbers(method, len(weights))), (TAG_DIGEST, digest), (TAG_STREAMS, streams)]
    return framed(write_fields(fields), WEIGHTS) + packed


def digest_of(section: bytes | memoryview) -> bytes:
    """The digest that a section claims: which weights it holds.

    Raises:
        FormatError: it is damaged.
    """
    return _read(section)[0]


def weights_of(section: bytes | memoryview) -> bytes:
    """The file of weights in a section.

    Raises:
        FormatError: it is damaged.
    """
    _, method, length, packed = _read(section)
    return bytes(unsqueeze(method, packed, length))


def _read(section: bytes | memoryview) -> tuple[bytes, int, int, memoryview]:
    view = memoryview(section)
    _, begin, end = extent(bytes(view[:START_BYTES]))
    whole = weights_length(view, 0)
    values = dict(read_fields(fields_of(view[:end], begin), (TAG_PACKED, TAG_DIGEST, TAG_STREAMS)))
    cursor = Cursor(values[TAG_PACKED], "packed")
    method, length = cursor.number(), cursor.number(1, MAX_WEIGHTS_BYTES)
    cursor.end()
    return bytes(values[TAG_DIGEST]), method, length, view[end:whole]
