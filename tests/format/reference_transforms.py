"""docs/format.md's Transforms: a stack's samples from those of its coded leaves.

A stack is a list of its samples: picture after picture, row after row, pixel after pixel, channel after channel.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from math import prod

from tests.format.reference_container import Kind
from tests.format.reference_numbers import require
from tests.format.reference_records import Record, children

Colours = list[tuple[int, ...]]  # of a palette
Decode = Callable[[Record, Kind], list[int]]  # the samples of the next coded leaf


def bits_for(entries: int) -> int:
    """The least d >= 1 with 2^d >= entries."""
    return max(1, (entries - 1).bit_length())


def restored(node: Record, kind: Kind, palette: Colours, decode: Decode) -> list[int]:
    """The samples of a node's stack."""
    require(sum(1 for _ in all_nodes(node)) <= 64, "too many nodes")
    return Transform(palette, decode).stack(node, kind)


def all_nodes(node: Record) -> Iterator[Record]:
    yield node
    for child in children(node):
        yield from all_nodes(child)


class Transform:
    """What nodes do, from leaves to root."""

    def __init__(self, palette: Colours, decode: Decode) -> None:
        self.palette, self.decode = palette, decode

    def stack(self, node: Record, kind: Kind) -> list[int]:
        """A node's stack; no sample has more bits than there are."""
        require(1 <= kind.depth <= 16 and 1 <= kind.shape[3] <= 4, "a part that cannot be")
        made: list[int] = getattr(self, node.kind.replace(" ", "_"))(node, kind)
        require(len(made) == prod(kind.shape), "a part of another size")
        require(max(made) < 1 << kind.depth, "a sample of too many bits")
        return made

    def child(self, node: Record, kind: Kind) -> list[int]:
        """A child's stack whose samples are no indices of the palette any more."""
        kept, self.palette = self.palette, []
        made = self.stack(node, kind)
        self.palette = kept
        return made

    def coded(self, node: Record, kind: Kind) -> list[int]:
        require(kind.depth <= node.depth <= 16, "a coded part of fewer bits")
        return self.decode(node, kind._replace(depth=node.depth))

    def constant(self, node: Record, kind: Kind) -> list[int]:
        require(len(node.values) == kind.shape[3], "a constant of other channels")
        return list(node.values) * prod(kind.shape[:3])

    def divide(self, node: Record, kind: Kind) -> list[int]:
        channels, at = kind.shape[3], node.at
        require(0 < at < channels, "a division without channels")
        first = pixels(self.child(node.first, with_channels(kind, at)), at)
        second = pixels(self.child(node.second, with_channels(kind, channels - at)), channels - at)
        return [v for a, b in zip(first, second, strict=True) for v in a + b]

    def high_and_low(self, node: Record, kind: Kind) -> list[int]:
        require(0 < node.bits < kind.depth, "a division without bits")
        high = self.child(node.high, kind._replace(depth=kind.depth - node.bits))
        low = self.child(node.low, kind._replace(depth=node.bits))
        return [(a << node.bits) + b for a, b in zip(high, low, strict=True)]

    def reorder(self, node: Record, kind: Kind) -> list[int]:
        order = node.order
        require(kind.shape[3] == 1 and kind.depth <= 8 and 0 < len(order) == len(set(order)), "a bad order")
        require(max(order) < 1 << kind.depth, "a bad order")
        return looked_up(order, self.child(node.child, kind._replace(depth=bits_for(len(order)))))

    def entries(self, kind: Kind) -> Colours:
        """The palette of indices."""
        require(bool(self.palette) and kind.depth <= 8 and kind.shape[3] == 1, "indices without a palette")
        return self.palette[: 1 << kind.depth]

    def expand(self, node: Record, kind: Kind) -> list[int]:
        entries = self.entries(kind)
        channels = len(entries[0])
        colours = pixels(self.child(node.child, with_channels(kind, channels)._replace(depth=8)), channels)
        place = {colour: i for i, colour in reversed([*enumerate(entries)])}
        require(all(tuple(colour) in place for colour in colours), "a colour that the palette has not")
        return [place[tuple(colour)] for colour in colours]

    def index(self, node: Record, kind: Kind) -> list[int]:
        channels, size = kind.shape[3], 1 if kind.depth <= 8 else 2
        values = [int.from_bytes(node.colours[i : i + size], "big") for i in range(0, len(node.colours), size)]
        require(len(node.colours) % (channels * size) == 0 and 0 < len(values) <= 256 * channels, "bad colours")
        require(max(values) < 1 << kind.depth, "bad colours")
        colours = pixels(values, channels)
        child = with_channels(kind, 1)._replace(depth=bits_for(len(colours)))
        found = self.child(node.child, child)
        require(max(found) < len(colours), "an index of no colour")
        return [v for a in found for v in colours[a]]

    def levels(self, node: Record, kind: Kind) -> list[int]:
        channels, n, inflater = kind.shape[3], 1 << kind.depth, zlib.decompressobj(-15)
        size = -(-channels * n // 8)
        try:
            data = inflater.decompress(node.used, size + 1)
        except zlib.error:
            data = b""
        require(len(data) == size and inflater.eof and not inflater.unused_data, "bad levels")
        used = [[v for v in range(n) if data[(c * n + v) // 8] >> (7 - (c * n + v) % 8) & 1] for c in range(channels)]
        require(all(used), "a channel without levels")
        found = self.child(node.child, kind._replace(depth=bits_for(max(map(len, used)))))
        require(all(a < len(used[i % channels]) for i, a in enumerate(found)), "a sample of no level")
        return [used[i % channels][a] for i, a in enumerate(found)]

    def scale(self, node: Record, kind: Kind) -> list[int]:
        require(node.depth <= 16 and 1 <= node.factor * ((1 << kind.depth) - 1) < 1 << node.depth, "a bad scale")
        found = self.child(node.child, kind._replace(depth=node.depth))
        require(all(a % node.factor == 0 for a in found), "a sample between two levels")
        return [a // node.factor for a in found]

    def repeat(self, node: Record, kind: Kind) -> list[int]:
        return [a for a in self.child(node.child, with_channels(kind, 1)) for _ in range(kind.shape[3])]

    def transpose(self, node: Record, kind: Kind) -> list[int]:
        n, h, w, c = kind.shape
        found = pixels(self.stack(node.child, kind._replace(shape=(n, w, h, c))), c)
        order = (found[(i * w + x) * h + y] for i in range(n) for y in range(h) for x in range(w))
        return [v for pixel in order for v in pixel]

    def fold(self, node: Record, kind: Kind) -> list[int]:
        n, h, w, c = kind.shape
        require(1 <= node.pieces <= w, "a bad fold")
        piece = -(-w // node.pieces)
        found = pixels(self.stack(node.child, kind._replace(shape=(n, h * node.pieces, piece, c))), c)
        order = (
            found[((i * node.pieces + x // piece) * h + y) * piece + x % piece]
            for i in range(n) for y in range(h) for x in range(w)
        )  # fmt: skip
        return [v for pixel in order for v in pixel]

    def pile(self, node: Record, kind: Kind) -> list[int]:
        n, h, w, c = kind.shape
        return self.stack(node.child, kind._replace(shape=(1, n * h, w, c)))

    def luma(self, node: Record, kind: Kind) -> list[int]:
        bright = [299 * r + 587 * g + 114 * b for r, g, b, *_ in self.entries(kind)]
        return looked_up(sorted(range(len(bright)), key=bright.__getitem__), self.child(node.child, kind))

    def predict(self, node: Record, kind: Kind) -> list[int]:
        _, h, w, c = kind.shape
        require(kind.depth > 8 and node.weight in (2, 3, 4) and node.centre < 1 << kind.depth, "a bad prediction")
        made: list[int] = []
        for i, a in enumerate(self.child(node.child, kind)):
            y, x = i // c // w % h, i // c % w
            left, top, corner = (
                (made[i - c], made[i - c * w], made[i - c - c * w]) if y and x
                else (made[i - c],) * 3 if x else (made[i - c * w],) * 3 if y else (0, 0, 0)
            )  # fmt: skip
            p = (node.weight * (left + top) - (2 * node.weight - 4) * corner + 2) // 4
            made.append((a + p - node.centre) % (1 << kind.depth))
        return made

    def forecast(self, node: Record, kind: Kind) -> list[int]:
        _, _, w, c = kind.shape
        require(kind.depth > 1 and 1 <= node.taps <= 64 and 1 <= node.rate <= 256, "a bad forecast")
        found, middle = self.child(node.child, kind), 1 << (kind.depth - 1)
        made = [0] * len(found)
        for row in range(0, len(found), w * c):
            for start in range(row, row + c):
                past, weights = [0] * node.taps, [0] * node.taps
                for i in range(start, row + w * c, c):
                    f = (sum(a * b for a, b in zip(weights, past, strict=True)) + (1 << 15)) >> 16
                    f = max(-middle, min(middle - 1, f))
                    made[i] = (found[i] + f) % (1 << kind.depth)
                    x = made[i] - middle
                    d = ((x - f) << 30) // (1 + sum(a * a for a in past))
                    moved = (a + ((d * b * node.rate) >> 22) for a, b in zip(weights, past, strict=True))
                    weights = [max(-(1 << 20), min(1 << 20, a)) for a in moved]
                    past = [x, *past[:-1]]
        return made

    def octets(self, node: Record, kind: Kind) -> list[int]:
        require(kind.depth > 8, "two bytes for one")
        found = self.child(node.child, with_channels(kind, 2 * kind.shape[3])._replace(depth=8))
        return [256 * high + low for high, low in pixels(found, 2)]

    def inset(self, node: Record, kind: Kind) -> list[int]:
        n, h, w, c = kind.shape
        require(0 < node.height <= h - node.y and 0 < node.width <= w - node.x, "a rectangle beyond its picture")
        rows = pixels(self.stack(node.inside, kind._replace(shape=(n, node.height, node.width, c))), c * node.width)
        made = self.stack(node.around, kind)
        for i, row in enumerate(rows):
            at = c * ((i // node.height * h + node.y + i % node.height) * w + node.x)
            made[at : at + len(row)] = row
        return made


def with_channels(kind: Kind, channels: int) -> Kind:
    n, h, w, _ = kind.shape
    return kind._replace(shape=(n, h, w, channels))


def pixels(samples: list[int], channels: int) -> list[list[int]]:
    return [samples[i : i + channels] for i in range(0, len(samples), channels)]


def looked_up(table: Sequence[int], found: list[int]) -> list[int]:
    require(max(found) < len(table), "an index of no entry")
    return [table[a] for a in found]
