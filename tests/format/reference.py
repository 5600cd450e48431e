"""A reference decoder: FORMAT.md in plain Python integers, in the order and with the names of that page.

It shares nothing with the package, uses nothing beyond the standard library, and computes without floats.
It is slow; it is there to be read beside the page, and to be compared with. Model ``photo`` is in reference_photo.py.

    python -m tests.format.reference FILE.arcomp [WEIGHTS.safetensors]

prints the SHA-256 of the decoded samples (their bytes are those of the pixels checksum).
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from itertools import accumulate, islice, product
from operator import mul
from pathlib import Path
from typing import Any, NamedTuple


class Refused(ValueError):  # noqa: N818 (reads as a sentence)
    """The file, or its weights, must not be decoded."""


def require(true: bool, otherwise: str) -> None:
    """Refuse the file unless a rule holds."""
    if not true:
        raise Refused(otherwise)


def clamp(v: int, a: int, b: int) -> int:
    return max(a, min(b, v))


# ---------------------------------------------------------------- Overview, Layout, Fields, Limits

MAGIC = bytes.fromhex("89 41 52 43 0D 0A 1A 0A")
GEOMETRY, MODEL, TILES, PAYLOAD, PIXELS, SIDE, STRIPS, CODER, SOURCE, CONTENT = *range(1, 9), 0x81, 0x82
LOWER, DIGITS = b"abcdefghijklmnopqrstuvwxyz", b"0123456789"


class Header(NamedTuple):
    """The values of the fields."""

    images: int
    height: int
    width: int
    channels: int
    depth: int
    digest: bytes
    model: str
    tile_height: int
    tile_width: int
    pixels: int
    side: bytes
    decisions: bool


class Decoded(NamedTuple):
    """Samples by image, row, column, channel."""

    images: int
    height: int
    width: int
    channels: int
    depth: int
    samples: list[int]


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


def numbers(value: bytes, count: int) -> tuple[list[int], bytes]:
    """So many numbers at the start of a field's value, and the bytes after them."""
    found, at = [], 0
    for _ in range(count):
        v, at = number(value, at)
        found.append(v)
    return found, value[at:]


def split_fields(block: bytes) -> dict[int, bytes]:
    """The values by their tags (rules 5 and 6)."""
    fields: dict[int, bytes] = {}
    at, previous = 0, -1
    while at < len(block):
        tag = block[at]
        size, at = number(block, at + 1)
        require(tag > previous, "fields are out of order or twice there")
        require(at + size <= len(block), "a field does not end with the header")
        require(tag >= 128 or GEOMETRY <= tag <= CODER, f"unknown field {tag}: a newer arcomp is needed")
        fields[tag] = block[at : at + size]
        at, previous = at + size, tag
    for tag in (GEOMETRY, MODEL, PAYLOAD, PIXELS):
        require(tag in fields, f"field {tag} is missing")
    return fields


