"""Tagged fields, and the numbers, texts and checksums in them: the rules that all headers share."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator

from arcomp.container.numbers import decode_number, encode_number
from arcomp.errors import FormatError

OPTIONAL = 0x80
"""Bit of a tag that marks a field readers may ignore."""
DAMAGED = "get the file again from where it came from"
NEWER = "install a newer arcomp"
CRC = struct.Struct("<I")


def write_fields(fields: Iterable[tuple[int, bytes]]) -> bytes:
    """Fields one after the other; their tags must ascend."""
    return b"".join(bytes([tag]) + encode_number(len(value)) + value for tag, value in fields)


def read_fields(data: memoryview, known: Collection[int]) -> Iterator[tuple[int, memoryview]]:
    """The known fields, in their sequence.

    Raises:
        FormatError: fields are out of order, twice there, cut off, or critical and unknown.
    """
    at, last = 0, -1
    while at < len(data):
        tag = data[at]
        length, at = decode_number(data, at + 1, f"the length of field {tag:#04x}")
        if tag <= last:
            what = "is there twice" if tag == last else "is out of order"
            raise FormatError(f"the header is damaged: field {tag:#04x} {what}", remedy=DAMAGED)
        if length > len(data) - at:
            raise FormatError(
                f"the header is damaged: field {tag:#04x} claims {length} bytes, {len(data) - at} are left",
                remedy=DAMAGED,
            )
        if tag in known:
            yield tag, data[at : at + length]
        elif not tag & OPTIONAL:
            raise FormatError(f"field {tag:#04x} is not known here and cannot be ignored", remedy=NEWER)
        at += length
        last = tag


class Cursor:
    """Reads the value of a field from its beginning to its end."""

    def __init__(self, value: bytes | memoryview, name: str) -> None:
        self.value, self.name, self.at = memoryview(value), name, 0

    def number(self, least: int = 0, most: int = (1 << 63) - 1) -> int:
        """The next number.

        Raises:
            FormatError: it is none, or outside its limits.
        """
        number, self.at = decode_number(self.value, self.at, f"a part of its {self.name} field")
        if not least <= number <= most:
            raise FormatError(f"the header is impossible: {number} in its {self.name} field", remedy=DAMAGED)
        return number

    def crc(self) -> int:
        """The next four bytes as a checksum."""
        return int(CRC.unpack(self.take(CRC.size))[0])

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if length > self.left:
            raise self.wrong()
        self.at += length
        return bytes(self.value[self.at - length : self.at])

    def text(self, length: int, encoding: str = "ascii") -> str:
        """The next bytes as text."""
        try:
            return self.take(length).decode(encoding)
        except UnicodeDecodeError:
            raise FormatError(f"the header is damaged: its {self.name} field is no text", remedy=DAMAGED) from None

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self.value) - self.at

    def end(self) -> None:
        """Refuse what is left over."""
        if self.left:
            raise self.wrong()

    def wrong(self) -> FormatError:
        """The error for a field that is too long or too short."""
        return FormatError(f"the header is damaged: its {self.name} field is of the wrong length", remedy=DAMAGED)


def numbers(*values: int) -> bytes:
    """Numbers one after the other."""
    return b"".join(encode_number(v) for v in values)
