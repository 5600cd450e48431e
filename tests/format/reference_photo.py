"""The reference decoder's part for model ``photo``: docs/format.md in plain Python, with the names of that page.

Integers, but for blending (``blend``): doubles, in the page's sequence of operations. Least squares are in
reference_squares.py, networks without them in reference_plain.py. Heads that learn are in reference_heads.py; how
decisions are predicted and learnt from is in reference_stage.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from operator import mul
from typing import Any

from tests.format.reference_container import Part
from tests.format.reference_descent import Layers
from tests.format.reference_heads import Heads, slopes_of
from tests.format.reference_models import NEIGHBOURS, c8
from tests.format.reference_numbers import clamp, require
from tests.format.reference_plain import Direct, Known, PlainChannel, log2
from tests.format.reference_squares import Depth, Fit, Plane, Planes, Window, rounded
from tests.format.reference_stage import STAGES, Mixture, Stage, contexts_of, residual_class
from tests.format.reference_tiles import Position, Tile
from tests.format.reference_weights import CODES, LOGIT, RECTIFIED, Array, Linear, read_weights

# ---------------------------------------------------------------- Streams


def values(part: Part, tiles: list[Tile], weights: bytes | None) -> Iterator[tuple[Position, int, int]]:
    """All samples: position, channel as stored, value."""
    require(8 <= part.depth <= 16 and part.channels in (1, 3), "photo takes 8 to 16 bits, 1 or 3 channels")
    require(not part.side and not part.decisions, "photo has no side information and no flag")
    require(weights is not None, "photo needs its file of weights")
    config, arrays = read_weights(weights or b"", "photo", part.digest)
    channels = str(part.channels)
    require(channels in config["networks"], f"these weights have no network for {channels} channels")
    model = Photo(config["networks"][channels], arrays)
    require(len(part.streams) == len(tiles), "not as many streams as tiles")
    for i, (tile, stream) in enumerate(zip(tiles, part.streams, strict=True)):
        depth = Depth.read(stream) if part.depth > 8 else Depth()
        for (y, x), c, value in Strip(model, tile, stream, depth).values():
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
        self.channels, self.mixture, self.stage = channels, network["mixture"], STAGES.get(network["stage"])
        self.coding_order = [1, 0, 2] if channels == 3 else [0]
        self.online = network.get("online", False)
        self.network = network
        self.plain = not network["windows"]
        prior, at, self.windows = [] if self.plain else integers(arrays[start + "prior"]), 0, []
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


# ---------------------------------------------------------------- Blend (doubles)


def blend(errors: list[int], predictions: list[int], depth: Depth) -> int:
    """Of the windows' predictions, by their mean errors."""
    highest = depth.highest << depth.point
    if len(predictions) == 1:
        return clamp(predictions[0], 0, highest)
    above = below = 0.0
    for error, p in zip(errors, predictions, strict=True):
        e = float(error) * 0.00390625 + 0.15
        q = 1.0 / (e * e)
        q = q * q
        above = above + q * float(p)
        below = below + q
    return clamp(rounded(above / below), 0, highest)


# ---------------------------------------------------------------- Inputs and extras

ACTIVITY = [40, 40, 25, 25, 15, 15, 10, 10, 10, 10, 6, 6, 6, 6, 6, 6, 4, 4]  # a


