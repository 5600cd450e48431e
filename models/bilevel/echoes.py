"""Two places that a pixel is often like: the period of a screen or of an ordered dither, looked for in the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.errors import FormatError
from arcomp.exact.compiled import kernel

FARTHEST = 16
"""Rows up, and columns to either side."""
NEAREST = 4
"""Rows and columns together: what is nearer is in other contexts."""
APART = 2
"""Rows or columns that the second is away from the first, at least and one more."""
LOOKED = 1 << 14
"""Pixels that are compared, about; pictures of fewer have the usual echoes."""
USUAL = (8, 0, 0, 8)
"""Rows up and columns to the left of each: the period of Bayer's matrix."""
USUAL_MARK = 255
Echoes = tuple[int, ...]


def find(pixels: npt.NDArray[np.uint8]) -> Echoes:
    """The places that most pixels near edges are like; ``pixels``: [H, W], 0 and 1."""
    if pixels.size < LOOKED:
        return USUAL
    scores = np.zeros((FARTHEST + 1, 2 * FARTHEST + 1), np.int64)
    _compare(np.ascontiguousarray(pixels), max(1, pixels.size // LOOKED), scores)
    ups, lefts = np.ogrid[: FARTHEST + 1, -FARTHEST : FARTHEST + 1]
    scores[((ups == 0) & (lefts <= 0)) | (ups + abs(lefts) < NEAREST)] = -1
    found: list[int] = []
    for _ in range(2):
        up, left = divmod(int(scores.argmax()), 2 * FARTHEST + 1)
        found += [up, left - FARTHEST]
        scores[max(0, up - APART) : up + APART + 1, max(0, left - APART) : left + APART + 1] = -1
    return tuple(found)


@kernel()
def _compare(pixels: Any, step: Any, scores: Any) -> None:
    """Count for every place how many pixels of a sample, those near edges, are as there."""
    height, width = pixels.shape
    waited = 0
    for y in range(FARTHEST, height):
        for x in range(FARTHEST, width - FARTHEST):
            value = pixels[y, x]
            if value == pixels[y, x - 1] and value == pixels[y, x + 1] and value == pixels[y - 1, x]:
                continue
            waited += 8
            if waited < step:
                continue
            waited = 0
            for up in range(FARTHEST + 1):
                for left in range(2 * FARTHEST + 1):
                    scores[up, left] += pixels[y - up, x - left + FARTHEST] == value


def pack(echoes: Echoes) -> bytes:
    """The first bytes of a stream."""
    if echoes == USUAL:
        return bytes((USUAL_MARK,))
    return bytes(n + FARTHEST * (i % 2) for i, n in enumerate(echoes))


def unpack(data: bytes) -> tuple[Echoes, int]:
    """Echoes, and how many bytes they took.

    Raises:
        FormatError: there are none, or they are in what is not yet known.
    """
    if data[:1] == bytes((USUAL_MARK,)):
        return USUAL, 1
    echoes = tuple(n - FARTHEST * (i % 2) for i, n in enumerate(data[:4]))
    places = [*zip(echoes[::2], echoes[1::2], strict=False)]
    if len(echoes) < 4 or not all(
        up <= FARTHEST and left <= FARTHEST and (up > 0 or left >= NEAREST) for up, left in places
    ):
        raise FormatError("the coded pixels are damaged", remedy="get a fresh copy of the file")
    return echoes, 4
