"""The recurrence of an LSTM in float, step after step, with a gradient of its own: back-propagation through time.

Automatic differentiation would keep a graph of some twenty operations a step; written out, each step is two matrix
products and a few passes over what is already there, and the weights' gradient is one product over all steps.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from arcomp.exact.cell import GATES, STATE_BITS
from arcomp.layers.grid import UNIT8, Grid

STATE = Grid(bits=STATE_BITS, zero=0, low=-(1 << 15), high=(1 << 15) - 1)
"""int16 for what an LSTM keeps: real -8 .. 7.9998 in steps of 1/4096."""


def neighbours(h: torch.Tensor, kernel: int) -> torch.Tensor:
    """[N, L, F] -> [N L, kernel F]: at each of L positions the features of those around it, 0 beyond the ends."""
    n, length, features = h.shape
    if kernel > 1:
        padded = functional.pad(h, (0, 0, kernel // 2, kernel // 2))
        h = torch.cat([padded[:, k : k + length] for k in range(kernel)], 2)
    return h.reshape(n * length, kernel * features)


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


def scan(given: torch.Tensor, weight: torch.Tensor, features: int, kernel: int, rounding: bool) -> torch.Tensor:
    """All steps.

    Args:
        given: float [T, N, L, groups * 4 * features], what is added to the gates i, f, o and g: N times L positions
            side by side, T after each other.
        weight: float [groups * 4 * features, kernel * groups * features], of the outputs h of the step before, at
            ``kernel`` of the L positions.
        rounding: whether h and c are rounded to their grids, straight-through.

    Returns:
        h, float [T, N, L, groups * features].
    """
    made: torch.Tensor = _Scan.apply(given, weight, features, kernel, rounding)  # type: ignore[no-untyped-call]
    return made


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, given: torch.Tensor, weight: torch.Tensor, features: int, kernel: int, rounding: bool
    ) -> torch.Tensor:
        steps, n, length, _ = given.shape
        outputs = given.shape[3] // GATES
        # gates [T, n L groups, 4 features], c and tanh c [T, n L groups, features], h [T, n, L, groups features]
        gates = torch.empty_like(given).reshape(steps, -1, GATES * features)
        c = given.new_empty((steps + 1, gates.shape[1], features))
        h = given.new_empty((steps + 1, n, length, outputs))
        tanh_c = torch.empty_like(c[1:])
        c[0], h[0] = 0, 0
        transposed = weight.t()
        for t in range(steps):
            z = torch.addmm(given[t].reshape(n * length, -1), neighbours(h[t], kernel), transposed)
            z = z.reshape(-1, GATES * features)
            torch.sigmoid(z[:, : 3 * features], out=gates[t, :, : 3 * features])
            torch.tanh(z[:, 3 * features :], out=gates[t, :, 3 * features :])
            i, f, o, g = gates[t].chunk(GATES, 1)
            c[t + 1] = STATE.carry(torch.addcmul(f * c[t], i, g), rounding)
            torch.tanh(c[t + 1], out=tanh_c[t])
            h[t + 1] = UNIT8.carry(o * tanh_c[t], rounding).reshape(n, length, outputs)
        ctx.save_for_backward(weight, gates, c, tanh_c, h)
        ctx.kernel = kernel
        return h[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, along: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        weight, gates, c, tanh_c, h = ctx.saved_tensors
        steps, n, length, _ = along.shape
        features = c.shape[2]
        grad = torch.empty_like(gates)
        inside = c[1:].abs() < -STATE.low * STATE.step - STATE.step  # of the clamp
        dc = torch.zeros_like(c[0])
        dh = torch.zeros_like(h[0])
        sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward
        for t in range(steps - 1, -1, -1):
            i, f, o, g = gates[t].chunk(GATES, 1)
            total = (along[t] + dh).reshape(-1, features)
            dc = (dc + tanh_backward(total * o, tanh_c[t])) * inside[t]
            own = torch.cat([dc * g, dc * c[t], total * tanh_c[t]], 1)
            grad[t, :, : 3 * features] = sigmoid_backward(own, gates[t, :, : 3 * features])
            grad[t, :, 3 * features :] = tanh_backward(dc * i, g)
            dc = dc * f
            dh = _spread(grad[t].reshape(n * length, -1) @ weight, n, length, ctx.kernel)
        grad = grad.reshape(steps * n * length, -1)
        before = neighbours(h[:-1].flatten(0, 1), ctx.kernel)
        return grad.reshape(steps, n, length, -1), grad.t() @ before, None, None, None
