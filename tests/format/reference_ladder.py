"""docs/format.md's models of layers: in which order samples are coded, and by which network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.format.reference_coders import Coder, Edges
from tests.format.reference_container import Part
from tests.format.reference_dense import BayesNet, Made
from tests.format.reference_layers import LOGIT, SIGNED, Features, InSequence, Parameters, total
from tests.format.reference_models import counts_to_distribution, groups_of, logistics
from tests.format.reference_networks import NETWORKS, outputs_of, stack_around, stack_causal
from tests.format.reference_numbers import require
from tests.format.reference_samples import Known
from tests.format.reference_tables import EXP, drawn
from tests.format.reference_tiles import Position, Tile
from tests.format.reference_weights import read_weights

Front = list[Position]
At = Callable[[int, int, int], Edges]  # of the sample at (y, x, channel) of a tile

ROWS = ("char_rnn", "temporal_conv", "wavenet")  # take a tile as one row
WAVES = ("pixelcnn", "pixelrnn", "mingru")
MODELS = {*NETWORKS, "bayes_net", "made", "multiscale_pixelcnn", "grayscale_pixelcnn", "subscale"}


class Pass(NamedTuple):
    """What is coded in one go."""

    fronts: list[Front]
    distributions: dict[int, At]  # by tile
    known: dict[int, Known]  # where samples are entered, by tile
    channels: int
    depth: int
    pictures: bool = True  # else the view


def values(part: Part, tiles: list[Tile], weights: bytes | None) -> Iterator[tuple[Position, int, int]]:
    """All samples: position, channel, value."""
    require(not part.side, f"{part.model} has no side information")
    require(weights is not None, f"{part.model} needs its file of weights")
    config, arrays = read_weights(weights or b"", part.model, part.digest)
    kind = str(part.channels) if part.depth == 8 else f"{part.channels}x{part.depth}"
    require(kind in config["networks"], f"these weights have no network for {kind}")
    ladder = Ladder(part, tiles, config["networks"][kind], Parameters(arrays, f"{kind}."))
    coder = Coder(part.streams, part.decisions)
    for group in groups_of(tiles):
        for each in ladder.passes(group):
            for front in each.fronts:
                for c in range(each.channels):
                    symbols = coder.decode(each.depth, [each.distributions[i](y, x, c) for i, y, x in front])
                    for (i, y, x), value in zip(front, symbols, strict=True):
                        each.known[i].values[(*each.known[i].place(y, x), c)] = value
                        if each.pictures:
                            yield (i, *each.known[i].place(y, x)), c, value


def in_turn(positions: dict[int, list[tuple[int, int]]]) -> list[Front]:
    """The k-th position of every tile that has so many."""
    most = max(map(len, positions.values()), default=0)
    return [[(i, *at[k]) for i, at in positions.items() if k < len(at)] for k in range(most)]


def at_once(positions: dict[int, list[tuple[int, int]]]) -> list[Front]:
    """All positions, in blocks."""
    found = [(i, *at) for i, of_tile in positions.items() for at in of_tile]
    return [found[k : k + 32768] for k in range(0, len(found), 32768)]


def raster(shape: tuple[int, int]) -> list[tuple[int, int]]:
    return [(y, x) for y in range(shape[0]) for x in range(shape[1])]


def zigzag(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Even diagonals upwards, odd ones downwards."""
    return sorted(raster(shape), key=lambda at: (sum(at), at[1] if sum(at) % 2 == 0 else at[0]))


