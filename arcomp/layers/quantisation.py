"""Grids: which integers stand for which real activations.

A layer's float evaluation clamps its outputs to the range its integers can hold, from the first training
step on, so that freezing meets no surprises; with ``rounding`` it also rounds to them, straight-through
(Bengio et al. 2013, "Estimating or propagating gradients through stochastic neurons", section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Quantisation:
    """real = (integer - zero) * 2**-bits, integers in low..high.

    A grid with zero == low starts at the real number 0: clamping to it is the rectifier.
    """

    bits: int
    zero: int
    low: int
    high: int

    @property
    def step(self) -> float:
        """Distance of neighbouring real values."""
        return float(2.0**-self.bits)

    @property
    def largest(self) -> int:
        """The largest absolute value of an integer on the grid."""
        return max(abs(self.low), abs(self.high))

    @property
    def dtype(self) -> type[np.signedinteger[Any]]:
        """Of arrays of its integers."""
        return np.int8 if self.largest <= 128 else np.int16

    def carry(self, x: torch.Tensor, rounding: bool) -> torch.Tensor:
        """Float evaluation: clamp x to the grid's range and, if asked, round to its points; float32, whatever x is."""
        from arcomp.layers.rounding import carry  # the coded path does without torch where it can

        least, most = (self.low - self.zero) * self.step, (self.high - self.zero) * self.step
        return carry(x, least, most, self.step if rounding else 0.0)


SIGNED8 = Quantisation(bits=5, zero=0, low=-128, high=127)
"""int8 around zero: real -4 .. 3.97 in steps of 1/32."""
RECTIFIED8 = Quantisation(bits=5, zero=-128, low=-128, high=127)
"""int8 that starts at real 0 (rectifier): real 0 .. 7.97 in steps of 1/32."""
UNIT8 = Quantisation(bits=7, zero=0, low=-127, high=127)
"""int8 for what lies between -1 and 1, in steps of 1/128."""
LOGITS = Quantisation(bits=8, zero=0, low=-32768, high=32767)
"""int16 for what a distribution is made of: real -128 .. 127.996 in steps of 1/256."""
