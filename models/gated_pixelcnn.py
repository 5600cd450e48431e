"""``gated_pixelcnn``: two stacks of gated convolutions, without a blind spot.

Paper: van den Oord et al. 2016, "Conditional image generation with PixelCNN decoders", section 2 and figure 2 (the
model without conditioning): a vertical stack sees all rows above, a horizontal stack the row so far and, at each
layer, the vertical one; both go through the gate tanh(a) sigmoid(b), the horizontal one with residual sums.

What it adds to ``pixelcnn``: gates, and every position above is seen: masking a square convolution, layer upon layer,
leaves out a part to the right above, however deep the network is (``tests/test_ladder.py`` shows both). Where it
differs: sizes are small; the horizontal stack's outputs of all layers are not summed to a skip output; the residual
sums may begin with a convolution of the samples that goes through no gate, which would lose how bright they are.

A row of the vertical stack is computed when the row begins. Train it with ``arcomp train --recipe
gated_pixelcnn-digits DATA``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from arcomp.contract.registry import register
from arcomp.contract.settings import setting
from arcomp.layers.conv import above, around, line, nearest, square
from arcomp.layers.embedding import Embedding
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8, UNIT8
from arcomp.layers.spec import Add, Conv, Gate, Requantize, Spec, linear
from arcomp.network.configuration import LayeredConfig, check_side
from arcomp.network.layered import Layered
from arcomp.network.wiring import Run, Wiring
from arcomp.orders import Order, Raster

FIRST = 7
"""Side of the first convolutions."""
SUMS = LOGITS
"""Quantisation of what goes into gates and of the residual sums: 16 bits."""


@dataclass(frozen=True)
class GatedPixelCNNConfig(LayeredConfig):
    """Shape of a network.

    Attributes:
        width: features p of the horizontal stack, for each channel; the vertical one has as many for all of them.
        blocks: layers after the first.
        kernel: side of their convolutions, odd, 7 at most (the paper's is 3).
        direct: 1: the residual sums begin with a convolution of the samples, as those of ``pixelcnn`` do; 0: without.
        symbols: 1: and, or, with columns for the nearest samples as symbols, as those of ``pixelcnn`` may; 0: without.
    """

    width: int = setting(1, 512)
    blocks: int = setting(1, 64)
    kernel: int = setting(1, 64)
    direct: int = setting(0, 1, default=0)
    symbols: int = setting(0, 1, default=0)

    def __post_init__(self) -> None:
        check_side(self.kernel, FIRST)


class GatedPixelCNNWiring(Wiring):
    """The network: figure 2 of the paper, layer upon layer."""

    config: GatedPixelCNNConfig

    def layers(self) -> dict[str, Spec]:
        c, p = self.channels, self.config.width
        v = c * p  # features of the vertical stack, for all channels together
        found: dict[str, Spec] = {}
        if self.config.direct:
            found["direct"] = Conv(square(FIRST), "A", c, 1, p, SIGNED8, SUMS, samples=True)
        if self.config.symbols:
            found["symbols"] = Embedding(nearest(c), "A", c, self.config.depth, p, SUMS, levels=True)
        first = len(found)
        for i in range(self.config.blocks + 1):
            for side in ("tanh", "sigmoid"):
                if i == 0:
                    vertical = Conv(above(FIRST), "B", 1, c, v, SIGNED8, SUMS, samples=True, row_level=True)
                    horizontal = Conv(line(FIRST // 2 + 1), "A", c, 1, p, SIGNED8, SUMS, samples=True)
                else:
                    vertical = Conv(around(self.config.kernel), "B", 1, v, v, UNIT8, SUMS, row_level=True)
                    horizontal = Conv(line(self.config.kernel // 2 + 1), "B", c, p, p, SIGNED8, SUMS)
                found[f"vertical.{side}.{i}"] = vertical
                found[f"horizontal.{side}.{i}"] = horizontal
                found[f"down.{side}.{i}"] = linear(1, v, v, UNIT8, SUMS, row_level=True)
                found[f"both.{side}.{i}"] = Add(c, (SUMS, SUMS), SUMS)
            found[f"vertical.{i}"] = Gate(1, row_level=True)
            found[f"horizontal.{i}"] = Gate(c)
            found[f"out.{i}"] = linear(c, p, p, UNIT8, SUMS, init_scale=0.5)
            found[f"sum.{i}"] = Add(c, (SUMS,) * (2 if i else 1 + first), SUMS)
            found[f"kept.{i}"] = Requantize(c, SUMS, SIGNED8)
        found["rectified"] = Requantize(c, SUMS, RECTIFIED8)
        found["last"] = linear(c, p, 2 * p, RECTIFIED8, RECTIFIED8)
        found["logits"] = linear(c, 2 * p, 1 << self.config.depth, RECTIFIED8, LOGITS)
        return found

    def forward(self, run: Run, samples: Any) -> Any:
        v = h = samples
        first = ("direct",) * self.config.direct + ("symbols",) * self.config.symbols
        x: tuple[Any, ...] = tuple(run(name, samples) for name in first)
        for i in range(self.config.blocks + 1):
            tanh, sigmoid = (run(f"vertical.{side}.{i}", v) for side in ("tanh", "sigmoid"))
            v = run(f"vertical.{i}", tanh, sigmoid)
            tanh, sigmoid = (
                run(f"both.{side}.{i}", run(f"horizontal.{side}.{i}", h), run(f"down.{side}.{i}", v))
                for side in ("tanh", "sigmoid")
            )
            x = (run(f"sum.{i}", run(f"out.{i}", run(f"horizontal.{i}", tanh, sigmoid)), *x),)
            h = run(f"kept.{i}", *x)
        return run("logits", run("last", run("rectified", *x)))


@register
class GatedPixelCNN(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "gated_pixelcnn"
    config_type = GatedPixelCNNConfig
    wiring_type = GatedPixelCNNWiring
    sequence: Order = Raster()
