"""``pixelcnn``: masked convolutions.

Paper: van den Oord, Kalchbrenner and Kavukcuoglu 2016, "Pixel recurrent neural networks", sections 3.3 to 3.6 and
table 1: a 7 x 7 convolution of mask A, residual blocks of masked convolutions, two layers of side 1, and a softmax over
all levels of each sample; masks over channels: green sees red, blue sees red and green (section 3.4).

What it adds to the models before it on the ladder: parameters shared over positions in two dimensions, so that it
takes pictures of any size; all positions evaluated at once. Where it differs: sizes are small, blocks' convolutions may
be wider; the nearest samples may enter as symbols too, since a softmax over 256 levels learns slowly from levels as
numbers; activations have 8 bits, the sums of the residual blocks 16. Its receptive field has a blind spot to the right
above, which ``gated_pixelcnn`` removes.

Train it with ``arcomp train --recipe pixelcnn-digits DATA``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from arcomp.contract.registry import register
from arcomp.contract.settings import setting
from arcomp.layers.conv import nearest, square
from arcomp.layers.embedding import Embedding
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8
from arcomp.layers.spec import Add, Conv, Requantize, Spec, linear
from arcomp.network.configuration import LayeredConfig, check_side
from arcomp.network.layered import Layered
from arcomp.network.wiring import Run, Wiring
from arcomp.orders import Order, Wavefront

FIRST = 7
"""Side of the first convolution."""
SUMS = LOGITS
"""Quantisation of the residual sums: 16 bits."""


@dataclass(frozen=True)
class PixelCNNConfig(LayeredConfig):
    """Shape of a network.

    Attributes:
        width: features h of a block's inner layers, for each channel; the sums have 2 h.
        blocks: residual blocks.
        kernel: side of their convolutions, odd, 7 at most (the paper's is 3).
        symbols: 1: the residual sums begin with columns for the nearest samples as symbols, besides the first
            convolution, which takes them as numbers; 0: without.
    """

    width: int = setting(1, 512)
    blocks: int = setting(1, 64)
    kernel: int = setting(1, FIRST)
    symbols: int = setting(0, 1, default=0)

    def __post_init__(self) -> None:
        check_side(self.kernel, FIRST)


class PixelCNNWiring(Wiring):
    """The network: van den Oord et al. 2016, table 1 and figure 5."""

    config: PixelCNNConfig

    def layers(self) -> dict[str, Spec]:
        c, h = self.channels, self.config.width
        found: dict[str, Spec] = {"first": Conv(square(FIRST), "A", c, 1, 2 * h, SIGNED8, SUMS, samples=True)}
        if self.config.symbols:
            found["symbols"] = Embedding(nearest(c), "A", c, self.config.depth, 2 * h, SUMS, levels=True)
            found["begin"] = Add(c, (SUMS, SUMS), SUMS)
        for i in range(self.config.blocks):
            found[f"rectified.{i}"] = Requantize(c, SUMS, RECTIFIED8)
            found[f"down.{i}"] = linear(c, 2 * h, h, RECTIFIED8, RECTIFIED8)
            found[f"inner.{i}"] = Conv(square(self.config.kernel), "B", c, h, h, RECTIFIED8, RECTIFIED8)
            found[f"up.{i}"] = linear(c, h, 2 * h, RECTIFIED8, SUMS, init_scale=0.3)
            found[f"sum.{i}"] = Add(c, (SUMS, SUMS), SUMS)
        found["rectified"] = Requantize(c, SUMS, RECTIFIED8)
        found["last"] = linear(c, 2 * h, 2 * h, RECTIFIED8, RECTIFIED8)
        found["logits"] = linear(c, 2 * h, 1 << self.config.depth, RECTIFIED8, LOGITS)
        return found

    def forward(self, run: Run, samples: Any) -> Any:
        x = run("first", samples)
        if self.config.symbols:
            x = run("begin", x, run("symbols", samples))
        for i in range(self.config.blocks):
            y = run(f"down.{i}", run(f"rectified.{i}", x))
            x = run(f"sum.{i}", x, run(f"up.{i}", run(f"inner.{i}", y)))
        return run("logits", run("last", run("rectified", x)))


@register
class PixelCNN(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "pixelcnn"
    config_type = PixelCNNConfig
    wiring_type = PixelCNNWiring
    sequence: Order = Wavefront(FIRST // 2 + 1)
    """Taps reach 3 columns to the right, so the skew is 4."""
    side: ClassVar[int] = 256
