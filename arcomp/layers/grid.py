"""Grids: which integers stand for which real activations.

A layer's float evaluation clamps its outputs to the range its integers can hold, from the first training
step on, so that freezing meets no surprises; with ``rounding`` it also rounds to them, straight-through
(Bengio et al. 2013, "Estimating or propagating gradients through stochastic neurons", section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Grid:
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

    def carry(self, x: torch.Tensor, rounding: bool) -> torch.Tensor:
        """Float evaluation: clamp x to the grid's range and, if asked, round to its points; float32, whatever x is."""
        least, most = (self.low - self.zero) * self.step, (self.high - self.zero) * self.step
        carried: torch.Tensor = _Carry.apply(x.float(), least, most, self.step if rounding else 0.0)  # type: ignore[no-untyped-call]
        return carried


class _Carry(torch.autograd.Function):
    """Clamp, and round to multiples of ``step`` (a power of two) if that is not 0; the gradient is that of clamping.

    One function, because the same in single operations of torch goes over its features three times as often.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, least: float, most: float, step: float) -> torch.Tensor:
        ctx.save_for_backward(x)
        # Torch's only fused kernel leaves out the ends of the range, where a clamp's gradient is 1.
        down, up = (np.nextafter(np.float32(end), np.float32(to)) for end, to in ((least, -np.inf), (most, np.inf)))
        ctx.between = float(down), float(up)
        y = x.clamp(least, most)
        return y.mul_(1 / step).round_().mul_(step) if step else y

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        return torch.ops.aten.hardtanh_backward(gradient, *ctx.saved_tensors, *ctx.between), None, None, None


def round_through(x: torch.Tensor) -> torch.Tensor:
    """Round, with the gradient of the identity."""
    return x + (x.round() - x).detach()


SIGNED8 = Grid(bits=5, zero=0, low=-128, high=127)
"""int8 around zero: real -4 .. 3.97 in steps of 1/32."""
RECTIFIED8 = Grid(bits=5, zero=-128, low=-128, high=127)
"""int8 that starts at real 0 (rectifier): real 0 .. 7.97 in steps of 1/32."""
UNIT8 = Grid(bits=7, zero=0, low=-127, high=127)
"""int8 for what lies between -1 and 1, in steps of 1/128."""
LOGITS = Grid(bits=8, zero=0, low=-32768, high=32767)
"""int16 for what a distribution is made of: real -128 .. 127.996 in steps of 1/256."""
