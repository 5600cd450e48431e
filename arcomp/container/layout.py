"""A whole file: magic, version, header, streams. docs/format.md is the specification."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from itertools import chain, pairwise
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from arcomp.container.fields import CRC, DAMAGED, NEWER, numbers, read_fields, write_fields
from arcomp.container.foreign import explain
from arcomp.container.header import (
    TAG_STREAMS,
    Extent,
    Header,
    assemble,
    header_fields,
    parse_header,
    read_streams,
)
from arcomp.container.member import HASH_BYTES, Member
from arcomp.container.numbers import decode_number, encode_number
from arcomp.container.packing import Parts, size_of, squeeze
from arcomp.container.skeleton import PackedSkeleton, pack_skeleton, unpack_skeleton
from arcomp.errors import FormatError
from arcomp.form import Skeleton
from arcomp.limits import USUAL_LIMITS, Limits

MAGIC = b"\x89ARC\r\n\x1a\n"
"""First bytes of a file: not text, and changed by every transfer that changes line endings."""
VERSION = 1
"""Format version written, and the only one read."""
MEMBER, INDEX, WEIGHTS = range(3)
"""Kinds of sections, each of which begins with the magic: a member, the index of an archive, a model's weights."""
TAG_PACKED, TAG_DIGEST = 1, 2
"""Fields of a section of weights: method and length, digest. An index has the first, too."""
MAX_HEADER_BYTES = 17 << 20
"""Most bytes of fields in a header."""

TRAILER = struct.Struct("<Q8s")
"""After an index: its length in bytes, this included, and a magic, so that it is found from the end of a file."""
TRAILER_MAGIC = b"\x89ARCEND\n"

_START = struct.Struct("<8sBB")
_LENGTH_BYTES = 4
"""The most that the header's length takes: MAX_HEADER_BYTES is below 2**28."""
START_BYTES = _START.size + _LENGTH_BYTES
"""Bytes that tell what a section is, and how long its header."""


def pack(member: Member, skeleton: PackedSkeleton | None = None) -> bytes:
    """A whole file of one member; the same member gives the same bytes with the same version of zlib and lzma.

    Args:
        member: what it says.
        skeleton: the member's form and palette, if they are packed already.

    Raises:
        FormatError: the header is longer than the format allows.
    """
    streams: list[Parts] = []
    if skeleton is None:
        skeleton = pack_skeleton(member.skeleton, member.geometry.palette if member.geometry else None)
    if skeleton:
        streams.append(skeleton.parts)
    for part in member.parts:
        streams += [[part.side]] * bool(len(part.side)) + [[stream] for stream in part.streams]
    streams += [[stream] for one in member.jpegs for stream in one.streams]
    extents = [
        Extent(size_of(stream), reduce(lambda crc, part: zlib.crc32(part, crc), stream, 0)) for stream in streams
    ]
    head = framed(header_fields(member, extents, (skeleton.method, skeleton.length) if skeleton else None))
    return b"".join((head, *chain.from_iterable(streams)))


def framed(fields: bytes, kind: int = MEMBER) -> bytes:
    """Fields with all that comes before and after them in a header.

    Raises:
        FormatError: they are too long.
    """
    if len(fields) > MAX_HEADER_BYTES:
        raise FormatError(f"a header of {len(fields)} bytes, the limit is {MAX_HEADER_BYTES}")
    start = _START.pack(MAGIC, VERSION, kind) + encode_number(len(fields)) + fields
    return start + CRC.pack(zlib.crc32(start))


def packed_section(data: bytes, kind: int, *more: int, fields: Sequence[tuple[int, bytes]] = ()) -> bytes:
    """A section of one stream, packed: an index (without its trailer), or weights.

    Args:
        data: what the stream unpacks to. kind: of the section.
        more: numbers of its first field after the method and the length. fields: after that one.

    Raises:
        FormatError: they are too long.
    """
    method, parts = squeeze([data])
    packed = b"".join(parts)
    streams = numbers(len(packed)) + CRC.pack(zlib.crc32(packed))
    values = [(TAG_PACKED, numbers(method, len(data), *more)), *fields, (TAG_STREAMS, streams)]
    return framed(write_fields(values), kind) + packed


