"""The directories of a TIFF, classic and BigTIFF, and the numbers that their tags hold (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

STARTS = b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"
"""How classic files and BigTIFFs begin, of either byte order."""
_NUMBERS = {1: "u1", 3: "u2", 4: "u4", 6: "i1", 8: "i2", 9: "i4", 13: "u4", 16: "u8", 17: "i8", 18: "u8"}
"""Types of integers: BYTE, SHORT, LONG, SBYTE, SSHORT, SLONG, IFD, and BigTIFF's LONG8, SLONG8, IFD8."""
_TEXT = (1, 2, 7)
"""Types of bytes: BYTE, ASCII, UNDEFINED."""
_SIZES = {
    1: (1, 1), 2: (1, 1), 3: (1, 2), 4: (1, 4), 5: (2, 4), 6: (1, 1), 7: (1, 1), 8: (1, 2), 9: (1, 4), 10: (2, 4),
    11: (1, 4), 12: (1, 8), 13: (1, 4), 16: (1, 8), 17: (1, 8), 18: (1, 8),
}  # fmt: skip
"""Of each type: numbers of a value, and bytes of a number. Fractions have two."""
DIRECTORIES = (0x8769, 0x8825, 0xA005)
"""Tags that hold a directory: Exif, places on Earth, and how Exif is to be read."""
_SHORT = 3
_ORIENTATION, _SUB_DIRECTORIES, _XMP = 274, 330, 700


class OddTiffError(Exception):
    """A TIFF, or a picture of it, is damaged or of a kind that is not taken apart. What it says never leaves here."""


class Entry(NamedTuple):
    """What stands under a tag: type, number of values, and these, the low byte of each number first."""

    kind: int
    many: int
    body: bytes


class _Entry(NamedTuple):
    kind: int
    many: int
    place: int
    """Where the values are, or, if they do not fit there, where it is said where they are."""


@dataclass(frozen=True)
class Directory:
    """What a directory says of a picture.

    Attributes:
        file: that it is in.
        entries: by their tags.
        begin, end: where it lies.
    """

    file: _File
    entries: Mapping[int, _Entry]
    begin: int
    end: int

    def numbers(self, tag: int) -> Ints:
        """A tag's values, int64 [count]; none if the tag is not there.

        Raises:
            OddTiffError: they are no integers, too large, or not in the file.
        """
        entry = self.entries.get(tag)
        if entry is None:
            return np.zeros(0, np.int64)
        if entry.kind not in _NUMBERS:
            raise OddTiffError("a tag that holds no integers")
        dtype = np.dtype(self.file.order + _NUMBERS[entry.kind])
        values = np.frombuffer(self._values(entry, dtype.itemsize), dtype)
        if dtype.kind == "u" and dtype.itemsize == 8 and len(values) and int(values.max()) >> 62:
            raise OddTiffError("a number that no file is as long as")
        return values.astype(np.int64)

    def number(self, tag: int, default: int) -> int:
        """A tag's one value, or the first of several.

        Raises:
            OddTiffError: as of :meth:`numbers`.
        """
        values = self.numbers(tag)
        return int(values[0]) if len(values) else default

    def text(self, tag: int) -> bytes:
        """A tag's bytes; none if it is not there, or holds something else."""
        entry = self.entries.get(tag)
        return b"" if entry is None or entry.kind not in _TEXT else bytes(self._values(entry, 1))

    def entry(self, tag: int) -> Entry:
        """What stands under a tag.

        Raises:
            OddTiffError: nothing does, or it is of an unknown type, or not in the file.
        """
        found = self.entries.get(tag)
        if found is None or found.kind not in _SIZES:
            raise OddTiffError("a tag that is not there, or of an unknown type")
        numbers, size = _SIZES[found.kind]
        body = bytes(self._values(found, numbers * size))
        if size > 1 and self.file.byteorder == "big":
            body = np.frombuffer(body, f">u{size}").astype(f"<u{size}").tobytes()
        return Entry(found.kind, found.many, body)

    def below(self, tag: int) -> Directory:
        """The directory that a tag names.

        Raises:
            OddTiffError: it is not in the file.
        """
        return self.file.directory(self.number(tag, 0))[0]

    def spans(self) -> Iterator[tuple[int, int]]:
        """Where the directory lies, and values that its tags point to."""
        yield self.begin, self.end
        for entry in self.entries.values():
            numbers, size = _SIZES.get(entry.kind, (1, 1))
            length = entry.many * numbers * size
            if length > self.file.word:
                place = self.file.offset(entry.place)
                yield place, place + length

    def forget_turn(self, file: bytearray) -> None:
        """Change the bytes of the file so that this directory says nothing of how to turn its picture."""
        if _ORIENTATION in self.entries:
            head = self.entries[_ORIENTATION].place - self.file.word - 2  # type, count and value of the entry
            count, value = (1).to_bytes(self.file.word, self.file.byteorder), (1).to_bytes(2, self.file.byteorder)
            file[head : head + 2] = _SHORT.to_bytes(2, self.file.byteorder)
            file[head + 2 : head + 4 + self.file.word] = count + value
        if _XMP in self.entries:
            head = self.entries[_XMP].place - self.file.word - 4
            file[head : head + 2] = (_XMP + 1).to_bytes(2, self.file.byteorder)

    def _values(self, entry: _Entry, size: int) -> memoryview:
        length = entry.many * size
        place = entry.place if length <= self.file.word else self.file.offset(entry.place)
        return self.file.take(place, length)


