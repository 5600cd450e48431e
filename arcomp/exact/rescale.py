"""From 32-bit sums back to a layer's range: add, multiply, shift right with rounding, clamp. All in 64-bit integers.

    out = clamp((((sum + bias) * multiplier + 2**(shift - 1)) >> shift) + zero, low, high)

with bias and multiplier and shift for each column, 0 <= multiplier < 2**15 and 1 <= shift <= 46, so that with
sums below 2**47 nothing overflows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from arcomp.exact.bounds import MULTIPLIER_BITS, SHIFT_LIMIT
from arcomp.exact.compiled import kernel


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


@kernel()
def _rescale(sums: Any, bias: Any, multiplier: Any, shift: Any, zero: int, low: int, high: int, out: Any) -> None:
    for i in range(sums.shape[0]):
        for j in range(sums.shape[1]):
            s = np.int64(shift[j])
            v = (np.int64(sums[i, j]) + bias[j]) * multiplier[j] + (np.int64(1) << (s - 1))
            out[i, j] = max(low, min(high, (v >> s) + zero))


class Rescale:
    """Re-scaling with constants for each column.

    Args:
        bias: int64 [m]. multiplier: int64 [m]. shift: int64 [m].
        zero, low, high: of the grid it leads to; within int8 or int16, which decides the result's type.
    """

    def __init__(
        self, bias: npt.NDArray[np.int64], multiplier: npt.NDArray[np.int64], shift: npt.NDArray[np.int64],
        zero: int, low: int, high: int,
    ) -> None:  # fmt: skip
        self.bias, self.multiplier, self.shift = bias, multiplier, shift
        self.zero, self.low, self.high = zero, low, high
        self.dtype = torch.int8 if low >= -128 and high <= 127 else torch.int16
        self._on_device: dict[torch.device, tuple[torch.Tensor, ...]] = {}

    def __call__(self, sums: torch.Tensor) -> torch.Tensor:
        """int32 or int64 [n, m] -> int8 or int16 [n, m], on the same device."""
        if sums.device.type == "cpu":
            out = torch.empty(sums.shape, dtype=self.dtype)
            _rescale(sums.numpy(), self.bias, self.multiplier, self.shift, self.zero, self.low, self.high, out.numpy())
            return out
        return self.by_torch(sums)

    def by_torch(self, sums: torch.Tensor) -> torch.Tensor:
        """The same by tensor operations: for other devices, and to test against."""
        if sums.device not in self._on_device:
            self._on_device[sums.device] = tuple(
                torch.from_numpy(a).to(sums.device) for a in (self.bias, self.multiplier, self.shift)
            )
        bias, multiplier, shift = self._on_device[sums.device]
        v = (sums.to(torch.int64) + bias) * multiplier + torch.bitwise_left_shift(torch.ones_like(shift), shift - 1)
        return (torch.bitwise_right_shift(v, shift) + self.zero).clamp(self.low, self.high).to(self.dtype)
