"""Tables of integers: the order of coefficients, the cosines, logarithms, classes of magnitudes."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact import tables

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]

ZIGZAG = (
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
)  # fmt: skip
"""Natural index (8 v + u) of each coefficient in the order of files."""
_COSINES = (2048, 2009, 1892, 1703, 1448, 1138, 784, 400)
"""2**12 / 2 times the cosine of k pi / 16, rounded."""
OWN = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (-1, 1), (1, -1), (-1, 2), (2, -1), (2, 1), (1, 2), (2, 2))
"""(v, u) from a coefficient to those of its block whose magnitudes are inputs."""
CLASSES = (4, 12, 24, 40, 64, 96, 144, 224, 352, 576, 960, 1920)
"""Magnitudes, in sixteenths of a step, where the next class begins."""
MAGNITUDES = 4096
"""Entries of the tables of magnitudes, in sixteenths."""
MOST_RATIO = 4
"""The largest ratio of the luma's sampling to the chroma's."""


class Tables(NamedTuple):
    """What the kernels look up."""

    zigzag: Int64
    """[64]: natural index by place in the order."""
    own: Int64
    """[64, 12]: by place in the order, natural index of the own coefficients that are inputs; -1: none, not known."""
    basis: Int64
    """[8, 8]: Q12, of frequency v at sample y: orthonormal."""
    halfway: Int64
    """[8]: Q12, the basis half a sample before the first."""
    inverse: Int64
    """[2, 8]: Q20, the inverse of ``halfway`` and of the basis at the first sample."""
    magnitude: Int32
    """[4096]: 16 log2(1 + x / 16), rounded, at most 127."""
    classes: Int32
    """[4096]: class 0 .. 12 of a magnitude in sixteenths."""
    mantissa: Int32
    """[64]: 16 log2(1 + (i + 1/2) / 64), rounded."""
    shrinking: Int64
    """[5, 4, 8, 8]: Q12, by ratio and part: from coefficients of one of the luma's blocks to those of the chroma's."""
    exponential: Int64
    """[4096]: 2**16 exp(-i / 256)."""
    inverse_scale: Int64
    """[2561]: 2**17 exp(6 - i / 256)."""
    logistic: Int32
    """[6145]: 2**24 times the logistic function of -12 .. 12, in steps of 1/256."""
    log_mantissa: Int32
    log_power: Int32


def basis() -> Int64:
    """int64 [frequency, sample], Q12."""
    made = np.zeros((8, 8), np.int64)
    for v in range(8):
        for y in range(8):
            k = (2 * y + 1) * v % 32
            k = min(k, 32 - k)  # the cosine is even and has period 32
            value = _COSINES[k] if k < 8 else 0 if k == 8 else -_COSINES[16 - k]
            made[v, y] = _COSINES[4] if v == 0 else value
    return made


def _shrinking() -> Int64:
    """[ratio, part, k, v]: the mean of ``ratio`` samples each, of 8 ratio samples in so many blocks."""
    own, made = basis(), np.zeros((MOST_RATIO + 1, MOST_RATIO, 8, 8), np.int64)
    for ratio in range(1, MOST_RATIO + 1):
        for s in range(8 * ratio):
            made[ratio, s // 8] += np.outer(own[:, s // ratio], own[:, s % 8])
        made[ratio] = (made[ratio] + 2048 * ratio) // (4096 * ratio)
    return made


def _own() -> Int64:
    places = {n: z for z, n in enumerate(ZIGZAG)}
    made = np.full((64, len(OWN)), -1, np.int64)
    for z, n in enumerate(ZIGZAG):
        for i, (dv, du) in enumerate(OWN):
            v, u = n // 8 + dv, n % 8 + du
            if 0 <= v < 8 and 0 <= u < 8 and places[8 * v + u] > z:
                made[z, i] = 8 * v + u
    return made


def _sixteenths(numerator: int, bits: int) -> int:
    """16 log2(numerator / 2**bits), rounded, by counting the bits of a power."""
    return (numerator**32 >> (32 * bits)).bit_length() // 2


@cache
def lookups() -> Tables:
    """All of them."""
    halfway = np.array([_COSINES[4]] + [2048] * 7, np.int64)
    first = basis()[:, 0]
    magnitudes = np.arange(MAGNITUDES)
    return Tables(
        np.array(ZIGZAG, np.int64),
        _own(),
        basis(),
        halfway,
        np.stack([(1 << 32) // halfway, (1 << 32) // first]),
        np.array([min(127, _sixteenths(16 + x, 4)) for x in range(MAGNITUDES)], np.int32),
        np.searchsorted(np.array(CLASSES), magnitudes, side="right").astype(np.int32),
        np.array([_sixteenths(129 + 2 * i, 7) for i in range(64)], np.int32),
        _shrinking(),
        tables.exponential(),
        tables.inverse_scale(),
        tables.fine_logistic(),
        tables.mantissa_logarithm(),
        tables.power_logarithm(),
    )
