"""Bits as colours: heat maps on one fixed scale, so that they can be compared.

Colours are those of viridis (Smith and van der Walt 2015, in matplotlib; CC0), whose lightness rises evenly as the eye
sees it, in colour and in gray: dark for what was expected, yellow for what was not.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

TOP = 8.0
"""Bits a sample that the last colour stands for, and more; the first stands for 0."""
LONGEST_ROW = 512
"""Of bytes drawn as pixels."""
_ANCHORS = (
    (68, 1, 84), (72, 26, 108), (71, 47, 125), (65, 68, 135), (57, 86, 140), (49, 104, 142),
    (42, 120, 142), (35, 136, 142), (31, 152, 139), (34, 168, 132), (53, 183, 121), (84, 197, 104),
    (122, 209, 81), (165, 219, 54), (210, 226, 27), (253, 231, 37),
)  # fmt: skip
"""Colours at equal steps; between them, straight lines."""


def colours(part: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Numbers from 0 to 1, beyond them the ends', as colours: any shape -> uint8 [..., 3]."""
    at = np.linspace(0.0, 1.0, len(_ANCHORS))
    columns = np.array(_ANCHORS, np.float64).T
    return np.stack([np.rint(np.interp(part, at, column)).astype(np.uint8) for column in columns], -1)


def heat(bits: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """A heat map of a picture: bits of each sample [H, W, C] -> uint8 [H, W, 3]; each pixel has the colour of the mean
    of its samples' bits, from 0 to :data:`TOP`."""
    return colours(bits.mean(-1, dtype=np.float64) / TOP)


def row(count: int) -> int:
    """How many of so many bytes are drawn in a row."""
    return min(LONGEST_ROW, math.isqrt(count - 1) + 1)


def folded(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What belongs to each of some bytes, [1, length, ..], in rows: [rows, width, ..], the last one filled with 0."""
    width = row(values.shape[1])
    lacking = [(0, 0)] * values.ndim
    lacking[1] = (0, -values.shape[1] % width)
    return np.pad(values, lacking).reshape(-1, width, *values.shape[2:])