def hilbert(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """By places on a curve."""
    side = 1
    while side < max(shape):
        side *= 2

    def place(at: tuple[int, int]) -> int:
        y, x = at
        t, h = 0, side >> 1
        while h:
            d, r = int(y & h > 0), int(x & h > 0)
            t += h * h * ((3 * r) ^ d)
            if (d, r) == (0, 1):
                y, x = side - 1 - y, side - 1 - x
            if d == 0:
                y, x = x, y
            h >>= 1
        return t

    return sorted(raster(shape), key=place)


def distribution(z: list[int], mixture: int, depth: int, c: int, before: list[int]) -> Edges:
    """Of a sample, from its outputs and the channels before it."""
    if not mixture:
        return counts_to_distribution([EXP[min(4095, max(z) - zi)] for zi in z], depth)
    base = 8 * ((1 << depth) - 1)
    offsets = [16 * x - base for x in before[:c]]
    return logistics(z, mixture, base, 1 << (depth + 6), offsets, depth)


class Ladder:
    """One of the models, for one kind of pictures."""

    def __init__(self, part: Part, tiles: list[Tile], config: dict[str, Any], p: Parameters) -> None:
        self.name, self.channels, self.depth, self.config, self.p = part.model, part.channels, part.depth, config, p
        self.shapes = [(tile.height, tile.width) for tile in tiles]
        self.dense = None
        if self.name in ("bayes_net", "made"):
            make = BayesNet if self.name == "bayes_net" else Made
            self.dense = make(p, config, self.channels, self.depth)
        if "rows" in config:
            inside = all(h <= config["rows"] and w <= config["columns"] for h, w in self.shapes)
            require(inside, f"{self.name} takes no tiles of this size")

    def passes(self, group: list[int]) -> Iterator[Pass]:
        """Of a group of tiles."""
        known = {i: Known(self.shapes[i], self.channels, self.depth) for i in group}
        if self.name == "multiscale_pixelcnn":
            yield from self.multiscale(known)
        elif self.name == "subscale":
            yield from self.subscale(known)
        elif self.name == "grayscale_pixelcnn":
            yield from self.grayscale(known)
        else:
            yield self.whole(known)

    def whole(self, known: dict[int, Known]) -> Pass:
        """All at one go."""
        sequences = {i: self.sequence(of.shape) for i, of in known.items()}
        if self.name in WAVES:
            ends = {i: of.shape[1] + 4 * (of.shape[0] - 1) for i, of in known.items()}
            fronts = [
                [(i, y, t - 4 * y) for i, of in known.items() for y in range(of.shape[0])
                 if 0 <= t - 4 * y < of.shape[1]]
                for t in range(max(ends.values()))
            ]  # fmt: skip
        else:
            fronts = in_turn(sequences)
        made = {}
        for i, of in known.items():
            if self.dense:
                made[i] = self.by_counts(self.dense.counts(of))
            elif self.name in ROWS:
                made[i] = self.of_row(of)
            else:
                outputs = NETWORKS[self.name](self.p, self.config, of, InSequence(sequences[i]))
                made[i] = self.by_outputs(outputs, of)
        return Pass(fronts, made, known, self.channels, self.depth)

    def sequence(self, shape: tuple[int, int]) -> list[tuple[int, int]]:
        order: int = self.config.get("order", 0)
        named: tuple[Callable[[tuple[int, int]], list[tuple[int, int]]], ...] = (raster,)
        if self.name == "image_transformer":
            named = (raster, zigzag, hilbert)
        if order < len(named):
            return named[order](shape)
        return sorted(raster(shape), key=lambda at: (drawn(order, *at), at))

    def by_counts(self, counts: Callable[[int, int, int], list[int]]) -> At:
        return lambda y, x, c: counts_to_distribution(counts(y, x, c), self.depth)

    def of_row(self, known: Known) -> At:
        """Of a model that takes a tile as one row."""
        height, width = known.shape
        row = Known((1, height * width), self.channels, self.depth)
        row.values, row.place = known.values, lambda _, i: (i // width, i % width)
        at = self.by_outputs(NETWORKS[self.name](self.p, self.config, row, InSequence([])), row)
        return lambda y, x, c: at(0, y * width + x, c)

    def by_outputs(self, outputs: Features, known: Known, mixture: int | None = None) -> At:
        """By a network's outputs at the same positions."""
        mixture = self.config.get("mixture") or 0 if mixture is None else mixture
        channels, depth = known.channels, known.depth

        def at(y: int, x: int, c: int) -> Edges:
            if outputs.groups == channels > 1:
                z = outputs.group(y, x, c)
            else:
                z, size = outputs.group(y, x, 0), outputs_of({"mixture": mixture}, known) // channels
                z = z[c * size : (c + 1) * size]
            before = [known.values[(*known.place(y, x), i)] for i in range(c)]
            return distribution(z, mixture, depth, c, before)

        return at

    def multiscale(self, known: dict[int, Known]) -> Iterator[Pass]:
        size = outputs_of(self.config, next(iter(known.values())))
        levels = {i: level_of(of.shape) for i, of in known.items()}
        lattices = {i: of.lattice(1 << levels[i], 0, 0) for i, of in known.items()}
        made = {
            i: self.by_outputs(
                stack_causal(self.p.below("base.causal."), self.config, of.features(grouped=False), size), of
            )
            for i, of in lattices.items()
        }
        yield self.of_lattices(in_turn, lattices, made)
        for level in range(max(levels.values()), 0, -1):
            h = 1 << (level - 1)
            for name, a, b in (("right", 0, h), ("below", h, 0), ("across", h, h)):
                lattices = {i: of.lattice(2 * h, a, b) for i, of in known.items() if levels[i] >= level}
                places = [(0, 0), (0, h), (h, 0)][: {"right": 1, "below": 2, "across": 3}[name]]
                p = self.p.below(f"{name}.around.")
                made = {
                    i: self.by_outputs(stack_around(p, self.config, squares(known[i], 2 * h, places), size, True), of)
                    for i, of in lattices.items()
                }
                yield self.of_lattices(at_once, lattices, made)

    def subscale(self, known: dict[int, Known]) -> Iterator[Pass]:
        size = outputs_of(self.config, next(iter(known.values())))
        p = self.p.below("first.causal.")
        lattices = {i: of.lattice(2, 0, 0) for i, of in known.items()}
        made = {
            i: self.by_outputs(stack_causal(p, self.config, of.features(grouped=False), size), of)
            for i, of in lattices.items()
        }
        yield self.of_lattices(in_turn, lattices, made)
        for a, b in ((0, 1), (1, 0), (1, 1)):
            lattices = {i: of.lattice(2, a, b) for i, of in known.items()}
            made = {i: self.by_outputs(self.later(known[i], of, a, b, size), of) for i, of in lattices.items()}
            yield self.of_lattices(in_turn, lattices, made)

    def later(self, known: Known, lattice: Known, a: int, b: int, size: int) -> Features:
        """Outputs at the positions of a lattice."""
        near = [(-1, -1), (-1, 0), (-1, 1), (0, -1)]
        places = [(a + e, b + f) if a + e >= 0 and 0 <= b + f < 2 else None for e, f in near]
        width = self.config["width"]
        around = stack_around(self.p.below("later.around."), self.config, squares(known, 2, places), size + width, True)
        draft = Features(lattice.shape, 1, size, LOGIT, lambda y, x, g: around.group(y, x, g)[:size])
        given = Features(lattice.shape, 1, width, LOGIT, lambda y, x, g: around.group(y, x, g)[size:])
        samples = lattice.features(grouped=False)
        return total(stack_causal(self.p.below("later.causal."), self.config, samples, size, given), draft)

    def grayscale(self, known: dict[int, Known]) -> Iterator[Pass]:
        plain = {**self.config, "mixture": 0}
        views = {i: Known(of.shape, 1, 4) for i, of in known.items()}
        p = self.p.below("view.")
        made = {
            i: self.by_outputs(stack_causal(p, plain, of.features(grouped=False), of.n), of, 0)
            for i, of in views.items()
        }
        fronts = in_turn({i: raster(of.shape) for i, of in known.items()})
        yield Pass(fronts, made, views, 1, 4, pictures=False)
        made = {}
        for i, of in known.items():
            view = views[i].features(grouped=False)
            given = stack_around(self.p.below("all.around."), plain, view, self.config["width"], False)
            size, samples = outputs_of(self.config, of), of.features(grouped=False)
            causal = stack_causal(self.p.below("all.causal."), self.config, samples, size, given)
            made[i] = self.by_outputs(causal, of)
        yield Pass(fronts, made, known, self.channels, self.depth)

    def of_lattices(
        self, order: Callable[[dict[int, list[tuple[int, int]]]], list[Front]], lattices: dict[int, Known],
        made: dict[int, At],
    ) -> Pass:  # fmt: skip
        fronts = order({i: raster(of.shape) for i, of in lattices.items()})
        return Pass(fronts, made, lattices, self.channels, self.depth)


def level_of(shape: tuple[int, int]) -> int:
    """L of a tile."""
    level = 0
    while max(shape) > 4 << level:
        level += 1
    return level


def squares(known: Known, side: int, places: list[tuple[int, int]] | list[tuple[int, int] | None]) -> Features:
    """Samples at places of each square, and whether they are inside; for no place 0."""
    height, width = known.shape

    def rule(i: int, j: int, g: int) -> list[int]:
        made = []
        for place in places:
            y, x = (side * i + place[0], side * j + place[1]) if place else (-1, -1)
            if 0 <= y < height and 0 <= x < width:
                made += [*(known.feature(y, x, c) for c in range(known.channels)), 32]
            else:
                made += [0] * (known.channels + 1)
        return made

    shape = -(-height // side), -(-width // side)
    return Features(shape, 1, len(places) * (known.channels + 1), SIGNED, rule)
