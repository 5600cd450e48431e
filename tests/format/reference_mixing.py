"""The reference decoder's mixing, of models that learn from each decision: docs/format.md in plain Python integers."""

from __future__ import annotations

from operator import mul

from tests.format.reference_coders import BinaryDecoder
from tests.format.reference_numbers import clamp
from tests.format.reference_tables import ONE, exp_of_minus, nearest

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
RATE = [(10 * i + 1310736) // (20 * i + 32) for i in range(64)]
CONFIDENCE = [(1026 * i + 3) // (4 * i + 6) for i in range(64)]
START = [SQUASH[clamp(128 * (i - 16) + 3072, 0, 6144)] for i in range(33)]  # of a row of a map

# ---------------------------------------------------------------- Hashes

WRAP = (1 << 64) - 1


def address_and_check(h: int) -> tuple[int, int]:
    """Of a hash."""
    return (h ^ (h >> 32)) % (1 << 28), (h >> 40) % 256


def signed(v: int) -> int:
    """Modulo 2^32, within -2^31 .. 2^31 - 1."""
    return (v + (1 << 31)) % (1 << 32) - (1 << 31)


# ---------------------------------------------------------------- Mixer


class Mixer:
    """What is learnt in a tile; ``weights``: the rows to start from, ``inputs``: how many are not always 0."""

    def __init__(self, weights: list[list[int]], inputs: int) -> None:
        self.weights = [row[:inputs] for row in weights]
        self.counters: dict[tuple[int, int], tuple[int, int, int]] = {}  # q, check, n
        self.maps: dict[tuple[int, int], list[int]] = {}

    def find(self, places: list[tuple[int, int]]) -> int:
        """A decision's counters, by their addresses and checks; returns ``familiar``."""
        self.places, self.found = places, []
        for j, (address, check) in enumerate(places):
            counter = self.counters.get((j, address), (1 << 17, check, 0))
            self.found.append(counter if counter[1] == check else (1 << 17, check, 0))
        s = [0 if n == 0 else 1 if n < 4 else 2 if n < 16 else 3 for _, _, n in self.found[:3]]
        return 16 * s[0] + 4 * s[1] + s[2]

    def decide(self, coder: BinaryDecoder, own: list[int], rows: list[int], maps: list[int], rate: int) -> int:
        """Decide, and learn from it; ``own``: the model's predictions, ``rows``: R, ``maps``: T, if there are maps."""
        x = [*own, *((STRETCH[q >> 6] * CONFIDENCE[n]) >> 8 for q, _, n in self.found), 77]
        used = [self.weights[row] for row in rows]
        d = clamp(signed(sum(map(mul, x, map(sum, zip(*used, strict=True))))) >> 16, -3071, 3071)
        p = mixed = SQUASH[d + 3072]
        corrections = [self.maps.setdefault((k, row), START.copy()) for k, row in enumerate(maps)]
        i, f = divmod(clamp(d, -2048, 2047) + 2048, 128)
        if corrections:
            u1, u2 = ((m[i] * (128 - f) + m[i + 1] * f) >> 7 for m in corrections)
            p = clamp((2 * mixed + u1 + u2 + 2) >> 2, 1, 65535)

        bit = coder.cut((coder.range >> 16) * p)

        for m in corrections:
            m[i] += ((65535 * bit - m[i]) * (128 - f) + 4096) >> 13
            m[i + 1] += ((65535 * bit - m[i + 1]) * f + 4096) >> 13
        g = ((65536 * bit - mixed) * rate) >> 10
        change = [(g * v + 8192) >> 14 for v in x]
        for row in rows:
            self.weights[row] = [signed(w + c) for w, c in zip(self.weights[row], change, strict=True)]
        for j, ((address, check), (q, _, n)) in enumerate(zip(self.places, self.found, strict=True)):
            self.counters[j, address] = q + (((262143 * bit - q) * RATE[n]) >> 16), check, min(60, n + 1)
        return bit
