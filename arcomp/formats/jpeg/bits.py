"""The bytes of a scan without what is stuffed into them (T.81, B.1.1.5)."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from arcomp.exact.compiled import kernel

AHEAD = 56
"""Bits that :func:`ahead` gives at least."""
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


@intrinsic  # type: ignore[untyped-decorator]
def ahead(context: Any, data: Any, at: Any) -> Any:
    """The bits from one on, the highest first: uint64, of which AHEAD are right; data: uint8 [n]."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        byte = builder.gep(array.data, [builder.ashr(arguments[1], ir.Constant(ir.IntType(64), 3))])
        word = builder.load(builder.bitcast(byte, ir.IntType(64).as_pointer()), align=1)
        word = builder.bswap(word) if sys.byteorder == "little" else word
        return builder.shl(word, builder.and_(arguments[1], ir.Constant(ir.IntType(64), 7)))

    return types.uint64(data, types.int64), make


@kernel(inline="always")
def first_bits(word: np.uint64, count: int) -> int:
    """So many bits of a word, 1 to 63, from the highest on."""
    return int(np.int64(word >> np.uint64(64 - count)))


@kernel(inline="always")
def next_bits(data: npt.NDArray[np.uint8], at: int, count: int) -> np.uint64:
    """So many bits, 0 to 63, from one on; data: uint8 [n]."""
    if count <= AHEAD:
        return np.uint64(ahead(data, at) >> np.uint64(1) >> np.uint64(63 - count))
    more = np.uint64(count - AHEAD)
    high, low = ahead(data, at) >> np.uint64(64 - AHEAD), ahead(data, at + AHEAD) >> (np.uint64(64) - more)
    return np.uint64(high << more | low)


@kernel(inline="always")
def _has_marker(word: np.uint64) -> bool:
    """Whether one of eight bytes is 0xFF."""
    return bool((~word - np.uint64(0x0101010101010101)) & word & np.uint64(0x8080808080808080))


@kernel()
def _unstuff(
    raw: npt.NDArray[np.uint8], clean: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> tuple[int, int]:
    """Copy a scan's bytes up to a marker that is no restart's; gives how many, and how many intervals."""
    at = made = intervals = 0
    while at < len(raw):
        if at + 8 <= len(raw) and not _has_marker(ahead(raw, 8 * at)):
            for i in range(8):
                clean[made + i] = raw[at + i]
            at, made = at + 8, made + 8
            continue
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
    ends[intervals], counts[intervals] = made, 0
    return made, intervals + 1


def bits_of(raw: npt.NDArray[np.uint8]) -> Bits:
    """The bytes of a scan, uint8, which begin here and end at a marker that is no restart's."""
    most = len(raw) // 2 + 2
    clean, ends, counts = np.empty(len(raw) + _BEYOND, np.uint8), np.empty(most, np.int64), np.empty(most, np.int64)
    made, intervals = _unstuff(raw, clean, ends, counts)  # memory is taken as it is written
    clean[made : made + _BEYOND] = 0
    return Bits(clean, ends[:intervals].copy(), counts[:intervals].copy())
