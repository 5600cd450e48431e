"""docs/format.md's layers: features of positions, made when they are asked for, and kept.

What a feature is made of is always known by then: a sample that is not is a KeyError, and shows that a network looks
ahead.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from operator import mul
from typing import NamedTuple

from tests.format.reference_mixing import LOGISTIC
from tests.format.reference_numbers import clamp
from tests.format.reference_tables import EXP
from tests.format.reference_weights import CODES, Array, Row, rows_of

Taps = Sequence[tuple[int, int]]
Rule = Callable[[int, int, int], list[int]]  # the features of a group at a position


class Kind(NamedTuple):
    """Of features: what stands for 0, the least and the most, and bits after the point."""

    zero: int
    low: int
    high: int
    bits: int


SIGNED, RECTIFIED = Kind(0, -128, 127, 5), Kind(-128, -128, 127, 5)
LOGIT, UNIT = Kind(0, -32768, 32767, 8), Kind(0, -127, 127, 7)


class Features:
    """Of all positions (y, x) of a picture: ``groups`` groups of ``size`` each."""

    def __init__(self, shape: tuple[int, int], groups: int, size: int, kind: Kind, rule: Rule, keep: bool = True):
        self.shape, self.groups, self.size, self.kind, self.rule, self.keep = shape, groups, size, kind, rule, keep
        self.kept: dict[tuple[int, int, int], list[int]] = {}

    def group(self, y: int, x: int, g: int) -> list[int]:
        """Of one group."""
        if not (0 <= y < self.shape[0] and 0 <= x < self.shape[1]):
            return [self.kind.zero] * self.size
        if not self.keep:
            return self.rule(y, x, g)
        if (y, x, g) not in self.kept:
            self.kept[y, x, g] = self.rule(y, x, g)
        return self.kept[y, x, g]

    def all(self, y: int, x: int) -> list[int]:
        """Of all groups."""
        return [v for g in range(self.groups) for v in self.group(y, x, g)]

    def like(self, size: int, kind: Kind, rule: Rule) -> Features:
        """Other features of the same positions in as many groups."""
        return Features(self.shape, self.groups, size, kind, rule)

    def with_groups(self, groups: int) -> Features:
        """The same of one group as of so many."""
        size = self.size // groups
        return Features(
            self.shape, groups, size, self.kind, lambda y, x, g: self.group(y, x, 0)[g * size : g * size + size], False
        )


def linear(rows: Sequence[Row], x: Sequence[int], kind: Kind) -> list[int]:
    """y."""
    y = []
    for weight, bias, multiplier, shift in rows:
        total = (sum(map(mul, weight, x)) + bias) * multiplier
        y.append(clamp(((total + (1 << (shift - 1))) >> shift) + kind.zero, kind.low, kind.high))
    return y


# ---------------------------------------------------------------- Taps


def square(n: int) -> Taps:
    return [(dy, dx) for dy, dx in around(n) if dy < 0 or dx <= 0]


def before(n: int) -> Taps:
    return square(n)[:-1]


def above(n: int) -> Taps:
    return [(dy, dx) for dy, dx in around(n) if dy < 0]


def around(n: int) -> Taps:
    return [(dy, dx) for dy, dx in full(n) if dy <= 0]


def full(n: int) -> Taps:
    return [(dy, dx) for dy in range(-(n // 2), n // 2 + 1) for dx in range(-(n // 2), n // 2 + 1)]


def line(n: int, distance: int = 1) -> Taps:
    return [(0, -i * distance) for i in range(n - 1, -1, -1)]


CORNER: Taps = [(-1, -1), (-1, 0), (-1, 1), (0, -1)]
HERE: Taps = [(0, 0)]


# ---------------------------------------------------------------- Layers with weights


class Parameters:
    """A network's arrays by the layers' names."""

    def __init__(self, arrays: dict[str, Array], start: str) -> None:
        self.arrays, self.start = arrays, start
        self.rows: dict[str, list[Row]] = {}
        self.used: set[str] = set()

    def of(self, name: str) -> list[Row]:
        """The rows of a linear layer."""
        if name not in self.rows:
            self.rows[name] = rows_of(self.arrays, self.start + name)
            self.used |= {f"{self.start}{name}.{part}" for part in ("weight", "bias", "multiplier", "shift")}
        return self.rows[name]

    def values(self, name: str) -> list[int]:
        """An array's."""
        self.used.add(self.start + name)
        kind, _, data = self.arrays[self.start + name]
        return [v for (v,) in struct.iter_unpack(CODES[kind], data)]

    def below(self, start: str) -> Parameters:
        """Those whose names begin with more."""
        inner = Parameters(self.arrays, self.start + start)
        inner.used = self.used
        return inner


