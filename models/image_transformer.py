"""``image_transformer``: masked self-attention, in any order.

Paper: Parmar et al. 2018, "Image transformer", with the attention of Vaswani et al. 2017, "Attention is all you need":
layer after layer, each position looks at all positions up to itself, and goes through a small network of its own; its
input is what was before it. The order is free, and a setting: raster, zigzag, Hilbert's curve, or a random one (the
paper has raster, and local attention).

What it adds to the models before it on the ladder: attention, and nothing else. Where it differs: attention is over all
of the picture, not over blocks of it; each head begins by looking at a neighbour, instead of having to learn where
neighbours are; features are not normalised, which in integers would be a division for every position (Zhang et al.
2019, "Fixup initialization", section 2, says why sums may do without); channels are left to the mixture, as in the
paper's DMOL, to whose means a linear short-cut leads from the sample before (:mod:`arcomp.network.linear_skip`).

Train it with ``arcomp train --recipe image_transformer-digits DATA``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from arcomp.contract.registry import register
from arcomp.contract.settings import setting
from arcomp.layers.attention import KEY, Attention
from arcomp.layers.conv import Tap
from arcomp.layers.position import PositionEmbedding, wave_lengths
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8
from arcomp.layers.shift import Shift
from arcomp.layers.spec import Add, Requantize, Spec, linear
from arcomp.network.configuration import MixtureConfig
from arcomp.network.layered import Layered
from arcomp.network.linear_skip import LinearSkip
from arcomp.network.wiring import Floats, Run, Wiring
from arcomp.orders import Hilbert, Order, Raster, Shuffled, Zigzag

ORDERS: tuple[Order, ...] = (Raster(), Zigzag(), Hilbert())
VALUE = 16
"""Features of a head's values."""
SHIFT = 3
"""Samples of so many positions before are a position's input."""
NEIGHBOURS = ((-1, 1), (-2, 1), (-1, 3), (-3, 1), (-2, 3), (-1, -1), (-4, 1), (-2, -1), (0, -2))
"""Where heads look first, rows down and columns to the right: a position has what was before it as its input."""
SHARPNESS = 2.5
"""Of how they look."""
HERE: tuple[Tap, ...] = ((0, 0),)
SUMS = LOGITS
"""Quantisation of the residual sums: 16 bits."""


@dataclass(frozen=True)
class ImageTransformerConfig(MixtureConfig):
    """Shape of a network.

    Attributes:
        rows, columns: of the largest pictures.
        width: features. blocks: layers.
        heads: of attention.
        order: 0: row by row; 1: zigzag; 2: along Hilbert's curve; else the seed of a random one.
    """

    rows: int = setting(1, 64)
    columns: int = setting(1, 64)
    width: int = setting(1, 512)
    blocks: int = setting(1, 64)
    heads: int = setting(1, 16)
    order: int = setting(0, 65535)

    @property
    def frame(self) -> tuple[int, int]:
        return self.rows, self.columns

    @property
    def sequence(self) -> Order:
        """The order of a picture."""
        return ORDERS[self.order] if self.order < len(ORDERS) else Shuffled(self.order)


