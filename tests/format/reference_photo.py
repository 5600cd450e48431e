"""The reference decoder's part for model ``photo``: docs/format.md in plain Python, with the names of that page.

Integers, but for least squares and blending (``Fit``, ``factorise``, ``rounded``, ``blend``): doubles, in the page's
sequence of operations. Heads that learn are in reference_heads.py; how decisions are predicted and learnt from is in
reference_stage.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from operator import mul
from typing import Any

from tests.format.reference_container import Part, Position, Tile
from tests.format.reference_heads import Heads, slopes_of
from tests.format.reference_models import NEIGHBOURS, c8
from tests.format.reference_numbers import clamp, require
from tests.format.reference_stage import STAGES, Mixture, Stage, contexts_of, residual_class
from tests.format.reference_tables import LOG2
from tests.format.reference_weights import CODES, LOGIT, RECTIFIED, Array, Linear, read_weights

# ---------------------------------------------------------------- Streams


def values(part: Part, tiles: list[Tile], weights: bytes | None) -> Iterator[tuple[Position, int, int]]:
    """All samples: position, channel as stored, value."""
    require(part.depth == 8 and part.channels in (1, 3), "photo takes 8 bits, 1 or 3 channels")
    require(not part.side and not part.decisions, "photo has no side information and no flag")
    require(weights is not None, "photo needs its file of weights")
    config, arrays = read_weights(weights or b"", "photo", part.digest)
    channels = str(part.channels)
    require(channels in config["networks"], f"these weights have no network for {channels} channels")
    model = Photo(config["networks"][channels], arrays)
    require(len(part.streams) == len(tiles), "not as many streams as tiles")
    for i, (tile, stream) in enumerate(zip(tiles, part.streams, strict=True)):
        for (y, x), c, value in Strip(model, tile, stream).values():
            yield (i, y, x), model.coding_order[c], value


# ---------------------------------------------------------------- Configuration and weights


def integers(array: Array) -> list[int]:
    """An array's numbers."""
    return [v for (v,) in struct.iter_unpack(CODES[array[0]], array[2])]


