"""The bytes of a scan without what is stuffed into them (T.81, B.1.1.5)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel

_BEYOND = 1024
"""Bytes after the last one that may be looked at: more than those of a block."""


class Bits(NamedTuple):
    """The bytes of a scan without what is stuffed into them.

    Attributes:
        data: uint8, followed by some zeros.
        ends: int64, where each interval ends, in bytes; there is a restart marker after each but the last.
        counts: int64, the marker's number, 0 to 7.
    """

    data: npt.NDArray[np.uint8]
    ends: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]


@kernel()
def _unstuff(
    raw: npt.NDArray[np.uint8], clean: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> tuple[int, int]:
    """Copy a scan's bytes up to a marker that is no restart's; gives how many, and how many intervals."""
    at = made = intervals = 0
    while at < len(raw):
        value = raw[at]
        if value == 0xFF:
            after = raw[at + 1] if at + 1 < len(raw) else 0xFF
            if 0xD0 <= after <= 0xD7:
                ends[intervals], counts[intervals] = made, after & 7
                intervals += 1
                at += 2
                continue
            if after:
                break
            at += 1
        clean[made] = value
        made += 1
        at += 1
    ends[intervals] = made
    return made, intervals + 1


def bits_of(raw: npt.NDArray[np.uint8]) -> Bits:
    """The bytes of a scan, uint8, which begin here and end at a marker that is no restart's."""
    most = len(raw) // 2 + 2
    clean, ends, counts = np.empty(len(raw) + _BEYOND, np.uint8), np.empty(most, np.int64), np.zeros(most, np.int64)
    made, intervals = _unstuff(raw, clean, ends, counts)  # memory is taken as it is written
    clean[made : made + _BEYOND] = 0
    return Bits(clean, ends[:intervals].copy(), counts[:intervals].copy())
