"""Files built and read field by field, by docs/format.md alone."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import pytest

from arcomp.container import Geometry, Member, ModelId, Original, Part, pack, unpack
from arcomp.errors import FormatError
from arcomp.form import Literal
from arcomp.transforms import Coded

Fields = list[tuple[int, bytes]]
PICTURES, MODELS, PARTS, SAMPLES, STREAMS, ORIGINAL, SKELETON = range(1, 8)
NAME, MODIFIED, MODE, CONTENT = range(0x81, 0x85)

CODED = bytes(range(60))
MEMBER = Member(
    Geometry(((2, 5, 7),), 3, 8),
    (Coded(8),),
    (Part((4, 3), (CODED,), b"side"),),
    (ModelId("photo-1", bytes(range(8))),),
    samples_crc=0x89ABCDEF,
    original=Original(300, bytes(range(32)), "x.png", -5, 0o600),
    skeleton=(Literal(b"\x81\x7f"),),
)
FILE = pack(MEMBER)


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


def fields_of(data: bytes) -> Fields:
    """The fields of a file's first section."""
    length, at = number_at(data, 10)
    end, found = at + length, []
    while at < end:
        size, begin = number_at(data, at + 1)
        found.append((data[at], data[begin : begin + size]))
        at = begin + size
    return found


def streams_of(data: bytes) -> bytes:
    """What follows the header."""
    length, at = number_at(data, 10)
    return data[at + length + 4 :]


def extents(*streams: bytes) -> bytes:
    """The streams field of streams."""
    return b"".join(number(len(stream)) + struct.pack("<I", zlib.crc32(stream)) for stream in streams)


def build(
    fields: Fields, *, streams: bytes | None = None, version: int = 1, kind: int = 0, extra: bytes = b""
) -> bytes:
    """A section with these fields, the streams of the sample file and a right checksum, by docs/format.md alone."""
    body = b"".join(bytes([tag]) + number(len(value)) + value for tag, value in fields) + extra
    start = b"\x89ARC\r\n\x1a\n" + bytes([version, kind]) + number(len(body)) + body
    return start + struct.pack("<I", zlib.crc32(start)) + (streams_of(FILE) if streams is None else streams)


def changed(data: bytes, values: Mapping[int, bytes | None], *, streams: bytes | None = None) -> bytes:
    """A file with some fields replaced, added in their place, or (None) left out."""
    fields: dict[int, bytes | None] = dict(fields_of(data))
    fields.update(values)
    kept = sorted((tag, value) for tag, value in fields.items() if value is not None)
    return build(kept, streams=streams_of(data) if streams is None else streams)


def with_field(tag: int, value: bytes | None) -> bytes:
    """The sample file with one field replaced, added in its place, or (None) left out."""
    return changed(FILE, {tag: value})


def refusal(data: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        unpack(data)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 250
    return line
