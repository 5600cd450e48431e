"""The cell of an LSTM in integers (Hochreiter and Schmidhuber 1997; Graves 2013, equations 7 to 11, without peepholes).

Gates i, f, o and g stand on steps of 1/256, the state c on steps of 1/4096, the output h on steps of 1/128:

    c = clamp((s(f) c' + (s(i) t(2 g) >> 3) + 2**14) >> 15, -2**15, 2**15 - 1)
    h = clamp((s(o) t((c + 4) >> 3) + 2**22) >> 23, -127, 127)

with s(z) = L(z) >> 9 the logistic function of z / 256 in 15 bits, t(z) = (L(z) - 2**23) >> 8 the hyperbolic tangent of
z / 512, and L the table of :func:`arcomp.exact.tables.fine_logistic`. 0 <= s < 2**15 and -2**15 <= t < 2**15, so that
all sums are below 2**30 + 2**27 + 2**14 in size: 32 bits hold them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact import tables
from arcomp.exact.arrays import Array
from arcomp.exact.compiled import kernel
from arcomp.exact.devices import backend_of, on_host

GATES = 4
STATE_BITS = 12
"""Fractional bits of c: 16-bit integers, real -8 .. 8."""
_END = tables.FINE_STEPS * tables.FINE_RANGE


@kernel(inner=True, inline="always")
def _logistic(table: Any, z: Any) -> Any:
    return table[min(max(z, -_END), _END) + _END]


@kernel(inner=True)
def step(given: Any, recurrent: Any, before: Any, table: Any, c: Any, h: Any) -> None:
    """One position: int16 [4 * features], int16 [4 * features], int16 [features] -> c int16, h int8 [features]."""
    features = c.shape[0]
    for j in range(features):
        i = _logistic(table, np.int32(given[j]) + recurrent[j]) >> 9
        f = _logistic(table, np.int32(given[features + j]) + recurrent[features + j]) >> 9
        g = np.int32(given[3 * features + j]) + recurrent[3 * features + j]
        entering = (i * ((_logistic(table, 2 * g) - (1 << 23)) >> 8)) >> 3
        state = min(max((f * before[j] + entering + (1 << 14)) >> 15, -(1 << 15)), (1 << 15) - 1)
        c[j] = state
        o = _logistic(table, np.int32(given[2 * features + j]) + recurrent[2 * features + j]) >> 9
        tanh = (_logistic(table, (state + 4) >> 3) - (1 << 23)) >> 8
        h[j] = min(max((o * tanh + (1 << 22)) >> 23, -127), 127)


@kernel()
def _cell(given: Any, recurrent: Any, before: Any, table: Any, c: Any, h: Any) -> None:
    for r in range(c.shape[0]):
        step(given[r], recurrent[r], before[r], table, c[r], h[r])


def cell(given: Array, recurrent: Array, before: Array) -> tuple[Array, Array]:
    """A step.

    Args:
        given, recurrent: int16 [n, 4 * features], what inputs and what outputs before give to the gates i, f, o, g.
        before: int16 [n, features], c of the step before.

    Returns:
        c, int16 [n, features], and h, int8 [n, features].
    """
    if not on_host(given):
        return by_formula(given, recurrent, before)
    c, h = np.empty_like(before), np.empty(before.shape, np.int8)
    _cell(given, recurrent, before, tables.fine_logistic(), c, h)
    return c, h


def by_formula(given: Array, recurrent: Array, before: Array) -> tuple[Array, Array]:
    """The same by operations on whole arrays: for other devices, and to test against."""
    backend = backend_of(given)
    table = backend.constant(tables.fine_logistic())

    def logistic(z: Array) -> Array:
        return table[backend.cast(z.clip(-_END, _END) + _END, np.int64)]

    def tanh(z: Array) -> Array:
        return (logistic(z) - (1 << 23)) >> 8

    gates = backend.cast(given, np.int32) + recurrent
    features = before.shape[1]
    i, f, o, g = (gates[:, k * features : (k + 1) * features] for k in range(GATES))
    kept = (logistic(f) >> 9) * before
    c = (kept + (((logistic(i) >> 9) * tanh(2 * g)) >> 3) + (1 << 14)) >> 15
    c = c.clip(-(1 << 15), (1 << 15) - 1)
    h = ((logistic(o) >> 9) * tanh((c + 4) >> 3) + (1 << 22)) >> 23
    return backend.cast(c, np.int16), backend.cast(h.clip(-127, 127), np.int8)
