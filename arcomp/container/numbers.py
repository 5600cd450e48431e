"""Numbers of variable length (LEB128): seven bits a byte, lowest first, bit 7 set on all but the last byte.

There is one form for each number: a last byte of 0 after other bytes is refused.
"""

from __future__ import annotations

from arcomp.errors import FormatError


def encode_number(value: int) -> bytes:
    """A number 0 .. 2**63 - 1 as 1 to 9 bytes."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_number(data: bytes | memoryview, at: int, what: str) -> tuple[int, int]:
    """The number that begins at a byte, and where it ends.

    Raises:
        FormatError: it does not end in the data, is longer than 9 bytes, or not in its shortest form.
    """
    value = 0
    for i in range(9):
        if at + i >= len(data):
            break
        byte = data[at + i]
        value |= (byte & 127) << (7 * i)
        if byte < 128:
            if byte == 0 and i:
                break
            return value, at + i + 1
    raise FormatError(f"the file is damaged: {what} is no number", remedy="get the file again from where it came from")
