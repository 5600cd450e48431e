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


def bound(w: npt.NDArray[Any], largest: int) -> int:
    """Largest absolute sum that w [m, k] can give with absolute activations of at most ``largest``."""
    return int(np.abs(w.astype(np.int64)).sum(1).max(initial=0)) * largest
