"""The cell of an LSTM in integers (Hochreiter and Schmidhuber 1997; Graves 2013, equations 7 to 11, without peepholes).

Gates i, f, o and g stand on steps of 1/256, the state c on steps of 1/4096, the output h on steps of 1/128:

    c = clamp((s(f) c' + (s(i) t(2 g) >> 3) + 2**14) >> 15, -2**15, 2**15 - 1)
    h = clamp((s(o) t((c + 4) >> 3) + 2**22) >> 23, -127, 127)

with s(z) = L(z) >> 9 the logistic function of z / 256 in 15 bits, t(z) = (L(z) - 2**23) >> 8 the hyperbolic tangent of
z / 512, and L the table of :func:`arcomp.exact.tables.fine_logistic`. 0 <= s < 2**15 and -2**15 <= t < 2**15, so that
all sums are below 2**30 + 2**27 + 2**14 in size: 32 bits hold them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from arcomp.exact import tables
from arcomp.exact.compiled import kernel

GATES = 4
STATE_BITS = 12
"""Fractional bits of c: 16-bit integers, real -8 .. 8."""
_END = tables.FINE_STEPS * tables.FINE_RANGE


@cache
def _table(device: torch.device) -> torch.Tensor:
    return torch.from_numpy(tables.fine_logistic()).to(device)


@kernel(inner=True, inline="always")
def _logistic(table: Any, z: Any) -> Any:
    return table[min(max(z, -_END), _END) + _END]


@kernel()
def _cell(given: Any, recurrent: Any, before: Any, table: Any, c: Any, h: Any) -> None:
    rows, features = c.shape
    for r in range(rows):
        for j in range(features):
            i = _logistic(table, given[r, j] + recurrent[r, j]) >> 9
            f = _logistic(table, given[r, features + j] + recurrent[r, features + j]) >> 9
            g = given[r, 3 * features + j] + recurrent[r, 3 * features + j]
            entering = (i * ((_logistic(table, 2 * g) - (1 << 23)) >> 8)) >> 3
            state = min(max((f * before[r, j] + entering + (1 << 14)) >> 15, -(1 << 15)), (1 << 15) - 1)
            c[r, j] = state
            o = _logistic(table, given[r, 2 * features + j] + recurrent[r, 2 * features + j]) >> 9
            tanh = (_logistic(table, (state + 4) >> 3) - (1 << 23)) >> 8
            h[r, j] = min(max((o * tanh + (1 << 22)) >> 23, -127), 127)


def cell(given: torch.Tensor, recurrent: torch.Tensor, before: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A step.

    Args:
        given, recurrent: int16 [n, 4 * features], what inputs and what outputs before give to the gates i, f, o, g.
        before: int16 [n, features], c of the step before.

    Returns:
        c, int16 [n, features], and h, int8 [n, features].
    """
    if given.device.type != "cpu":
        return by_torch(given, recurrent, before)
    c, h = torch.empty_like(before), torch.empty(before.shape, dtype=torch.int8)
    _cell(given.numpy(), recurrent.numpy(), before.numpy(), tables.fine_logistic(), c.numpy(), h.numpy())
    return c, h


def by_torch(given: torch.Tensor, recurrent: torch.Tensor, before: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same by tensor operations: for other devices, and to test against."""
    table = _table(given.device)

    def logistic(z: torch.Tensor) -> torch.Tensor:
        return table[(z.clamp(-_END, _END) + _END).to(torch.int64)]

    def tanh(z: torch.Tensor) -> torch.Tensor:
        return (logistic(z) - (1 << 23)) >> 8

    i, f, o, g = (given.to(torch.int32) + recurrent).chunk(GATES, 1)
    kept = (logistic(f) >> 9) * before
    c = (kept + (((logistic(i) >> 9) * tanh(2 * g)) >> 3) + (1 << 14)) >> 15
    c = c.clamp(-(1 << 15), (1 << 15) - 1)
    h = ((logistic(o) >> 9) * tanh((c + 4) >> 3) + (1 << 22)) >> 23
    return c.to(torch.int16), h.clamp(-127, 127).to(torch.int8)
