"""Random numbers that are functions of integers, the same everywhere: degrees of units and orders come from a seed.

The mixing function is that of SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
generators", figure 16), over one integer after the other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

UInt64 = npt.NDArray[np.uint64]
GAMMA = 0x9E3779B97F4A7C15


def drawn(*keys: int | npt.NDArray[np.integer]) -> UInt64:
    """64 random bits for each combination of keys.

    Args:
        keys: non-negative integers, or arrays of them, which are broadcast.

    Returns:
        uint64, of the shape of all keys together.
    """
    total = np.zeros(np.broadcast_shapes((1,), *(np.shape(key) for key in keys)), np.uint64)
    for key in keys:
        total = _mixed(total + np.asarray(key).astype(np.uint64) + np.uint64(GAMMA))
    return total


def _mixed(v: UInt64) -> UInt64:
    v = (v ^ (v >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    v = (v ^ (v >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(v ^ (v >> np.uint64(31)), np.uint64)
