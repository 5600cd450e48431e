"""``char_rnn``: a recurrent network over a sequence of symbols.

Papers: Hochreiter and Schmidhuber 1997, "Long short-term memory"; Graves 2013, "Generating sequences with recurrent
neural networks", sections 2 and 3: each symbol is entered as one of its alphabet, LSTM layers keep a state from step to
step, and a softmax over the alphabet is made from the last layer's outputs. (Karpathy's char-rnn made it popular.)

What it adds to the models before it on the ladder: parameters shared over all steps, and a memory without an end. Where
it differs from Graves: no peepholes, no connections that skip layers; sizes are small; outputs of cells have 8 bits,
their states 16. Text and bytes are sequences as they are; a picture is one of pixels, row after row.

Train it with ``arcomp train --recipe char_rnn-digits DATA``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from arcomp.contract.registry import register
from arcomp.contract.settings import setting
from arcomp.exact.cell import GATES
from arcomp.layers.conv import line
from arcomp.layers.embedding import Embedding
from arcomp.layers.quantisation import LOGITS, UNIT8
from arcomp.layers.recurrent import ALONG, LSTM
from arcomp.layers.spec import Spec, linear
from arcomp.network.configuration import LayeredConfig
from arcomp.network.layered import Layered
from arcomp.network.wiring import Run, Wiring
from arcomp.orders import Order, Raster


@dataclass(frozen=True)
class CharRNNConfig(LayeredConfig):
    """Shape of a network.

    Attributes:
        width: cells of each layer, for each channel.
        blocks: layers.
    """

    width: int = setting(1, 512)
    blocks: int = setting(1, 64)


class CharRNNWiring(Wiring):
    """Layer upon layer: Graves 2013, figure 1, without its skips."""

    config: CharRNNConfig

    def layers(self) -> dict[str, Spec]:
        c, h = self.channels, self.config.width
        taps = line(2) if c > 1 else ((0, -1),)  # of the position itself, earlier channels
        found: dict[str, Spec] = {
            "input.0": Embedding(taps, "A", c, self.config.depth, GATES * h, LOGITS, levels=c > 1)
        }
        for i in range(self.config.blocks):
            if i:
                found[f"input.{i}"] = linear(c, h, GATES * h, UNIT8, LOGITS)
            found[f"lstm.{i}"] = LSTM(ALONG, 1, c, h)
        found["logits"] = linear(c, h, 1 << self.config.depth, UNIT8, LOGITS)
        return found

    def forward(self, run: Run, samples: Any) -> Any:
        x = samples
        for i in range(self.config.blocks):
            x = run(f"lstm.{i}", run(f"input.{i}", x))
        return run("logits", x)


@register
class CharRNN(Layered):
    """The model; see the top of this file."""

    name: ClassVar[str] = "char_rnn"
    config_type = CharRNNConfig
    wiring_type = CharRNNWiring
    sequence: Order = Raster()
    flat: ClassVar[bool] = True