class Photo:
    """What all tiles have in common."""

    def __init__(self, network: dict[str, Any], arrays: dict[str, Array]) -> None:
        channels = network["channels"]
        start = f"{channels}."
        self.channels, self.mixture, self.stage = channels, network["mixture"], STAGES[network["stage"]]
        self.coding_order = [1, 0, 2] if channels == 3 else [0]
        self.online = network.get("online", False)
        self.network = network
        prior, at, self.windows = integers(arrays[start + "prior"]), 0, []
        for window in network["windows"]:
            m = window["taps"] * channels
            self.windows.append((window, prior[at : at + m * (m + 1) // 2]))
            at += m * (m + 1) // 2
        self.trunk = [Linear(arrays, f"{start}trunk.{i}", RECTIFIED) for i in range(len(network["trunk"]))]
        self.hidden = [Linear(arrays, f"{start}hidden.{c}", RECTIFIED) for c in range(channels)]
        self.heads = [Linear(arrays, f"{start}heads.{c}", LOGIT) for c in range(channels)]
        mixer = integers(arrays[start + "mixer"]) if start + "mixer" in arrays else []
        self.mixer = [mixer[i : i + 16] for i in range(0, len(mixer), 16)] or [
            [65536 if row < 64 * channels else 0] + [0] * 15 for row in range(708 * channels)
        ]


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

    def __init__(self, model: Photo, width: int) -> None:
        def by_channel(start: int) -> list[Plane]:
            return [Plane(start, width) for _ in range(model.channels)]

        self.pixels, self.errors, self.trunk_errors = by_channel(128), by_channel(32), by_channel(32)
        self.window_errors = [by_channel(32) for _ in model.windows]
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
        return (64 * five + (five + activity) // 2) // (five + activity)


# ---------------------------------------------------------------- Least squares (doubles)


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
            own = [p[y, x] - p[y, x - 1] for p in self.planes.pixels]
            v = self.planes.differences(y, x, self.taps) + own
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
        return sum(abs(p[i + dy, j + dx] - p[i, j]) for p, i, j in near)

    def count(self) -> int:
        """Samples."""
        return int(self.rows * (self.left + self.right + 1) + self.left)


def similarity_weights(window: Window, channels: int, places: list[tuple[int, int]], distances: list[int]) -> list[int]:
    """Of all samples of a position."""
    fades = [1.0]
    for _ in range(64):
        fades.append(fades[-1] * window.fade)
    least = window.similarity * float(36 * channels * channels)
    q = [fades[abs(dy) + abs(dx)] / (least + float(d * d)) for (dy, dx), d in zip(places, distances, strict=True)]
    unit = 64.0 / max(q)
    return [rounded(v * unit) for v in q]


def factorise(a: list[list[float]]) -> None:
    """L D L' in place, two columns a pass."""
    m = len(a)
    for c in range(0, m - 1, 2):
        inverse = 1.0 / a[c][c]
        below = a[c + 1][c]
        factor = below * inverse
        a[c + 1][c] = factor
        a[c + 1][c + 1] = a[c + 1][c + 1] - factor * below
        inverse2 = 1.0 / a[c + 1][c + 1]
        for i in range(c + 2, m):
            a[i][c + 1] = a[i][c + 1] - a[i][c] * factor
        for i in range(m - 1, c + 1, -1):
            x, y = a[i][c] * inverse, a[i][c + 1] * inverse2
            for j in range(c + 2, i + 1):
                a[i][j] = (a[i][j] - x * a[j][c]) - y * a[j][c + 1]
            a[i][c], a[i][c + 1] = x, y


def rounded(v: float) -> int:
    """floor(v + 1/2)."""
    return int((v + 0.5) // 1.0)


class Fit:
    """A window's predictions at a position, by channel."""

    def __init__(self, window: Window, y: int, x: int) -> None:
        sums, total_weight = window.sums(y, x)
        prior, ridge = iter(window.prior), window.ridge
        scale = window.beta * (float(sum(row[-1] for row in sums)) + ridge)
        a = [[float(s) + scale * (float(next(prior)) / 16777216.0) for s in row] for row in sums]
        for row in a:
            row[-1] = row[-1] + ridge
        factorise(a)
        pixels = window.planes.pixels
        z = [float(v) for v in window.planes.differences(y, x, window.taps)]
        for i in range(len(z)):
            for j in range(i):
                z[i] = z[i] - a[i][j] * z[j]
        unit = (5.0 / float(64 * window.count()) if window.weighted else 1.0 / float(window.count())) * 16.0
        if window.similarity:
            unit = 16.0 / float(total_weight)
        self.low, self.full, self.variance = [], [], []
        for c, p in enumerate(pixels):
            total, row = float(p[y, x - 1]), a[len(z) + c]
            for j in range(len(z)):
                total = total + row[j] * z[j]
                if j == 3 * len(pixels) - 1:
                    self.low.append(rounded(max(-32.0, min(287.0, total)) * 64.0))
            self.full.append(rounded(max(-32.0, min(287.0, total)) * 64.0))
            self.variance.append(int(max(0.0, min(524288.0, row[-1] * unit))))
        self.factor = [
            [rounded(max(-16384.0, min(16384.0, a[len(z) + c][len(z) + i] * 1024.0))) for i in range(c)]
            for c in range(len(pixels))
        ]


def blend(errors: list[int], predictions: list[int]) -> int:
    """Of the windows' predictions, by their mean errors."""
    if len(predictions) == 1:
        return clamp(predictions[0], 0, 16320)
    above = below = 0.0
    for error, p in zip(errors, predictions, strict=True):
        e = float(error) * 0.00390625 + 0.15
        q = 1.0 / (e * e)
        q = q * q
        above = above + q * float(p)
        below = below + q
    return clamp(rounded(above / below), 0, 16320)


# ---------------------------------------------------------------- Inputs and extras

ACTIVITY = [40, 40, 25, 25, 15, 15, 10, 10, 10, 10, 6, 6, 6, 6, 6, 6, 4, 4]  # a


def log2(v: int) -> int:
    return LOG2[v] if v < 4096 else LOG2[v >> 4] + 64 if v < 65536 else LOG2[v >> 8] + 128


class Channel:
    """A channel at a position: what is known without the channels before it, then with them."""

    def __init__(self, planes: Planes, fits: list[Fit], y: int, x: int, c: int) -> None:
        def of(plane: Plane, count: int) -> list[int]:
            return [plane[y + dy, x + dx] for dy, dx in NEIGHBOURS[:count]]

        def mean(e: list[int]) -> int:
            return int(sum(map(mul, ACTIVITY, map(abs, e)))) * 269 >> 12

        e, f = of(planes.errors[c], 18), [of(errors[c], 18) for errors in planes.window_errors]
        self.scale, self.trunk_scale = mean(e) + 51, mean(of(planes.trunk_errors[c], 18)) + 51
        near = (sum(a * abs(ej) for a, ej in zip(ACTIVITY[:4], e, strict=False)) >> 3) + 51
        self.means = [mean(own) for own in f]
        self.r, trunk_r = (1 << 18) // self.scale, (1 << 18) // self.trunk_scale
        self.trunk_base = blend(self.means, [fit.full[c] for fit in fits])

        self.inputs = [c8(((64 * v - self.trunk_base) * trunk_r + 2048) >> 12) for v in of(planes.pixels[c], 24)]
        for fit in fits:
            both = fit.low[c], fit.full[c]
            self.inputs += [c8(((p - self.trunk_base) * trunk_r + 2048) >> 12) for p in both]
        for j in range(6):
            told = [e[j]] + [abs(e[j])] * (j < 4) + [own[j] for own in f] * (j < 2)
            self.inputs += [c8((v * self.r + 512) >> 10) for v in told]
        s = log2(self.scale)
        self.inputs += [c8(s - 144), c8(log2(self.trunk_scale) - 144), c8(2 * (log2(near) - s))]
        self.inputs += [(self.trunk_base >> 8) - 32]
        for fit, own in zip(fits, self.means, strict=True):
            self.inputs += [c8(4 * (log2(own + 51) - s)), c8((log2(fit.variance[c] + 2) >> 1) + 96 - s)]

    def features(self, fits: list[Fit], c: int, before: list[Channel]) -> list[int]:
        """With the channels before: the extras; ``base`` and ``predictions``."""
        self.predictions: list[int] = []
        for w, fit in enumerate(fits):
            p = fit.full[c]
            for factor, other in zip(fit.factor[c], before, strict=True):
                p += (factor * (64 * other.value - other.predictions[w]) + 512) >> 10
            self.predictions.append(clamp(p, -2048, 18432))
        self.base = blend(self.means, self.predictions)
        extras = []
        for other in before:
            rho = c8(((64 * other.value - other.base) * other.r + 2048) >> 12)
            extras += [rho, min(127, abs(rho))]
        extras += [c8(((self.base - self.trunk_base) * self.r + 2048) >> 12)]
        extras += [c8(2 * (log2(self.scale) - log2(self.trunk_scale))), (self.base >> 8) - 32]
        if len(fits) > 1:
            extras += [c8(((p - self.base) * self.r + 2048) >> 12) for p in self.predictions]
        return extras

    def push(self, planes: Planes, y: int, x: int, c: int, value: int) -> None:
        """The value is known."""
        self.value = planes.pixels[c][y, x] = value
        planes.errors[c][y, x] = clamp((64 * value - self.base) >> 2, -4095, 4095)
        planes.trunk_errors[c][y, x] = min(4095, abs(64 * value - self.trunk_base) >> 2)
        for errors, p in zip(planes.window_errors, self.predictions, strict=True):
            errors[c][y, x] = clamp((64 * value - p) >> 2, -4095, 4095)


# ---------------------------------------------------------------- A tile


class Strip:
    """A tile's decoder: what is known, and what has been learnt."""

    def __init__(self, model: Photo, tile: Tile, stream: bytes) -> None:
        self.model, self.tile, self.planes = model, tile, Planes(model, tile.width)
        self.windows = [Window(window, prior, self.planes) for window, prior in model.windows]
        self.heads = Heads(model.heads, model.network) if model.online else None
        self.stage = Stage(model.stage, model.channels, model.mixer, stream)

    def values(self) -> Iterator[tuple[tuple[int, int], int, int]]:
        """All values: position, channel, value."""
        height, width = self.tile.height, self.tile.width
        for t in range(width + 8 * (height - 1)):
            yield from self.front([(y, t - 8 * y) for y in range(height) if 0 <= t - 8 * y < width])

    def front(self, front: list[tuple[int, int]]) -> Iterator[tuple[tuple[int, int], int, int]]:
        """The values of a front: position, channel, value."""
        model, planes = self.model, self.planes
        fits = [[Fit(window, y, x) for window in self.windows] for y, x in front]
        seen = [
            [Channel(planes, own, y, x, c) for c in range(model.channels)]
            for own, (y, x) in zip(fits, front, strict=True)
        ]
        shared = []
        for channels in seen:
            features = [v for channel in channels for v in channel.inputs]
            for layer in model.trunk:
                features = layer(features)
            shared.append(features)
        for c in range(model.channels):
            for own, channels, features, (y, x) in zip(fits, seen, shared, front, strict=True):
                extras = channels[c].features(own, c, channels[:c])
                value = self.value(model.hidden[c](features + extras), channels, y, x, c)
                channels[c].push(planes, y, x, c, value)
                yield (y, x), c, value
        for y, x in front:
            planes.weights[y, x] = planes.sample_weight(y, x)
        self.stage.done += len(front)
        if self.heads:
            self.heads.step(len(front))

    def value(self, hidden: list[int], seen: list[Channel], y: int, x: int, c: int) -> int:
        """A channel's value, from its hidden layer's outputs."""
        own, errors, units = seen[c], self.planes.errors[c], [h + 128 for h in hidden]
        z = self.heads.forward(c, units) if self.heads else self.model.heads[c](hidden)
        mixture = Mixture(z, self.model.mixture, own.base, own.scale, own.predictions)
        before = residual_class((64 * seen[c - 1].value - seen[c - 1].base) >> 2) if c else 4
        around = residual_class(errors[y, x - 1] + errors[y - 1, x])
        known = [channel.value for channel in seen[:c]]
        near = [[plane[y + dy, x + dx] for dy, dx in NEIGHBOURS[:5]] for plane in self.planes.pixels]
        value = self.stage.value(mixture, c, known, (before, around), contexts_of(near, known, c))
        if self.heads:
            gates = [p - own.base for p in own.predictions][: len(z) - 3 * self.model.mixture]
            self.heads.learn(c, units, slopes_of(mixture, own.scale, gates, value))
        return value