def unpack(data: bytes | bytearray | memoryview, limits: Limits = USUAL_LIMITS) -> Member:
    """The only member of a file, with everything but samples and original verified.

    Args:
        data: the file, contiguous bytes. The member's streams are views of it.
        limits: what it may take.

    Raises:
        FormatError: this is no arcomp file, a newer one, truncated, too long, or damaged.
        LimitError: its skeleton takes more memory than is allowed.
    """
    view = memoryview(data).cast("B")
    member, end = unpack_at(view, 0, limits)
    weights = []
    while end < len(view) and view[end : end + len(MAGIC)] == MAGIC:
        kind, _, _ = extent(bytes(view[end : end + START_BYTES]))
        if kind == MEMBER:
            raise FormatError("an archive of several files", remedy="`arcomp extract` takes files out of it")
        length = index_length(view, end) if kind == INDEX else weights_length(view, end)
        weights += [view[end : end + length]] * (kind == WEIGHTS)
        end += length
    if end < len(view):
        raise FormatError(f"{len(view) - end} bytes after its end", remedy=f"keep its first {end} bytes only")
    return replace(member, weights=tuple(weights)) if weights else member


def index_length(view: memoryview, at: int, *, trailer: bool = True) -> int:
    """Bytes of the index that begins at a byte, its trailer included.

    Args:
        view: a file, or its beginning.
        at: where the index begins.
        trailer: whether stream and trailer are there, too, and are verified.

    Raises:
        FormatError: it is truncated or damaged.
    """
    end, claimed, _ = alone(view, at)
    length = end + claimed.length + TRAILER.size
    if not trailer:
        return length
    if len(view) - at < length:
        raise _truncated(len(view) - at, str(length))
    stream, last = view[at + end : at + length - TRAILER.size], view[at + length - TRAILER.size : at + length]
    if zlib.crc32(stream) != claimed.crc or TRAILER.unpack(last) != (length, TRAILER_MAGIC):
        raise FormatError("the index is damaged", remedy=DAMAGED)
    return length


def weights_length(view: memoryview, at: int, *, stream: bool = True) -> int:
    """Bytes of the section of weights that begins at a byte.

    Args:
        view, at: as of :func:`index_length`.
        stream: whether its stream is there, too, and is verified.

    Raises:
        FormatError: it is truncated or damaged.
    """
    end, claimed, values = alone(view, at)
    if len(values.get(TAG_DIGEST, b"")) != HASH_BYTES or TAG_PACKED not in values:
        raise FormatError("the weights in it are damaged: a field is missing", remedy=DAMAGED)
    length = end + claimed.length
    if not stream:
        return length
    if len(view) - at < length:
        raise _truncated(len(view) - at, str(length))
    if zlib.crc32(view[at + end : at + length]) != claimed.crc:
        raise FormatError("the weights in it are damaged", remedy=DAMAGED)
    return length


def alone(view: memoryview, at: int) -> tuple[int, Extent, dict[int, memoryview]]:
    """Bytes of the header of a section that has one stream, that stream, and the fields.

    Raises:
        FormatError: it is truncated or damaged, or has not one.
    """
    _, begin, end = extent(bytes(view[at : at + START_BYTES]))
    if len(view) - at < end:
        raise _truncated(len(view) - at, f"at least {end}")
    values = dict(read_fields(fields_of(view[at : at + end], begin), (TAG_PACKED, TAG_DIGEST, TAG_STREAMS)))
    streams = read_streams(values)
    if len(streams) != 1:
        raise FormatError(f"the header is impossible: {len(streams)} streams in place of 1", remedy=DAMAGED)
    return end, streams[0], values


def unpack_at(view: memoryview, at: int, limits: Limits = USUAL_LIMITS) -> tuple[Member, int]:
    """The member that begins at a byte of a file, and where it ends.

    Raises:
        FormatError, LimitError: as of :func:`unpack`.
    """
    kind, begin, end = extent(bytes(view[at : at + START_BYTES]))
    expect_member(kind)
    if len(view) - at < end:
        raise _truncated(len(view) - at, f"at least {end}")
    header = parse_header(fields_of(view[at : at + end], begin))
    if len(view) - at - end < header.length:
        raise _truncated(len(view) - at, str(end + header.length))
    streams = _streams(header, view[at + end : at + end + header.length])
    return assemble(header, streams, limits), at + end + header.length


def read_header(stream: BinaryIO) -> tuple[Header, int]:
    """The header alone, without reading a stream.

    Args:
        stream: a file open for reading bytes, at a member; it is left at the first stream.

    Returns:
        The header, and its bytes.

    Raises:
        FormatError: this is no arcomp file, a newer one, or its header is truncated or damaged.
    """
    kind, begin, data = read_start(stream)
    expect_member(kind)
    return parse_header(fields_of(memoryview(data), begin)), len(data)


