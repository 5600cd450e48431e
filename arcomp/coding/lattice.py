"""Colours that a conversion can produce: pictures that were stored in another colour space before.

Whoever converts YCbCr to RGB in integers reaches only part of all colours: a quarter of them from JPEG's (the pictures
of cameras and of the web, once decoded and kept without loss), an eighth from PhotoCD's (the Kodak suite). Given the
first two channels, the third one then has few values left.

A lattice is a set of colours, one bit each: bit c2 of row (c0, c1), channels in coding order (green, red, blue).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.coding.levels import HIGHEST, LEVELS, MID_LEVEL
from arcomp.exact.compiled import kernel

UInt8 = npt.NDArray[np.uint8]
NONE, JFIF, PHOTO_CD = range(3)
KNOWN = (JFIF, PHOTO_CD)
ROW = LEVELS // 8
"""Bytes of a row."""
WORTH = 0.95
"""Part of a picture's colours that must be on a lattice for it to be of use."""


@kernel()
def _jfif(rows: Any) -> None:
    """JPEG's YCbCr by libjpeg's integers: 16 fractional bits, rounded."""
    half = 1 << 15
    for y in range(LEVELS):
        for cb in range(-MID_LEVEL, MID_LEVEL):
            blue = max(0, min(HIGHEST, y + ((116130 * cb + half) >> 16)))
            for cr in range(-MID_LEVEL, MID_LEVEL):
                red = max(0, min(HIGHEST, y + ((91881 * cr + half) >> 16)))
                green = max(0, min(HIGHEST, y + ((-22554 * cb - 46802 * cr + half) >> 16)))
                rows[green, red, blue >> 3] |= np.uint8(1 << (blue & 7))


@kernel()
def _photo_cd(rows: Any) -> None:
    """PhotoCD's YCC: R = 1.3584 Y + 1.8215 C2, B = 1.3584 Y + 2.2179 C1,
    G = 1.3584 Y - .194 [2.2179 C1] - .509 [1.8215 C2]; brackets and results rounded down."""
    for y in range(LEVELS):
        luma = 13584 * y
        for c1 in range(-156, 100):
            to_blue = 22179 * c1
            blue = max(0, min(HIGHEST, (luma + to_blue) // 10000))
            for c2 in range(-137, 119):
                to_red = 18215 * c2
                red = max(0, min(HIGHEST, (luma + to_red) // 10000))
                less = 1940 * (to_blue // 10000) + 5090 * (to_red // 10000)
                green = max(0, min(HIGHEST, (luma - less) // 10000))
                rows[green, red, blue >> 3] |= np.uint8(1 << (blue & 7))


@cache
def colours(lattice: int) -> UInt8:
    """uint8 [LEVELS * LEVELS, ROW]: the colours of a lattice; no rows for none."""
    rows = np.zeros((LEVELS, LEVELS, ROW) if lattice else (0, LEVELS, ROW), np.uint8)
    if lattice == JFIF:
        _jfif(rows)
    elif lattice == PHOTO_CD:
        _photo_cd(rows)
    return rows.reshape(-1, ROW)


@kernel(inner=True)
def _on_jfif(red: Any, green: Any, blue: Any) -> bool:
    """Whether a colour, no channel of which is 0 or 255, is on the lattice. Luma is within 1 of the weighted mean."""
    mean = (19595 * red + 38470 * green + 7471 * blue) >> 16
    for y in range(max(0, mean - 2), min(HIGHEST, mean + 3) + 1):
        cb, cr = ((blue - y) << 16) // 116130, ((red - y) << 16) // 91881
        for b in range(cb, cb + 2):
            for r in range(cr, cr + 2):
                if (
                    min(b, r) >= -MID_LEVEL
                    and max(b, r) < MID_LEVEL
                    and y + ((116130 * b + (1 << 15)) >> 16) == blue
                    and y + ((91881 * r + (1 << 15)) >> 16) == red
                    and y + ((-22554 * b - 46802 * r + (1 << 15)) >> 16) == green
                ):
                    return True
    return False


@kernel(inner=True)
def _on_photo_cd(red: Any, green: Any, blue: Any) -> bool:
    """The same of PhotoCD's. Green is luma less parts of how much red and blue are above it, all rounded down."""
    mean = int((1000 * green + 194 * blue + 509 * red) / 2313.4)
    for y in range(max(0, mean - 3), min(HIGHEST, mean + 4) + 1):
        c1, c2 = (10000 * blue - 13584 * y) // 22179, (10000 * red - 13584 * y) // 18215
        for b in range(c1, c1 + 2):
            for r in range(c2, c2 + 2):
                to_blue, to_red = 22179 * b, 18215 * r
                less = 1940 * (to_blue // 10000) + 5090 * (to_red // 10000)
                if (
                    -156 <= b < 100
                    and -137 <= r < 119
                    and (13584 * y + to_blue) // 10000 == blue
                    and (13584 * y + to_red) // 10000 == red
                    and (13584 * y - less) // 10000 == green
                ):
                    return True
    return False


@kernel()
def _off(pixels: Any, lattice: int, step: int, most: int) -> int:
    """How many colours without a channel of 0 or 255 are not on a lattice; more than ``most`` are not counted. It takes
    no table, which takes longer to make than many a picture to code."""
    found = 0
    for y in range(0, pixels.shape[0], step):
        for x in range(pixels.shape[1]):
            green, red, blue = np.int64(pixels[y, x, 0]), np.int64(pixels[y, x, 1]), np.int64(pixels[y, x, 2])
            if min(red, green, blue) > 0 and max(red, green, blue) < HIGHEST:
                found += not (_on_jfif(red, green, blue) if lattice == JFIF else _on_photo_cd(red, green, blue))
        if found > most:
            break
    return found


@kernel()
def _count(pixels: Any, rows: Any, step: int) -> int:
    found = 0
    for y in range(0, pixels.shape[0], step):
        for x in range(pixels.shape[1]):
            c2 = pixels[y, x, 2]
            found += (rows[np.int64(pixels[y, x, 0]) * LEVELS + pixels[y, x, 1], c2 >> 3] >> (c2 & 7)) & 1
    return found


def detect(pixels: UInt8) -> int:
    """The lattice that a picture (uint8 [H, W, C], channels in coding order) is on, or NONE, by every eighth row."""
    if pixels.shape[2] != 3:
        return NONE
    total = -(-pixels.shape[0] // 8) * pixels.shape[1]
    most = total - int(WORTH * total)
    near = [lattice for lattice in KNOWN if _off(pixels, lattice, 8, most) <= most]
    parts = {lattice: _count(pixels, colours(lattice), 8) / total for lattice in near}
    best = max(parts, key=lambda lattice: parts[lattice], default=NONE)
    return best if best and parts[best] >= WORTH else NONE
