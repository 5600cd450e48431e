"""Which coefficients of a block are not 0, or not below a power of two: a bit each, in zigzag order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from arcomp import jpeg_tables
from arcomp.coefficients import Blocks
from arcomp.exact.compiled import kernel

Masks = npt.NDArray[np.uint64]
"""[n]: of n blocks."""
ZIGZAG = np.array(jpeg_tables.ZIGZAG)
_PLACES = np.argsort(jpeg_tables.ZIGZAG).astype(np.uint64)
"""Of the coefficients as they lie in memory: their places in zigzag order."""


@intrinsic  # type: ignore[untyped-decorator]
def lowest(context: Any, mask: Any) -> Any:
    """The number of the lowest bit that is set, of a uint64 that is not 0."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), make


@intrinsic  # type: ignore[untyped-decorator]
def highest(context: Any, mask: Any) -> Any:
    """The number of the highest bit that is set, of a uint64 that is not 0."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        above = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.sub(ir.Constant(ir.IntType(64), 63), above)

    return types.int64(types.uint64), make


@intrinsic  # type: ignore[untyped-decorator]
def ones(context: Any, mask: Any) -> Any:
    """How many bits of a uint64 are set."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), make


@kernel(inline="always")
def bit(k: int) -> np.uint64:
    """That of a coefficient."""
    return np.uint64(1) << np.uint64(k)


@kernel(inline="always")
def band(first: int, last: int) -> np.uint64:
    """Bits from one, 0 to 64, up to another, 0 to 63; none if the first is the larger."""
    if first > last:
        return np.uint64(0)
    every = ~np.uint64(0)
    return (every << np.uint64(first)) & (every >> np.uint64(63 - last))


@kernel()
def find(blocks: Blocks, low: int, masks: Masks) -> None:
    """Fill in which coefficients are at least 2^low in magnitude."""
    for place in range(len(blocks)):
        found = np.uint64(0)
        for at in range(64):
            found |= np.uint64(abs(np.int32(blocks[place, at])) >> low != 0) << _PLACES[at]
        masks[place] = found


@kernel()
def find_among(blocks: Blocks, among: Masks, low: int, masks: Masks) -> None:
    """The same, of those that are known to be at least a smaller power of two."""
    for place in range(len(blocks)):
        found, rest = np.uint64(0), among[place]
        while rest:
            at = lowest(rest)
            rest &= rest - np.uint64(1)
            found |= np.uint64(abs(np.int32(blocks[place, ZIGZAG[at]])) >> low != 0) << np.uint64(at)
        masks[place] = found


def masks_of(blocks: Blocks, low: int = 0, among: Masks | None = None) -> Masks:
    """Which coefficients of blocks, int16 [n, 64], are at least 2^low in magnitude.

    Args:
        among: which are at least a smaller power of two, if that is known.
    """
    made = np.empty(len(blocks), np.uint64)
    if among is None:
        find(blocks, low, made)
    else:
        find_among(blocks, among, low, made)
    return made