def header_of(fields: dict[int, bytes]) -> Header:
    """The fields' values within their limits (rule 5)."""
    (n, h, w, c, depth), rest = numbers(fields[GEOMETRY], 5)
    require(not rest, "bytes after the geometry")
    require(all(1 <= v < 1 << 32 for v in (n, h, w)) and n * h * w <= 1 << 28, "too few or many pixels")
    require(1 <= c <= 4 and 1 <= depth <= 16, "channels or depth outside the limits")

    digest, name = fields[MODEL][:8], fields[MODEL][8:]
    require(1 <= len(name) <= 64 and not name.strip(LOWER + DIGITS + b"_-"), "bad name of a model")

    require(not (TILES in fields and STRIPS in fields), "both tiles and strips")
    (tile_height, tile_width), rest = numbers(fields[TILES], 2) if TILES in fields else ([h, w], b"")
    if STRIPS in fields:
        (tile_height,), rest = numbers(fields[STRIPS], 1)
    require(not rest, "bytes after the tile size")
    require(1 <= tile_height < 1 << 32 and 1 <= tile_width < 1 << 32, "bad tile size")
    require(n * -(-h // tile_height) * -(-w // tile_width) <= 1 << 20, "too many tiles")

    require(len(fields[PIXELS]) == 4, "bad pixels field")
    side = fields.get(SIDE, b"")
    require(SIDE not in fields or 1 <= len(side) <= 1 << 24, "bad side information")
    source = fields.get(SOURCE, b"x")
    require(1 <= len(source) <= 16 and not source.strip(LOWER + DIGITS), "bad source format")

    if CONTENT in fields:
        check_content(fields[CONTENT], n, h, c, depth)

    if CODER in fields:
        require(fields[CODER] == b"\1" and depth == 1, "coded in an unknown way: a newer arcomp is needed")

    pixels = int.from_bytes(fields[PIXELS], "little")
    return Header(
        n, h, w, c, depth, digest, name.decode(), tile_height, tile_width, pixels, side, CODER in fields
    )  # fmt: skip


def check_content(value: bytes, n: int, h: int, c: int, depth: int) -> None:
    """What the samples are said to have been made of can be so (rule 5)."""
    require(len(value) > 0, "an empty content")
    if value[0] == 1:
        require(value == b"\x01" and (n, h, c, depth) == (1, 1, 1, 8), "not bytes")
    if value[0] == 2:
        require(2 <= len(value) <= 257 and value[1] < 8, "bad array")
        require(depth <= (1 if value[1] & 1 else 8), "too deep for the array")
        require((n == 1 or value[1] & 2 > 0) and (c == 1 or value[1] & 4 > 0), "axes that the array does not have")
        try:
            value[2:].decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("the array's name is not UTF-8") from None


def read(data: bytes) -> tuple[Header, bytes]:
    """Header and payload (rules 1 to 8)."""
    require(data[:8] == MAGIC, "not an arcomp file")
    require(data[8:9] == b"\x01", "another version: a newer arcomp is needed")
    require(data[9:10] == b"\x00", "reserved flags: a newer arcomp is needed")
    length, b = number(data, 10)
    require(length <= 17825792, "the header is too long")
    require(len(data) >= b + length + 4, "truncated within the header")
    checksum = int.from_bytes(data[b + length : b + length + 4], "little")
    require(zlib.crc32(data[: b + length]) == checksum, "the header is damaged")

    fields = split_fields(data[b : b + length])
    header = header_of(fields)
    (p,), rest = numbers(fields[PAYLOAD], 1)
    require(len(rest) == 4, "bad payload field")
    payload = data[b + length + 4 :]
    require(len(payload) == p, f"{len(payload)} bytes of payload instead of {p}")
    require(zlib.crc32(payload) == int.from_bytes(rest, "little"), "the payload is damaged")
    return header, payload


# ---------------------------------------------------------------- Payload: Order

Position = tuple[int, int, int]  # tile, y, x
Edges = Callable[[int], int]  # a distribution: G on the edges 0 .. n


class Tile(NamedTuple):
    """Where a tile lies."""

    image: int
    top: int
    left: int
    height: int
    width: int


def tiles_of(header: Header) -> list[Tile]:
    """All tiles, image by image, row by row."""
    h, w, th, tw = header.height, header.width, header.tile_height, header.tile_width
    corners = product(range(header.images), range(0, h, th), range(0, w, tw))
    return [Tile(image, y, x, min(th, h - y), min(tw, w - x)) for image, y, x in corners]


def decode(data: bytes, weights: bytes | None = None) -> Decoded:
    """Decode a file; ``weights`` is the file of weights, for a model that has them (rules 1 to 10)."""
    header, payload = read(data)
    tiles = tiles_of(header)
    require(header.model in ("histogram", "context", "photo"), f"unknown model {header.model}")
    if header.model == "photo":
        from tests.format import reference_photo  # which needs what is below

        found = reference_photo.values(header, payload, tiles, weights)
    else:
        found = values(header, payload, tiles, weights)
    n, h, w, channels, depth = header[:5]
    samples = [0] * (n * h * w * channels)
    for (i, y, x), channel, value in found:
        row = tiles[i].image * h + tiles[i].top + y
        samples[(row * w + tiles[i].left + x) * channels + channel] = value

    decoded = Decoded(n, h, w, channels, depth, samples)
    require(zlib.crc32(sample_bytes(decoded)) == header.pixels, "the decoded pixels are damaged")
    return decoded


def values(
    header: Header, payload: bytes, tiles: list[Tile], weights: bytes | None
) -> Iterator[tuple[Position, int, int]]:
    """All samples of one stream: position, channel as stored, value."""
    model = Histogram(header, tiles) if header.model == "histogram" else Context(header, tiles, weights)
    decisions, digits = BinaryDecoder(payload), None if header.decisions else RangeDecoder(payload)
    for front in model.fronts():
        for c, stored in enumerate(model.coding_order):
            given = [model.distribution(at, c) for at in front]
            symbols = decode_symbols(digits, header.depth, given) if digits else decode_decisions(decisions, given)
            for at, value in zip(front, symbols, strict=True):
                model.known(at, c, value)
                yield at, stored, value


def sample_bytes(decoded: Decoded) -> bytes:
    """The samples as the pixels checksum takes them."""
    return struct.pack(f"<{len(decoded.samples)}{'B' if decoded.depth <= 8 else 'H'}", *decoded.samples)


# ---------------------------------------------------------------- Digits, Range coder


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


def decode_decisions(coder: BinaryDecoder, distributions: list[Edges]) -> list[int]:
    """A symbol of 1 bit for each distribution."""
    found = []
    for g in distributions:
        first = (g(1) - g(0)) * ((1 << 24) - 2) // (g(2) - g(0)) + 1  # C(1)
        found.append(coder.cut(coder.range * ((1 << 24) - first) >> 24))
    return found


class BinaryDecoder:
    """The stream of decisions."""

    def __init__(self, stream: bytes) -> None:
        self.words = (word for (word,) in struct.iter_unpack(">I", stream + bytes(-len(stream) % 4)))
        self.range = (1 << 64) - 1
        self.point = (next(self.words, 0) << 32) + next(self.words, 0)

    def cut(self, bound: int) -> int:
        """The decision, from the bound between 1 and 0."""
        bit = 1 if self.point < bound else 0
        if bit:
            self.range = bound
        else:
            self.point, self.range = self.point - bound, self.range - bound
        if self.range < 1 << 32:
            self.range <<= 32
            self.point = ((self.point << 32) % (1 << 64)) + next(self.words, 0)
        return bit


class RangeDecoder:
    """The stream of digits."""

    def __init__(self, payload: bytes) -> None:
        require(len(payload) % 4 == 0, "the payload is not made of words")
        self.words = (word for (word,) in struct.iter_unpack("<I", payload))
        self.lower, self.range = 0, (1 << 64) - 1
        self.point = (next(self.words, 0) << 32) + next(self.words, 0)

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
            self.point = ((self.point << 32) % (1 << 64)) + next(self.words, 0)
        return value


# ---------------------------------------------------------------- Tables

ONE = 1 << 320  # 1 as a fixed-point number


def exp_of_minus(parts: int, count: int) -> list[int]:
    """exp(-i / parts) for i = 0 .. count - 1 in fixed point: a Taylor series, then its powers."""
    term = step = ONE
    for k in range(1, 50):
        term = -term // (parts * k)
        step += term
    return list(accumulate(range(1, count), lambda power, _: power * step // ONE, initial=ONE))


def nearest(numerator: int, denominator: int) -> int:
    """The integer nearest to a fraction."""
    return (2 * numerator + denominator) // (2 * denominator)


FALL = exp_of_minus(256, 4097)
SIGMA = [nearest(FALL[4 * (1024 - i)] << 28, ONE + FALL[4 * (1024 - i)]) for i in range(1024)] + [
    nearest(ONE << 28, ONE + FALL[4 * (i - 1024)]) for i in range(1024, 2049)
]
EXP = [nearest(FALL[i] << 16, ONE) for i in range(4096)]
SCALE = [nearest(ONE << 17, FALL[1536 - i]) for i in range(1536)] + [
    nearest(FALL[i - 1536] << 17, ONE) for i in range(1536, 2561)
]
LOG2 = [0] + [(i**16).bit_length() - 1 for i in range(1, 4096)]
BLEND = [(1 << 40) // (i + 2) ** 3 for i in range(2041)]


def least_mass(depth: int) -> int:
    """phi, the least mass of a symbol."""
    return 1 << max(0, 12 - depth)


# ---------------------------------------------------------------- Counts, model histogram


def counts_to_distribution(counts: list[int], depth: int) -> Edges:
    """G from counts of the symbols."""
    n, phi = 1 << depth, least_mass(depth)
    s = list(accumulate(counts, initial=0))
    return lambda e: s[e] * ((1 << 28) - phi * n) // s[n] + phi * e


class Histogram:
    """Every sample has its channel's distribution, made of the counts in the side information."""

    def __init__(self, header: Header, tiles: list[Tile]) -> None:
        require(digest_of("histogram", {}, {})[:8] == header.digest, "the file needs other weights")
        self.coding_order = list(range(header.channels))
        self.tiles, self.distributions, at = tiles, [], 0
        for _ in range(header.channels):
            counts, at = self.counts(header.side, at, 1 << header.depth)
            require(0 < sum(counts) < 1 << 20, "a channel's counts sum to 0 or to too much")
            self.distributions.append(counts_to_distribution(counts, header.depth))
        require(at == len(header.side), "bytes after the counts")

    @staticmethod
    def counts(side: bytes, at: int, n: int) -> tuple[list[int], int]:
        """A channel's counts that begin at a place, and the place after them."""
        counts: list[int] = []
        while len(counts) < n:
            count, at = number(side, at)
            further, at = number(side, at) if count == 0 else (0, at)
            require(further < n - len(counts), "zeros beyond the end of a channel")
            counts += [count] * (1 + further)
        return counts, at

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


# ---------------------------------------------------------------- A mixture of logistics


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


# ---------------------------------------------------------------- Weights, a linear layer

Array = tuple[str, list[int], bytes]  # type, shape, bytes
TYPES = {"I8": "int8", "I16": "int16", "I32": "int32"}
CODES = {"int8": "<b", "int16": "<h", "int32": "<i"}


def digest_of(model: str, config: Any, arrays: dict[str, Array]) -> bytes:
    """The SHA-256 of all that decides what a model computes."""
    items = [model.encode(), json.dumps(config, sort_keys=True, separators=(",", ":")).encode()]
    for name, (kind, shape, data) in sorted(arrays.items()):
        items += [name.encode(), kind.encode(), ",".join(map(str, shape)).encode(), data]
    return hashlib.sha256(b"".join(len(item).to_bytes(8, "little") + item for item in items)).digest()


def read_weights(data: bytes, model: str, digest: bytes) -> tuple[Any, dict[str, Array]]:
    """Configuration and arrays of a file of weights (rule 9)."""
    try:
        start = 8 + int.from_bytes(data[:8], "little")
        entries = json.loads(data[8:start])
        metadata = entries.pop("__metadata__")
        config = json.loads(metadata["config"])
        arrays = {
            name: (TYPES[e["dtype"]], e["shape"], data[start:][slice(*e["data_offsets"])])
            for name, e in entries.items()
        }
        require((metadata["arcomp"], metadata["model"]) == ("1", model), "these are other weights")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Refused(f"not a file of weights for {model}") from error
    require(digest_of(model, config, arrays)[:8] == digest, "the file needs other weights")
    return config, arrays


class Linear:
    """A linear layer."""

    def __init__(self, arrays: dict[str, Array], name: str, limits: tuple[int, int, int]) -> None:
        def values(part: str) -> list[int]:
            kind, _, data = arrays[f"{name}.{part}"]
            return [v for (v,) in struct.iter_unpack(CODES[kind], data)]

        _, (m, k), _ = arrays[f"{name}.weight"]
        weight = values("weight")
        rows = [weight[j * k : (j + 1) * k] for j in range(m)]
        self.rows = list(zip(rows, values("bias"), values("multiplier"), values("shift"), strict=True))
        self.limits = limits

    def __call__(self, x: list[int]) -> list[int]:
        """y."""
        zero, low, high = self.limits
        y = []
        for row, bias, multiplier, shift in self.rows:
            total = (sum(map(mul, row, x)) + bias) * multiplier
            y.append(clamp(((total + (1 << (shift - 1))) >> shift) + zero, low, high))
        return y


RECTIFIED, LOGIT = (-128, -128, 127), (0, -32768, 32767)  # zero, low, high


# ---------------------------------------------------------------- Model context

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

    def __init__(self, header: Header, tiles: list[Tile], weights: bytes | None) -> None:
        require(header.depth == 8 and header.channels in (1, 3), "context takes 8 bits, 1 or 3 channels")
        require(not header.side, "context has no side information")
        require(weights is not None, "context needs its file of weights")
        config, arrays = read_weights(weights or b"", "context", header.digest)
        channels, start = header.channels, f"{header.channels}."
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
        """The positions with x + skew y = t."""
        for t in range(max(tile.width + self.skew * (tile.height - 1) for tile in self.tiles)):
            self.inputs.clear()
            yield [
                (i, y, t - self.skew * y)
                for i, tile in enumerate(self.tiles)
                for y in range(tile.height)
                if 0 <= t - self.skew * y < tile.width
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
        return self.distribution_of(z, self.inputs[at][channel], self.offsets[at])

    def distribution_of(self, z: list[int], inputs: Inputs, offsets: list[int]) -> Edges:
        """The mixture that a head's outputs name."""
        k = self.mixture
        best = z.index(max(z[:k]))
        e = [EXP[min(4095, z[best] - zk)] for zk in z[:k]]
        w = [(ek << 16) // sum(e) for ek in e]
        w[best] += (1 << 16) - sum(w)
        centre = 16 * inputs.base + sum((z[3 * k + i] * offset) >> 4 for i, offset in enumerate(offsets))
        m = [centre + ((inputs.scale * zk) >> 8) for zk in z[k : 2 * k]]
        sharp = (1 << 28) // inputs.scale
        v = [clamp((sharp * SCALE[clamp(zk + 1536, 0, 2560)]) >> 16, 1, 1 << 25) for zk in z[2 * k : 3 * k]]
        return mixture_to_distribution(w, m, v, 8)

    def known(self, at: Position, channel: int, value: int) -> None:
        """Enter a value into the planes and for the channels after it."""
        (tile, y, x), inputs = at, self.inputs[at][channel]
        self.planes[tile].known(y, x, channel, value, inputs.base, inputs.p)
        offset = 16 * value - inputs.base
        rho = c8((offset * inputs.r + 2048) >> 12)
        self.features[at] = [*self.features[at], rho, min(127, abs(rho))]
        self.offsets[at].append(offset)


if __name__ == "__main__":
    files = [Path(name).read_bytes() for name in sys.argv[1:3]]
    print(hashlib.sha256(sample_bytes(decode(*files))).hexdigest())
