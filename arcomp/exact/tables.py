"""Integer tables of exponentials and of the logistic function, computed with integers alone.

Each entry is the integer nearest to the real number; powers of e are kept with 192 fractional bits, so that no
entry is near enough to a tie to depend on how it was computed (a test checks this with ``decimal``).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

_BITS = 192

LOGISTIC_BITS = 28
LOGISTIC_STEPS = 64
"""Entries for each unit of the logistic function's argument."""
LOGISTIC_RANGE = 16
"""The table ends at +-16."""


def _powers_of_e(denominator: int, count: int) -> list[int]:
    """exp(-i / denominator) for i < count, as integers over 2**192."""
    one = 1 << _BITS
    term, root, k = one, 0, 0
    while term:  # Taylor series of exp(-1 / denominator), signs alternating
        root += term if k % 2 == 0 else -term
        k += 1
        term //= k * denominator
    powers = [one]
    for _ in range(count - 1):
        powers.append(powers[-1] * root >> _BITS)
    return powers


def _nearest(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


@cache
def logistic() -> npt.NDArray[np.int32]:
    """2**28 / (1 + exp(-z)), int32, at z = (i - 1024) / 64, i = 0 .. 2048."""
    one = 1 << _BITS
    half = LOGISTIC_STEPS * LOGISTIC_RANGE
    upper = [_nearest(one << LOGISTIC_BITS, one + p) for p in _powers_of_e(LOGISTIC_STEPS, half + 1)]
    lower = [(1 << LOGISTIC_BITS) - v for v in upper[:0:-1]]
    return np.array(lower + upper, np.int32)


@cache
def exponential() -> npt.NDArray[np.int64]:
    """2**16 exp(-i / 256), i = 0 .. 4095: what a softmax is made of."""
    return np.array([_nearest(p << 16, 1 << _BITS) for p in _powers_of_e(256, 4096)], np.int64)


@cache
def inverse_scale() -> npt.NDArray[np.int64]:
    """2**16 * 2 exp(-l) at l = i / 256 - 6, i = 0 .. 2560: inverse of the scale exp(l) / 2."""
    one = 1 << _BITS
    powers = _powers_of_e(256, 2561)
    e6 = one * one // powers[6 * 256]
    return np.array([_nearest((p * e6 >> _BITS) << 17, one) for p in powers], np.int64)


FINE_STEPS = 256
"""Entries for each unit of the argument in the tables of the mixing stage."""
FINE_BITS = 24
FINE_RANGE = 12


@cache
def fine_logistic() -> npt.NDArray[np.int32]:
    """2**24 / (1 + exp(-z)), int32, at z = (i - 3072) / 256, i = 0 .. 6144."""
    one = 1 << _BITS
    half = FINE_STEPS * FINE_RANGE
    upper = [_nearest(one << FINE_BITS, one + p) for p in _powers_of_e(FINE_STEPS, half + 1)]
    return np.array([(1 << FINE_BITS) - v for v in upper[:0:-1]] + upper, np.int32)


def _logarithm(numerator: int, denominator: int) -> int:
    """The integer nearest to 256 ln(numerator / denominator), for ratios of 1 .. 2**24, by comparing powers of e."""
    wanted = (denominator << _BITS) // numerator
    low, high = 0, len(_halves()) // 2
    while high - low > 1:  # the largest k with exp((k - 1/2) / 256) at most the ratio
        k = (low + high) // 2
        low, high = (k, high) if _halves()[2 * k - 1] >= wanted else (low, k)
    return low


@cache
def _halves() -> list[int]:
    return _powers_of_e(2 * FINE_STEPS, 2 * FINE_STEPS * 17)


@cache
def stretch() -> npt.NDArray[np.int32]:
    """256 ln(p / (1 - p)), rounded, int32, at p = (i + 1/2) / 4096, i = 0 .. 4095."""
    upper = [_logarithm(2 * i + 1, 8191 - 2 * i) for i in range(2048, 4096)]
    return np.array([-v for v in upper[::-1]] + upper, np.int32)


@cache
def mantissa_logarithm() -> npt.NDArray[np.int32]:
    """256 ln(1 + (i + 1/2) / 256), rounded, int32, i = 0 .. 255."""
    return np.array([_logarithm(513 + 2 * i, 512) for i in range(256)], np.int32)


@cache
def power_logarithm() -> npt.NDArray[np.int32]:
    """256 ln(2**i), rounded, int32, i = 0 .. 24."""
    return np.array([_logarithm(1 << i, 1) for i in range(25)], np.int32)
