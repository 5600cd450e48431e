"""docs/format.md's Digits, Range coder and decisions: from words to symbols."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from tests.format.reference_numbers import Refused, require

Edges = Callable[[int], int]  # a distribution: G on the edges 0 .. n


def decode_symbols(coder: RangeDecoder, depth: int, distributions: list[Edges]) -> list[int]:
    """A symbol for each distribution: all first digits, then all second ones, and so on."""
    intervals = [(0, 1 << depth)] * len(distributions)
    for bits in ([depth % 4] if depth % 4 else []) + [4] * (depth // 4):
        for i, g in enumerate(distributions):
            (a, b), s = intervals[i], 1 << bits
            edges = range(a, b + 1, (b - a) // s)
            at = [g(e) for e in edges]
            value = coder.digit([(v - at[0]) * ((1 << 24) - s) // (at[s] - at[0]) + j for j, v in enumerate(at)])
            intervals[i] = edges[value], edges[value + 1]
    return [a for a, _ in intervals]


class Coder:
    """The stream of a part, of digits or of decisions."""

    def __init__(self, streams: tuple[bytes, ...], decisions: bool) -> None:
        require(len(streams) == 1, "more than one stream")
        self.coder = BinaryDecoder(streams[0]) if decisions else RangeDecoder(streams[0])

    def decode(self, depth: int, distributions: list[Edges]) -> list[int]:
        """A symbol for each distribution."""
        if isinstance(self.coder, BinaryDecoder):
            return decode_decisions(self.coder, distributions)
        return decode_symbols(self.coder, depth, distributions)


def decode_decisions(coder: BinaryDecoder, distributions: list[Edges]) -> list[int]:
    """A symbol of 1 bit for each distribution."""
    found = []
    for g in distributions:
        first = (g(1) - g(0)) * ((1 << 24) - 2) // (g(2) - g(0)) + 1  # C(1)
        found.append(coder.cut(coder.range * ((1 << 24) - first) >> 24))
    return found


def words_of(stream: bytes, order: str) -> Iterator[int]:
    """The words of a stream, and four of 0 beyond its end."""
    for (word,) in struct.iter_unpack(order + "I", stream + bytes(-len(stream) % 4)):
        yield word
    yield from (0,) * 4
    raise Refused("the stream ends too soon")


class BinaryDecoder:
    """The stream of decisions."""

    def __init__(self, stream: bytes) -> None:
        self.words = words_of(stream, ">")
        self.range = (1 << 64) - 1
        self.point = (next(self.words) << 32) + next(self.words)

    def cut(self, bound: int) -> int:
        """The decision, from the bound between 1 and 0."""
        bit = 1 if self.point < bound else 0
        self.keep(*((0, bound) if bit else (bound, self.range)))
        return bit

    def keep(self, begin: int, end: int) -> None:
        """A part of the range."""
        self.point, self.range = self.point - begin, end - begin
        if self.range < 1 << 32:
            self.range <<= 32
            self.point = ((self.point << 32) % (1 << 64)) + next(self.words)


class RangeDecoder:
    """The stream of digits."""

    def __init__(self, payload: bytes) -> None:
        require(len(payload) % 4 == 0, "the payload is not made of words")
        self.words = words_of(payload, "<")
        self.lower, self.range = 0, (1 << 64) - 1
        self.point = (next(self.words) << 32) + next(self.words)

    def digit(self, c: list[int]) -> int:
        """The digit, from its cumulative frequencies C(0) .. C(s)."""
        scale = self.range >> 24
        q = ((self.point - self.lower) % (1 << 64)) // scale
        require(q < 1 << 24, "the payload is damaged")
        value = next(j for j in range(len(c)) if c[j] <= q < c[j + 1])
        self.lower = (self.lower + scale * c[value]) % (1 << 64)
        self.range = scale * (c[value + 1] - c[value])
        if self.range < 1 << 32:
            self.lower = (self.lower << 32) % (1 << 64)
            self.range <<= 32
            self.point = ((self.point << 32) % (1 << 64)) + next(self.words)
        return value
