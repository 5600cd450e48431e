"""docs/format.md's models histogram and context: the distribution of every sample."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, islice
from operator import mul

from tests.format.reference_coders import Edges
from tests.format.reference_container import Part
from tests.format.reference_numbers import Reader, clamp, require
from tests.format.reference_tables import BLEND, EXP, LOG2, SCALE, SIGMA
from tests.format.reference_tiles import Position, Tile
from tests.format.reference_weights import LOGIT, RECTIFIED, Linear, digest_of, read_weights


def groups_of(tiles: list[Tile]) -> Iterator[list[int]]:
    """Numbers of tiles that are coded together."""
    group: list[int] = []
    size = 0
    for i, tile in enumerate(tiles):
        positions = tile.height * tile.width
        if group and (size + positions > 65536 or len(group) == 2048):
            yield group
            group, size = [], 0
        group.append(i)
        size += positions
    yield group


def least_mass(depth: int) -> int:
    """phi, the least mass of a symbol."""
    return 1 << max(0, 12 - depth)


def counts_to_distribution(counts: list[int], depth: int) -> Edges:
    """G from counts of the symbols."""
    n, phi = 1 << depth, least_mass(depth)
    s = list(accumulate(counts, initial=0))
    return lambda e: s[e] * ((1 << 28) - phi * n) // s[n] + phi * e


class Histogram:
    """Every sample has its channel's distribution, made of the counts in the side information."""

    def __init__(self, part: Part, tiles: list[Tile]) -> None:
        require(digest_of("histogram", {}, {})[:8] == part.digest, "the file needs other weights")
        self.coding_order = list(range(part.channels))
        self.tiles, self.distributions, reader = tiles, [], Reader(part.side)
        for _ in range(part.channels):
            counts = self.counts(reader, 1 << part.depth)
            require(0 < sum(counts) < 1 << 20, "a channel's counts sum to 0 or to too much")
            self.distributions.append(counts_to_distribution(counts, part.depth))
        reader.end()

    @staticmethod
    def counts(reader: Reader, n: int) -> list[int]:
        """A channel's counts."""
        counts: list[int] = []
        while len(counts) < n:
            count = reader.number()
            further = reader.number() if count == 0 else 0
            require(further < n - len(counts), "zeros beyond the end of a channel")
            counts += [count] * (1 + further)
        return counts

    def fronts(self) -> Iterator[list[Position]]:
        """Blocks of 32,768 positions."""
        sizes = enumerate((tile.height, tile.width) for tile in self.tiles)
        positions = ((i, y, x) for i, (h, w) in sizes for y in range(h) for x in range(w))
        while front := list(islice(positions, 32768)):
            yield front

    def distribution(self, at: Position, channel: int) -> Edges:
        """The channel's."""
        return self.distributions[channel]

    def known(self, at: Position, channel: int, value: int) -> None:
        """Nothing depends on it."""


def sigma(z: int) -> int:
    """The logistic function, between two entries of its table."""
    t = clamp(z, -(1 << 20), (1 << 20) - 1) + (1 << 20)
    i = t >> 10
    return SIGMA[i] + (((SIGMA[i + 1] - SIGMA[i]) * (t % 1024)) >> 10)


def mixture_to_distribution(w: list[int], m: list[int], v: list[int], depth: int) -> Edges:
    """G from the weights, means and inverse scales of logistics."""
    n, phi = 1 << depth, least_mass(depth)

    def g(e: int) -> int:
        if e in (0, n):
            return e << (28 - depth)
        parts = zip(w, m, v, strict=True)
        f = sum(wk * sigma(((256 * e - 128 - mk) * vk) >> 12) for wk, mk, vk in parts) >> 16
        return ((f * ((1 << 28) - phi * n)) >> 28) + phi * e

    return g


