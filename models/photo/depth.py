"""Samples of more than 8 bits: how they are made to look like levels of 8.

All that ``photo`` computes with is measured in levels, of which noise has a few: predictions in 1/64, errors in 1/16.
A sample of more bits is taken for a level and a fraction: it is divided by 2**shift, which is found from the picture.
Nothing is lost, since a prediction has more binary places than that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding.levels import HIGHEST
from arcomp.errors import FormatError
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import leading_zeros
from arcomp.exact.records import Fixed

LEVEL_BITS = 6
"""Predictions are in 1/64 of a level."""
LARGEST_SHIFT = 6
MOST_BITS = 12
"""Of a sample without its fraction."""
FARTHEST = 255
"""Differences of levels that least squares tell apart."""
TYPICAL = 4
"""Levels of a difference that half of all are below."""


class Depth(NamedTuple):
    """Of a strip's samples."""

    wide: int
    """Whether they have more than 8 bits: kernels are compiled for either."""
    highest: int
    """The highest sample there may be."""
    shift: int
    """Binary places of a sample's fraction."""
    point: int
    """What a sample is shifted by to be in 1/64 of a level."""
    quarter: int
    """What it is shifted back by from there, so that there are 64 of all."""


EIGHT = Depth(Fixed(0), Fixed(HIGHEST), Fixed(0), Fixed(LEVEL_BITS), Fixed(LEVEL_BITS + 2))


def wide(highest: int, shift: int) -> Depth:
    """Samples of up to 16 bits."""
    bits = max(8, highest.bit_length()) - shift
    return Depth(Fixed(1), highest, shift, LEVEL_BITS - shift, bits)


def of_tile(tile: npt.NDArray[Any]) -> Depth:
    """What suits a tile, [height, width, C]; uint8 or uint16."""
    if tile.dtype == np.uint8:
        return EIGHT
    highest = max(1, int(tile.max()))
    least = max(0, highest.bit_length() - MOST_BITS)
    known = tile.astype(np.int32)
    there = np.abs(np.diff(known, axis=1))
    there = there[there > 0]
    typical = int(np.median(there)) / TYPICAL if there.size else 0
    return wide(highest, max(least, min(LARGEST_SHIFT, int(typical).bit_length() - 1)))


def to_bytes(depth: Depth) -> bytes:
    """How a stream begins: nothing for 8 bits."""
    return depth.highest.to_bytes(2, "big") + bytes([depth.shift]) if depth.wide else b""


def from_bytes(data: bytes | memoryview) -> Depth:
    """The same, read.

    Raises:
        FormatError: there is no such depth.
    """
    highest, shift = int.from_bytes(data[:2], "big"), data[2] if len(data) > 2 else LARGEST_SHIFT + 1
    if not highest > 0 or not highest.bit_length() - MOST_BITS <= shift <= LARGEST_SHIFT:
        raise FormatError("the coded pixels are damaged", remedy="get a fresh copy of the file")
    return wide(highest, shift)


@kernel(inline="always")
def even_bits(scale: Any, depth: Any) -> Any:
    """Lowest bits of a sample that are equally likely, so that the others count at most half its mean error.

    Args:
        scale: the mean error in 1/256 of a level.
    """
    if depth.wide:
        return max(0, 63 - leading_zeros(np.int64(scale) << depth.shift) - 9)
    return 0