class Channel(Known):
    """A channel at a position: what is known without the channels before it, then with them."""

    def __init__(self, planes: Planes, fits: list[Fit], y: int, x: int, c: int) -> None:
        self.fits = fits

        def of(plane: Plane, count: int) -> list[int]:
            return [plane[y + dy, x + dx] for dy, dx in NEIGHBOURS[:count]]

        def mean(e: list[int]) -> int:
            return int(sum(map(mul, ACTIVITY, map(abs, e)))) * 269 >> 12

        e, f = of(planes.errors[c], 18), [of(errors[c], 18) for errors in planes.window_errors]
        self.scale, self.trunk_scale = mean(e) + 51, mean(of(planes.trunk_errors[c], 18)) + 51
        near = (sum(a * abs(ej) for a, ej in zip(ACTIVITY[:4], e, strict=False)) >> 3) + 51
        self.means = [mean(own) for own in f]
        self.r, trunk_r = (1 << 18) // self.scale, (1 << 18) // self.trunk_scale
        self.depth = depth = planes.depth
        self.trunk_base = blend(self.means, [fit.full[c] for fit in fits], depth)

        self.inputs = [
            c8((((v << depth.point) - self.trunk_base) * trunk_r + 2048) >> 12) for v in of(planes.pixels[c], 24)
        ]
        for fit in fits:
            both = fit.low[c], fit.full[c]
            self.inputs += [c8(((p - self.trunk_base) * trunk_r + 2048) >> 12) for p in both]
        for j in range(6):
            told = [e[j]] + [abs(e[j])] * (j < 4) + [own[j] for own in f] * (j < 2)
            self.inputs += [c8((v * self.r + 512) >> 10) for v in told]
        s = log2(self.scale)
        self.inputs += [c8(s - 144), c8(log2(self.trunk_scale) - 144), c8(2 * (log2(near) - s))]
        self.inputs += [(self.trunk_base >> depth.bits) - 32]
        for fit, own in zip(fits, self.means, strict=True):
            self.inputs += [c8(4 * (log2(own + 51) - s)), c8((log2(fit.variance[c] + 2) >> 1) + 96 - s)]

    def features(self, c: int, before: Sequence[Known]) -> list[int]:
        """With the channels before: the extras; ``base`` and ``predictions``."""
        fits = self.fits
        self.predictions = []
        point, highest = self.depth.point, self.depth.highest
        for w, fit in enumerate(fits):
            p = fit.full[c]
            for factor, other in zip(fit.factor[c], before, strict=True):
                p += (factor * ((other.value << point) - other.predictions[w]) + 512) >> 10
            self.predictions.append(clamp(p, -2048, (highest + 1 << point) + 2048))
        self.base = blend(self.means, self.predictions, self.depth)
        extras = []
        for other in before:
            rho = c8((((other.value << point) - other.base) * other.r + 2048) >> 12)
            extras += [rho, min(127, abs(rho))]
        extras += [c8(((self.base - self.trunk_base) * self.r + 2048) >> 12)]
        extras += [c8(2 * (log2(self.scale) - log2(self.trunk_scale))), (self.base >> self.depth.bits) - 32]
        if len(fits) > 1:
            extras += [c8(((p - self.base) * self.r + 2048) >> 12) for p in self.predictions]
        return extras

    def push(self, planes: Planes, y: int, x: int, c: int, value: int) -> None:
        """The value is known."""
        self.value = planes.pixels[c][y, x] = value
        v = value << self.depth.point
        planes.errors[c][y, x] = clamp((v - self.base) >> 2, -4095, 4095)
        planes.trunk_errors[c][y, x] = min(4095, abs(v - self.trunk_base) >> 2)
        for errors, p in zip(planes.window_errors, self.predictions, strict=True):
            errors[c][y, x] = clamp((v - p) >> 2, -4095, 4095)


# ---------------------------------------------------------------- A tile


