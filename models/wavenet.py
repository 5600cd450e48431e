"""``wavenet``: dilated, gated convolutions over the sequence of samples, with residual sums and skips.

Paper: van den Oord et al. 2016, "WaveNet: a generative model for raw audio", sections 2.1 to 2.4 and figure 4: layers
of two taps whose distance doubles from layer to layer and begins again after a cycle; gates tanh(a) sigmoid(b); each
layer's output goes to the residual sum and, by a layer of its own, to the sum of skips that the softmax is made from.

What it adds to ``temporal_conv``: a receptive field that grows exponentially with depth, gates, residual sums and
skips. Samples are entered as symbols, one of their alphabet (section 2.2). Where it differs: no conditioning; sizes are
small. Text and bytes are sequences as they are; a picture is one of pixels, row after row.

Train it with ``arcomp train --model wavenet DATA``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from arcomp.contract.registry import register
from arcomp.contract.settings import setting
from arcomp.layers.conv import line
from arcomp.layers.embedding import Embedding
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8, UNIT8
from arcomp.layers.spec import Add, Conv, Gate, Requantize, Spec, linear
from arcomp.network.configuration import LayeredConfig
from arcomp.network.layered import Layered
from arcomp.network.wiring import Run, Wiring
from arcomp.orders import Order, Raster

SUMS = LOGITS
"""Quantisation of what goes into gates and of the two sums: 16 bits."""


@dataclass(frozen=True)
class WaveNetConfig(LayeredConfig):
    """Shape of a network.

    Attributes:
        width: features of the residual sum, for each channel; the skips' sum has twice as many.
        blocks: layers after the first.
        cycle: layers after which the dilation begins again at 1.
    """

    width: int = setting(1, 512)
    blocks: int = setting(1, 64)
    cycle: int = setting(1, 12)


class WaveNetWiring(Wiring):
    """The network: figure 4 of the paper."""

    config: WaveNetConfig

    def layers(self) -> dict[str, Spec]:
        c, p = self.channels, self.config.width
        taps = line(2) if c > 1 else ((0, -1),)  # of the position itself, earlier channels
        found: dict[str, Spec] = {"first": Embedding(taps, "A", c, self.config.depth, p, SUMS, levels=c > 1)}
        for i in range(self.config.blocks):
            taps = line(2, 1 << (i % self.config.cycle))
            found[f"kept.{i}"] = Requantize(c, SUMS, SIGNED8)
            for side in ("tanh", "sigmoid"):
                found[f"{side}.{i}"] = Conv(taps, "B", c, p, p, SIGNED8, SUMS)
            found[f"gate.{i}"] = Gate(c)
            found[f"out.{i}"] = linear(c, p, p, UNIT8, SUMS, init_scale=0.5)
            found[f"sum.{i}"] = Add(c, (SUMS, SUMS), SUMS)
            found[f"skip.{i}"] = linear(c, p, 2 * p, UNIT8, SUMS, init_scale=0.5)
        found["skips"] = Add(c, (SUMS,) * self.config.blocks, SUMS)
        found["rectified"] = Requantize(c, SUMS, RECTIFIED8)
        found["last"] = linear(c, 2 * p, 2 * p, RECTIFIED8, RECTIFIED8)
        found["logits"] = linear(c, 2 * p, 1 << self.config.depth, RECTIFIED8, LOGITS)
        return found

    def forward(self, run: Run, samples: Any) -> Any:
        x, skips = run("first", samples), []
        for i in range(self.config.blocks):
            kept = run(f"kept.{i}", x)
            gated = run(f"gate.{i}", run(f"tanh.{i}", kept), run(f"sigmoid.{i}", kept))
            x = run(f"sum.{i}", x, run(f"out.{i}", gated))
            skips.append(run(f"skip.{i}", gated))
        return run("logits", run("last", run("rectified", run("skips", *skips))))


@register
class WaveNet(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "wavenet"
    config_type = WaveNetConfig
    wiring_type = WaveNetWiring
    sequence: Order = Raster()
    flat: ClassVar[bool] = True
