"""The reference decoder's mixing stage of model ``photo``: how its decisions are coded, predicted and learnt from.

docs/format.md in plain Python integers, with the names of that page.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from operator import mul

from tests.format.reference_coders import BinaryDecoder
from tests.format.reference_numbers import clamp, require
from tests.format.reference_tables import EXP, LOG2, ONE, SCALE, exp_of_minus, nearest

STAGES = {"cheap": (5, 16, False), "full": (7, 18, True), "deep": (7, 20, True)}  # tables, bits, maps

# ---------------------------------------------------------------- Tables

FALL, HALF_FALL = exp_of_minus(256, 3073), exp_of_minus(512, 512 * 17)


def logarithm(a: int, b: int) -> int:
    """The integer nearest to 256 ln(a / b), a >= b."""
    low, high = 0, len(HALF_FALL) // 2
    while high - low > 1:  # the largest k with exp(-(k - 1/2) / 256) >= b / a
        k = (low + high) // 2
        low, high = (k, high) if HALF_FALL[2 * k - 1] * a >= b * ONE else (low, k)
    return low


LOGISTIC = [nearest(FALL[3072 - i] << 24, ONE + FALL[3072 - i]) for i in range(3072)] + [
    nearest(ONE << 24, ONE + FALL[i - 3072]) for i in range(3072, 6145)
]
SQUASH = [clamp((v + 128) >> 8, 1, 65535) for v in LOGISTIC]
STRETCH = [-min(2047, logarithm(8191 - 2 * i, 2 * i + 1)) for i in range(2048)] + [
    min(2047, logarithm(2 * i + 1, 8191 - 2 * i)) for i in range(2048, 4096)
]
LN = [logarithm(513 + 2 * i, 512) for i in range(256)]
LN2 = [logarithm(1 << i, 1) for i in range(25)]
RATE = [(10 * i + 1310736) // (20 * i + 32) for i in range(64)]
CONFIDENCE = [(1026 * i + 3) // (4 * i + 6) for i in range(64)]


# ---------------------------------------------------------------- Mixture


class Mixture:
    """What a head's outputs name."""

    def __init__(self, z: list[int], n: int, base: int, scale: int, predictions: list[int]) -> None:
        best = z.index(max(z[:n]))
        e = [EXP[min(4095, z[best] - zk)] for zk in z[:n]]
        self.w = [(ek << 16) // sum(e) for ek in e]
        self.w[best] += (1 << 16) - sum(self.w)
        gates = zip(z[3 * n :], predictions, strict=False)
        centre = 4 * base + sum((g * (p - base)) >> 6 for g, p in gates)
        self.m = [clamp(centre + ((scale * zk) >> 8), -(1 << 16), 1 << 17) for zk in z[n : 2 * n]]
        unit = (1 << 28) // scale
        scales = [SCALE[clamp(zk + 1536, 0, 2560)] for zk in z[2 * n : 3 * n]]
        self.v = [clamp((unit * s) >> 20, 16, 1 << 21) for s in scales]
        self.base = clamp(((sum(map(mul, self.w, self.m)) >> 16) + 128) >> 8, 1, 255)
        sharp = LOG2[min(4095, (sum(map(mul, self.w, self.v)) >> 26) + 3)]
        self.scale = clamp(((sharp - 96) >> 3) + 6, 0, 15)
        self.ends = {0: 0, 256: 1 << 24}
        self.masses: list[int] = []  # where a lattice changes them

    def mass(self, edge: int) -> int:
        """Below a value."""
        if self.masses:
            return self.masses[edge]
        if edge in self.ends:
            return self.ends[edge]
        z = ((((256 * edge - 128 - mk) * vk) >> 16) + 3072 for mk, vk in zip(self.m, self.v, strict=True))
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


def contexts_of(near: list[list[int]], known: list[int], c: int) -> list[tuple[int, int]]:
    """(h, shift) of each table; ``near``: W, N, NW, NE, WW of all channels, ``known``: the channels before here."""
    w, n, nw, ne, ww = near[c]
    if c == 0:
        return [(w, 0), (w + 512 * n, 0), (n + w, 0), (w - ww + 256, 256 - w), (0, 0),
                (n - ne + 256 + 512 * (w - nw + 256), 256 - n), (w + 512 * ne, 0)]  # fmt: skip
    p, (w0, n0) = known[0], near[0][:2]
    dw, dn, second, by_west, by_north = w - w0 + 256, n - n0 + 256, 0, 0, 0
    if c == 2:
        q, (w1, n1) = known[1], near[1][:2]
        second, by_west, by_north = q - p + 256, q - w1 + 256, q - n1 + 256
    return [(second, 256 - p), ((second if c == 2 else dw) + 512 * p, 256 - p), (p, 256 - p),
            (p - w0 + 256 + 512 * by_west, 256 - w), (0, 0),
            (p - n0 + 256 + 512 * by_north, 256 - n), (dw + 512 * dn, 256 - p)]  # fmt: skip


def hashed(context: int, table: int, c: int) -> tuple[int, int]:
    """Address and check."""
    wrap = (1 << 64) - 1
    h = ((32 * context + 4 * table + c + 1) * 0x9E3779B97F4A7C15) & wrap
    h = ((h ^ (h >> 29)) * 0xD6E8FEB86659FD93) & wrap
    h ^= h >> 32
    return h % (1 << 28), (h >> 40) % 256


# ---------------------------------------------------------------- Decisions, Mixer, Counters, Maps


def ln(v: int) -> int:
    n = v.bit_length() - 1
    return LN2[n] + LN[((v << 8) >> n) % 256]


class Decisions:
    """The sequence of decisions about a value."""

    def __init__(self, base: int) -> None:
        self.low, self.high, self.base, self.middle = 0, 256, base, base
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


def signed(v: int) -> int:
    """Modulo 2^32, within -2^31 .. 2^31 - 1."""
    return (v + (1 << 31)) % (1 << 32) - (1 << 31)


class Stage:
    """What is learnt in a tile."""

    def __init__(self, settings: tuple[int, int, bool], channels: int, mixer: list[list[int]], stream: bytes) -> None:
        require(stream[:1] in ([b"\0", b"\1", b"\2"] if channels == 3 else [b"\0"]), "the payload is damaged")
        self.lattice, self.coder, self.channels = stream[0], BinaryDecoder(stream[1:]), channels
        self.tables, self.bits, self.has_maps = settings
        self.rows = [row[: self.tables + 2] for row in mixer]
        self.counters: dict[tuple[int, int], tuple[int, int, int]] = {}  # q, check, n
        self.maps: dict[tuple[int, int], list[int]] = {}
        self.done = self.looked_up = self.off = 0

    def value(
        self, mixture: Mixture, c: int, known: list[int], classes: tuple[int, int], contexts: list[tuple[int, int]]
    ) -> int:
        """A channel's value, decision by decision."""
        places = [(*hashed(h, j, c), shift) for j, (h, shift) in enumerate(contexts[: self.tables])]
        on = None
        if c == 2 and self.lattice:
            on = blues(self.lattice, *known)
            mixture.restrict(on, min(1 << 16, ((self.off + 1) << 16) // (self.looked_up + 64)))
        d = Decisions(mixture.base)
        while d.high - d.low > 1:
            at = [
                (j, (address + 16 * (shift + d.middle - d.side) + d.kind) % (1 << self.bits), check)
                for j, (address, check, shift) in enumerate(places)
            ]
            d.decided(self.decision(mixture, d, c, classes, at))
        if on is not None:
            self.looked_up, self.off = self.looked_up + 1, self.off + (d.low not in on)
        return d.low

    def decision(
        self, mixture: Mixture, d: Decisions, c: int, classes: tuple[int, int], at: list[tuple[int, int, int]]
    ) -> int:
        """Decide, and learn from it."""
        (before, around), found = classes, []
        for table, address, check in at:
            counter = self.counters.get((table, address), (1 << 17, check, 0))
            found.append(counter if counter[1] == check else (1 << 17, check, 0))
        here, below, above = (mixture.mass(edge) for edge in (d.middle, d.low, d.high))
        a = above - here + 7 * (d.high - d.middle) + 16
        b = here - below + 7 * (d.middle - d.low) + 16
        expert = clamp(ln(a) - ln(b), -2047, 2047)
        x = [expert] + [(STRETCH[p >> 6] * CONFIDENCE[n]) >> 8 for p, _, n in found] + [77]
        seen = [0 if n == 0 else 1 if n < 4 else 2 if n < 16 else 3 for _, _, n in found[:3]]
        channels = self.channels
        rows = [
            64 * c + d.node,
            64 * channels + 8 * (16 * c + mixture.scale) + min(7, d.k),
            192 * channels + 4 * (9 * (9 * c + before) + around) + min(3, d.k),
            516 * channels + 64 * (3 * c + d.phase) + 16 * seen[0] + 4 * seen[1] + seen[2],
        ]
        total = sum(xi * sum(self.rows[row][i] for row in rows) for i, xi in enumerate(x))
        s = clamp(signed(total) >> 16, -3071, 3071)
        p = mixed = SQUASH[s + 3072]
        if self.has_maps:
            i, f = divmod(clamp(s, -2048, 2047) + 2048, 128)
            maps = [self.map(0, 32 * rows[0] + mixture.scale), self.map(1, 32 * rows[0] + 3 * before + around // 3)]
            m0, m1 = ((m[i] * (128 - f) + m[i + 1] * f) >> 7 for m in maps)
            p = clamp((2 * p + m0 + m1 + 2) >> 2, 1, 65535)

        bit = self.coder.cut((self.coder.range >> 16) * p)

        if self.has_maps:
            for m in maps:
                m[i] += ((65535 * bit - m[i]) * (128 - f) + 4096) >> 13
                m[i + 1] += ((65535 * bit - m[i + 1]) * f + 4096) >> 13
        g = ((65536 * bit - mixed) * (46 + 564000 // (2000 + self.done))) >> 10
        for row in rows:
            self.rows[row] = [signed(w + ((g * xi + 8192) >> 14)) for w, xi in zip(self.rows[row], x, strict=True)]
        for (table, address, check), (q, _, n) in zip(at, found, strict=True):
            q += ((262143 * bit - q) * RATE[n]) >> 16
            self.counters[table, address] = q, check, min(60, n + 1)
        return bit

    def map(self, which: int, row: int) -> list[int]:
        """A row of one of the two maps."""
        start = [SQUASH[clamp(128 * (i - 16) + 3072, 0, 6144)] for i in range(33)]
        return self.maps.setdefault((which, row), start)
