"""From 32-bit sums back to a layer's range: add, multiply, shift right with rounding, clamp. All in 64-bit integers.

    out = clamp((((sum + bias) * multiplier + 2**(shift - 1)) >> shift) + zero, low, high)

with bias and multiplier and shift for each column, 0 <= multiplier < 2**15 and 1 <= shift <= 46, so that with
sums below 2**47 nothing overflows.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.arrays import Array
from arcomp.exact.bounds import MULTIPLIER_BITS, SHIFT_LIMIT
from arcomp.exact.compiled import kernel
from arcomp.exact.devices import backend_of, on_host


def as_multiplier(ratio: float) -> tuple[int, int]:
    """(multiplier, shift) with multiplier / 2**shift nearest to the ratio, 15 bits of it.

    Raises:
        ValueError: the ratio is not within 0 .. 16383.
    """
    if not 0 <= ratio < 2 ** (MULTIPLIER_BITS - 1) - 1:
        raise ValueError(f"a ratio of {ratio} cannot be a 15-bit multiplier")
    exponent = math.frexp(ratio)[1] if ratio else 0
    shift = min(SHIFT_LIMIT, max(1, MULTIPLIER_BITS - exponent))
    multiplier = round(ratio * 2.0**shift)
    return (multiplier, shift) if multiplier < 2**MULTIPLIER_BITS else (multiplier >> 1, shift - 1)


class Scale(NamedTuple):
    """Re-scaling as kernels take it.

    Attributes:
        bias, multiplier, shift: int64 [m].
        quantisation: int64 [3], zero, low and high.
    """

    bias: npt.NDArray[np.int64]
    multiplier: npt.NDArray[np.int64]
    shift: npt.NDArray[np.int64]
    quantisation: npt.NDArray[np.int64]


@kernel()
def _rescale(sums: Any, scale: Any, out: Any) -> None:
    for i in range(sums.shape[0]):
        for j in range(sums.shape[1]):
            s = scale.shift[j]
            v = (np.int64(sums[i, j]) + scale.bias[j]) * scale.multiplier[j] + (np.int64(1) << (s - 1))
            out[i, j] = max(scale.quantisation[1], min(scale.quantisation[2], (v >> s) + scale.quantisation[0]))


class Rescale:
    """Re-scaling with constants for each column.

    Args:
        bias: int64 [m]. multiplier: int64 [m]. shift: int64 [m].
        zero, low, high: of the quantisation it leads to; within int8 or int16, which decides the result's type.
    """

    def __init__(
        self, bias: npt.NDArray[np.int64], multiplier: npt.NDArray[np.int64], shift: npt.NDArray[np.int64],
        zero: int, low: int, high: int,
    ) -> None:  # fmt: skip
        self.bias, self.multiplier, self.shift = bias, multiplier, shift
        self.zero, self.low, self.high = zero, low, high
        self.dtype: type[np.signedinteger[Any]] = np.int8 if low >= -128 and high <= 127 else np.int16
        self.scale = Scale(bias, multiplier, shift, np.array([zero, low, high], np.int64))

    def __call__(self, sums: Array) -> Array:
        """int32 or int64 [n, m] -> int8 or int16 [n, m], on the same device."""
        if on_host(sums):
            out = np.empty(sums.shape, self.dtype)
            _rescale(np.ascontiguousarray(sums), self.scale, out)
            return out
        return self.by_torch(sums)

    def by_torch(self, sums: Array) -> Array:
        """The same by tensor operations: for other devices, and to test against."""
        from arcomp.exact.by_torch import rescale

        columns = self.bias, self.multiplier, self.shift
        return backend_of(sums).cast(rescale(sums, columns, (self.zero, self.low, self.high)), self.dtype)
