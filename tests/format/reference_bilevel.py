"""The reference decoder's part for model ``bilevel``: docs/format.md in plain Python, with that page's names."""

from __future__ import annotations

from collections.abc import Iterator

from tests.format.reference_coders import BinaryDecoder
from tests.format.reference_container import Part
from tests.format.reference_graphic import fold
from tests.format.reference_mixing import Mixer, address_and_check
from tests.format.reference_numbers import require
from tests.format.reference_tiles import Position, Tile

SHAPES = (
    ((0, 3, 2), (1, 2, 2), (2, 1, 1)),
    ((0, 4, 2), (1, 3, 3), (2, 2, 2)),
    ((0, 5, 2), (1, 4, 4), (2, 3, 3), (3, 1, 1)),
    ((0, 8, 2), (1, 7, 6), (2, 6, 5), (3, 5, 4), (4, 3, 3)),
    ((0, 11, 2), (1, 9, 9), (2, 8, 8)),
    ((0, 17, 2), (1, 1, 2)),
    ((0, 2, 2), (1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 1, 1), (5, 1, 1), (6, 1, 1)),
    ((0, 2, 2), (1, 0, 3), (2, -1, 5), (3, -2, 6), (4, -2, 7), (5, -3, 8)),
    ((0, 3, 2), (1, 3, 0), (2, 5, -1), (3, 6, -2), (4, 7, -2), (5, 8, -3)),
)  # each: rows up, and from so many columns to the left to so many to the right; in its own row, both to the left
PERIOD = ((9, 1, 1), (8, 1, 1), (7, 1, 1), (2, 9, -7), (1, 9, -7), (0, 9, 7), (0, 2, 2), (1, 1, 1))
FAR = ((3, 6, 6), (4, 5, 5), (5, 4, 4))
NEAR = ((0, 16, 1), (1, 10, 10), (2, 8, 8), (3, 6, 6), (4, 5, 5), (5, 4, 4))
WEST = ((0, 7, 2), (1, 6, -1), (2, 6, -1))
EAST = ((1, -1, 6), (2, -1, 6), (3, -1, 6))
NORTH = ((2, 1, 1), (3, 3, 3), (4, 4, 4), (5, 4, 4))


def values(part: Part, tiles: list[Tile], weights: bytes | None) -> Iterator[tuple[Position, int, int]]:
    """All samples: position, channel as stored, value."""
    require((part.channels, part.depth) == (1, 1), "bilevel takes one channel of one bit")
    require(not part.side and not part.decisions, "bilevel has no side information and no flag")
    require(len(part.streams) == len(tiles), "not as many streams as tiles")
    for i, (tile, stream) in enumerate(zip(tiles, part.streams, strict=True)):
        for (y, x), value in Page(tile.height, tile.width, stream).pixels():
            yield (i, y, x), 0, value


class Page:
    """A tile's decoder."""

    def __init__(self, height: int, width: int, stream: bytes) -> None:
        self.height, self.width = height, width
        self.coder = BinaryDecoder(stream)
        self.bits = min(20, max(8, (height * width - 1).bit_length() + 1))
        self.mixer = Mixer([[1 << 14] * 11 + [0] if row < 1024 else [0] * 12 for row in range(1152)], 12)
        self.known: dict[tuple[int, int], int] = {}
        self.flat = {0: (1 << 15, 0), 1: (1 << 15, 0)}
        self.mixed = 0

    def at(self, y: int, x: int) -> int:
        """A pixel, or what is outside."""
        if y < 0:
            return 0
        if x < 0:
            return self.at(y - 1, 0)
        return self.known[y, min(x, self.width - 1)]

    def row(self, y: int, x: int, up: int, left: int, right: int) -> int:
        """Pixels of a row as a number, the leftmost in its highest bit."""
        number = 0
        for u in range(x - left, x + right + 1) if up else range(x - left, x - right + 1):
            number = 2 * number + self.at(y - up, u)
        return number

    def joined(self, y: int, x: int, shape: tuple[tuple[int, int, int], ...], number: int = 0) -> int:
        for up, left, right in shape:
            number = (number << (left + right + 1 if up else left - right + 1)) + self.row(y, x, up, left, right)
        return number

    def ones(self, y: int, x: int, shape: tuple[tuple[int, int, int], ...]) -> int:
        return sum(self.row(y, x, *part).bit_count() for part in shape) // 2

    def pixels(self) -> Iterator[tuple[tuple[int, int], int]]:
        """All pixels: position, value."""
        for y in range(self.height):
            for x in range(self.width):
                value = self.known[y, x] = self.pixel(y, x)
                yield (y, x), value

    def pixel(self, y: int, x: int) -> int:
        w = self.at(y, x - 1)
        near = [(self.row(y, x, *part), part) for part in NEAR]
        if all(n == w * ((1 << (b - c + 1 if a == 0 else b + c + 1)) - 1) for n, (a, b, c) in near):
            q, n = self.flat[w]
            other = self.coder.cut((self.coder.range >> 16) * max(1, q >> 6))
            self.flat[w] = q + ((2**22 - 1) * other - q) // (n + 2), min(1023, n + 1)
            return w ^ other
        dense = self.ones(y, x, WEST), self.ones(y, x, EAST), self.ones(y, x, NORTH)
        numbers = [self.joined(y, x, shape) for shape in SHAPES]
        numbers[4] = fold(numbers[4], self.joined(y, x, FAR))
        start = 256 * dense[0] + 16 * dense[1] + dense[2]
        numbers.append(self.joined(y, x, ((0, 3, 2), (1, 1, 1)), start))
        numbers.append(self.joined(y, x, PERIOD))
        places = []
        for j, number in enumerate(numbers):
            address, check = address_and_check(fold(number, j))
            places.append(((address // 2 * 2 + w) % (1 << self.bits), check))
        familiar = self.mixer.find(places)
        nearest = self.joined(y, x, ((0, 2, 1), (1, 2, 2), (2, 1, 1)))
        thick = 16 * (dense[0] // 4) + 4 * (dense[1] // 4 % 4) + dense[2] // 4 % 4
        rows = [nearest, 1024 + familiar, 1088 + thick]
        rate = 50 + 900000 // (2000 + self.mixed // 8)
        self.mixed += 1
        return self.mixer.decide(self.coder, [], rows, [nearest, 4 * thick + nearest // 16 % 4], rate)
