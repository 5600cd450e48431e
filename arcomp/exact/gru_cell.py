"""The cell of minGRU in integers (Feng et al. 2024, "Were RNNs all we needed?", section 3.1).

The gate z and the candidate c stand on steps of 1/256, the state h on steps of 1/4096:

    h = ((2**15 - s(z)) h' + s(z) clamp(16 c) + 2**14) >> 15

with s(z) = L(z) >> 9 the logistic function of z / 256 in 15 bits, L the table of
:func:`arcomp.exact.tables.fine_logistic`, and clamp to 16 bits. The state lies between h' and the candidate, so that it
needs no clamp of its own; 32 bits hold all sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact import tables
from arcomp.exact.arrays import Array
from arcomp.exact.compiled import kernel
from arcomp.exact.devices import backend_of

PARTS = 2
"""Of what a cell is given: gate and candidate."""
STATE_BITS = 12
"""Fractional bits of h: 16-bit integers, real -8 .. 8."""
OUTPUT_SHIFT = 7
"""From a state to an output in steps of 1/32."""
_END = tables.FINE_STEPS * tables.FINE_RANGE


@kernel(inner=True)
def next_state(z: Any, candidate: Any, before: Any, table: Any) -> Any:
    """One cell: integers of gate and candidate and the state before -> the state. table: int32, of the logistic."""
    gate = np.int32(table[min(max(z, -_END), _END) + _END]) >> np.int32(9)
    entering = np.int32(min(max(16 * candidate, -(1 << 15)), (1 << 15) - 1))
    return (((1 << 15) - gate) * before + gate * entering + (1 << 14)) >> 15


@kernel(inner=True)
def shown(state: Any) -> Any:
    """A state as an output."""
    return min(127, max(-128, (state + (1 << (OUTPUT_SHIFT - 1))) >> OUTPUT_SHIFT))


def by_formula(given: Array, before: Array) -> tuple[Array, Array]:
    """A step by operations on whole arrays: for other devices, and to test against.

    Args:
        given: int16 [..., 2, features], gates and candidates. before: int16 [..., features], the states.

    Returns:
        The states, int16, and the outputs, int8 [..., features].
    """
    backend = backend_of(given)
    wide = backend.cast(given, np.int64)
    table = backend.constant(tables.fine_logistic())
    gate = backend.cast(table[wide[..., 0, :].clip(-_END, _END) + _END] >> 9, np.int64)
    entering = (16 * wide[..., 1, :]).clip(-(1 << 15), (1 << 15) - 1)
    state = (((1 << 15) - gate) * backend.cast(before, np.int64) + gate * entering + (1 << 14)) >> 15
    output = ((state + (1 << (OUTPUT_SHIFT - 1))) >> OUTPUT_SHIFT).clip(-128, 127)
    return backend.cast(state, np.int16), backend.cast(output, np.int8)
