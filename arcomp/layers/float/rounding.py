"""Clamping and rounding in training, with gradients that go through.

Bengio et al. 2013, "Estimating or propagating gradients through stochastic neurons", section 4 (straight-through).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from arcomp.layers.quantisation import Quantisation


def carry(x: torch.Tensor, quantisation: Quantisation, rounding: bool) -> torch.Tensor:
    """Clamp x to a quantisation's range and, if asked, round to its steps: float32, whatever x is.

    The gradient is that of clamping.
    """
    step, zero = quantisation.step, quantisation.zero
    least, most = (quantisation.low - zero) * step, (quantisation.high - zero) * step
    apply: Callable[..., torch.Tensor] = _Carry.apply
    carried = apply(x.float(), least, most, step if rounding else 0.0)
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
