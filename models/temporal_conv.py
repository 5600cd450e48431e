"""``temporal_conv``: one-dimensional convolutions over the sequence of samples, made causal by padding.

Paper: the time-delay network of Waibel et al. 1989 ("Phoneme recognition using time-delay neural networks"), as a
generic sequence model in Bai, Kolter and Koltun 2018 ("An empirical evaluation of generic convolutional and recurrent
networks for sequence modeling", sections 3.1 and 3.3): each layer sees so many steps back, padding on the left alone
keeps the future out, and what a layer makes is added to its input.

What it adds to the models before it on the ladder: parameters shared over time, all steps evaluated at once. Where it
differs: no dilation, which ``wavenet`` adds; one convolution between two residual sums, not two, its rectifier before
it; samples are entered as symbols, one of their alphabet. Text and bytes are sequences as they are; a picture is one of
pixels, row after row.

Train it with ``arcomp train --model temporal_conv DATA``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from arcomp.contract.registry import register
from arcomp.contract.settings import setting
from arcomp.layers.conv import line
from arcomp.layers.embedding import Embedding
from arcomp.layers.quantisation import LOGITS, RECTIFIED8
from arcomp.layers.spec import Add, Conv, Requantize, Spec, linear
from arcomp.network.configuration import LayeredConfig
from arcomp.network.layered import Layered
from arcomp.network.wiring import Run, Wiring
from arcomp.orders import Order, Raster

SUMS = LOGITS
"""Quantisation of the residual sums: 16 bits."""


@dataclass(frozen=True)
class TemporalConvConfig(LayeredConfig):
    """Shape of a network.

    Attributes:
        width: features of each layer, for each channel.
        blocks: layers after the first, which sees the sample before.
        kernel: steps that a layer sees, its own among them.
    """

    width: int = setting(1, 512)
    blocks: int = setting(1, 64)
    kernel: int = setting(1, 64)


class TemporalConvWiring(Wiring):
    """Layer upon layer."""

    config: TemporalConvConfig

    def layers(self) -> dict[str, Spec]:
        c, h = self.channels, self.config.width
        taps = line(2) if c > 1 else ((0, -1),)  # of the position itself, earlier channels
        found: dict[str, Spec] = {"first": Embedding(taps, "A", c, self.config.depth, h, SUMS, levels=c > 1)}
        for i in range(self.config.blocks):
            found[f"rectified.{i}"] = Requantize(c, SUMS, RECTIFIED8)
            found[f"layer.{i}"] = Conv(line(self.config.kernel), "B", c, h, h, RECTIFIED8, SUMS, init_scale=0.5)
            found[f"sum.{i}"] = Add(c, (SUMS, SUMS), SUMS)
        found["rectified"] = Requantize(c, SUMS, RECTIFIED8)
        found["logits"] = linear(c, h, 1 << self.config.depth, RECTIFIED8, LOGITS)
        return found

    def forward(self, run: Run, samples: Any) -> Any:
        x = run("first", samples)
        for i in range(self.config.blocks):
            x = run(f"sum.{i}", x, run(f"layer.{i}", run(f"rectified.{i}", x)))
        return run("logits", run("rectified", x))


@register
class TemporalConv(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "temporal_conv"
    config_type = TemporalConvConfig
    wiring_type = TemporalConvWiring
    sequence: Order = Raster()
    flat: ClassVar[bool] = True