class _File:
    """The bytes of a file, of which no more is read than a few times their number: directories may claim anything."""

    def __init__(self, data: bytes) -> None:
        """
        Raises:
            OddTiffError: it does not begin like a TIFF.
        """
        start = data[:4]
        if start not in STARTS:
            raise OddTiffError("no TIFF")
        self.data = memoryview(data)
        self.byteorder: Literal["little", "big"] = "little" if start[:2] == b"II" else "big"
        self.order = "<" if start[:2] == b"II" else ">"
        self.big = b"+" in start
        self.word = 8 if self.big else 4
        self.left = 4 * len(data) + 4096
        if self.big and (len(data) < 16 or self.unpack("HH", 4) != (8, 0)):
            raise OddTiffError("a BigTIFF with offsets of another size")
        self.first = self.offset(8 if self.big else 4)

    def take(self, place: int, length: int) -> memoryview:
        """Some bytes.

        Raises:
            OddTiffError: they are not in the file, or were read over and over.
        """
        self.left -= length
        if place + length > len(self.data) or self.left < 0:
            raise OddTiffError("what is not in the file")
        return self.data[place : place + length]

    def unpack(self, letters: str, place: int) -> tuple[int, ...]:
        form = self.order + letters
        return struct.unpack(form, self.take(place, struct.calcsize(form)))

    def offset(self, place: int) -> int:
        return self.unpack("Q" if self.big else "I", place)[0]

    def directory(self, place: int) -> tuple[Directory, int]:
        """The directory that begins there, and where the next one does; 0: nowhere, or nowhere in the file.

        Of entries for the same tag the first counts.
        """
        letters, size, head = ("HHQQ", 20, 8) if self.big else ("HHII", 12, 2)
        (count,) = self.unpack("Q" if self.big else "H", place)
        table = self.take(place + head, count * size)
        entries: dict[int, _Entry] = {}
        for index, (tag, kind, many, _) in enumerate(struct.iter_unpack(self.order + letters, table)):
            entries.setdefault(tag, _Entry(kind, many, place + head + (index + 1) * size - self.word))
        try:
            following = self.offset(place + head + count * size)
        except OddTiffError:
            following = 0
        return Directory(self, entries, place, place + head + count * size + self.word), following


def directories(data: bytes) -> tuple[list[Directory], list[Directory]]:
    """The directories of a file.

    Returns:
        Those of the main sequence; and those that they name (SubIFDs), the first of each directory, then the second of
        each, so that pictures of one size follow each other. Where one is not in the file, it and what follows it is
        left out; none stands twice.

    Raises:
        OddTiffError: it is no TIFF.
    """
    file = _File(data)
    seen: set[int] = {0}
    main = _sequence(file, file.first, seen)
    below: list[tuple[int, Directory]] = []
    for directory in main:
        try:
            places = directory.numbers(_SUB_DIRECTORIES).tolist()
        except OddTiffError:
            continue
        for level, place in enumerate(places):
            below += enumerate(_sequence(file, place, seen), level)
    return main, [found for _, found in sorted(below, key=lambda pair: pair[0])]


def _sequence(file: _File, place: int, seen: set[int]) -> list[Directory]:
    """A directory and those that follow it."""
    found = []
    while place not in seen:
        seen.add(place)
        try:
            directory, place = file.directory(place)
        except OddTiffError:
            break
        found.append(directory)
    return found
