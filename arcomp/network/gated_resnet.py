"""The gated residual block that ``pixelcnnpp`` and ``pixelsnail`` are made of.

Salimans et al. 2017, "PixelCNN++" (the authors' code, ``gated_resnet``): two convolutions of concatenated exponential
linear units; between them, what comes over a short-cut is added; the second gives a and b, and a sigmoid(b) is added to
the block's input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from arcomp.layers.conv import Tap
from arcomp.layers.elu import ConcatELU, SigmoidGate
from arcomp.layers.quantisation import LOGITS, SIGNED8
from arcomp.layers.spec import Add, Conv, Requantize, Spec, linear
from arcomp.network.wiring import Run

SUMS = LOGITS
"""Quantisation of the residual sums: 16 bits."""
INIT_SCALE = 0.2
"""Of the gate's convolutions; the published code has 0.1."""


@dataclass(frozen=True)
class GatedResnet:
    """A block.

    Attributes:
        name: its layers' names begin with it.
        taps: of both convolutions.
        width: features of its input and output.
        short_cuts: how many lead to it, each of as many features.
        dropout: percent, before the second convolution.
        row_level, scale: see :class:`arcomp.layers.spec.Spec`.
    """

    name: str
    taps: tuple[Tap, ...]
    width: int
    short_cuts: int = 0
    dropout: int = 0
    row_level: bool = False
    scale: int = 1

    def layers(self) -> dict[str, Spec]:
        """Its layers by name."""
        at: dict[str, Any] = {"row_level": self.row_level, "scale": self.scale}

        def conv(init_scale: float = 1.0) -> Conv:
            return Conv(
                self.taps,
                "B",
                1,
                2 * self.width,
                self.width,
                SIGNED8,
                SUMS,
                **at,
                init_scale=init_scale,
                data_dependent_init=True,
            )

        found: dict[str, Spec] = {
            "kept": Requantize(1, SUMS, SIGNED8, **at),
            "elu.1": ConcatELU(**at),
            "conv.1": conv(),
        }
        for i in range(self.short_cuts):
            found |= {
                f"short.{i}.kept": Requantize(1, SUMS, SIGNED8, **at),
                f"short.{i}.elu": ConcatELU(**at),
                f"short.{i}": linear(1, 2 * self.width, self.width, SIGNED8, SUMS, **at, data_dependent_init=True),
            }
        if self.short_cuts:
            found["short"] = Add(1, (SUMS,) * (1 + self.short_cuts), SUMS, **at)
        found |= {
            "inner": Requantize(1, SUMS, SIGNED8, **at),
            "elu.2": ConcatELU(self.dropout, **at),
            "conv.a": conv(INIT_SCALE),
            "conv.b": conv(INIT_SCALE),
            "gate": SigmoidGate(**at),
            "sum": Add(1, (SUMS, SUMS), SUMS, **at),
        }
        return {f"{self.name}.{key}": spec for key, spec in found.items()}

    def forward(self, run: Run, x: Any, *given: Any) -> Any:
        """The block's output, of x and of what comes over the short-cuts, all quantised as SUMS."""

        def own(key: str, *inputs: Any) -> Any:
            return run(f"{self.name}.{key}", *inputs)

        y = own("conv.1", own("elu.1", own("kept", x)))
        if given:
            shorts = [own(f"short.{i}", own(f"short.{i}.elu", own(f"short.{i}.kept", s))) for i, s in enumerate(given)]
            y = own("short", y, *shorts)
        y = own("elu.2", own("inner", y))
        return own("sum", x, own("gate", own("conv.a", y), own("conv.b", y)))