def convolution(
    p: Parameters, name: str, x: Features, taps: Taps, size: int, kind: Kind, *, groups: int = 0, mask: str = "B"
) -> Features:
    """Over taps; ``groups`` of its outputs, as many as of its inputs if that is 0."""

    def rule(y: int, column: int, g: int) -> list[int]:
        inputs: list[int] = []
        for dy, dx in taps:
            for j in range(x.groups):
                hidden = (dy, dx) == (0, 0) and (j > g or (mask == "A" and j == g))
                inputs += [0] * x.size if hidden else x.group(y + dy, column + dx, j)
        return linear(p.of(name)[g * size : g * size + size], inputs, kind)

    return Features(x.shape, groups or x.groups, size, kind, rule)


def point(p: Parameters, name: str, x: Features, size: int, kind: Kind) -> Features:
    return convolution(p, name, x, HERE, size, kind)


def strided(p: Parameters, name: str, x: Features, taps: Taps, size: int) -> Features:
    """Of the positions with even coordinates."""
    whole = convolution(p, name, x, taps, size, LOGIT)
    half = (x.shape[0] + 1) // 2, (x.shape[1] + 1) // 2
    return Features(half, 1, size, LOGIT, lambda y, column, g: whole.group(2 * y, 2 * column, 0))


def embedding(p: Parameters, name: str, samples: Features, taps: Taps, size: int, n: int) -> Features:
    """Of samples themselves, of n values, with mask A; ``samples`` gives them in place of features."""

    def rule(y: int, x: int, g: int) -> list[int]:
        ones = []
        for i, (dy, dx) in enumerate(taps):
            inside = 0 <= y + dy < samples.shape[0] and 0 <= x + dx < samples.shape[1]
            for j in range(samples.groups if inside else 0):
                if (dy, dx) != (0, 0) or j < g:
                    ones.append((i * samples.groups + j) * n + samples.group(y + dy, x + dx, j)[0])
        rows = p.of(name)[g * size : g * size + size]
        seen: list[Row] = [([row[0][i] for i in ones], row[1], row[2], row[3]) for row in rows]
        return linear(seen, [64] * len(ones), LOGIT)

    return Features(samples.shape, samples.groups, size, LOGIT, rule)


def sigmoid(z: int) -> int:
    """L."""
    return LOGISTIC[clamp(z, -3072, 3072) + 3072]


def cells(p: Parameters, name: str, z: Features, h: int, source: tuple[int, int], taps: Taps) -> Features:
    """LSTM cells."""
    states: dict[tuple[int, int, int], list[int]] = {}

    def rule(y: int, x: int, g: int) -> list[int]:
        before = [v for dy, dx in taps for v in made.all(y + dy, x + dx)]
        r = linear(p.of(name)[4 * h * g : 4 * h * g + 4 * h], before, LOGIT)
        at = [a + b for a, b in zip(z.group(y, x, g), r, strict=True)]
        made.group(y + source[0], x + source[1], g)
        last = states.get((y + source[0], x + source[1], g), [0] * h)
        state, outputs = [], []
        for k in range(h):
            i, f, o, c = at[k], at[h + k], at[2 * h + k], at[3 * h + k]
            entering = ((sigmoid(i) >> 9) * ((sigmoid(2 * c) - (1 << 23)) >> 8)) >> 3
            c = clamp(((sigmoid(f) >> 9) * last[k] + entering + (1 << 14)) >> 15, -(1 << 15), (1 << 15) - 1)
            t = (sigmoid((c + 4) >> 3) - (1 << 23)) >> 8
            state.append(c)
            outputs.append(clamp(((sigmoid(o) >> 9) * t + (1 << 22)) >> 23, -127, 127))
        states[y, x, g] = state
        return outputs

    made = z.like(h, UNIT, rule)
    return made


def mingru(z: Features, h: int, source: tuple[int, int]) -> Features:
    """minGRU cells."""

    def rule(y: int, x: int, g: int) -> list[int]:
        last, new = states.group(y + source[0], x + source[1], g), z.group(y, x, g)
        made = []
        for k in range(h):
            s = sigmoid(new[k]) >> 9
            wanted = clamp(16 * new[h + k], -(1 << 15), (1 << 15) - 1)
            made.append((((1 << 15) - s) * last[k] + s * wanted + (1 << 14)) >> 15)
        return made

    states = z.like(h, SIGNED, rule)
    return z.like(h, SIGNED, lambda y, x, g: [clamp((v + 64) >> 7, -128, 127) for v in states.group(y, x, g)])


