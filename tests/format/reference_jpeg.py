"""The reference decoder's part for model ``jpeg``: docs/format.md in plain Python integers, with its names.

Blocks are dictionaries' values by (row, column); those outside of the strip are of nothing. Its networks and decisions
are in reference_jpeg_stage.py, its inputs in reference_jpeg_inputs.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.format import reference_jpeg_files
from tests.format.reference_jpeg_inputs import Inputs
from tests.format.reference_jpeg_stage import Networks, Stage
from tests.format.reference_jpeg_tables import BASIS, BORDER, INVERSE, SHRINK, ZIGZAG, log8
from tests.format.reference_numbers import clamp, require

LIMIT = 1 << 14
SPLIT = 1 << 21
Coefficients = list[list[list[int]]]  # by row, column, natural index


class Shape(NamedTuple):
    """A component: blocks, sampling (horizontal, vertical), steps."""

    rows: int
    columns: int
    sampling: tuple[int, int]
    steps: list[int]


@dataclass
class Block:
    """What is known of a block."""

    q: list[int] = field(default_factory=lambda: [0] * 64)
    known: int = 0
    end: int = 0
    energy: int = 0
    bands: list[int] = field(default_factory=lambda: [0] * 4)
    sums: list[int] = field(default_factory=lambda: [0] * 64)
    edges: list[list[int]] = field(default_factory=lambda: [[0] * 8 for _ in range(4)])
    luma: list[int] = field(default_factory=lambda: [0] * 64)


NOTHING = Block()


class Plane:
    """A component of a strip."""

    def __init__(self, shape: Shape, first: Shape, kind: int, second: int) -> None:
        self.shape, self.kind, self.second = shape, kind, second
        self.steps = [max(1, s) for s in shape.steps]
        self.inverse = [((1 << 25) // s + 1) // 2 for s in self.steps]
        self.logs = [log8(s) for s in self.steps]
        self.mean_log = sum(self.logs) // 64
        self.ratio = [clamp(a // b, 1, 4) for a, b in zip(first.sampling, shape.sampling, strict=True)]
        self.blocks: dict[tuple[int, int], Block] = {}
        self.gains: list[list[int]] = []

    def at(self, y: int, x: int) -> Block:
        return self.blocks.get((y, x), NOTHING)

    def f(self, block: Block, n: int) -> int:
        """A coefficient times its step."""
        return clamp(block.q[n] * self.steps[n], -LIMIT, LIMIT)

    def finish(self, block: Block) -> None:
        """Keep what later blocks need to know."""
        block.known = 1
        for z in range(block.end + 1):
            n = ZIGZAG[z]
            f, (v, u) = self.f(block, n), divmod(n, 8)
            block.edges[0][u] += (f * (3 * BASIS[v][7] - BASIS[v][6])) >> 9
            block.edges[1][u] += (f * BASIS[v][7]) >> 8
            block.edges[2][v] += (f * (3 * BASIS[u][7] - BASIS[u][6])) >> 9
            block.edges[3][v] += (f * BASIS[u][7]) >> 8
            if z:
                block.energy += abs(f)
                block.bands[0 if z < 6 else 1 if z < 15 else 2 if z < 36 else 3] += abs(block.q[n])
                for j in range(max(0, v - 1), min(8, v + 2)):
                    for i in range(max(0, u - 1), min(8, u + 2)):
                        block.sums[8 * j + i] += abs(f) if (j, i) != (v, u) else 0

    def set_gains(self, means: Means) -> None:
        """By the running means, before a front."""
        s, power = 64 * self.kind, [0] * 64
        for z, n in enumerate(ZIGZAG):
            lowest = 3 * max(means.magnitude[s + 1] * self.steps[1], means.magnitude[s + 2] * self.steps[8])
            power[n] = min(1 << 26, (means.magnitude[s + z] * self.steps[n] if z else lowest) >> 4)
        self.gains = [[0] * 64 for _ in range(4)]
        for n in range(64):
            v, u = divmod(n, 8)
            for side, own in ((0, v), (1, u)):
                g = [(power[8 * t + u if side == 0 else 8 * v + t] * BORDER[t]) >> 12 for t in range(own + 1)]
                share = (g[own] ** 2 << 8) // (((1 + sum(a * a for a in g)) >> 6) + 1)
                for way in (0, 1):
                    gain = (share * INVERSE[way][own]) >> 16
                    self.gains[2 * side + way][n] = (gain * self.inverse[n]) >> 24


class Means:
    """Running means of a strip."""

    def __init__(self) -> None:
        self.magnitude = [(3 << 16) // max(1, i % 64) for i in range(128)]
        self.zero = [1 << 15] * 128
        self.zero_near = [[1 << 15] * 8 for _ in range(128)]

    def update(self, place: int, distance: int, magnitude: int) -> None:
        zero, near, d = 0 if magnitude else 1 << 16, self.zero_near[place], min(7, distance)
        self.magnitude[place] += (((magnitude << 16) - self.magnitude[place]) * 41) >> 12
        self.zero[place] += ((zero - self.zero[place]) * 41) >> 12
        near[d] += ((zero - near[d]) * 41) >> 12


class Work:
    """A block of a front while it is decoded."""

    def __init__(self, planes: list[Plane], c: int, y: int, x: int) -> None:
        plane = planes[c]
        self.block, self.plane, self.first = Block(), plane, planes[1] if plane.second else None
        plane.blocks[y, x] = self.block
        around = ((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0))
        self.near = [plane.at(y + dy, x + dx) for dy, dx in around]
        self.rest = [list(self.near[1 if i < 2 else 0].edges[i]) for i in range(4)]
        self.count = self.so_far = self.last = self.before = 0
        self.other_end, self.other_energy, self.slope = [0, 0], [0, 0], [0, 0]
        self.cb = planes[1].at(y, x) if plane.second else NOTHING
        if plane.kind:
            self.shrink(planes[0], y, x)
            self.fit(planes[1], [(y + dy, x + dx) for dy, dx in around[:4]])

    def shrink(self, luma: Plane, y: int, x: int) -> None:
        """The luma at a block of chroma."""
        across, down = self.plane.ratio
        for a in range(down):
            for b in range(across):
                row, column = min(luma.shape.rows - 1, y * down + a), min(luma.shape.columns - 1, x * across + b)
                there = luma.at(row, column)
                self.other_end[0] = max(self.other_end[0], there.end)
                self.other_energy[0] += there.energy
                for n in range(64):
                    if f := luma.f(there, n):
                        by_rows, by_columns = SHRINK[down][a], SHRINK[across][b]
                        for i in range(8):
                            part = (f * by_rows[i][n // 8]) >> 4
                            for j in range(8):
                                self.block.luma[8 * i + j] += (part * by_columns[j][n % 8] + (1 << 17)) >> 18
        self.other_energy[0] //= across * down

    def fit(self, first: Plane, around: list[tuple[int, int]]) -> None:
        """Slopes of chroma against luma, and against the first chroma."""
        both, squares, both_first, squares_first = 0, 0, 0, 0
        for i, (y, x) in enumerate(around):
            weight, block = 2 if i < 2 else 1, self.near[i]
            for n in ZIGZAG[1:15]:
                f, luma = self.plane.f(block, n), block.luma[n]
                g = first.f(first.at(y, x), n)
                both, squares = both + weight * f * luma, squares + weight * luma * luma
                both_first, squares_first = both_first + weight * f * g, squares_first + weight * g * g
        self.slope[0] = clamp(1024 * both // (squares + 6400), -1024, 1024)
        if self.plane.second:
            self.slope[1] = clamp(256 * both_first // (squares_first + 400), -1024, 1024)
            self.other_end[1], self.other_energy[1] = self.cb.end, self.cb.energy

    def push(self, z: int, value: int) -> None:
        """A coefficient is known."""
        n = ZIGZAG[z]
        self.block.q[n] = value
        v, u = divmod(n, 8)
        if f := self.plane.f(self.block, n):
            self.rest[0][u] -= (f * BORDER[v]) >> 8
            self.rest[1][u] -= (f * BASIS[v][0]) >> 8
            self.rest[2][v] -= (f * BORDER[u]) >> 8
            self.rest[3][v] -= (f * BASIS[u][0]) >> 8
            self.count, self.so_far = self.count + (z > 0), self.so_far + (abs(f) if z else 0)
        self.before, self.last = self.last, value


def decode_strip(shapes: Sequence[Shape], stream: bytes, networks: Networks) -> list[Coefficients]:
    """Coefficients of each component, row and column."""
    kinds = [int(len(shapes) >= 3 and i in (1, 2)) for i in range(len(shapes))]
    alike = len(shapes) >= 3 and shapes[1][:2] == shapes[2][:2]
    planes = [Plane(shape, shapes[0], kinds[i], int(kinds[i] and i == 2 and alike)) for i, shape in enumerate(shapes)]
    blocks, means = sum(s.rows * s.columns for s in shapes), Means()
    stage = Stage(networks, blocks, stream)
    for c, plane in enumerate(planes):
        rows, columns = plane.shape[:2]
        for t in range(columns + 2 * (rows - 1)):
            front = [(y, t - 2 * y) for y in range(rows) if 0 <= t - 2 * y < columns]
            works = [Work(planes, c, y, x) for y, x in front]
            plane.set_gains(means)
            seen = [Inputs(work, means) for work in works]
            for work, inputs in zip(works, seen, strict=True):
                work.block.end = stage.end(inputs)
            for z in range(max((work.block.end for work in works), default=0), -1, -1):
                active = [i for i, work in enumerate(works) if work.block.end >= z]
                opinions, values = [stage.opinions(seen[i], z) for i in active], []
                for i, own in zip(active, opinions, strict=True):
                    work, anchor = works[i], own[0].anchor
                    value = clamp(stage.coefficient(seen[i], own, z) + anchor, -2047, 2047)
                    values.append(value - anchor)
                    work.push(z, value)
                    means.update(64 * plane.kind + z, work.block.end - z, abs(value - anchor))
                stage.learn(plane.kind, opinions, values)
            for work in works:
                plane.finish(work.block)
    return [[[p.at(y, x).q for x in range(p.shape.columns)] for y in range(p.shape.rows)] for p in planes]


def decode(shapes: Sequence[Shape], streams: Sequence[bytes], weights: bytes, digest: bytes) -> list[Coefficients]:
    """Coefficients of each component, row and column, of a whole JPEG."""
    coefficients = sum(64 * s.rows * s.columns for s in shapes)
    strips = -(-coefficients // (1 << 24))
    strips = 1 if coefficients <= SPLIT else strips + strips % 2
    units = min(-(-s.rows // s.sampling[1]) for s in shapes)
    strips = max(1, min(strips, units))
    require(len(streams) == strips, "not as many streams as strips")
    networks, found = Networks(weights, digest), [Coefficients() for _ in shapes]
    for i, stream in enumerate(streams):
        begin, end = units * i // strips, units * (i + 1) // strips
        rows = [(s.rows if i == strips - 1 else end * s.sampling[1]) - begin * s.sampling[1] for s in shapes]
        part = decode_strip([s._replace(rows=n) for s, n in zip(shapes, rows, strict=True)], stream, networks)
        for whole, own in zip(found, part, strict=True):
            whole += own
    return found


def of_file(
    digest: bytes, weights: bytes | None, shape: reference_jpeg_files.Shape, streams: tuple[bytes, ...]
) -> list[Coefficients]:
    """The coefficients of a JPEG in a file (*JPEGs*)."""
    require(weights is not None, "jpeg needs its file of weights")
    own = [Shape(c.rows, c.columns, (c.h, c.v), c.steps) for c in shape.components]
    return decode(own, streams, weights or b"", digest)
