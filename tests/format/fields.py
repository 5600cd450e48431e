"""Files built and read field by field, by docs/format.md alone."""

from __future__ import annotations

import struct
import zlib

import pytest

from arcomp.container import (
    Header,
    pack,
    unpack,
)
from arcomp.errors import FormatError

HEADER = Header(
    images=2,
    height=5,
    width=7,
    channels=3,
    depth=8,
    model="photo-1",
    digest=bytes(range(8)),
    tile_height=4,
    tile_width=4,
    pixels_crc=0x89ABCDEF,
    side=b"side",
    source="png",
)


PAYLOAD = bytes(range(60))


FILE = pack(HEADER, PAYLOAD)


Fields = list[tuple[int, bytes]]


def fields_of(data: bytes) -> Fields:
    """The fields of a file, parsed here from docs/format.md alone."""
    length, at = number_at(data, 10)
    end, found = at + length, []
    while at < end:
        size, begin = number_at(data, at + 1)
        found.append((data[at], data[begin : begin + size]))
        at = begin + size
    return found


def number_at(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] > 127:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
    return value | data[at] << shift, at + 1


def number(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def numbers(*values: int) -> bytes:
    return b"".join(number(v) for v in values)


def build(fields: Fields, *, version: int = 1, flags: int = 0, extra: bytes = b"") -> bytes:
    """A file with these fields, the sample payload and a right checksum, by docs/format.md alone."""
    body = b"".join(bytes([tag]) + number(len(value)) + value for tag, value in fields) + extra
    start = b"\x89ARC\r\n\x1a\n" + bytes([version, flags]) + number(len(body)) + body
    return start + struct.pack("<I", zlib.crc32(start)) + PAYLOAD


def with_field(tag: int, value: bytes | None) -> bytes:
    """The sample file with one field replaced, added in its place, or (None) left out."""
    fields = dict(fields_of(FILE))
    if value is None:
        del fields[tag]
    else:
        fields[tag] = value
    return build(sorted(fields.items()))


def refusal(data: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        unpack(data)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 250
    return line
