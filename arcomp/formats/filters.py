"""PNG's five filters of rows (PNG, third edition, section 9), compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel
from arcomp.formats.layouts import Octets


@kernel(inline="always")
def _paeth(left: np.int32, above: np.int32, corner: np.int32) -> np.int32:
    """Whichever of the three is nearest to left + above - corner (PNG, third edition, section 9.4).

    Two comparisons instead of three distances: seen from the corner, that is the smaller or the larger of the others
    if both lie on one side far enough.
    """
    low, high = min(left, above), max(left, above)
    middle = 3 * corner - left - above
    nearest = low if high <= middle else corner
    return high if middle <= low else nearest


@kernel()
def unfilter_rows(rows: Octets, plain: Octets, pixel: int) -> None:
    """Undo the filters.

    Args:
        rows: [R, 1 + n], each with its filter first.
        plain: [R + 1, n], whose first row is the one before these; the others are written.
        pixel: bytes of a pixel.
    """
    size = plain.shape[1]
    first = min(pixel, size)
    for y in range(rows.shape[0]):
        kind = rows[y, 0]
        source, above, here = rows[y, 1:], plain[y], plain[y + 1]
        if kind == 0:
            for x in range(size):
                here[x] = source[x]
        elif kind == 1:
            for x in range(first):
                here[x] = source[x]
            for x in range(pixel, size):
                here[x] = source[x] + here[x - pixel]
        elif kind == 2:
            for x in range(size):
                here[x] = source[x] + above[x]
        elif kind == 3:
            for x in range(first):
                here[x] = source[x] + (above[x] >> 1)
            for x in range(pixel, size):
                here[x] = source[x] + ((np.int32(here[x - pixel]) + np.int32(above[x])) >> 1)
        else:
            for x in range(first):
                here[x] = source[x] + above[x]
            for x in range(pixel, size):
                here[x] = source[x] + _paeth(np.int32(here[x - pixel]), np.int32(above[x]), np.int32(above[x - pixel]))


@kernel()
def filter_rows(plain: Octets, out: Octets, pixel: int) -> None:
    """Filter rows, the other way round. The first column of `out` [R, 1 + n] says by which filter."""
    size = plain.shape[1]
    first = min(pixel, size)
    for y in range(out.shape[0]):
        kind = out[y, 0]
        made, above, here = out[y, 1:], plain[y], plain[y + 1]
        if kind == 0:
            for x in range(size):
                made[x] = here[x]
        elif kind == 1:
            for x in range(first):
                made[x] = here[x]
            for x in range(pixel, size):
                made[x] = here[x] - here[x - pixel]
        elif kind == 2:
            for x in range(size):
                made[x] = here[x] - above[x]
        elif kind == 3:
            for x in range(first):
                made[x] = here[x] - (above[x] >> 1)
            for x in range(pixel, size):
                made[x] = here[x] - ((np.int32(here[x - pixel]) + np.int32(above[x])) >> 1)
        else:
            for x in range(first):
                made[x] = here[x] - above[x]
            for x in range(pixel, size):
                made[x] = here[x] - _paeth(np.int32(here[x - pixel]), np.int32(above[x]), np.int32(above[x - pixel]))


@kernel()
def costs_of_rows(plain: Octets, costs: npt.NDArray[np.int64], pixel: int) -> None:
    """Sums of absolute differences of each row with each filter, bytes taken as signed: costs [R, 5]."""
    for y in range(costs.shape[0]):
        above, here = plain[y], plain[y + 1]
        none = sub = up = average = paeth = np.int32(0)
        for x in range(plain.shape[1]):
            value, over = np.int32(here[x]), np.int32(above[x])
            left = np.int32(here[x - pixel]) if x >= pixel else np.int32(0)
            corner = np.int32(above[x - pixel]) if x >= pixel else np.int32(0)
            none += abs(np.int32(np.int8(value)))
            sub += abs(np.int32(np.int8(value - left)))
            up += abs(np.int32(np.int8(value - over)))
            average += abs(np.int32(np.int8(value - ((left + over) >> 1))))
            paeth += abs(np.int32(np.int8(value - _paeth(left, over, corner))))
        costs[y, 0], costs[y, 1], costs[y, 2], costs[y, 3], costs[y, 4] = none, sub, up, average, paeth
