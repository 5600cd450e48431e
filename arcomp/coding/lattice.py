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
    parts = {lattice: _count(pixels, colours(lattice), 8) / total for lattice in KNOWN}
    best = max(parts, key=lambda lattice: parts[lattice])
    return best if parts[best] >= WORTH else NONE
