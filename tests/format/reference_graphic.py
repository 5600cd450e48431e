"""The reference decoder's part for model ``graphic``: docs/format.md in plain Python integers, with that page's names.

What it has in common with ``photo`` is in reference_mixing.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.format.reference_coders import BinaryDecoder
from tests.format.reference_container import Part
from tests.format.reference_mixing import LOGISTIC, WRAP, Mixer, address_and_check
from tests.format.reference_numbers import clamp, require
from tests.format.reference_stage import ln
from tests.format.reference_tiles import Position, Tile
from tests.format.reference_weights import read_weights, values_of

CONFIG = {"networks": {"3": {"channels": 3}}}
ARRAYS = {"3.candidates": 3840, "3.escape": 3169}  # rows of weights
Rows = list[list[int]]

# ---------------------------------------------------------------- Streams


def values(part: Part, tiles: list[Tile], weights: bytes | None) -> Iterator[tuple[Position, int, int]]:
    """All samples: position, channel as stored, value."""
    require(part.depth <= 8, "graphic takes up to 8 bits")
    require(not part.side and not part.decisions, "graphic has no side information and no flag")
    require(weights is not None, "graphic needs its file of weights")
    config, arrays = read_weights(weights or b"", "graphic", part.digest)
    require(config == CONFIG and set(arrays) == set(ARRAYS), "these are not weights of graphic")
    started = []
    for name, rows in ARRAYS.items():
        require(arrays[name][:2] == ("int32", [rows, 16]), "weights of another shape")
        numbers = values_of(arrays, name)
        require(max(map(abs, numbers)) < 1 << 20, "weights that are too large")
        started.append([numbers[i : i + 16] for i in range(0, len(numbers), 16)])
    require(len(part.streams) == len(tiles), "not as many streams as tiles")
    for i, (tile, stream) in enumerate(zip(tiles, part.streams, strict=True)):
        drawing = Drawing(part.channels, tile.height, tile.width, (started[0], started[1]), stream)
        for (y, x), colour in drawing.colours():
            for c in range(part.channels):
                yield (i, y, x), c, sample(colour, c)


def sample(colour: int, c: int) -> int:
    return (colour >> 8 * c) % 256


# ---------------------------------------------------------------- Colours and places, surroundings

W, N, NW, NE, WW, NN, NEE = (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, 2)
SURROUNDINGS = {
    "two": [W, N],
    "four": [NW, NE],
    "six": [WW, NN],
    "twelve": [NEE, (-2, 1), (-1, -2), (-2, -1), (0, -3), (-3, 0)],
    "wide": [(-1, 3), (-1, -3), (-1, 4), (-1, -4), (-1, 5), (-1, -5), (-1, 6), (-1, -6),
             (0, -4), (0, -5), (-2, 2), (-2, -2)],
}  # fmt: skip


def fold(h: int, *numbers: int) -> int:
    for v in numbers:
        f = ((h ^ ((v + 0x9E3779B97F4A7C15) & WRAP)) * 0xD6E8FEB86659FD93) & WRAP
        h = f ^ (f >> 29)
    return h


def class_of(length: int) -> int:
    return min(2, length) if length < 4 else 3 + sum(length >= limit for limit in (8, 16, 32, 128))


class Match:
    """Earlier pixels that may go on as these do."""

    def __init__(self) -> None:
        self.at = self.length = self.misses = 0

    def begin(self, at: int) -> None:
        self.at, self.length, self.misses = at, 1 if at else 0, 0


# ---------------------------------------------------------------- A tile


class Drawing:
    """A tile's decoder: what is known, and what has been learnt."""

    def __init__(self, channels: int, height: int, width: int, started: tuple[Rows, Rows], stream: bytes) -> None:
        self.channels, self.height, self.width, self.stride = channels, height, width, width + 16
        self.coder = BinaryDecoder(stream)
        self.colour = [0] * ((height + 3) * self.stride)
        self.bits = min(20, max(8, (height * width - 1).bit_length() + 3))
        self.last: dict[tuple[str, int], int] = {}
        self.a, self.b = Match(), Match()
        self.row = self.done = self.spelled = self.recent = 0
        self.slots: dict[tuple[int, int], int] = {}
        self.offers, self.spelling = Mixer(started[0], 10), Mixer(started[1], 16)

    def colours(self) -> Iterator[tuple[tuple[int, int], int]]:
        """All pixels: position, colour."""
        for y in range(self.height):
            above = self.place(y - 1, 0)
            for x in range(8):
                self.colour[self.place(y, x - 8)] = self.colour[above]
            for x in range(8):
                self.colour[above + self.width + x] = self.colour[above + self.width - 1]
            for x in range(self.width):
                yield (y, x), self.pixel(y, x)

    def place(self, y: int, x: int) -> int:
        return (y + 3) * self.stride + x + 8

    def around(self, y: int, x: int, at: tuple[int, int]) -> int:
        return self.colour[self.place(y + at[0], x + at[1])]

    def pixel(self, y: int, x: int) -> int:
        """Its colour."""
        here, surroundings, h = self.place(y, x), {"row": self.row}, 1
        for name, offsets in SURROUNDINGS.items():
            h = fold(h, *(self.around(y, x, at) for at in offsets))
            surroundings[name] = h
        entries = {
            name: (name, (((h * 0xD6E8FEB86659FD93) & WRAP) >> 20) % (1 << self.bits))
            for name, h in surroundings.items()
        }
        last = {name: self.last.get(entry, 0) for name, entry in entries.items()}
        self.find_matches(last)
        near = {at: self.around(y, x, at) for at in (W, N, NW, NE, WW, NN, NEE)}
        candidates = self.candidates(near, last)
        slot, colour = self.offer(y, x, near, surroundings, candidates)
        if slot == 15:
            colour = self.spell(y, x, near, near[W] if candidates[0] is None else candidates[0])

        self.check_matches(colour)
        self.last.update(dict.fromkeys(entries.values(), here))
        self.row = (self.row * 0x2545F49100 + colour * 0x9E3779B1 + 1) & WRAP
        self.slots[y, x], self.colour[here], self.done = slot, colour, self.done + 1
        return colour

    # ------------------------------------------------------------ Matches

    def find_matches(self, last: dict[str, int]) -> None:
        if self.a.length < 16:
            if last["wide"] not in (0, self.a.at):
                self.a.begin(last["wide"])
            elif self.a.misses >= 8:
                self.a.begin(0)
        if self.b.length == 0:
            self.b.begin(last["row"])

    def check_matches(self, colour: int) -> None:
        """The pixel is known."""
        for match in (self.a, self.b):
            if match.at:
                right = self.colour[match.at] == colour
                match.length = match.length + 1 if right else 0
                match.misses = match.misses + 1 if not right else 0 if match.length >= 16 else match.misses
                match.at += 1

    # ------------------------------------------------------------ Candidates

    def candidates(self, near: dict[tuple[int, int], int], last: dict[str, int]) -> list[int | None]:
        """None for one that is not there."""
        a, b, wide, twelve, six, two = (
            self.colour[at] if at else None
            for at in (self.a.at, self.b.at, last["wide"], last["twelve"], last["six"], last["two"])
        )
        return [a, b, wide, twelve, six, near[W], near[N], near[NE], near[NW], two, near[WW], near[NN], near[NEE]]

    def offer(
        self, y: int, x: int, near: dict[tuple[int, int], int], hashes: dict[str, int], candidates: list[int | None]
    ) -> tuple[int, int]:
        """Slot and colour; slot 15, if it was none of them."""
        pairs = (W, N), (N, NW), (N, NE), (W, NW), (W, WW), (N, NN), (NE, NEE)
        equal = sum(1 << i for i, (one, other) in enumerate(pairs) if near[one] == near[other])
        left, above = self.slots.get((y, x - 1), 0), self.slots.get((y - 1, x), 0)
        matched = class_of(self.a.length) + (8 if self.a.misses > 0 else 0)
        long = 8 * matched + class_of(self.b.length)
        rate = 130 + 2540000 // (2000 + self.done // 8)
        refused = 0
        for offered, v in enumerate(dict.fromkeys(v for v in candidates if v is not None)):  # each once
            same = sum(1 << i for i, other in enumerate(candidates) if other == v)
            here = same + (offered << 13)
            contexts = [
                fold(hashes["six"], v),
                fold(hashes["twelve"] + 1, v),
                fold(hashes["wide"] + 2, v),
                fold((hashes["two"] + 3 + refused) & WRAP, v),
                fold((hashes["four"] + 4 + refused) & WRAP, v),
                fold(5, (equal << 17) + here),
                fold(6, (long << 17) + (offered << 13) + same % 128),
                fold(7, ((left + 16 * above) << 17) + here),
                fold(8, v, refused),
            ]
            familiar = self.offers.find(self.places(contexts, 0, self.bits))
            rows = [
                64 * offered + familiar,
                1024 + 64 * ((same >> 4) % 32) + equal % 64,
                3072 + 3 * (2 * long + (left == 1)) + min(2, offered),
            ]
            maps = [4 * (16 * (same % 16) + matched) + min(3, offered), 64 * offered + familiar]
            if self.offers.decide(self.coder, [], rows, maps, rate):
                return offered + 1, v
            refused = (refused + fold(9, v)) & WRAP
        return 15, 0

    def places(self, hashes: list[int], offset: int, bits: int) -> list[tuple[int, int]]:
        """Addresses and checks of counters."""
        found = map(address_and_check, hashes)
        return [((address + offset) % (1 << bits), check) for address, check in found]

    # ------------------------------------------------------------ Spelling

    def spell(self, y: int, x: int, near: dict[tuple[int, int], int], guess: int) -> int:
        """A colour, bit by bit."""
        rate = 200 + 2400000 // (2000 + self.spelled)
        alpha = self.channels - 1 if self.channels % 2 == 0 else 4
        known, first = 0, 0
        if alpha < 4:
            solid = [near[at] for at in (W, N, NW, NE) if sample(near[at], alpha)]
            kept = [*solid, self.recent][0] % 256**alpha
            if self.decided(self.of_kept(near, guess, kept, alpha), 4, 0, 0, 0, rate):
                known, first = kept, alpha
        for c in range(first, self.channels):
            alone = c in (0, alpha)
            mixture, contexts = self.smooth(y, x, known, c, alone), self.contexts(near, guess, known, c, alone)
            prefix, low, high = 1, 0, 256
            for i in range(8):
                middle = (low + high) // 2
                a = mass(mixture, high) - mass(mixture, middle) + 7 * (high - middle) + 16
                b = mass(mixture, middle) - mass(mixture, low) + 7 * (middle - low) + 16
                bit = self.decided(contexts, c, i, prefix, clamp(ln(a) - ln(b), -2047, 2047), rate)
                prefix = 2 * prefix + bit
                low, high = (middle, high) if bit else (low, middle)
            known += low << 8 * c
        self.recent, self.spelled = known, self.spelled + 1
        return known

    def decided(self, contexts: list[int], c: int, i: int, prefix: int, expected: int, rate: int) -> int:
        """A bit of a channel, or whether a colour is kept."""
        familiar = self.spelling.find(self.places(contexts, prefix, min(18, self.bits)))
        of_prefix = (256 * c + prefix) % 1024
        rows = [64 * (8 * c + i) + familiar, 2112 + of_prefix, 3136 + 8 * c + i]
        return self.spelling.decide(self.coder, [expected], rows, [of_prefix, 64 * (8 * c + i) + familiar], rate)

    def of_kept(self, near: dict[tuple[int, int], int], guess: int, kept: int, alpha: int) -> list[int]:
        """The hashes of whether a colour is kept."""
        seen = [near[at] for at in (W, N, NW, NE, WW, NN)]
        same = sum((v % 256**alpha == kept) << i for i, v in enumerate(seen))
        opaque = [sample(v, alpha) for v in seen]
        solid = sum(((a > 0) + (a == 255)) << 2 * i for i, a in enumerate(opaque))
        w, n, nw, ne = opaque[:4]
        coarse = (w >> 5 << 9) + (n >> 5 << 6) + (nw >> 5 << 3) + (ne >> 5)
        return [
            fold(5, near[W], 1),
            fold(5, near[N], 2),
            fold(5, near[W], near[N]),
            fold(5, same + (solid << 6)),
            fold(5, same, 4),
            fold(5, solid, 5),
            fold(5, kept, 6),
            fold(5, 256 * w + n, 7),
            fold(5, guess, 8),
            fold(5, near[NE], 9),
            fold(5, self.recent, 10),
            fold(5, coarse, 11),
            fold(5, 12),
            fold(5, same, solid),
        ]

    def smooth(self, y: int, x: int, known: int, c: int, alone: bool) -> list[tuple[int, int, int]]:
        """The mixture of a channel: weights, means, inverse scales."""
        wrong = [0] * 6
        for (dy, dx), times in ((W, 2), (NW, 1), (N, 2), (NE, 1)):
            own, v = self.around(y, x, (dy, dx)), sample(self.around(y, x, (dy, dx)), c)
            expected = self.expected(y + dy, x + dx, own, c, alone)
            wrong = [e + times * abs(k - v) for e, k in zip(wrong, expected, strict=True)]
        shares = [2**30 // (e + 2) ** 2 for e in wrong]
        return [
            ((share << 16) // sum(shares), 256 * k, 2**19 // (e + 3))
            for share, k, e in zip(shares, self.expected(y, x, known, c, alone), wrong, strict=True)
        ]

    def expected(self, y: int, x: int, own: int, c: int, alone: bool) -> list[int]:
        """Predictions of channel c of a pixel, of whose colour the channel before is looked at."""
        w, n, nw, ne = (sample(self.around(y, x, at), c) for at in (W, N, NW, NE))
        if alone:
            more = [clip(w + ((ne - nw) >> 1)), clip(n + ((w - nw + ne - n) >> 1)), (w + n + nw + ne + 2) >> 2]
        else:
            p = sample(own, c - 1)
            east, south, middle = (p - sample(self.around(y, x, at), c - 1) for at in (W, N, NW))
            more = [clip(w + east), clip(n + south), clip(w + n - nw + east + south - middle)]
        return [w, n, clip(w + n - nw), *more]

    def contexts(self, near: dict[tuple[int, int], int], guess: int, known: int, c: int, alone: bool) -> list[int]:
        """The hashes of a channel."""
        w, n, nw, ne, ww, nn = (sample(near[at], c) for at in (W, N, NW, NE, WW, NN))
        tag, exact, p, rise = c + 1, fold(c + 1, known), 0, 0
        if alone:
            up = w + nw - n + 256
            fine = (w >> 2 << 15) + (n >> 2 << 9) + (nw >> 2 << 3) + (ne >> 5)
            bend = 256 * (up >> 2) + ((n + nw - w + 256) >> 2)
            by_channels = [fold(tag, up, 4), fold(tag, near[NE], 7, w), fold(tag, fine, 11), fold(tag, bend, 12)]
        else:
            p = sample(known, c - 1)
            before_w, before_n, before_nw = (sample(near[at], c - 1) for at in (W, N, NW))
            rise = p - (before_w + before_n - before_nw)
            east, south = clip(w + p - before_w), clip(n + p - before_n)
            by_channels = [fold(tag, east, 4), fold(tag, blend(near, guess, c, p), 7),
                           fold(tag, 256 * w + n, 11, p), fold(tag, 256 * east + south, 12)]  # fmt: skip
        plane = clip(w + n - nw + rise)
        rough = (w >> 4) + (n >> 4 << 4) + (nw >> 4 << 8) + (ne >> 4 << 12)
        rough += (nn >> 5 << 16) + (ww >> 5 << 20) + (p >> 4 << 24)
        return [
            fold(exact, near[W], 1),
            fold(exact, near[N], 2),
            fold(exact, near[W], near[N]),
            fold(exact, 3),
            by_channels[0],
            fold(tag, rough, 14),
            fold(tag, plane, 6),
            by_channels[1],
            fold(exact, guess, 8),
            fold(exact, near[NE], 9, w),
            fold(exact, self.recent, 10),
            by_channels[2],
            by_channels[3],
            fold(tag, 256 * (plane >> 2) + ((ne - n + 256) >> 3), 13),
        ]


def mass(mixture: list[tuple[int, int, int]], edge: int) -> int:
    """Below a value."""
    if edge in (0, 256):
        return edge << 16
    z = (((((256 * edge - 128 - k) * v) >> 16) + 3072, share) for share, k, v in mixture)
    return sum(share * LOGISTIC[clamp(at, 0, 6144)] for at, share in z) >> 16


def clip(v: int) -> int:
    return clamp(v, 0, 255)


def blend(near: dict[tuple[int, int], int], guess: int, c: int, p: int) -> int:
    """Channel c of a colour between two."""
    first = near[W]
    second = next((near[at] for at in (N, NE, NW, WW, NN) if near[at] != first), guess)
    a, b, before_a, before_b = sample(first, c), sample(second, c), sample(first, c - 1), sample(second, c - 1)
    if before_a == before_b:
        return clip(a + p - before_a)
    return clip(a + (b - a) * (p - before_a) // (before_b - before_a))
