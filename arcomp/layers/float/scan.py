"""The recurrence of an LSTM in float, step after step, with a gradient of its own: back-propagation through time.

Automatic differentiation would keep a graph of some twenty operations a step; written out, each step is two matrix
products and a few passes over what is already there, and the weights' gradient is one product over all steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from arcomp.exact.cell import GATES, STATE_BITS
from arcomp.layers.quantisation import UNIT8, Quantisation
from arcomp.layers.recurrent import neighbours

STATE = Quantisation(bits=STATE_BITS, zero=0, low=-(1 << 15), high=(1 << 15) - 1)
"""int16 for what an LSTM keeps: real -8 .. 7.9998 in steps of 1/4096."""


def _spread(gathered: torch.Tensor, n: int, length: int, kernel: int) -> torch.Tensor:
    """The transpose of :func:`neighbours`: [N L, kernel F] -> [N, L, F]."""
    if kernel == 1:
        return gathered.reshape(n, length, -1)
    parts = gathered.reshape(n, length, kernel, -1)
    reach = kernel // 2
    total = parts.new_zeros((n, length + 2 * reach, parts.shape[3]))
    for k in range(kernel):
        total[:, k : k + length] += parts[:, :, k]
    return total[:, reach : reach + length]


def _carry_(x: torch.Tensor, quantisation: Quantisation, rounding: bool) -> torch.Tensor:
    """Clamp to a quantisation without a zero point, and round to it if asked, in place."""
    x.clamp_(quantisation.low * quantisation.step, quantisation.high * quantisation.step)
    return x.div_(quantisation.step).round_().mul_(quantisation.step) if rounding else x


def scan(
    given: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, features: int, kernel: int, axis: int, rounding: bool
) -> torch.Tensor:
    """All steps.

    Args:
        given: float [N, H, W, groups * 4 * features], what is added to the gates i, f, o and g.
        weight: float [groups * 4 * features, kernel * groups * features], of the outputs h of the step before, at
            ``kernel`` of the positions that are one step. bias: float [groups * 4 * features].
        axis: 1 or 2, the one that steps go along; the positions of the other are one step.
        rounding: whether h and c are rounded to their quantisations, straight-through.

    Returns:
        h, float [N, H, W, groups * features].
    """
    apply: Callable[..., torch.Tensor] = _Scan.apply
    made = apply(given, weight, bias, features, kernel, axis, rounding)
    return made


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, given: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor,
        features: int, kernel: int, axis: int, rounding: bool,
    ) -> torch.Tensor:  # fmt: skip
        out = given.new_empty((*given.shape[:3], given.shape[3] // GATES))
        h = torch.zeros_like(out.select(axis, 0))  # [N, L, groups * features]
        # gates [T, rows, 4 * features], c and tanh c [T, rows, features], a row for each position and group
        steps, rows = given.shape[axis], h.numel() // features
        gates = given.new_empty((steps, rows, GATES * features))
        c = given.new_zeros((steps + 1, rows, features))
        tanh_c = given.new_empty((steps, rows, features))
        transposed = weight.t()
        for t in range(steps):
            z = torch.addmm(bias, neighbours(h, kernel), transposed).reshape(*h.shape[:2], -1)
            z += given.select(axis, t)
            z = z.reshape(rows, -1)
            torch.sigmoid(z[:, : 3 * features], out=gates[t, :, : 3 * features])
            torch.tanh(z[:, 3 * features :], out=gates[t, :, 3 * features :])
            i, f, o, g = gates[t].chunk(GATES, 1)
            c[t + 1] = _carry_(torch.addcmul(f * c[t], i, g), STATE, rounding)
            torch.tanh(c[t + 1], out=tanh_c[t])
            h = _carry_(o * tanh_c[t], UNIT8, rounding).reshape(h.shape)
            out.select(axis, t).copy_(h)
        ctx.save_for_backward(weight, gates, c, tanh_c, out)
        ctx.kernel, ctx.axis = kernel, axis
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, along: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        weight, gates, c, tanh_c, out = ctx.saved_tensors
        kernel, axis, features = ctx.kernel, ctx.axis, c.shape[2]
        grad = along.new_empty((*along.shape[:3], len(weight)))
        inside = c[1:].abs() < -STATE.low * STATE.step - STATE.step  # of the clamp
        dc = torch.zeros_like(c[0])
        dh = torch.zeros_like(out.select(axis, 0))
        n, length, _ = dh.shape
        sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward
        for t in range(len(gates) - 1, -1, -1):
            i, f, o, g = gates[t].chunk(GATES, 1)
            total = (along.select(axis, t) + dh).reshape(-1, features)
            dc = (dc + tanh_backward(total * o, tanh_c[t])) * inside[t]
            own = torch.cat([dc * g, dc * c[t], total * tanh_c[t]], 1)
            own = torch.cat([sigmoid_backward(own, gates[t, :, : 3 * features]), tanh_backward(dc * i, g)], 1)
            dc = dc * f
            own = own.reshape(n * length, -1)
            grad.select(axis, t).copy_(own.reshape(n, length, -1))
            dh = _spread(own @ weight, n, length, kernel)
        before = functional.pad(out, (0, 0, 0, 0, 1, -1) if axis == 1 else (0, 0, 1, -1))
        before = neighbours(before.flatten(0, 1), kernel) if axis == 1 else before.flatten(0, 2)
        flat = grad.flatten(0, 2)
        return grad, flat.t() @ before, flat.sum(0), None, None, None, None