def position_embedding(p: Parameters, name: str, shape: tuple[int, int], size: int) -> Features:
    rows, columns = p.values(f"{name}.rows"), p.values(f"{name}.columns")

    def rule(y: int, x: int, g: int) -> list[int]:
        both = zip(rows[size * y : size * y + size], columns[size * x : size * x + size], strict=True)
        return [clamp(a + b, -128, 127) for a, b in both]

    return Features(shape, 1, size, SIGNED, rule)


# ---------------------------------------------------------------- Layers without


def total(*inputs: Features) -> Features:
    """The sum, logit."""
    groups = max(x.groups for x in inputs)
    parts = [x if x.groups == groups else x.with_groups(groups) for x in inputs]

    def rule(y: int, x: int, g: int) -> list[int]:
        columns = zip(*(part.group(y, x, g) for part in parts), strict=True)
        return [clamp(sum(values), -32768, 32767) for values in columns]

    return parts[0].like(parts[0].size, LOGIT, rule)


def requantize(x: Features, kind: Kind) -> Features:
    less = x.kind.bits - kind.bits

    def rule(y: int, column: int, g: int) -> list[int]:
        values = x.group(y, column, g)
        return [clamp(((v + (1 << (less - 1))) >> less) + kind.zero, kind.low, kind.high) for v in values]

    return x.like(x.size, kind, rule)


def gate(a: Features, b: Features) -> Features:
    def rule(y: int, x: int, g: int) -> list[int]:
        both = zip(a.group(y, x, g), b.group(y, x, g), strict=True)
        made = ((((2 * sigmoid(2 * p) - (1 << 24)) >> 9) * (sigmoid(q) >> 9) + (1 << 22)) >> 23 for p, q in both)
        return [clamp(v, -127, 127) for v in made]

    return a.like(a.size, UNIT, rule)


def sigmoid_gate(a: Features, b: Features) -> Features:
    def rule(y: int, x: int, g: int) -> list[int]:
        both = zip(a.group(y, x, g), b.group(y, x, g), strict=True)
        return [clamp((p * (sigmoid(q) >> 9) + (1 << 14)) >> 15, -32768, 32767) for p, q in both]

    return a.like(a.size, LOGIT, rule)


def elu(x: Features) -> Features:
    def f(v: int) -> int:
        return v if v >= 0 else -((32 * ((1 << 16) - EXP[-8 * v]) + (1 << 15)) >> 16)

    def rule(y: int, column: int, g: int) -> list[int]:
        values = x.group(y, column, g)
        return [f(v) for v in values] + [f(min(127, -v)) for v in values]

    return x.like(2 * x.size, SIGNED, rule)


def depth_to_space(x: Features, shape: tuple[int, int]) -> Features:
    size = x.size // 4

    def rule(y: int, column: int, g: int) -> list[int]:
        begin = size * (2 * (y % 2) + column % 2)
        return x.group(y // 2, column // 2, g)[begin : begin + size]

    return Features(shape, 1, size, x.kind, rule)


class InSequence:
    """Positions in the sequence of the fronts."""

    def __init__(self, positions: list[tuple[int, int]]) -> None:
        self.positions, self.number = positions, {at: i for i, at in enumerate(positions)}

    def shift(self, x: Features) -> Features:
        """Inputs at the position before."""

        def rule(y: int, column: int, g: int) -> list[int]:
            i = self.number[y, column]
            return x.group(*self.positions[i - 1], g) if i else [0] * x.size

        return x.like(x.size, x.kind, rule)

    def attention(self, q: Features, k: Features, v: Features, heads: int) -> Features:
        """Of each head, over the positions up to here."""

        def rule(y: int, column: int, g: int) -> list[int]:
            known, here, made = self.positions[: self.number[y, column] + 1], q.group(y, column, g), []
            for head in range(heads):
                part = slice(16 * head, 16 * head + 16)
                s = [(sum(map(mul, here[part], k.group(*at, g)[part])) + 8) >> 4 for at in known]
                most = max(s)
                p = [EXP[most - sj] if most - sj < 4096 else 0 for sj in s]
                values = zip(*(v.group(*at, g)[part] for at in known), strict=True)
                made += [(2 * sum(map(mul, p, column)) + sum(p)) // (2 * sum(p)) for column in values]
            return made

        return q.like(16 * heads, SIGNED, rule)
