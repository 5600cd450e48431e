"""The reference decoder's planes and least squares of model ``photo``: docs/format.md in plain Python.

Singles in the page's sequence of operations, kept as doubles that are rounded after each operation.
"""

from __future__ import annotations

from ctypes import c_float
from typing import Any

from tests.format.reference_models import NEIGHBOURS
from tests.format.reference_numbers import clamp, require

# ---------------------------------------------------------------- Depth


class Depth:
    """Of a tile's samples: D, s and what follows from them."""

    def __init__(self, highest: int = 255, shift: int = 0, wide: bool = False) -> None:
        self.highest, self.shift, self.wide, self.point = highest, shift, wide, 6 - shift
        self.bits = max(8, highest.bit_length()) - shift

    @classmethod
    def read(cls, stream: bytes) -> Depth:
        """Of more than 8 bits, from how a stream begins."""
        require(len(stream) >= 3, "the payload is damaged")
        highest, shift = int.from_bytes(stream[:2], "big"), stream[2]
        require(highest > 0 and highest.bit_length() - 12 <= shift <= 6, "the payload is damaged")
        return cls(highest, shift, True)

    def even(self, scale: int) -> int:
        """How many of a sample's lowest bits are equally likely."""
        return max(0, (scale << self.shift).bit_length() - 10) if self.wide else 0


# ---------------------------------------------------------------- Planes


class Plane:
    """A number for each position, and beside the tile."""

    def __init__(self, start: int, width: int) -> None:
        self.start, self.width = start, width
        self.known: dict[tuple[int, int], int] = {}

    def __getitem__(self, at: tuple[int, int]) -> int:
        return self.known.get(at, self.start)

    def __setitem__(self, at: tuple[int, int], v: int) -> None:
        y, x = at
        self.known[at] = v
        if x == 0:
            self.known.update({(y + 1, -k): v for k in range(1, 25)})
        if x == self.width - 1:
            self.known.update({(y, x + k): v for k in range(1, 11)})


