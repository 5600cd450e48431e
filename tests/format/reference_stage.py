"""The reference decoder's mixing stage of model ``photo``: how its decisions are coded, predicted and learnt from.

docs/format.md in plain Python integers, with the names of that page.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from operator import mul

from tests.format.reference_coders import BinaryDecoder
from tests.format.reference_mixing import LOGISTIC, WRAP, Mixer, address_and_check, logarithm
from tests.format.reference_numbers import clamp, require
from tests.format.reference_squares import Depth
from tests.format.reference_tables import EXP, LOG2, SCALE

STAGES = {"cheap": (6, 18, False), "full": (7, 20, True), "deep": (7, 22, True)}  # tables, most bits, maps

# ---------------------------------------------------------------- Tables

LN = [logarithm(513 + 2 * i, 512) for i in range(256)]
LN2 = [logarithm(1 << i, 1) for i in range(25)]


# ---------------------------------------------------------------- Mixture


class Mixture:
    """What a head's outputs name."""

    def __init__(self, z: list[int], n: int, base: int, scale: int, predictions: list[int], depth: Depth) -> None:
        best = z.index(max(z[:n]))
        e = [EXP[min(4095, z[best] - zk)] for zk in z[:n]]
        self.w = [(ek << 16) // sum(e) for ek in e]
        self.w[best] += (1 << 16) - sum(self.w)
        gates = zip(z[3 * n :], predictions, strict=False)
        centre = 4 * base + sum((g * (p - base)) >> 6 for g, p in gates)
        self.depth, self.even, places = depth, depth.even(scale), 8 - depth.shift
        self.levels, limit = (depth.highest >> self.even) + 1, (depth.highest + 1) << places
        self.m = [clamp(centre + ((scale * zk) >> 8), -limit, 2 * limit) for zk in z[n : 2 * n]]
        unit = (1 << 28) // scale
        scales = [SCALE[clamp(zk + 1536, 0, 2560)] for zk in z[2 * n : 3 * n]]
        self.v = [clamp((unit * s) >> 20, 16, 1 << 21) for s in scales]
        mean = (sum(map(mul, self.w, self.m)) >> 16) + (128 >> depth.shift)
        self.base = max(1, min(self.levels - 1, clamp(mean >> places, 1, depth.highest) >> self.even))
        sharp = LOG2[min(4095, (sum(map(mul, self.w, self.v)) >> 26) + 3)]
        self.scale = clamp(((sharp - 96) >> 3) + 6, 0, 15)
        self.ends = {0: 0, self.levels: 1 << 24}
        self.masses: list[int] = []  # where a lattice changes them

    def mass(self, edge: int) -> int:
        """Below a value."""
        if self.masses:
            return self.masses[edge]
        if edge in self.ends:
            return self.ends[edge]
        at = (edge << 8 - self.depth.shift + self.even) - (128 >> self.depth.shift)
        z = ((((at - mk) * vk) >> 16) + 3072 for mk, vk in zip(self.m, self.v, strict=True))
        return sum(wk * LOGISTIC[clamp(zk, 0, 6144)] for wk, zk in zip(self.w, z, strict=True)) >> 16

    def restrict(self, allowed: set[int], off: int) -> None:
        """Leave values that are not allowed a part of their mass, in 2^-16."""
        edges = [self.mass(edge) for edge in range(257)]
        own = [edges[v + 1] - edges[v] for v in range(256)]
        self.masses = list(
            accumulate((o if v in allowed else (o * off) >> 16 for v, o in enumerate(own)), initial=edges[0])
        )


# ---------------------------------------------------------------- Lattices


def jfif(y: int, cb: int, cr: int) -> tuple[int, int, int]:
    """Green, red, blue."""
    half = 1 << 15
    green = y + ((-22554 * cb - 46802 * cr + half) >> 16)
    return green, y + ((91881 * cr + half) >> 16), y + ((116130 * cb + half) >> 16)


def photo_cd(y: int, c1: int, c2: int) -> tuple[int, int, int]:
    """Green, red, blue."""
    less = 1940 * (22179 * c1 // 10000) + 5090 * (18215 * c2 // 10000)
    return (13584 * y - less) // 10000, (13584 * y + 18215 * c2) // 10000, (13584 * y + 22179 * c1) // 10000


CONVERSIONS = {1: (jfif, range(-128, 128), range(-128, 128)), 2: (photo_cd, range(-156, 100), range(-137, 119))}


@cache
def blues(lattice: int, green: int, red: int) -> set[int]:
    """Values of the third channel that are on a lattice, by the first two."""
    convert, first, second = CONVERSIONS[lattice]
    found = set()
    for y in range(256):
        for b in second:
            if clamp(convert(y, 0, b)[1], 0, 255) != red:  # whatever the first
                continue
            most, least = (clamp(convert(y, a, b)[0], 0, 255) for a in (first[0], first[-1]))
            if least <= green <= most:  # it falls as the first rises
                made = (convert(y, a, b) for a in first)
                found |= {clamp(blue, 0, 255) for g, _, blue in made if clamp(g, 0, 255) == green}
    return found


# ---------------------------------------------------------------- Contexts


def residual_class(e: int) -> int:
    k = sum(abs(e) >= limit for limit in (6, 16, 36, 72))
    return 4 + k if e > 0 else 4 - k


def contexts_of(near: list[list[int]], known: list[int], c: int, size: int = 256) -> list[tuple[int, int]]:
    """(h, shift) of each table; ``near``: W, N, NW, NE, WW of all channels, ``known``: the channels before here;
    ``size``: H."""
    w, n, nw, ne, ww = near[c]
    twice = 2 * size
    if c == 0:
        return [(w, 0), (w + twice * n, 0), (n + w, 0), (w - ww + size, size - w), (0, 0),
                (n - ne + size + twice * (w - nw + size), size - n), (w + twice * ne, 0)]  # fmt: skip
    p, (w0, n0) = known[0], near[0][:2]
    dw, dn, second, by_west, by_north = w - w0 + size, n - n0 + size, 0, 0, 0
    if c == 2:
        q, (w1, n1) = known[1], near[1][:2]
        second, by_west, by_north = q - p + size, q - w1 + size, q - n1 + size
    return [(second, size - p), ((second if c == 2 else dw) + twice * p, size - p), (p, size - p),
            (p - w0 + size + twice * by_west, size - w), (0, 0),
            (p - n0 + size + twice * by_north, size - n), (dw + twice * dn, size - p)]  # fmt: skip


def hashed(context: int, table: int, c: int, even: int = 0) -> tuple[int, int]:
    """Address and check."""
    h = ((32 * context + (even << 59) + 4 * table + c + 1) * 0x9E3779B97F4A7C15) & WRAP
    return address_and_check(((h ^ (h >> 29)) * 0xD6E8FEB86659FD93) & WRAP)


# ---------------------------------------------------------------- Decisions and their prediction


def ln(v: int) -> int:
    n = v.bit_length() - 1
    return LN2[n] + LN[((v << 8) >> n) % 256]


class Decisions:
    """The sequence of decisions about a value."""

    def __init__(self, base: int, levels: int = 256) -> None:
        self.low, self.high, self.base, self.middle = 0, levels, base, base
        self.phase = self.side = self.k = self.step = self.node = self.kind = 0

    def decided(self, bit: int) -> None:
        """Go to the next one."""
        if bit:
            self.low = self.middle
        else:
            self.high = self.middle
        halving = 9 if self.high - self.low <= 2 else 10
        if self.phase == 0:
            self.side, self.phase, self.k, self.step = 1 - bit, 1, 1, 1
            self.middle = self.base + 1 - 2 * self.side
            self.node = self.kind = 1 + self.side
        elif self.phase == 1 and bit == self.side:
            self.phase, self.kind, self.node = 2, halving, 24 + min(18, 2 * (self.k - 1) + self.side)
        elif self.phase == 1:
            self.k += 1
            self.step *= 2 if self.k > 4 else 1
            self.middle = self.high - self.step if self.side else self.low + self.step
            self.node = min(22, 2 * self.k - 1 + self.side)
            self.kind = {1: 1, 2: 3, 4: 5}.get(self.step, 7) + self.side
        else:
            self.kind, self.node = halving, min(62, 44 + 2 * (self.k - 1) + self.side)
        if self.phase == 1 and not self.low < self.middle < self.high:
            self.phase, self.node, self.kind = 2, 63, 11
        if self.phase == 2:
            self.middle = (self.low + self.high) >> 1


class Stage:
    """What is learnt in a tile."""

    def __init__(
        self,
        settings: tuple[int, int, bool],
        channels: int,
        pixels: int,
        mixer: list[list[int]],
        stream: bytes,
        depth: Depth,
    ) -> None:
        known = [b"\0", b"\1", b"\2"] if channels == 3 else [b"\0"]
        require(depth.wide or stream[:1] in known, "the payload is damaged")
        self.lattice, self.channels = 0 if depth.wide else stream[0], channels
        self.coder = BinaryDecoder(stream[3 if depth.wide else 1 :])
        self.tables, most, self.has_maps = settings
        self.bits = max(10, min(most, (16 * channels * pixels).bit_length() - 1))
        self.mixer = Mixer(mixer, self.tables + 2)
        self.done = self.looked_up = self.off = 0

    def value(
        self, mixture: Mixture, c: int, known: list[int], classes: tuple[int, int], contexts: list[tuple[int, int]]
    ) -> int:
        """A channel's value, decision by decision."""
        places = [(*hashed(h, j, c, mixture.even), shift) for j, (h, shift) in enumerate(contexts[: self.tables])]
        on = None
        if c == 2 and self.lattice:
            on = blues(self.lattice, *known)
            mixture.restrict(on, min(1 << 16, ((self.off + 1) << 16) // (self.looked_up + 64)))
        d = Decisions(mixture.base, mixture.levels)
        while d.high - d.low > 1:
            at = [
                ((address + 16 * (shift + d.middle - d.side) + d.kind) % (1 << self.bits), check)
                for address, check, shift in places
            ]
            d.decided(self.decision(mixture, d, c, classes, at))
        if on is not None:
            self.looked_up, self.off = self.looked_up + 1, self.off + (d.low not in on)
        value = d.low
        for _ in range(mixture.even):
            value = 2 * value + self.coder.cut((self.coder.range >> 16) << 15)
        return value

    def decision(
        self, mixture: Mixture, d: Decisions, c: int, classes: tuple[int, int], at: list[tuple[int, int]]
    ) -> int:
        """Decide, and learn from it."""
        (before, around), familiar, channels = classes, self.mixer.find(at), self.channels
        here, below, above = (mixture.mass(edge) for edge in (d.middle, d.low, d.high))
        a = above - here + 7 * (d.high - d.middle) + 16
        b = here - below + 7 * (d.middle - d.low) + 16
        expert = clamp(ln(a) - ln(b), -2047, 2047)
        rows = [
            64 * c + d.node,
            64 * channels + 8 * (16 * c + mixture.scale) + min(7, d.k),
            192 * channels + 4 * (9 * (9 * c + before) + around) + min(3, d.k),
            516 * channels + 64 * (3 * c + d.phase) + familiar,
        ]
        maps = [32 * rows[0] + mixture.scale, 32 * rows[0] + 3 * before + around // 3] if self.has_maps else []
        return self.mixer.decide(self.coder, [expert], rows, maps, 46 + 564000 // (2000 + self.done))
