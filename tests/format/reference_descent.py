"""The reference decoder's layers of model ``photo`` below the heads that go on learning: docs/format.md in Python.

Doubles and singles, in the page's sequence of operations.
"""

from __future__ import annotations

from math import floor, sqrt
from typing import Any

from tests.format.reference_heads import Heads, large
from tests.format.reference_numbers import clamp
from tests.format.reference_squares import larger, single, smaller
from tests.format.reference_weights import Linear

Singles = list[list[float]]


class Layer:
    """One layer: what its weights are before they are rounded, and the linear layers that use them."""

    def __init__(self, users: list[Linear], inputs: int, signed: bool, rate: float) -> None:
        self.users, self.inputs, self.signed = users, inputs, signed
        rows = [row for user in users for row in user.rows]
        self.factor = [single(float(multiplier) / float(1 << shift)) for _, _, multiplier, shift in rows]
        self.rate = [single(single(rate) / f) if f > 0.0 else 0.0 for f in self.factor]
        self.weights = [[float(w) for w in row[:inputs]] for row, *_ in rows]
        self.bias = [single(float(bias - (0 if signed else 128 * sum(row)))) for row, bias, *_ in rows]
        self.forget()
        self.most = [[0.0] * inputs for _ in rows]
        self.most_bias = [0.0 for _ in rows]

    def forget(self) -> None:
        """The gradient."""
        self.gradient = [[0.0] * self.inputs for _ in self.weights]
        self.bias_gradient = [0.0 for _ in self.weights]

    def write(self) -> None:
        """Rounded weights to the layers that use them."""
        at = 0
        for user in self.users:
            for r, (row, _, multiplier, shift) in enumerate(user.rows):
                rounded = [floor(single(w + 64.5)) - 64 for w in self.weights[at]] + row[self.inputs :]
                bias = floor(self.bias[at] + 0.5) + (0 if self.signed else 128 * sum(rounded))
                user.rows[r] = (rounded, bias, multiplier, shift)
                at += 1


class Layers:
    """All layers of a tile but the heads."""

    def __init__(self, trunk: list[Linear], hidden: list[Linear], network: dict[str, Any], pixels: int) -> None:
        widths = [len(trunk[0].rows[0][0]), *network["trunk"]]
        users = [[layer] for layer in trunk] + [hidden]
        self.layers = [Layer(own, widths[n], n == 0, network["inner_rate"]) for n, own in enumerate(users)]
        self.group, self.every = network["inner_group"], 1 + min(2, (pixels - 1) >> 19)
        self.head = network["head"]
        self.pixels, self.fronts, self.steps = 0, 0, 0

    def learns(self) -> bool:
        """From the front that is decoded now."""
        return self.fronts % self.every == 0

    def errors(self, heads: Heads, units: list[list[list[int]]], slopes: list[list[list[float]]]) -> Singles:
        """Of all hidden layers; units and slopes by channel and position."""
        errors = []
        for c, channel in enumerate(units):
            for i in range(self.head):
                row = []
                for own, d in zip(channel, slopes[c], strict=True):
                    total = 0.0
                    for weights, slope in zip(heads.weights[c], d, strict=True):
                        rounded = large(single(large(slope, 60)), 40)
                        total = single(total + single(large(weights[i], 40) * rounded))
                    factor = self.layers[-1].factor[c * self.head + i]
                    row.append(single(large(total, 40) * factor) if 0 < own[i] < 255 else 0.0)
                errors.append(row)
        return errors

    def back(self, errors: Singles, given: list[list[list[int]]]) -> None:
        """Add the gradient of a front; ``given``: what each layer was given, by layer and position."""
        for n in range(len(self.layers) - 1, -1, -1):
            layer, inputs = self.layers[n], given[n]
            most = max(abs(e) for row in errors for e in row)
            if most < 2.0**-40:
                return
            by, worth = single(63.0 / most), single(most / 63.0)
            rounded = [
                [_rounded(e, by, k, 97 * self.fronts + 31 * n + j + 1) for k, e in enumerate(row)]
                for j, row in enumerate(errors)
            ]
            zero = 0 if layer.signed else 128
            for j, row in enumerate(rounded):
                used = [(q, x) for q, x in zip(row, inputs, strict=True) if q]
                own = layer.gradient[j]
                for i in range(layer.inputs):
                    total = single(float(sum(q * (x[i] + zero) for q, x in used)))
                    own[i] = single(own[i] + single(total * worth))
                layer.bias_gradient[j] = single(layer.bias_gradient[j] + single(single(float(sum(row))) * worth))
            if n:
                below = self.layers[n - 1]
                weights = [row for user in layer.users for row, *_ in user.rows]
                errors = []
                for i in range(layer.inputs):
                    factor = single(worth * below.factor[i])
                    totals = [sum(row[k] * w[i] for row, w in zip(rounded, weights, strict=True) if row[k]) for k in
                              range(len(inputs))]  # fmt: skip
                    errors.append([
                        single(single(float(total)) * factor) if -128 < x[i] < 127 else 0.0
                        for total, x in zip(totals, inputs, strict=True)
                    ])  # fmt: skip

    def step(self, count: int) -> None:
        """A front of so many positions is done."""
        self.pixels += count if self.learns() else 0
        self.fronts += 1
        if self.pixels < self.group:
            return
        part = single(min(1.0, (self.steps + 1) * 0.03125) / sqrt(1.0 + self.steps * 0.00390625))
        mean = single(1.0 / float(self.pixels))
        for layer in self.layers:
            for j, rate in enumerate(layer.rate):
                for i in range(layer.inputs):
                    layer.weights[j][i], layer.most[j][i] = _moved(
                        layer.weights[j][i], layer.most[j][i], layer.gradient[j][i], rate, (mean, part), 63.0
                    )
                layer.bias[j], layer.most_bias[j] = _moved(
                    layer.bias[j],
                    layer.most_bias[j],
                    layer.bias_gradient[j],
                    single(rate * 128.0),
                    (mean, part),
                    2.0**22,
                )
            layer.forget()
            layer.write()
        self.pixels, self.steps = 0, self.steps + 1


def _rounded(e: float, by: float, k: int, n: int) -> int:
    chance = ((k * 0x9E3779B1 + n * 0x85EBCA6B) >> 9) & 127
    v = single(single(single(e * by) + chance * 0.0078125) + 64.0)
    return clamp(int(larger(v, 1.0)) - 64, -63, 63)


def _moved(
    w: float, most: float, gradient: float, rate: float, parts: tuple[float, float], limit: float
) -> tuple[float, float]:
    """A weight after a step, and its largest slope of late."""
    slope = large(single(gradient * parts[0]), 40)
    most = larger(larger(single(single(0.99) * most), abs(slope)), 2.0**-20)
    change = large(single(single(single(rate * parts[1]) * slope) / most), 40)
    return larger(smaller(single(w - change), limit), -limit), most