class Planes:
    """What is known of a tile: pixels, errors, trunk's errors by channel; windows' errors by window and channel; sample
    weights."""

    def __init__(self, channels: int, windows: int, width: int, depth: Depth) -> None:
        def by_channel(start: int) -> list[Plane]:
            return [Plane(start, width) for _ in range(channels)]

        self.depth, middle = depth, (depth.highest + 1) // 2
        self.pixels, self.errors, self.trunk_errors = by_channel(middle), by_channel(32), by_channel(32)
        self.window_errors = [by_channel(32) for _ in range(windows)]
        self.weights = Plane(16, width)

    def differences(self, y: int, x: int, taps: int) -> list[int]:
        """The first neighbours of all channels, less W."""
        return [p[y + dy, x + dx] - p[y, x - 1] for dy, dx in NEIGHBOURS[1:taps] for p in self.pixels]

    def sample_weight(self, y: int, x: int) -> int:
        """How much a position counts that is now known."""
        activity, five = 0, 5 * len(self.pixels)
        for p in self.pixels:
            own, w, n, nw, ne = (p[y + dy, x + dx] for dy, dx in [(0, 0), *NEIGHBOURS[:4]])
            activity += abs(w - nw) + abs(n - nw) + abs(n - ne) + abs(own - w) + abs(own - n)
        activity >>= self.depth.shift
        return (64 * five + (five + activity) // 2) // (five + activity)

    def levels(self, y: int, x: int, taps: int) -> list[int]:
        """Differences of a sample of the least squares: of the first neighbours and of its own channels, in levels."""
        s, near = self.depth.shift, [*NEIGHBOURS[1:taps], (0, 0)]
        found = [(p[y + dy, x + dx] >> s) - (p[y, x - 1] >> s) for dy, dx in near for p in self.pixels]
        return [clamp(v, -255, 255) for v in found]


# ---------------------------------------------------------------- Least squares (singles)


def single(v: float) -> float:
    """The nearest single: of an operation on singles as a double, which has so many digits that rounding twice is
    rounding once."""
    return c_float(v).value


def larger(a: float, b: float) -> float:
    return a if a > b else b


def smaller(a: float, b: float) -> float:
    return a if a < b else b


class Window:
    """One window's samples in a tile."""

    def __init__(self, window: dict[str, Any], prior: list[int], planes: Planes) -> None:
        self.planes, self.prior = planes, prior
        self.step, self.rows, self.left, self.right = (window[k] for k in ("step", "rows", "left", "right"))
        self.taps, self.weighted = window["taps"], window["weighted"]
        self.beta, self.ridge = window["beta"], window["ridge"]
        self.similarity, self.fade = window.get("similarity", 0), window.get("fade", 1)
        self.samples: dict[tuple[int, int], list[int]] = {}

    def sample(self, y: int, x: int) -> list[int]:
        """w v v' of a sample."""
        if (y, x) not in self.samples:
            v = self.planes.levels(y, x, self.taps)
            w = self.planes.weights[y, x] if self.weighted else 1
            self.samples[y, x] = [w * v[i] * v[j] for i in range(len(v)) for j in range(i + 1)]
        return self.samples[y, x]

    def sums(self, y: int, x: int) -> tuple[list[list[int]], int]:
        """A: the sum over all samples, by row; T, where there is one."""
        ends = [(-i, self.right + 1 if i else 0) for i in range(self.rows + 1)]
        places = [(self.step * i, self.step * j) for i, e in ends for j in range(-self.left, e)]
        samples = [self.sample(y + dy, x + dx) for dy, dx in places]
        weights = [1] * len(samples)
        if self.similarity:
            distances = [self.distance(y, x, dy, dx) for dy, dx in places]
            weights = similarity_weights(self, len(self.planes.pixels), places, distances)
            samples = [[n * a for a in sample] for n, sample in zip(weights, samples, strict=True)]
        total = iter([sum(entries) for entries in zip(*samples, strict=True)])
        rows = [[next(total) for _ in range(i + 1)] for i in range(self.taps * len(self.planes.pixels))]
        return rows, sum(weights)

    def distance(self, y: int, x: int, dy: int, dx: int) -> int:
        """d: between a sample's neighbours and the position's."""
        near = [(p, y + ny, x + nx) for ny, nx in NEIGHBOURS[:6] for p in self.planes.pixels]
        s = self.planes.depth.shift
        return sum(min(1023, abs((p[i + dy, j + dx] >> s) - (p[i, j] >> s))) for p, i, j in near)

    def count(self) -> int:
        """Samples."""
        return int(self.rows * (self.left + self.right + 1) + self.left)


def similarity_weights(window: Window, channels: int, places: list[tuple[int, int]], distances: list[int]) -> list[int]:
    """Of all samples of a position."""
    fades, fade = [1.0], single(window.fade)
    for _ in range(64):
        fades.append(single(fades[-1] * fade))
    least = single(single(window.similarity) * float(36 * channels * channels))
    q = [
        single(fades[abs(dy) + abs(dx)] / single(least + single(float(d * d))))
        for (dy, dx), d in zip(places, distances, strict=True)
    ]
    unit = single(64.0 / max(q))
    return [int(single(single(v * unit) + 0.5)) for v in q]


def less(a: float, b: float, c: float) -> float:
    """a - b c."""
    return single(a - single(b * c))


def factorise(a: list[list[float]], ridge: float) -> None:
    """L D L' in place, two columns a pass."""
    m = len(a)
    for c in range(0, m - 1, 2):
        a[c][c] = larger(a[c][c], ridge)
        inverse = single(1.0 / a[c][c])
        below = a[c + 1][c]
        factor = single(below * inverse)
        a[c + 1][c] = factor
        a[c + 1][c + 1] = larger(less(a[c + 1][c + 1], factor, below), ridge)
        inverse2 = single(1.0 / a[c + 1][c + 1])
        for i in range(c + 2, m):
            a[i][c + 1] = less(a[i][c + 1], a[i][c], factor)
        for i in range(m - 1, c + 1, -1):
            x, y = single(a[i][c] * inverse), single(a[i][c + 1] * inverse2)
            for j in range(c + 2, i + 1):
                a[i][j] = less(less(a[i][j], x, a[j][c]), y, a[j][c + 1])
            a[i][c], a[i][c + 1] = x, y


def rounded(v: float) -> int:
    """floor(v + 1/2)."""
    return int((v + 0.5) // 1.0)


class Fit:
    """A window's predictions at a position, by channel."""

    def __init__(self, window: Window, y: int, x: int) -> None:
        sums, total_weight = window.sums(y, x)
        prior, ridge = iter(window.prior), single(window.ridge)
        a = [[single(float(s)) for s in row] for row in sums]
        trace = a[0][0]
        for row in a[1:]:
            trace = single(trace + row[-1])
        scale = single(single(window.beta) * single(trace + ridge))
        for row in a:
            row[:] = [single(s + single(scale * single(float(next(prior)) / 16777216.0))) for s in row]
            row[-1] = single(row[-1] + ridge)
        factorise(a, ridge)
        pixels, depth = window.planes.pixels, window.planes.depth
        z = [float(v) for v in window.planes.differences(y, x, window.taps)]
        for i in range(len(z)):
            for j in range(i):
                z[i] = less(z[i], a[i][j], z[j])
        unit = (5.0 / float(64 * window.count()) if window.weighted else 1.0 / float(window.count())) * 16.0
        unit = single(16.0 / single(float(total_weight))) if window.similarity else single(unit)
        self.low, self.full, self.variance = [], [], []
        for c, p in enumerate(pixels):
            total, row = float(p[y, x - 1]), a[len(z) + c]
            for j in range(len(z)):
                total = single(total + single(row[j] * z[j]))
                if j == 3 * len(pixels) - 1:
                    self.low.append(self.prediction(total, depth))
            self.full.append(self.prediction(total, depth))
            self.variance.append(int(larger(smaller(single(row[-1] * unit), 524288.0), 0.0)))
        entries = [[a[len(z) + c][len(z) + i] for i in range(c)] for c in range(len(pixels))]
        self.factor = [
            [int(single(larger(smaller(v, 16.0), -16.0) * 1024.0 + 16384.5)) - 16384 for v in row] for row in entries
        ]

    @staticmethod
    def prediction(total: float, depth: Depth) -> int:
        """In 1/64."""
        beyond = 32.0 * 2.0**depth.shift
        held = smaller(larger(total, -beyond), float(depth.highest) + beyond)
        return int(single(held * 2.0**depth.point + 2048.5)) - 2048
