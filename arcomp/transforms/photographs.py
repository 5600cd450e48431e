"""Where photographs lie in a drawing: rectangles in which hardly a position is as one beside it."""

from __future__ import annotations

from collections.abc import Iterator

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
AT_A_TIME = 1 << 20
"""Positions that are looked at in one go, about: pictures may be much larger than what there is memory for twice."""
Cells = npt.NDArray[np.bool_]
Shares = npt.NDArray[np.float64]


def photographs(picture: Pixels) -> list[Region]:
    """Rectangles that may be photographs, the largest first; they do not overlap.

    Args:
        picture: [H, W, C].
    """
    height, width = picture.shape[:2]
    rows, columns = height // CELL, width // CELL
    if rows * columns < SMALLEST:
        return []
    cells = np.zeros((rows, columns))
    for y, unlike in _bands(picture[: rows * CELL, : columns * CELL]):
        at = y // CELL
        cells[at : at + len(unlike) // CELL] = unlike.reshape(-1, CELL, columns, CELL).mean(axis=(1, 3))
    busy = _smoothed(cells) > BUSY
    found: list[Region] = []
    while len(found) < MOST:
        top, left, tall, wide = _largest(busy)
        if tall * wide < SMALLEST or min(tall, wide) < 3:
            break
        busy[max(0, top - 1) : top + tall + 1, max(0, left - 1) : left + wide + 1] = False
        region = _settled(picture, top * CELL, left * CELL, (top + tall) * CELL, (left + wide) * CELL)
        if not any(map(region.overlaps, found)):
            found.append(region)
    return found


def _bands(picture: Pixels, left: int = 0, right: int | None = None) -> Iterator[tuple[int, Cells]]:
    """Which positions of some columns are neither as the one to the left nor as the one above, some rows at a time:
    the first of these rows, and [rows, columns]."""
    before = max(left - 1, 0)
    columns = picture[:, before:right]
    step = max(1, AT_A_TIME // (columns.shape[1] * CELL)) * CELL
    for y in range(0, len(picture), step):
        above = max(y - 1, 0)
        part = columns[above : y + step]
        found = np.ones(part.shape[:2], np.bool_)
        found[:, 1:] &= (part[:, 1:] != part[:, :-1]).any(axis=2)
        found[1:] &= (part[1:] != part[:-1]).any(axis=2)
        yield y, found[y - above :, left - before :]


def _smoothed(cells: Shares) -> Shares:
    """The mean of each cell and of those beside it; at borders, of the outermost ones again."""
    padded = np.pad(cells, 1, "edge")
    rows, columns = cells.shape
    total: Shares = sum(
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


def _settled(picture: Pixels, top: int, left: int, bottom: int, right: int) -> Region:
    """A rectangle whose sides are moved to where the photograph ends."""
    by_row = np.concatenate([unlike.mean(axis=1) for _, unlike in _bands(picture, left, right)])
    top, bottom = _ends(by_row, top, bottom)
    # the row above the photograph is needed to see which positions of its first row are as those above
    above = max(top - 1, 0)
    by_column = np.zeros(picture.shape[1])
    for y, unlike in _bands(picture[above:bottom]):
        by_column += unlike[top - above if y == 0 else 0 :].sum(axis=0)
    left, right = _ends(by_column / (bottom - top), left, right)
    return Region(0, top, left, bottom - top, right - left)


def _ends(shares: Shares, begin: int, end: int) -> tuple[int, int]:
    """Where a run of large shares begins and ends; within the run from the start, except for two cells at each end."""
    inner_begin, inner_end = begin + 2 * CELL, end - 2 * CELL
    if inner_begin >= inner_end:
        inner_begin = inner_end = (begin + end) // 2
    low = np.flatnonzero(shares[:inner_begin] < EDGE)
    high = np.flatnonzero(shares[inner_end:] < EDGE)
    first = int(low[-1]) + 1 if len(low) else 0
    last = inner_end + int(high[0]) if len(high) else len(shares)
    return max(first, begin - 2 * CELL), min(max(last, first + 1), end + 2 * CELL)