def _turned_waves(width: int, offset: tuple[int, int]) -> Floats:
    """From the features of a place to some of the waves of another, so many rows and columns on: [KEY, width]."""
    made, half = np.zeros((KEY, width), np.float32), width // 2
    for axis, (first, features) in enumerate(((0, half), (half, width - half))):
        lengths = wave_lengths(features)
        for i in range(KEY // 4 if features > 1 else 0):
            wave = i * (features // 2) // (KEY // 4)
            sine, cosine, at = first + wave, first + len(lengths) + wave, 4 * i + 2 * axis
            turn = 2 * math.pi * offset[axis] / float(lengths[wave])
            made[at, sine] = made[at + 1, cosine] = math.cos(turn)
            made[at, cosine], made[at + 1, sine] = math.sin(turn), -math.sin(turn)
    return made


class ImageTransformerWiring(Wiring):
    """The network: figure 1 of the paper."""

    config: ImageTransformerConfig

    @property
    def linear_skip(self) -> LinearSkip:
        """The short-cut from the sample before."""
        return LinearSkip(
            self.config.head, self.channels, self.channels, self.channels, HERE, {(0, HERE[0]): 1.0}, samples=False
        )

    def layers(self) -> dict[str, Spec]:
        a, c, p = self.config, self.channels, self.config.width
        order, values = a.sequence, a.heads * VALUE
        found: dict[str, Spec] = {
            "place": PositionEmbedding(a.rows, a.columns, p),
            "place.in": linear(1, p, p, SIGNED8, SUMS),
        }
        for i in range(SHIFT):
            found[f"before.{i}"] = Shift(order, c, SIGNED8, samples=not i)
            found[f"in.{i}"] = linear(1, c, p, SIGNED8, SUMS, init_scale=0.1)
        found["in"] = Add(1, (SUMS,) * (SHIFT + 1), SUMS)
        for b in range(a.blocks):
            found[f"kept.{b}"] = Requantize(1, SUMS, SIGNED8)
            for name, outputs in (("query", a.heads * KEY), ("key", a.heads * KEY), ("value", values)):
                found[f"{name}.{b}"] = linear(1, p, outputs, SIGNED8, SIGNED8)
            found[f"attention.{b}"] = Attention(order, a.heads, VALUE)
            found[f"found.{b}"] = linear(1, values, p, SIGNED8, SUMS, init_scale=0.3)
            found[f"sum.{b}"] = Add(1, (SUMS, SUMS), SUMS)
            found[f"inner.kept.{b}"] = Requantize(1, SUMS, SIGNED8)
            found[f"inner.{b}"] = linear(1, p, 2 * p, SIGNED8, RECTIFIED8)
            found[f"outer.{b}"] = linear(1, 2 * p, p, RECTIFIED8, SUMS, init_scale=0.3)
            found[f"out.{b}"] = Add(1, (SUMS, SUMS), SUMS)
        found["kept"] = Requantize(1, SUMS, SIGNED8)
        found["last"] = linear(1, p, 2 * p, SIGNED8, RECTIFIED8)
        found |= self.linear_skip.layers()
        found["outputs"] = linear(1, 2 * p, c * a.head.outputs, RECTIFIED8, LOGITS)
        return found

    def init(self, weights: Callable[[str], Floats]) -> None:
        """Queries begin as keys of a place a little before: each head looks first at a neighbour of its own.

        Keys begin as some of the waves that places are made of (:func:`arcomp.layers.position.waves`); the query for
        another place's key is the own place's, each wave's sine and cosine turned.
        """
        a, p = self.config, self.config.width
        self.linear_skip.init(weights)
        weights("place.in")[:] = np.eye(p)
        heads = [(b, h) for b in range(a.blocks) for h in range(a.heads)]
        for (b, h), neighbour in zip(heads, itertools.cycle(NEIGHBOURS)):
            rows = slice(h * KEY, (h + 1) * KEY)
            for name, offset in (("key", (0, 0)), ("query", neighbour)):
                weights(f"{name}.{b}")[rows] = SHARPNESS * _turned_waves(p, offset)

    def forward(self, run: Run, samples: Any) -> Any:
        before = [samples]
        for i in range(SHIFT):
            before.append(run(f"before.{i}", before[-1]))
        parts = [run(f"in.{i}", x) for i, x in enumerate(before[1:])]
        x = run("in", run("place.in", run("place", samples)), *parts)
        for b in range(self.config.blocks):
            here = run(f"kept.{b}", x)
            seen = run(f"attention.{b}", *(run(f"{name}.{b}", here) for name in ("query", "key", "value")))
            x = run(f"sum.{b}", x, run(f"found.{b}", seen))
            x = run(f"out.{b}", x, run(f"outer.{b}", run(f"inner.{b}", run(f"inner.kept.{b}", x))))
        return self.linear_skip.forward(run, run("outputs", run("last", run("kept", x))), before[1])


@register
class ImageTransformer(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "image_transformer"
    config_type = ImageTransformerConfig
    wiring_type = ImageTransformerWiring
