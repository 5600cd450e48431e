"""The reference decoder's heads of model ``photo`` that go on learning: docs/format.md in plain Python.

Doubles and singles, in the page's sequence of operations.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from tests.format.reference_mixing import LOGISTIC
from tests.format.reference_numbers import clamp
from tests.format.reference_squares import larger, single, smaller
from tests.format.reference_stage import Mixture
from tests.format.reference_weights import Linear


def logistic(z: int) -> float:
    """Between 0 and 1."""
    return float(LOGISTIC[clamp(z + 3072, 0, 6144)]) / 16777216.0


def slopes_of(mixture: Mixture, z: list[int], scale: int, gates: list[int], value: int) -> list[float]:
    """Derivatives of a value's code length by the outputs z; ``gates``: the windows' predictions less the base."""
    depth = mixture.depth
    known, masses, by_means, by_scales, k = 0.0, [], [], [], len(mixture.w)
    for zk, wk, mk, vk in zip(z[2 * k : 3 * k], mixture.w, mixture.m, mixture.v, strict=True):
        low, high = ((((value << 8 - depth.shift) + side - mk) * vk) >> 16 for side in (-128, 128))
        a = logistic(low) if value > 0 else 0.0
        b = logistic(high) if value < depth.highest else 1.0
        w = float(wk) / 65536.0
        mass = w * (b - a)
        known = known + mass
        da, db = (s * (1.0 - s) if abs(z) < 3072 else 0.0 for s, z in ((a, low), (b, high)))
        masses.append(mass)
        by_means.append((w * (db - da)) * (float(vk) / 65536.0))
        held = not (-1536 < zk < 1024 and 16 < vk < 1 << 21)
        by_scales.append(0.0 if held else (w * (db * float(high) - da * float(low))) / 256.0)
    by = 1.0 / (known + 1e-6)
    centre, weights, means, scales = 0.0, [], [], []
    for wk, mass, by_mean, by_scale in zip(mixture.w, masses, by_means, by_scales, strict=True):
        weights.append((float(wk) / 65536.0 * known - mass) * by)
        centre = centre + by_mean * by
        means.append((by_mean * by) * (float(scale) / 256.0))
        scales.append(by_scale * by)
    return weights + means + scales + [centre * (float(gate) / 64.0) for gate in gates]


def large(v: float, bits: int) -> float:
    """v, or 0 if it is smaller than 2^-bits."""
    return v if abs(v) >= 2.0**-bits else 0.0


class Heads:
    """The heads of a tile: rows of weights, the bias last; singles."""

    def __init__(self, heads: list[Linear], network: dict[str, Any]) -> None:
        self.rate, self.group = network.get("rate", 0.016), network.get("group", 512)
        self.weights: list[list[list[float]]] = []
        for head in heads:
            rows = []
            for row, bias, multiplier, shift in head.rows:
                factor = float(multiplier) / float(1 << shift)
                rows.append([single(float(w) * factor) for w in (*row, bias - 128 * sum(row))])
            self.weights.append(rows)
        self.gradient = [[[0.0] * len(row) for row in rows] for rows in self.weights]
        self.first = [[[0.0] * len(row) for row in rows] for rows in self.weights]
        self.second = [[[0.0] * len(row) for row in rows] for rows in self.weights]
        self.pixels, self.first_power, self.second_power = 0, 1.0, 1.0

    def forward(self, c: int, units: list[int]) -> list[int]:
        """z, from the hidden layer's outputs plus 128."""
        z = []
        for row in self.weights[c]:
            total = row[-1]
            for w, u in zip(row, units, strict=False):
                total = single(total + single(w * float(u)))
            z.append(int(single(smaller(larger(total, -32768.0), 32767.0) + 32768.5)) - 32768)
        return z

    def learn(self, c: int, units: list[int], slopes: list[float]) -> None:
        """Add a position's gradient."""
        for gradient, slope in zip(self.gradient[c], slopes, strict=True):
            rounded = single(large(slope, 60))
            for i, u in enumerate((*units, 1)):
                gradient[i] = single(gradient[i] + single(rounded * float(u)))

    def step(self, count: int) -> None:
        """A front of so many positions is done."""
        self.pixels += count
        if self.pixels < self.group:
            return
        self.first_power, self.second_power = self.first_power * 0.9, self.second_power * 0.99
        mean = single(1.0 / float(self.pixels))
        first_part, second_part = single(1.0 / (1.0 - self.first_power)), single(1.0 / (1.0 - self.second_power))
        for parts in zip(self.weights, self.gradient, self.first, self.second, strict=True):
            for w, g, m, v in zip(*parts, strict=True):
                for i in range(len(w)):
                    rate = single(32.0 * self.rate if i == len(w) - 1 else self.rate)
                    slope = large(single(g[i] * mean), 56)
                    m[i] = large(mixed(0.9, m[i], slope), 80)
                    v[i] = large(mixed(0.99, v[i], single(slope * slope)), 116)
                    below = single(single(sqrt(single(v[i] * second_part))) + single(1e-8))
                    w[i] = single(w[i] - large(single(single(rate * single(m[i] * first_part)) / below), 70))
                    g[i] = 0.0
        self.pixels = 0


def mixed(part: float, before: float, now: float) -> float:
    """part x before + (1 - part) x now."""
    return single(single(single(part) * before) + single(single(1.0 - part) * now))