class Strip:
    """A tile's decoder: what is known, and what has been learnt."""

    def __init__(self, model: Photo, tile: Tile, stream: bytes, depth: Depth) -> None:
        self.model, self.tile = model, tile
        self.planes = Planes(model.channels, len(model.windows), tile.width, depth)
        self.windows = [Window(window, prior, self.planes) for window, prior in model.windows]
        self.heads = Heads(model.heads, model.network) if model.online else None
        pixels = tile.height * tile.width
        self.trunk, self.hidden = model.trunk, model.hidden
        self.layers: Layers | None = None
        if model.network.get("inner_rate"):
            self.trunk, self.hidden = [[layer.copy() for layer in own] for own in (model.trunk, model.hidden)]
            self.layers = Layers(self.trunk, self.hidden, model.network, pixels)
        if model.stage is None:
            self.stage: Stage | Direct = Direct(stream, depth)
        else:
            self.stage = Stage(model.stage, model.channels, pixels, model.mixer, stream, depth)

    def values(self) -> Iterator[tuple[tuple[int, int], int, int]]:
        """All values: position, channel, value."""
        height, width = self.tile.height, self.tile.width
        for t in range(width + 8 * (height - 1)):
            yield from self.front([(y, t - 8 * y) for y in range(height) if 0 <= t - 8 * y < width])

    def front(self, front: list[tuple[int, int]]) -> Iterator[tuple[tuple[int, int], int, int]]:
        """The values of a front: position, channel, value."""
        model, planes = self.model, self.planes
        seen = [self.known(y, x) for y, x in front]
        given: list[list[list[int]]] = [[] for _ in range(len(self.trunk) + 1)]  # by layer and position
        for channels in seen:
            features = [v for channel in channels for v in channel.inputs]
            given[0].append(features)
            for n, layer in enumerate(self.trunk):
                features = layer(features)
                given[n + 1].append(features)
        self.units: list[list[list[int]]] = [[] for _ in range(model.channels)]
        self.slopes: list[list[list[float]]] = [[] for _ in range(model.channels)]
        for c in range(model.channels):
            for channels, features, (y, x) in zip(seen, given[-1], front, strict=True):
                extras = channels[c].features(c, channels[:c])
                value = self.value(self.hidden[c](features + extras), channels, y, x, c)
                channels[c].push(planes, y, x, c, value)
                yield (y, x), c, value
        for y, x in front if self.windows else ():
            planes.weights[y, x] = planes.sample_weight(y, x)
        self.stage.done += len(front)
        if self.layers and self.heads:
            if self.layers.learns():
                self.layers.back(self.layers.errors(self.heads, self.units, self.slopes), given)
            self.layers.step(len(front))
        if self.heads:
            self.heads.step(len(front))

    def known(self, y: int, x: int) -> list[Channel] | list[PlainChannel]:
        """All channels of a position."""
        channels = range(self.model.channels)
        if self.model.plain:
            return [PlainChannel(self.planes, y, x, c) for c in channels]
        fits = [Fit(window, y, x) for window in self.windows]
        return [Channel(self.planes, fits, y, x, c) for c in channels]

    def value(self, hidden: list[int], seen: Sequence[Known], y: int, x: int, c: int) -> int:
        """A channel's value, from its hidden layer's outputs."""
        own, errors, units = seen[c], self.planes.errors[c], [h + 128 for h in hidden]
        z = self.heads.forward(c, units) if self.heads else self.model.heads[c](hidden)
        mixture = Mixture(z, self.model.mixture, own.base, own.scale, own.predictions, self.planes.depth)
        if isinstance(self.stage, Direct):
            return self.stage.value(mixture)
        before = residual_class(((seen[c - 1].value << own.depth.point) - seen[c - 1].base) >> 2) if c else 4
        around = residual_class(errors[y, x - 1] + errors[y - 1, x])
        even, size = mixture.even, 1 << 16 if own.depth.wide else 256
        known = [channel.value >> even for channel in seen[:c]]
        near = [[plane[y + dy, x + dx] >> even for dy, dx in NEIGHBOURS[:5]] for plane in self.planes.pixels]
        value = self.stage.value(mixture, c, known, (before, around), contexts_of(near, known, c, size))
        if self.heads:
            gates = [p - own.base for p in own.predictions][: len(z) - 3 * self.model.mixture]
            slopes = slopes_of(mixture, z, own.scale, gates, value)
            self.units[c].append(units)
            self.slopes[c].append(slopes)
            self.heads.learn(c, units, slopes)
        return value
