"""Archives: members one after another, and an index at the end that says what is in them.

An index is a help and no more: every member says all about itself, and is found without one.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Protocol

from arcomp.container.fields import DAMAGED, Cursor, numbers, read_fields
from arcomp.container.header import TAG_STREAMS, Header, parse_header
from arcomp.container.layout import (
    INDEX,
    MAGIC,
    MAX_HEADER_BYTES,
    START_BYTES,
    TAG_PACKED,
    TRAILER,
    TRAILER_MAGIC,
    WEIGHTS,
    expect_member,
    extent,
    fields_of,
    index_length,
    pack,
    packed_section,
    read_start,
    weights_length,
)
from arcomp.container.member import MAX_NAME_BYTES, Member, Original
from arcomp.container.packing import unsqueeze
from arcomp.errors import FormatError

MAX_ENTRIES_BYTES = 1 << 28
"""Most bytes of an index's entries, unpacked."""
_BLOCK = 1 << 20
_SHORT = 1 << 12
"""Bytes of a header that is always read, and of what is first looked at for the next one."""
_LEAST = 15
"""Bytes that the shortest section has."""


class SupportsWrite(Protocol):
    """What bytes can be written to."""

    def write(self, data: bytes, /) -> object:
        """Write all of them."""


@dataclass(frozen=True)
class Entry:
    """Where a member is.

    Attributes:
        offset: its first byte in the archive. length: in bytes.
        name: of the file that it was made of; "" if it has none.
        original: that file's length in bytes; None if it was made of no file.
        weights: (offset, length) of the sections of weights in the archive, which the member may need.
    """

    offset: int
    length: int
    name: str = ""
    original: int | None = None
    weights: tuple[tuple[int, int], ...] = field(default=(), compare=False)

    @property
    def end(self) -> int:
        """The byte after its last."""
        return self.offset + self.length


@dataclass(frozen=True)
class Archive:
    """What is in an archive, or in a file of one member.

    Attributes:
        entries: in the sequence of the archive.
        damaged: (first byte, the one after the last) of what is no member and no index.
        indexed: whether there is an index.
    """

    entries: tuple[Entry, ...]
    damaged: tuple[tuple[int, int], ...] = ()
    indexed: bool = field(default=False, compare=False)

    @property
    def is_one_file(self) -> bool:
        """Whether it is just one member (and perhaps damaged bytes): a compressed file and no archive."""
        return len(self.entries) == 1 and not self.indexed and "/" not in self.entries[0].name


def index_of(entries: Sequence[Entry], at: int) -> bytes:
    """An index.

    Args:
        entries: of members, in their sequence.
        at: the byte of the archive where it will begin; after them.

    Raises:
        FormatError: there are too many, or they are not in sequence.
    """
    begin = entries[0].offset if entries else at
    listed, end = [], begin
    for entry in entries:
        name = entry.name.encode("utf-8", "surrogateescape")
        if entry.offset < end or entry.end > at or entry.length < 1 or len(name) > MAX_NAME_BYTES:
            raise FormatError("entries of an index that are not in sequence")
        size = 0 if entry.original is None else entry.original + 1
        listed.append(numbers(entry.offset - end, entry.length, size, len(name)) + name)
        end = entry.end
    data = b"".join(listed) + numbers(at - end)
    if len(data) > MAX_ENTRIES_BYTES:
        raise FormatError(f"{len(entries)} members are too many for an index", remedy="make several archives")
    section = packed_section(data, INDEX, len(entries))
    return section + TRAILER.pack(len(section) + TRAILER.size, TRAILER_MAGIC)


class ArchiveWriter:
    """Writes an archive member by member; of those written only the index is remembered.

    Args:
        file: takes bytes, one after the other.
        weights: a section of weights that members need; it comes first.
    """

    def __init__(self, file: SupportsWrite, weights: bytes = b"") -> None:
        self._file, self._at = file, len(weights)
        self.entries: list[Entry] = []
        if weights:
            file.write(weights)

    def add(self, member: bytes) -> None:
        """Write a member.

        Raises:
            FormatError: it is none.
        """
        self.entries.append(_entry(parse_of(member), self._at, len(member)))
        self._file.write(member)
        self._at += len(member)

    def finish(self) -> int:
        """Write the index; how many bytes the archive has."""
        index = index_of(self.entries, self._at)
        self._file.write(index)
        return self._at + len(index)


def joined(members: Iterable[bytes]) -> bytes:
    """An archive of members, with an index."""
    made = io.BytesIO()
    writer = ArchiveWriter(made)
    for member in members:
        writer.add(member)
    writer.finish()
    return made.getvalue()


def folder(name: str, modified: int | None = None, mode: int | None = None) -> bytes:
    """The member of a folder: nothing but its name, which ends in `/`, its time and its permissions. That of the one
    that all others are in is :data:`arcomp.container.member.TOP`.

    Raises:
        FormatError: the name is impossible.
    """
    original = Original(0, hashlib.sha256().digest(), name, modified, mode)
    return pack(Member(None, original=original, skeleton=()))


def parse_of(member: bytes) -> Header:
    """The header of a member.

    Raises:
        FormatError: it is none.
    """
    kind, begin, head = read_start(io.BytesIO(member))
    expect_member(kind)
    return parse_header(fields_of(memoryview(head), begin))


def _entry(header: Header, offset: int, length: int) -> Entry:
    original = header.original
    return Entry(offset, length, original.name if original else "", original.length if original else None)


