"""``gated_pixelcnn``: two stacks of gated convolutions, without a blind spot.

Paper: van den Oord et al. 2016, "Conditional image generation with PixelCNN decoders", section 2 and figure 2 (the
model without conditioning): a vertical stack sees all rows above, a horizontal stack the row so far and, at each
layer, the vertical one; both go through the gate tanh(a) sigmoid(b), the horizontal one with residual sums.

What it adds to ``pixelcnn``: gates, and every position above is seen: masking a square convolution, layer upon layer,
leaves out a part to the right above, however deep the network is (``arcomp show fields`` shows both). Where it
differs: sizes are small; the residual sums may begin with a convolution of the samples that goes through no gate, which
would lose how bright they are; the shipped weights feed the horizontal stack from behind the vertical one's gates, a
product less a layer, new ones with ``before_gate`` from before them, as in the paper.

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
SIDES = ("tanh", "sigmoid")
"""Of a gate."""
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
        before_gate: 1: the horizontal stack is given what enters the gates of the vertical one, as in figure 2 of the
            paper; 0: what leaves them.
    """

    width: int = setting(1, 512)
    blocks: int = setting(1, 64)
    kernel: int = setting(1, 64)
    direct: int = setting(0, 1, default=0)
    symbols: int = setting(0, 1, default=0)
    before_gate: int = setting(0, 1, default=0)

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
            for side in SIDES:
                if i == 0:
                    vertical = Conv(above(FIRST), "B", 1, c, v, SIGNED8, SUMS, samples=True, row_level=True)
                    horizontal = Conv(line(FIRST // 2 + 1), "A", c, 1, p, SIGNED8, SUMS, samples=True)
                else:
                    vertical = Conv(around(self.config.kernel), "B", 1, v, v, UNIT8, SUMS, row_level=True)
                    horizontal = Conv(line(self.config.kernel // 2 + 1), "B", c, p, p, SIGNED8, SUMS)
                found[f"vertical.{side}.{i}"] = vertical
                found[f"horizontal.{side}.{i}"] = horizontal
                found |= self._down(side, i)
            found[f"vertical.{i}"] = Gate(1, row_level=True)
            found[f"horizontal.{i}"] = Gate(c)
            found[f"out.{i}"] = linear(c, p, p, UNIT8, SUMS, init_scale=0.5)
            found[f"sum.{i}"] = Add(c, (SUMS,) * (2 if i else 1 + first), SUMS)
            found[f"kept.{i}"] = Requantize(c, SUMS, SIGNED8)
        found["rectified"] = Requantize(c, SUMS, RECTIFIED8)
        found["last"] = linear(c, p, 2 * p, RECTIFIED8, RECTIFIED8)
        found["logits"] = linear(c, 2 * p, 1 << self.config.depth, RECTIFIED8, LOGITS)
        return found

    def _down(self, side: str, i: int) -> dict[str, Spec]:
        """What leads from the vertical stack to one of the horizontal one's gates, and the sum there."""
        c, v = self.channels, self.channels * self.config.width
        if not self.config.before_gate:
            return {
                f"down.{side}.{i}": linear(1, v, v, UNIT8, SUMS, row_level=True),
                f"both.{side}.{i}": Add(c, (SUMS, SUMS), SUMS),
            }
        found: dict[str, Spec] = {f"ahead.{side}.{i}": Requantize(1, SUMS, SIGNED8, row_level=True)}
        for source in SIDES:
            found[f"down.{side}.{source}.{i}"] = linear(1, v, v, SIGNED8, SUMS, init_scale=0.7, row_level=True)
        found[f"both.{side}.{i}"] = Add(c, (SUMS, SUMS, SUMS), SUMS)
        return found

    def _joined(self, run: Run, i: int, h: Any, before: dict[str, Any], v: Any) -> list[Any]:
        """What enters the horizontal gates.

        Args:
            before, v: what enters the vertical ones, and what leaves them.
        """
        if not self.config.before_gate:
            down = {side: [run(f"down.{side}.{i}", v)] for side in SIDES}
        else:
            ahead = {side: run(f"ahead.{side}.{i}", before[side]) for side in SIDES}
            down = {side: [run(f"down.{side}.{s}.{i}", ahead[s]) for s in SIDES] for side in SIDES}
        return [run(f"both.{side}.{i}", run(f"horizontal.{side}.{i}", h), *down[side]) for side in SIDES]

    def forward(self, run: Run, samples: Any) -> Any:
        v = h = samples
        first = ("direct",) * self.config.direct + ("symbols",) * self.config.symbols
        x: tuple[Any, ...] = tuple(run(name, samples) for name in first)
        for i in range(self.config.blocks + 1):
            before = {side: run(f"vertical.{side}.{i}", v) for side in SIDES}
            v = run(f"vertical.{i}", *before.values())
            gated = run(f"horizontal.{i}", *self._joined(run, i, h, before, v))
            x = (run(f"sum.{i}", run(f"out.{i}", gated), *x),)
            h = run(f"kept.{i}", *x)
        return run("logits", run("last", run("rectified", *x)))


@register
class GatedPixelCNN(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "gated_pixelcnn"
    config_type = GatedPixelCNNConfig
    wiring_type = GatedPixelCNNWiring
    sequence: Order = Raster()
