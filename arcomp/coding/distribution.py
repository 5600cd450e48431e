"""What the coder asks of a distribution.

A distribution over the symbols 0 .. 2**depth - 1 is a strictly increasing integer function G on the edges
0 .. 2**depth, G(0) = 0 and G(2**depth) = 2**28: symbol v has the mass G(v + 1) - G(v) >= 1, whatever the parameters.

A symbol is coded as base-16 digits, the first one shorter where the depth is no multiple of 4. A digit with s
values that divides an interval [a, b) of edges into s parts has the cumulative frequencies

    C(j) = (G(edge j) - G(a)) (2**24 - s) // (G(b) - G(a)) + j,    j = 0 .. s

out of 2**24: every value's frequency is positive.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel

TOTAL_BITS = 28
"""G ends at 2**28."""
FREQUENCY_BITS = 24
"""Frequencies handed to the range coder sum to 2**24."""
DIGIT_BITS = 4
MAX_DEPTH = 16

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]


def digit_widths(depth: int) -> tuple[int, ...]:
    """Bits of each digit of a symbol, most significant first: 8 -> (4, 4), 10 -> (2, 4, 4), 1 -> (1,).

    Raises:
        ValueError: depth is not within 1 .. 16.
    """
    if not 1 <= depth <= MAX_DEPTH:
        raise ValueError(f"depth {depth} is not within 1 .. {MAX_DEPTH}")
    first = depth % DIGIT_BITS
    return ((first,) if first else ()) + (DIGIT_BITS,) * (depth // DIGIT_BITS)


def floor_mass(depth: int) -> int:
    """What every symbol has of the 2**28 besides the model's share: 2**-16 over an alphabet of up to 12 bits."""
    return 1 << max(0, 12 - depth)


@kernel(inline="always")
def share_out(edges: Any, values: int, out: Any) -> None:
    """Frequencies less one, C(j + 1) - C(j) - 1, of a digit whose edges have G = edges[0 .. values]; edges are
    overwritten.

    The quotients are integer quotients, computed in float64: dividend (below 2**52) and divisor are exact, the
    divisor is at most 2**28 and the quotient below 2**24, so that a quotient that is no integer is at least 2**-28
    away from one, and rounding, by at most 2**-30, cannot carry it there. Unlike integer division this runs eight
    at a time.
    """
    workspace = float((np.int64(1) << FREQUENCY_BITS) - values)
    first = edges[0]
    width = float(edges[values] - first)
    for j in range(values + 1):
        edges[j] = np.int64((float(edges[j] - first) * workspace) / width)
    for j in range(values):
        out[j] = edges[j + 1] - edges[j]


class Distribution(ABC):
    """n distributions over the symbols of one alphabet, one for each of n positions.

    Args:
        depth: bits of a symbol, 1 .. 16.
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self._widths = digit_widths(depth)

    @abstractmethod
    def __len__(self) -> int:
        """n."""

    def frequencies(self, level: int, prefix: Int32) -> Float32:
        """A digit's frequencies less one, given the digits before it.

        Args:
            level: which digit, 0 the most significant.
            prefix: int32 [n], the symbol's digits before it as one number (0 for level 0).

        Returns:
            float32 [n, values of the digit], non-negative integers that sum to 2**24 less the number of values.
        """
        out = np.empty((len(self), 1 << self._widths[level]), np.float32)
        self._share_out(sum(self._widths[level + 1 :]), prefix, out)
        return out

    @abstractmethod
    def _share_out(self, below: int, prefix: Int32, out: Float32) -> None:
        """Write a digit's frequencies less one (:func:`share_out`); ``below`` is how many bits come after the digit."""

    @abstractmethod
    def masses(self, symbols: Int32) -> Int64:
        """G(v + 1) - G(v), int64 [n], out of 2**28, for a symbol at each position."""

    def bits(self, symbols: Int32) -> npt.NDArray[np.float64]:
        """Negative log-likelihood of each symbol, in bits: float64 [n] (for reports, not on the coded path)."""
        return np.asarray(TOTAL_BITS - np.log2(self.masses(symbols).astype(np.float64)))