def expect_member(kind: int) -> None:
    """Refuse a section that is no member.

    Raises:
        FormatError: it is none.
    """
    if kind != MEMBER:
        what = "an index" if kind == INDEX else "weights"
        raise FormatError(f"{what}, which is no picture", remedy="`arcomp extract` takes files out of archives")


def read_form(
    stream: BinaryIO, limits: Limits = USUAL_LIMITS
) -> tuple[Header, Skeleton | None, npt.NDArray[np.uint8] | None]:
    """The header, and the form and the palette that it names; nothing that a model coded is read.

    Args:
        stream: a file open for reading bytes, at a member.
        limits: what form and palette may take.

    Returns:
        The header; how the file is made, None if it is its samples or there is none; the palette, or None.

    Raises:
        FormatError, LimitError: as of :func:`unpack`.
    """
    header, _ = read_header(stream)
    if header.packed is None:
        return header, None, None
    if not header.streams:
        raise FormatError("the header is impossible: a skeleton without a stream", remedy=DAMAGED)
    claimed = header.streams[0]
    data = _read(stream, claimed.length)
    if len(data) < claimed.length:
        raise _truncated(len(data), str(claimed.length))
    if zlib.crc32(data) != claimed.crc:
        raise FormatError("the stream of its form is damaged: its checksum differs", remedy=DAMAGED)
    return header, *unpack_skeleton(header.packed, data, limits)


def read_start(stream: BinaryIO) -> tuple[int, int, bytes]:
    """What a section is, where its fields begin, and all bytes before its streams, their checksum not yet verified.

    Raises:
        FormatError: it is none, not of this version, or truncated.
    """
    start = _read(stream, _START.size)
    while len(start) >= _START.size and len(start) < _START.size + _LENGTH_BYTES:
        more = _read(stream, 1)
        start += more
        if not more or more[0] < 128:  # the header's length ends here
            break
    kind, begin, end = extent(start)
    data = start + _read(stream, end - len(start))
    if len(data) < end:
        raise _truncated(len(data), f"at least {end}")
    return kind, begin, data


def _streams(header: Header, view: memoryview) -> list[memoryview]:
    """Each stream, verified."""
    ends = np.cumsum([0, *(stream.length for stream in header.streams)]).tolist()
    streams = [view[begin:end] for begin, end in pairwise(ends)]
    for i, (stream, claimed) in enumerate(zip(streams, header.streams, strict=True)):
        if zlib.crc32(stream) != claimed.crc:
            raise FormatError(f"stream {i + 1} of {len(streams)} is damaged: its checksum differs", remedy=DAMAGED)
    return streams


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


def extent(start: bytes) -> tuple[int, int, int]:
    """From a member's first bytes: what it is, where its fields begin, where its streams begin.

    Raises:
        FormatError: it is none, or not of this version.
    """
    if start[: len(MAGIC)] != MAGIC[: len(start)] or not start:
        raise explain(start)
    if len(start) <= _START.size:
        raise _truncated(len(start), f"at least {_START.size + 1 + CRC.size}")
    _, version, kind = _START.unpack_from(start)
    if version > VERSION:
        raise FormatError(f"format version {version}, this arcomp reads up to {VERSION}", remedy=NEWER)
    if version < 1:
        raise FormatError("the header is damaged: there is no format version 0", remedy=DAMAGED)
    if kind not in (MEMBER, INDEX, WEIGHTS):
        raise FormatError(f"a section of kind {kind}, not known here", remedy=NEWER)
    if len(start) < _START.size + _LENGTH_BYTES and all(byte > 127 for byte in start[_START.size :]):
        raise _truncated(len(start), f"at least {len(start) + 1 + CRC.size}")
    length, begin = decode_number(start, _START.size, "its length")
    if length > MAX_HEADER_BYTES:
        raise FormatError(
            f"the header is damaged: it claims {length} bytes, the limit is {MAX_HEADER_BYTES}",
            remedy=DAMAGED,
        )
    return kind, begin, begin + length + CRC.size


def fields_of(head: memoryview, begin: int) -> memoryview:
    """The fields of a header, of whose bytes `begin` come before them; their checksum is verified.

    Raises:
        FormatError: it differs.
    """
    (crc,) = CRC.unpack(head[-CRC.size :])
    if zlib.crc32(head[: -CRC.size]) != crc:
        raise FormatError("the header is damaged: its checksum differs", remedy=DAMAGED)
    return head[begin : -CRC.size]


def _truncated(have: int, want: str) -> FormatError:
    return FormatError(f"truncated, {have} of {want} bytes", remedy=DAMAGED)
