"""docs/format.md's models bayes_net and made: every sample from all before it in its tile."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from tests.format.reference_layers import LOGIT, RECTIFIED, SIGNED, Kind, Parameters, linear
from tests.format.reference_samples import Known
from tests.format.reference_tables import EXP, drawn
from tests.format.reference_weights import Row

PackedRow = tuple[list[int], Row]  # which inputs, and the row of their weights


def unpacked(p: Parameters, name: str, inputs_of: Callable[[int], list[int]]) -> list[PackedRow]:
    """A linear layer's rows, of which weights that are of no use are left out."""
    weights, *others = (p.values(f"{name}.{part}") for part in ("weight", "bias", "multiplier", "shift"))
    rows, at = [], 0
    for j, other in enumerate(zip(*others, strict=True)):
        inputs = inputs_of(j)
        rows.append((inputs, (weights[at : at + len(inputs)], *other)))
        at += len(inputs)
    assert at == len(weights)
    return rows


def counts_of(outputs: list[list[int]]) -> list[int]:
    """The counts of a sample's values, from its outputs under each mask."""
    counts = [0] * (len(outputs[0]) + 1)
    for under_mask in outputs:
        z = [0, *under_mask]
        e = [EXP[min(4095, max(z) - zv)] for zv in z]
        counts = [c + (ev << 24) // sum(e) for c, ev in zip(counts, e, strict=True)]
    return counts


class BayesNet:
    """Weights of the model."""

    def __init__(self, p: Parameters, config: dict[str, Any], channels: int, depth: int) -> None:
        self.columns, self.channels, self.outputs = config["columns"], channels, (1 << depth) - 1
        self.width, self.samples = config["width"], config["rows"] * config["columns"] * channels
        self.hidden = unpacked(p, "hidden", lambda row: list(range(row // self.width)))
        self.logits = unpacked(p, "logits", self.local)

    def local(self, row: int) -> list[int]:
        """Features of the samples of the same position up to a row's."""
        sample = row // self.outputs
        first = sample - sample % self.channels
        return list(range(first * self.width, (sample + 1) * self.width))

    def counts(self, known: Known) -> Callable[[int, int, int], list[int]]:
        """Of a tile's samples."""
        kept: dict[int, list[int]] = {}

        def features(sample: int) -> list[int]:
            if sample not in kept:
                rows = self.hidden[sample * self.width : (sample + 1) * self.width]
                kept[sample] = self.evaluated(rows, lambda j: self.sample(known, j), SIGNED)
            return kept[sample]

        def of(y: int, x: int, c: int) -> list[int]:
            sample = (y * self.columns + x) * self.channels + c
            rows = self.logits[sample * self.outputs : (sample + 1) * self.outputs]
            return counts_of([self.evaluated(rows, lambda j: features(j // self.width)[j % self.width], LOGIT)])

        return of

    def sample(self, known: Known, j: int) -> int:
        """As a feature, 0 if the tile lacks it."""
        place, c = divmod(j, self.channels)
        y, x = divmod(place, self.columns)
        return known.feature(y, x, c) if y < known.shape[0] and x < known.shape[1] else 0

    @staticmethod
    def evaluated(rows: list[PackedRow], value: Callable[[int], int], kind: Kind) -> list[int]:
        return [y for inputs, row in rows for y in linear([row], [value(j) for j in inputs], kind)]


class Made:
    """Weights of the model, and its masks."""

    def __init__(self, p: Parameters, config: dict[str, Any], channels: int, depth: int) -> None:
        self.p, self.config, self.channels, self.outputs = p, config, channels, (1 << depth) - 1
        self.rows, self.columns, order = config["rows"], config["columns"], config["order"]
        self.masks, self.blocks, self.width = config["masks"], config["blocks"], config["width"]
        self.positions = [(y, x) for y in range(self.rows) for x in range(self.columns)]
        if order:
            self.positions.sort(key=lambda at: (drawn(order, *at), at))
        self.number = {at: i for i, at in enumerate(self.positions)}
        self.samples = len(self.positions) * channels

    @cached_property
    def degrees(self) -> list[list[list[int]]]:
        """m, by b, s, k."""
        made: list[list[list[int]]] = []
        for b in range(self.blocks):
            made.append([])
            for s in range(self.masks):
                least = min(made[b - 1][s]) if b else 1
                span = max(1, self.samples - 1) - least + 1
                made[b].append(
                    [least + (((drawn(self.config["degrees"], s, b, k) >> 32) * span) >> 32) for k in range(self.width)]
                )
        return made

    @cached_property
    def layers(self) -> list[list[PackedRow]]:
        """The hidden ones, then ``out``."""
        most = [max(of) for of in zip(*self.degrees[0], strict=True)]
        made = [unpacked(self.p, "net.hidden.0", lambda k: list(range(most[k])))]
        for b in range(1, self.blocks):
            mine, before = (list(zip(*self.degrees[i], strict=True)) for i in (b, b - 1))
            made.append(
                unpacked(
                    self.p,
                    f"net.hidden.{b}",
                    lambda k, mine=mine, before=before: [  # type: ignore[misc]
                        j for j in range(self.width) if any(m >= d for m, d in zip(mine[k], before[j], strict=True))
                    ],
                )
            )
        least = [min(of) for of in zip(*self.degrees[-1], strict=True)]
        made.append(
            unpacked(self.p, "net.out", lambda j: [k for k in range(self.width) if least[k] <= j // self.outputs])
        )
        return made

    @cached_property
    def direct(self) -> list[PackedRow]:
        return unpacked(self.p, "net.direct", lambda j: list(range(j // self.outputs)))

    def counts(self, known: Known) -> Callable[[int, int, int], list[int]]:
        """Of a tile's samples."""
        kept: dict[tuple[int, int, int], int] = {}

        def sample(i: int) -> int:
            y, x = self.positions[i // self.channels]
            inside = y < known.shape[0] and x < known.shape[1]
            return known.feature(y, x, i % self.channels) if inside else -128

        def unit(s: int, b: int, k: int) -> int:
            if (s, b, k) not in kept:
                inputs, row = self.layers[b][k]
                degree = self.degrees[b][s][k]
                if b == 0:
                    x = [sample(j) if j < degree else -128 for j in inputs]
                else:
                    before = self.degrees[b - 1][s]
                    x = [unit(s, b - 1, j) if before[j] <= degree else -128 for j in inputs]
                (kept[s, b, k],) = linear([row], x, RECTIFIED)
            return kept[s, b, k]

        def of(y: int, x: int, c: int) -> list[int]:
            i, made = self.number[y, x] * self.channels + c, []
            mine = slice(i * self.outputs, (i + 1) * self.outputs)
            direct = [0] * self.outputs
            if self.config.get("direct"):
                direct = BayesNet.evaluated(self.direct[mine], sample, LOGIT)
            for s in range(self.masks):
                last = self.degrees[-1][s]
                z = BayesNet.evaluated(
                    self.layers[-1][mine],
                    lambda k, s=s, last=last: unit(s, self.blocks - 1, k) if last[k] <= i else -128,  # type: ignore[misc]
                    LOGIT,
                )
                made.append([max(-32768, min(32767, a + b)) for a, b in zip(z, direct, strict=True)])
            return counts_of(made)

        return of
