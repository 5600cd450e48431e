"""``pixelrnn``: Row LSTM.

Paper: van den Oord, Kalchbrenner and Kavukcuoglu 2016, "Pixel recurrent neural networks", sections 3.1, 3.3 to 3.5,
figure 5 (right) and table 1: a 7 x 7 convolution of mask A, residual blocks whose cells take their state from the row
above, two layers of side 1, and a softmax over all levels of each sample. A cell's gates see the row so far by a masked
convolution of 3 x 1, and the cells' outputs in the row above by one without a mask; a layer of side 1 leads from a
block's h cells to the 2 h features of the sum.

What it adds to the models before it on the ladder: a state that goes down the rows, so that every block sees a whole
triangle above. Where it differs: sizes are small; the nearest samples may enter as symbols too, as in ``pixelcnn``;
what enters the gates and what leaves cells have 8 bits, their states and the sums 16. In training all positions of a
row are one step. The paper's best network, the diagonal BiLSTM (section 3.2), is not here: its state from the right
needs whole rows, so that positions would be decoded one by one where here a wavefront of them is.

Train it with ``arcomp train --recipe pixelrnn-digits DATA``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from arcomp.contract.registry import register
from arcomp.contract.settings import setting
from arcomp.exact.cell import GATES
from arcomp.layers.conv import line, nearest, square
from arcomp.layers.embedding import Embedding
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8, UNIT8
from arcomp.layers.recurrent import DOWN, LSTM
from arcomp.layers.spec import Add, Conv, Requantize, Spec, linear
from arcomp.network.configuration import LayeredConfig
from arcomp.network.layered import Layered
from arcomp.network.wiring import Run, Wiring
from arcomp.orders import Order, Wavefront

FIRST, INNER = 7, 3
"""Sides of the first convolution and of those in blocks."""
SUMS = LOGITS
"""Quantisation of the residual sums: 16 bits."""


@dataclass(frozen=True)
class PixelRNNConfig(LayeredConfig):
    """Shape of a network.

    Attributes:
        width: cells h of a block, for each channel; the sums have 2 h.
        blocks: residual blocks.
        symbols: 1: the residual sums begin with columns for the nearest samples as symbols too, as those of
            ``pixelcnn`` may; 0: without.
    """

    width: int = setting(1, 512)
    blocks: int = setting(1, 64)
    symbols: int = setting(0, 1, default=0)


class PixelRNNWiring(Wiring):
    """The network: table 1, column "Row LSTM"."""

    config: PixelRNNConfig

    def layers(self) -> dict[str, Spec]:
        c, h = self.channels, self.config.width
        found: dict[str, Spec] = {"first": Conv(square(FIRST), "A", c, 1, 2 * h, SIGNED8, SUMS, samples=True)}
        if self.config.symbols:
            found["symbols"] = Embedding(nearest(c), "A", c, self.config.depth, 2 * h, SUMS, levels=True)
            found["begin"] = Add(c, (SUMS, SUMS), SUMS)
        for i in range(self.config.blocks):
            found[f"kept.{i}"] = Requantize(c, SUMS, SIGNED8)
            found[f"input.{i}"] = Conv(line(INNER // 2 + 1), "B", c, 2 * h, GATES * h, SIGNED8, LOGITS)
            found[f"lstm.{i}"] = LSTM(DOWN, INNER, c, h)
            found[f"up.{i}"] = linear(c, h, 2 * h, UNIT8, SUMS, init_scale=0.5)
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
            cells = run(f"lstm.{i}", run(f"input.{i}", run(f"kept.{i}", x)))
            x = run(f"sum.{i}", x, run(f"up.{i}", cells))
        return run("logits", run("last", run("rectified", x)))


@register
class PixelRNN(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "pixelrnn"
    config_type = PixelRNNConfig
    wiring_type = PixelRNNWiring
    sequence: Order = Wavefront(FIRST // 2 + 1)
    """Rows above are looked at as far as three columns to the right."""
    side: ClassVar[int] = 256
