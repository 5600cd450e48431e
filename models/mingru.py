"""``mingru``: rows and columns of minGRU cells.

Paper: Feng, Tung, Ahmed, Bengio and Hajimirsadeghi 2024, "Were RNNs all we needed?", section 3.1: recurrent cells whose
gate and candidate are linear in what they are given and do not see the state, so that training is a scan over all steps
at once instead of one step after the other. The network around them is ``pixelrnn``'s: a 7 x 7 convolution of mask A,
residual blocks, two layers of side 1, and a softmax over all levels of each sample.

What it adds to ``pixelrnn``: in even blocks the state goes down the rows, in odd ones along the row, and no product
leads from state to state; instead gate and candidate see their neighbours by a masked 3 x 3 convolution. Where it
differs from the paper: images in place of sequences, and a residual branch in place of its whole layer.

Train it with ``arcomp train --recipe mingru-digits DATA``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from arcomp.contract.registry import register
from arcomp.contract.settings import setting
from arcomp.exact.gru_cell import PARTS
from arcomp.layers.conv import square
from arcomp.layers.mingru import MinGRU
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8
from arcomp.layers.recurrent import ALONG, DOWN
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
class MinGRUConfig(LayeredConfig):
    """Shape of a network.

    Attributes:
        width: cells h of a block, for each channel; the sums have 2 h.
        blocks: residual blocks.
    """

    width: int = setting(1, 512)
    blocks: int = setting(1, 64)


class MinGRUWiring(Wiring):
    """The network."""

    config: MinGRUConfig

    def layers(self) -> dict[str, Spec]:
        c, h = self.channels, self.config.width
        found: dict[str, Spec] = {"first": Conv(square(FIRST), "A", c, 1, 2 * h, SIGNED8, SUMS, samples=True)}
        for i in range(self.config.blocks):
            found[f"kept.{i}"] = Requantize(c, SUMS, SIGNED8)
            found[f"given.{i}"] = Conv(square(INNER), "B", c, 2 * h, PARTS * h, SIGNED8, LOGITS)
            found[f"cells.{i}"] = MinGRU(ALONG if i % 2 else DOWN, c, h)
            found[f"branch.{i}"] = linear(c, h, 2 * h, SIGNED8, SUMS, init_scale=0.5)
            found[f"sum.{i}"] = Add(c, (SUMS, SUMS), SUMS)
        found["rectified"] = Requantize(c, SUMS, RECTIFIED8)
        found["last"] = linear(c, 2 * h, 2 * h, RECTIFIED8, RECTIFIED8)
        found["logits"] = linear(c, 2 * h, 1 << self.config.depth, RECTIFIED8, LOGITS)
        return found

    def forward(self, run: Run, samples: Any) -> Any:
        x = run("first", samples)
        for i in range(self.config.blocks):
            cells = run(f"cells.{i}", run(f"given.{i}", run(f"kept.{i}", x)))
            x = run(f"sum.{i}", x, run(f"branch.{i}", cells))
        return run("logits", run("last", run("rectified", x)))


@register
class MinGRUModel(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "mingru"
    config_type = MinGRUConfig
    wiring_type = MinGRUWiring
    sequence: Order = Wavefront(FIRST // 2 + 1)
    """Rows above are looked at as far as three columns to the right."""
    side: ClassVar[int] = 256