def logistics(z: list[int], k: int, base: int, scale: int, offsets: list[int], depth: int) -> Edges:
    """The mixture of k logistics that outputs name."""
    best = z.index(max(z[:k]))
    e = [EXP[min(4095, z[best] - zk)] for zk in z[:k]]
    w = [(ek << 16) // sum(e) for ek in e]
    w[best] += (1 << 16) - sum(w)
    centre = 16 * base + sum((z[3 * k + i] * offset) >> 4 for i, offset in enumerate(offsets))
    m = [centre + ((scale * zk) >> 8) for zk in z[k : 2 * k]]
    sharp = (1 << 28) // scale
    v = [clamp((sharp * SCALE[clamp(zk + 1536, 0, 2560)]) >> 16, 1, 1 << 25) for zk in z[2 * k : 3 * k]]
    return mixture_to_distribution(w, m, v, depth)


NEIGHBOURS = [
    (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, -2), (-1, 2), (-2, -1), (-2, 1), (-2, -2), (-2, 2),
    (0, -3), (-3, 0), (-1, -3), (-1, 3), (-3, -1), (-3, 1), (-2, -3), (-2, 3), (0, -4), (-4, 0), (-3, -2), (-3, 2),
]  # fmt: skip


ACTIVITY = [8, 8, 5, 5, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1]  # a


def log2(v: int) -> int:
    return LOG2[v] if v < 4096 else LOG2[v >> 4] + 64


def c8(v: int) -> int:
    return clamp(v, -128, 127)


class Planes:
    """What is known of a tile, by (y, x, channel)."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.pixels: dict[Position, int] = {}
        self.errors: dict[Position, int] = {}
        self.penalties: dict[Position, list[int]] = {}

    def known(self, y: int, x: int, c: int, v: int, base: int, p: list[int]) -> None:
        """Enter a value, with the base and the predictions of its position."""
        self.pixels[y, x, c] = v
        self.errors[y, x, c] = 16 * v - base
        self.penalties[y, x, c] = [min(255, abs(16 * v - pk) >> 4) for pk in p]
        for i in range(4):
            if x == 0:
                self.pixels[y + 1, -4 + i, c] = v
            if x == self.width - 1:
                self.pixels[y, self.width + i, c] = v


class Inputs:
    """A channel's predictions, base, scale and inputs to the network at a position."""

    def __init__(self, planes: Planes, y: int, x: int, c: int) -> None:
        places = [(y + dy, x + dx, c) for dy, dx in NEIGHBOURS]
        v = [planes.pixels.get(at, 128) for at in places]
        e = [planes.errors.get(at, 32) for at in places]
        q = [planes.penalties.get(at, [2] * 6) for at in places[:6]]

        s = [2 * q[0][k] + 2 * q[1][k] + q[2][k] + q[3][k] + q[4][k] + q[5][k] for k in range(6)]
        p = [16 * v[0], 16 * v[1], 16 * (v[0] + v[1] - v[2]), 16 * (v[0] + v[3] - v[1]),
             16 * (v[1] + v[3] - v[9]), 8 * (v[0] + v[1]) + 4 * (v[3] - v[2])]  # fmt: skip
        blend = [BLEND[sk] for sk in s]
        base = clamp(sum(map(mul, blend, p)) // sum(blend), 0, 4080)
        size = [abs(ej) for ej in e]
        scale = sum(map(mul, ACTIVITY, size)) * 16 // 44 + 51
        r = (1 << 20) // scale

        self.p, self.base, self.scale, self.r = p, base, scale, r
        self.values = [c8(((16 * vj - base) * r + 2048) >> 12) for vj in v]
        self.values += [c8((ej * r + 2048) >> 12) for ej in e[:6]]
        self.values += [c8((ej * r + 2048) >> 12) for ej in size[:4]]
        self.values += [c8(2 * (log2(32 * sk + 51) - log2(scale))) for sk in s]
        self.values += [c8(log2(scale) - 144), c8(2 * (log2(4 * sum(size[:4]) + 51) - log2(scale))), (base >> 5) - 64]


class Context:
    """The network over the neighbours."""

    def __init__(self, part: Part, tiles: list[Tile], weights: bytes | None) -> None:
        require(part.depth == 8 and part.channels in (1, 3), "context takes 8 bits, 1 or 3 channels")
        require(not part.side, "context has no side information")
        require(weights is not None, "context needs its file of weights")
        config, arrays = read_weights(weights or b"", "context", part.digest)
        channels, start = part.channels, f"{part.channels}."
        require(str(channels) in config["networks"], f"these weights have no network for {channels} channels")
        network = config["networks"][str(channels)]
        self.coding_order = [1, 0, 2] if channels == 3 else [0]
        self.skew = max(each["skew"] for each in config["networks"].values())
        self.mixture = network["mixture"]
        self.trunk = [Linear(arrays, f"{start}trunk.{i}", RECTIFIED) for i in range(len(network["trunk"]))]
        self.hidden = [Linear(arrays, f"{start}hidden.{c}", RECTIFIED) for c in range(channels)]
        self.heads = [Linear(arrays, f"{start}heads.{c}", LOGIT) for c in range(channels)]
        self.tiles, self.planes = tiles, [Planes(tile.width) for tile in tiles]
        self.inputs: dict[Position, list[Inputs]] = {}
        self.features: dict[Position, list[int]] = {}  # the trunk's outputs and what is appended to them
        self.offsets: dict[Position, list[int]] = {}  # 16 x_i - base_i

    def fronts(self) -> Iterator[list[Position]]:
        """The positions with x + skew y = t, of group after group."""
        for group in groups_of(self.tiles):
            for t in range(max(self.tiles[i].width + self.skew * (self.tiles[i].height - 1) for i in group)):
                self.inputs.clear()
                yield [
                    (i, y, t - self.skew * y)
                    for i in group
                    for y in range(self.tiles[i].height)
                    if 0 <= t - self.skew * y < self.tiles[i].width
                ]

    def distribution(self, at: Position, channel: int) -> Edges:
        """Of a channel, from the neighbours and the channels before it."""
        if channel == 0:
            tile, y, x = at
            self.inputs[at] = [Inputs(self.planes[tile], y, x, c) for c in range(len(self.heads))]
            features = [value for inputs in self.inputs[at] for value in inputs.values]
            for layer in self.trunk:
                features = layer(features)
            self.features[at], self.offsets[at] = features, []
        z = self.heads[channel](self.hidden[channel](self.features[at]))
        inputs = self.inputs[at][channel]
        return logistics(z, self.mixture, inputs.base, inputs.scale, self.offsets[at], 8)

    def known(self, at: Position, channel: int, value: int) -> None:
        """Enter a value into the planes and for the channels after it."""
        (tile, y, x), inputs = at, self.inputs[at][channel]
        self.planes[tile].known(y, x, channel, value, inputs.base, inputs.p)
        offset = 16 * value - inputs.base
        rho = c8((offset * inputs.r + 2048) >> 12)
        self.features[at] = [*self.features[at], rho, min(127, abs(rho))]
        self.offsets[at].append(offset)
