"""The reference decoder's heads of model ``photo`` that go on learning: docs/format.md in plain Python.

Doubles throughout, in the page's sequence of operations.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from tests.format.reference_numbers import clamp
from tests.format.reference_stage import LOGISTIC, Mixture
from tests.format.reference_weights import Linear


def logistic(z: int) -> float:
    """Between 0 and 1."""
    return float(LOGISTIC[clamp(z + 3072, 0, 6144)]) / 16777216.0


def slopes_of(mixture: Mixture, scale: int, gates: list[int], value: int) -> list[float]:
    """Derivatives of a value's code length by the outputs; ``gates``: the windows' predictions less the base."""
    total, masses, by_means, by_scales = 1e-6, [], [], []
    for wk, mk, vk in zip(mixture.w, mixture.m, mixture.v, strict=True):
        low, high = (((256 * edge - 128 - mk) * vk) >> 16 for edge in (value, value + 1))
        a = logistic(low) if value > 0 else 0.0
        b = logistic(high) if value < 255 else 1.0
        w = float(wk) / 65536.0
        mass = w * (b - a)
        total = total + mass
        da, db = a * (1.0 - a), b * (1.0 - b)
        masses.append(mass)
        by_means.append((w * (db - da)) * (float(vk) / 65536.0))
        by_scales.append((w * (db * float(high) - da * float(low))) / 256.0)
    by = 1.0 / total
    centre, weights, means, scales = 0.0, [], [], []
    for wk, mass, by_mean, by_scale in zip(mixture.w, masses, by_means, by_scales, strict=True):
        weights.append(float(wk) / 65536.0 - mass * by)
        centre = centre + by_mean * by
        means.append((by_mean * by) * (float(scale) / 256.0))
        scales.append(by_scale * by)
    return weights + means + scales + [centre * (float(gate) / 64.0) for gate in gates]


class Heads:
    """The heads of a tile: rows of weights, the bias last."""

    def __init__(self, heads: list[Linear], network: dict[str, Any]) -> None:
        self.rate, self.group = network.get("rate", 0.016), network.get("group", 512)
        self.weights: list[list[list[float]]] = []
        for head in heads:
            rows = []
            for row, bias, multiplier, shift in head.rows:
                factor = float(multiplier) / float(1 << shift)
                rows.append([float(w) * factor for w in (*row, bias - 128 * sum(row))])
            self.weights.append(rows)
        self.gradient = [[[0.0] * len(row) for row in rows] for rows in self.weights]
        self.first = [[[0.0] * len(row) for row in rows] for rows in self.weights]
        self.second = [[[0.0] * len(row) for row in rows] for rows in self.weights]
        self.pixels, self.first_power, self.second_power = 0, 1.0, 1.0

    def forward(self, c: int, units: list[int]) -> list[int]:
        """z, from the hidden layer's outputs plus 128."""
        z = []
        for row in self.weights[c]:
            p = [0.0] * 8
            for i, u in enumerate(units):
                p[i % 8] = p[i % 8] + row[i] * float(u)
            p[0] = p[0] + row[-1]
            total = ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]))
            z.append(int((max(-32768.0, min(32767.0, total)) + 0.5) // 1.0))
        return z

    def learn(self, c: int, units: list[int], slopes: list[float]) -> None:
        """Add a position's gradient."""
        for gradient, slope in zip(self.gradient[c], slopes, strict=True):
            for i, u in enumerate((*units, 1)):
                gradient[i] = gradient[i] + slope * float(u)

    def step(self, count: int) -> None:
        """A front of so many positions is done."""
        self.pixels += count
        if self.pixels < self.group:
            return
        self.first_power, self.second_power = self.first_power * 0.9, self.second_power * 0.99
        mean = 1.0 / float(self.pixels)
        first_part, second_part = 1.0 / (1.0 - self.first_power), 1.0 / (1.0 - self.second_power)
        for parts in zip(self.weights, self.gradient, self.first, self.second, strict=True):
            for w, g, m, v in zip(*parts, strict=True):
                for i in range(len(w)):
                    rate = 32.0 * self.rate if i == len(w) - 1 else self.rate
                    slope = g[i] * mean
                    m[i] = 0.9 * m[i] + (1.0 - 0.9) * slope
                    v[i] = 0.99 * v[i] + (1.0 - 0.99) * (slope * slope)
                    w[i] = w[i] - (rate * (m[i] * first_part)) / (sqrt(v[i] * second_part) + 1e-8)
                    g[i] = 0.0
        self.pixels = 0
