"""Where photographs lie in a drawing: rectangles in which hardly a position is as one beside it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arcomp.samples import Pixels
from arcomp.transforms.region import Region

CELL = 16
"""Rows and columns of the parts that are looked at."""
BUSY, EDGE = 0.55, 0.35
"""Share of positions unlike those beside them: in and around a part of a photograph, and in its outermost rows."""
SMALLEST, MOST = 24, 6
"""Parts of a photograph that is worth a rectangle of its own, and how many there are."""
Cells = npt.NDArray[np.bool_]


def photographs(picture: Pixels) -> list[Region]:
    """Rectangles that may be photographs, the largest first; they do not overlap.

    Args:
        picture: [H, W, C].
    """
    unlike = _unlike(picture)
    height, width = unlike.shape
    rows, columns = height // CELL, width // CELL
    if rows * columns < SMALLEST:
        return []
    cells = unlike[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL).mean(axis=(1, 3))
    busy = _smoothed(cells) > BUSY
    found: list[Region] = []
    while len(found) < MOST:
        top, left, tall, wide = _largest(busy)
        if tall * wide < SMALLEST or min(tall, wide) < 3:
            break
        busy[max(0, top - 1) : top + tall + 1, max(0, left - 1) : left + wide + 1] = False
        region = _settled(unlike, top * CELL, left * CELL, (top + tall) * CELL, (left + wide) * CELL)
        if not any(map(region.overlaps, found)):
            found.append(region)
    return found


def _unlike(picture: Pixels) -> Cells:
    """Which positions are neither as the one to the left nor as the one above."""
    found = np.ones(picture.shape[:2], np.bool_)
    found[:, 1:] &= (picture[:, 1:] != picture[:, :-1]).any(axis=2)
    found[1:] &= (picture[1:] != picture[:-1]).any(axis=2)
    return found


def _smoothed(cells: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The mean of each cell and of those beside it; at borders, of the outermost ones again."""
    padded = np.pad(cells, 1, "edge")
    rows, columns = cells.shape
    total: npt.NDArray[np.float64] = sum(
        (padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3)), np.zeros(cells.shape)
    )
    return total / 9


def _largest(busy: Cells) -> tuple[int, int, int, int]:
    """The largest rectangle of cells that are all busy: top, left, rows, columns."""
    best, heights = (0, 0, 0, 0), np.zeros(busy.shape[1], np.int64)
    for y, row in enumerate(busy):
        heights = np.where(row, heights + 1, 0)
        open_: list[tuple[int, int]] = []  # where rectangles begin, and how high they are
        for x, high in enumerate([*heights.tolist(), 0]):
            start = x
            while open_ and open_[-1][1] >= high:
                start, tall = open_.pop()
                if tall * (x - start) > best[2] * best[3]:
                    best = y - tall + 1, start, tall, x - start
            open_.append((start, high))
    return best


def _settled(unlike: Cells, top: int, left: int, bottom: int, right: int) -> Region:
    """A rectangle whose sides are moved to where the photograph ends."""
    top, bottom = _ends(unlike[:, left:right].mean(axis=1), top, bottom)
    left, right = _ends(unlike[top:bottom].mean(axis=0), left, right)
    return Region(0, top, left, bottom - top, right - left)


def _ends(shares: npt.NDArray[np.float64], begin: int, end: int) -> tuple[int, int]:
    """Where a run of large shares begins and ends; within the run from the start, except for two cells at each end."""
    inner_begin, inner_end = begin + 2 * CELL, end - 2 * CELL
    if inner_begin >= inner_end:
        inner_begin = inner_end = (begin + end) // 2
    low = np.flatnonzero(shares[:inner_begin] < EDGE)
    high = np.flatnonzero(shares[inner_end:] < EDGE)
    first = int(low[-1]) + 1 if len(low) else 0
    last = inner_end + int(high[0]) if len(high) else len(shares)
    return max(first, begin - 2 * CELL), min(max(last, first + 1), end + 2 * CELL)