def read_archive(source: BinaryIO | bytes) -> Archive:
    """What is in an archive: by its index where it has a right one, else by its members' headers.

    Args:
        source: a file of one or more members, open and seekable, or its bytes.

    Raises:
        FormatError: there is no member in it.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    end = file.seek(0, io.SEEK_END)
    found: list[Entry] = []
    indexed = False
    while end:
        index = read_index(file, end)
        if index is None:
            break
        entries, end = index
        found, indexed = entries + found, True
    damaged: list[tuple[int, int]] = []
    weights: list[tuple[int, int]] = []
    found = list(scan(file, end, damaged, weights)) + found
    if weights:
        found = [replace(entry, weights=tuple(weights)) for entry in found]
    if not found:
        file.seek(0)
        read_start(file)  # says why, if it is no archive at all
        raise FormatError("there is no whole member in it", remedy=DAMAGED)
    return Archive(tuple(found), tuple(damaged), indexed)


def read_entry(file: BinaryIO, entry: Entry) -> bytes:
    """A member, and after it the weights that it may need: a whole file by itself."""
    parts = []
    for offset, length in ((entry.offset, entry.length), *entry.weights):
        file.seek(offset)
        parts.append(file.read(length))
    return b"".join(parts)


def read_index(file: BinaryIO, end: int) -> tuple[list[Entry], int] | None:
    """The index that ends at a byte of a file: its entries, and where what it covers begins.

    Returns:
        None if there is none, or if it is damaged or not one of the members there are.
    """
    if end < TRAILER.size:
        return None
    file.seek(end - TRAILER.size)
    length, magic = TRAILER.unpack(file.read(TRAILER.size))
    if magic != TRAILER_MAGIC or length > end:
        return None
    file.seek(end - length)
    try:
        entries, begin = _parsed_index(file.read(length), end - length)
    except FormatError:
        return None
    for entry in entries:
        file.seek(entry.offset)
        if file.read(len(MAGIC)) != MAGIC:
            return None
    return entries, begin


def _parsed_index(data: bytes, at: int) -> tuple[list[Entry], int]:
    """The entries of an index that begins at a byte, and where what it covers begins.

    Raises:
        FormatError: it is damaged.
    """
    kind, begin, head = read_start(io.BytesIO(data))
    if kind != INDEX or index_length(memoryview(data), 0) != len(data):
        raise FormatError("no index")
    values = dict(read_fields(fields_of(memoryview(head), begin), (TAG_PACKED, TAG_STREAMS)))
    if TAG_PACKED not in values:
        raise FormatError("the index is damaged: its entries field is missing", remedy=DAMAGED)
    cursor = Cursor(values[TAG_PACKED], "entries")
    method, length, count = cursor.number(), cursor.number(1, MAX_ENTRIES_BYTES), cursor.number()
    cursor.end()
    if count > at // _LEAST or length > (count + 1) * (MAX_NAME_BYTES + 64):
        raise FormatError("the index is damaged: it claims more than there is", remedy=DAMAGED)
    packed = data[len(head) : -TRAILER.size]
    listed = Cursor(unsqueeze(method, packed, length), "entries")
    found, end = [], 0
    for _ in range(count):
        offset, size, original = end + listed.number(), listed.number(1), listed.number()
        name = listed.take(listed.number(0, MAX_NAME_BYTES)).decode("utf-8", "surrogateescape")
        found.append(Entry(offset, size, name, original - 1 if original else None))
        end = offset + size
    first = at - end - listed.number()
    listed.end()
    if first < 0:
        raise FormatError("the index is damaged: it covers more than there is", remedy=DAMAGED)
    return [Entry(first + e.offset, e.length, e.name, e.original) for e in found], first


def scan(
    file: BinaryIO, end: int, damaged: list[tuple[int, int]], weights: list[tuple[int, int]] | None = None
) -> Iterator[Entry]:
    """The members in the first bytes of a file, found by their headers; no stream is read.

    Args:
        file: open and seekable.
        end: of the bytes that are looked at.
        damaged: gets (first byte, the one after the last) of what is no section.
        weights: gets (offset, length) of sections of weights.
    """
    at, left = 0, max(MAX_HEADER_BYTES, 4 * end)
    while at < end:
        file.seek(at)
        try:
            if damaged:  # what looks like headers may be long, many, and within each other
                left -= _claimed(file, at, left)
            kind, begin, head = read_start(file)
            if kind == INDEX:
                length = index_length(memoryview(head), 0, trailer=False)
            elif kind == WEIGHTS:
                length = weights_length(memoryview(head), 0, stream=False)
                if weights is not None and at + length <= end:
                    weights.append((at, length))
            else:
                header = parse_header(fields_of(memoryview(head), begin))
                length = len(head) + header.length
                if at + length <= end:
                    yield _entry(header, at, length)
        except FormatError:
            length = end + 1
        if at + length > end:
            after = _next_magic(file, at + 1, end)
            begun = damaged.pop()[0] if damaged and damaged[-1][1] == at else at
            damaged.append((begun, after))
            at = after
        else:
            at += length


def _claimed(file: BinaryIO, at: int, left: int) -> int:
    """Bytes that a header claims which is perhaps none; the file is left where it begins.

    Args:
        left: how many may still be read of such headers.

    Raises:
        FormatError: it is none, or too long a one to be read after all those before it.
    """
    _, _, length = extent(file.read(START_BYTES))
    file.seek(at)
    if length > max(left, _SHORT):
        raise FormatError("too much that looks like headers")
    return length


def _next_magic(file: BinaryIO, begin: int, end: int) -> int:
    """Where the magic stands next; the end, if nowhere."""
    size = _SHORT
    while begin < end:
        file.seek(begin)
        block = file.read(min(size + len(MAGIC) - 1, end - begin))
        at = block.find(MAGIC)
        if at >= 0:
            return begin + at
        begin += size
        size = min(2 * size, _BLOCK)
    return end
