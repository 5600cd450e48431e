"""What keeps integer layers exact: bounds of weights, multipliers, shifts and sums, and the check that they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

WEIGHT_LIMIT = 63
"""Of int8 weights: larger ones saturate in 16 bits on processors without VNNI."""
FINE_LIMIT = 63 * 64 + 31
"""Of int16 weights: two digits within those limits."""
MULTIPLIER_BITS = 15
SHIFT_LIMIT = 46
SUM_LIMIT = 2**47
LIMITS = {"int8": 2**31, "float32": 2**24, "float64": 2**53}
"""Below which all sums must stay, and parts of them, by how products are computed (:mod:`arcomp.exact.matmul`)."""


def bound(w: npt.NDArray[Any], largest: int) -> int:
    """Largest absolute sum that w [m, k] can give with absolute activations of at most ``largest``."""
    return int(np.abs(w.astype(np.int64)).sum(1).max(initial=0)) * largest


def digits(w: npt.NDArray[Any]) -> list[npt.NDArray[np.int8]]:
    """Split integer weights into planes of digits: w = sum of planes[i] * 64**i, each within +-63.

    A matrix already within +-63 is its own only plane.
    """
    rest = w.astype(np.int64)
    planes = []
    while np.abs(rest).max(initial=0) > WEIGHT_LIMIT:
        low = (rest + 32) % 64 - 32
        planes.append(low.astype(np.int8))
        rest = (rest - low) // 64
    return [*planes, rest.astype(np.int8)]
