"""A whole file: magic, version, header, checksums, payload. FORMAT.md is the specification."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

from arcomp.container.fields import DAMAGED, MAX_HEADER_BYTES, NEWER, Header, decode_fields, encode_fields
from arcomp.container.foreign import explain
from arcomp.container.numbers import decode_number, encode_number
from arcomp.errors import FormatError

MAGIC = b"\x89ARC\r\n\x1a\n"
"""First bytes of a file: not text, and changed by every transfer that changes line endings."""

VERSION = 1
"""Format version written, and the only one read."""

_START = struct.Struct("<8sBB")
_LENGTH_BYTES = 4
"""The most that the header's length takes: MAX_HEADER_BYTES is below 2**28."""
_CRC = struct.Struct("<I")


def pack(header: Header, payload: bytes | memoryview) -> bytes:
    """A whole file.

    Args:
        header: geometry, model and checksum of the pixels.
        payload: what the model's coder wrote, contiguous bytes.

    Returns:
        The file's bytes; the same arguments give the same bytes.

    Raises:
        FormatError: the header is longer than the format allows.
    """
    fields = encode_fields(header, payload)
    if len(fields) > MAX_HEADER_BYTES:
        raise FormatError(f"a header of {len(fields)} bytes, the limit is {MAX_HEADER_BYTES}")
    start = _START.pack(MAGIC, VERSION, 0) + encode_number(len(fields)) + fields
    return b"".join((start, _CRC.pack(zlib.crc32(start)), payload))


def unpack(data: bytes | bytearray | memoryview) -> tuple[Header, bytes]:
    """Header and payload of a whole file, with everything but the pixels verified.

    Args:
        data: the file, contiguous bytes.

    Returns:
        The header and the payload; the caller compares the decoded pixels with `header.pixels_crc`.

    Raises:
        FormatError: this is no arcomp file, a newer one, truncated, too long, or damaged.
    """
    view = memoryview(data).cast("B")
    begin, end = _extent(bytes(view[: _START.size + _LENGTH_BYTES]))
    if len(view) < end:
        raise _truncated(len(view), f"at least {end}")
    header, length, crc = _parse(view[:end], begin)
    payload = view[end:]
    if len(payload) < length:
        raise _truncated(len(view), str(end + length))
    if len(payload) > length:
        extra = len(payload) - length
        raise FormatError(f"{extra} bytes after its end", remedy=f"keep its first {end + length} bytes only")
    if zlib.crc32(payload) != crc:
        raise FormatError("the payload is damaged: its checksum differs", remedy=DAMAGED)
    return header, bytes(payload)


def read_header(stream: BinaryIO) -> tuple[Header, int, int]:
    """The header alone, without reading the payload.

    Args:
        stream: a file open for reading bytes, at its start; it is left at the payload.

    Returns:
        The header, the payload's length in bytes as the header claims it, and the bytes before the payload.

    Raises:
        FormatError: this is no arcomp file, a newer one, or its header is truncated or damaged.
    """
    start = _read(stream, _START.size)
    while len(start) >= _START.size and len(start) < _START.size + _LENGTH_BYTES:
        more = _read(stream, 1)
        start += more
        if not more or more[0] < 128:  # the header's length ends here
            break
    begin, end = _extent(start)
    data = start + _read(stream, end - len(start))
    if len(data) < end:
        raise _truncated(len(data), f"at least {end}")
    header, length, _ = _parse(memoryview(data), begin)
    return header, length, end


def _read(stream: BinaryIO, size: int) -> bytes:
    """Up to `size` bytes, fewer only at the end: a pipe hands out what it has."""
    parts: list[bytes] = []
    while size > 0:
        part = stream.read(size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _extent(start: bytes) -> tuple[int, int]:
    """Where fields and payload begin, from a file's first bytes; refuses what is not of this version."""
    if start[: len(MAGIC)] != MAGIC[: len(start)] or not start:
        raise explain(start)
    if len(start) <= _START.size:
        raise _truncated(len(start), f"at least {_START.size + 1 + _CRC.size}")
    _, version, reserved = _START.unpack_from(start)
    if version > VERSION:
        raise FormatError(f"format version {version}, this arcomp reads up to {VERSION}", remedy=NEWER)
    if version < 1:
        raise FormatError("the header is damaged: there is no format version 0", remedy=DAMAGED)
    if reserved:
        raise FormatError(f"reserved flags {reserved:#04x} are set, not known here", remedy=NEWER)
    if len(start) < _START.size + _LENGTH_BYTES and all(byte > 127 for byte in start[_START.size :]):
        raise _truncated(len(start), f"at least {len(start) + 1 + _CRC.size}")
    length, begin = decode_number(start, _START.size, "its length")
    if length > MAX_HEADER_BYTES:
        raise FormatError(
            f"the header is damaged: it claims {length} bytes, the limit is {MAX_HEADER_BYTES}",
            remedy=DAMAGED,
        )
    return begin, begin + length + _CRC.size


def _parse(head: memoryview, begin: int) -> tuple[Header, int, int]:
    """Header, payload length and payload checksum from everything before the payload."""
    (crc,) = _CRC.unpack(head[-_CRC.size :])
    if zlib.crc32(head[: -_CRC.size]) != crc:
        raise FormatError("the header is damaged: its checksum differs", remedy=DAMAGED)
    return decode_fields(head[begin : -_CRC.size])


def _truncated(have: int, want: str) -> FormatError:
    return FormatError(f"truncated, {have} of {want} bytes", remedy=DAMAGED)
