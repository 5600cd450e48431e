"""docs/format.md's numbers, and what refuses a file."""

from __future__ import annotations


class Refused(ValueError):  # noqa: N818 (reads as a sentence)
    """The file, or its weights, must not be decoded."""


def require(true: bool, otherwise: str) -> None:
    """Refuse the file unless a rule holds."""
    if not true:
        raise Refused(otherwise)


def clamp(v: int, a: int, b: int) -> int:
    return max(a, min(b, v))


def number(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a place, and the place after it."""
    value = 0
    for i in range(9):
        require(at + i < len(data), "a number does not end")
        byte = data[at + i]
        value |= (byte & 127) << (7 * i)
        if byte < 128:
            require(byte > 0 or i == 0, "a number is not in its shortest form")
            return value, at + i + 1
    raise Refused("a number does not end")


def is_time(value: bytes) -> bool:
    """Whether the value of the modified field is one, in as few bytes as it may have."""
    time = int.from_bytes(value, "little", signed=True)
    if len(value) == 5:
        return True
    seconds = time % 10**9 == 0 and -(1 << 39) <= time // 10**9 < 1 << 39
    short = len(value) == (8 if -(1 << 63) <= time < 1 << 63 else 12)
    return short and not seconds and -(10**9 << 63) <= time < 10**9 << 63


class Reader:
    """Reads what a field, or a record, is made of."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.items = 1 << 62
        """Records, and items of their lists, that there may still be."""

    def number(self, least: int = 0, most: int = (1 << 63) - 1) -> int:
        value, self.at = number(self.data, self.at)
        require(least <= value <= most, f"{value} is outside of its limits")
        return value

    def bytes(self, length: int) -> bytes:
        require(length <= len(self.data) - self.at, "bytes are missing")
        self.at += length
        return self.data[self.at - length : self.at]

    def u32(self) -> int:
        return int.from_bytes(self.bytes(4), "little")

    @property
    def more(self) -> bool:
        return self.at < len(self.data)

    def end(self) -> None:
        require(not self.more, "bytes after the end of a field")
