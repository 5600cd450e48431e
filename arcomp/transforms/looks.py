"""What can be seen of a stack in one pass over it at most: what planning goes by."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from arcomp.coding import lattice
from arcomp.coding.levels import LEVELS
from arcomp.samples import Pixels
from arcomp.transforms.colours import keys
from arcomp.transforms.node import blocks

FEWEST, MOST_TRIED, PART = 1 << 14, 1 << 16, 16
"""Positions of a sample: one of so many of the stack, but no fewer and no more than these."""
SIDE = 64
"""Rows and columns that are looked at before all are."""
ROWS = 128
"""Rows in which repeated positions are counted, about."""
MOST = 256
"""Most colours that are listed."""


def sample(stack: Pixels) -> Pixels:
    """Parts of a stack, as one picture [1, h, w, C]; all of a small stack.

    Four parts of the picture in the middle of the stack, each halfway between its centre and a corner.
    """
    pictures, height, width, channels = stack.shape
    size = min(max(pictures * height * width // PART, FEWEST), MOST_TRIED)
    if pictures * height * width <= size:
        return stack.reshape(1, pictures * height, width, channels)
    picture, quarter = stack[pictures // 2], size // 4
    rows = min(height, max(math.isqrt(quarter), quarter // width))
    columns = min(width, quarter // rows)
    parts = [
        np.concatenate([picture[y : y + rows, x : x + columns] for x in _places(width, columns)], axis=1)
        for y in _places(height, rows)
    ]
    return np.concatenate(parts)[None]


def _places(whole: int, part: int) -> tuple[int, ...]:
    """Where parts begin whose middles are at a quarter and at three quarters; one if there is no room for two."""
    if 2 * part > whole:
        return ((whole - part) // 2,)
    first = max(0, whole // 4 - part // 2)
    return first, whole - part - first


def constant(stack: Pixels) -> bool:
    """Whether every position is the same; no more is read than it takes to see that it is not."""
    first = stack[0, 0, 0]
    few = stack[0, :SIDE, :SIDE]
    return bool((few == first).all()) and all((stack[block] == first).all() for block in blocks(stack.shape))


def share_repeated(stack: Pixels) -> float:
    """Of some rows of the picture in the middle, the share of positions that are as the one to the left or above."""
    picture = stack[len(stack) // 2]
    height = len(picture)
    rows = range(1, height, max(1, height // ROWS)) if height > 1 else range(1)
    found = count = 0
    for y in rows:
        same = np.zeros(picture.shape[1], np.bool_)
        same[1:] = (picture[y, 1:] == picture[y, :-1]).all(axis=1)
        if y:
            same |= (picture[y] == picture[y - 1]).all(axis=1)
        found, count = found + int(same.sum()), count + len(same)
    return found / count


def repeated(stack: Pixels) -> bool:
    """Whether all channels are equal, and there are several."""
    if stack.shape[3] == 1 or (stack[0, :SIDE, :SIDE] != stack[0, :SIDE, :SIDE, :1]).any():
        return False
    return all((stack[block] == stack[block][..., :1]).all() for block in blocks(stack.shape))


def levels(stack: Pixels, depth: int) -> npt.NDArray[np.bool_]:
    """Which levels are in use: bool [channels, 1 << depth]."""
    used = np.zeros((stack.shape[3], 1 << depth), np.bool_)
    for block in blocks(stack.shape):
        part = stack[block]
        for c in range(len(used)):
            used[c][part[..., c].reshape(-1)] = True
    return used


def regular(used: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Levels at equal distances that hold all levels in use, the same in all channels: those of 12 bits in 16, or the
    multiples of 257 that 8 bits are widened to. bool [channels, levels]."""
    found = np.flatnonzero(used.any(axis=0))
    step = int(np.gcd.reduce(np.diff(found))) if len(found) > 1 else 1
    held = np.zeros_like(used)
    held[:, int(found[0]) % step : int(found[-1]) + 1 : step] = True
    return held


def share(used: npt.NDArray[np.bool_]) -> float:
    """Of the levels between the lowest and the highest one in use those that are, in the channel where it is least."""
    spans = [np.flatnonzero(row) for row in used]
    return min(len(span) / int(span[-1] - span[0] + 1) for span in spans)


def converted(stack: Pixels) -> bool:
    """Whether the high bits of RGB of 9 to 16 are colours that a conversion to RGB of 8 bits gives."""
    if stack.shape[3] != 3 or int(stack.max()) < LEVELS:
        return False
    high = stack[0, ..., [1, 0, 2]] >> int(stack.max()).bit_length() - 8
    return lattice.detect(np.ascontiguousarray(np.moveaxis(high, 0, 2), np.uint8)) != lattice.NONE


def colours(stack: Pixels) -> Pixels | None:
    """The colours of a stack [entries, channels], ascending; None if there are more than :data:`MOST`."""
    found, known = np.zeros((0, stack.shape[3]), stack.dtype), np.zeros(0, np.uint64)
    for block in ((0, slice(0, SIDE), slice(0, SIDE)), *blocks(stack.shape)):
        part = stack[block].reshape(-1, stack.shape[3])
        part = part[np.concatenate([[True], (part[1:] != part[:-1]).any(axis=1)])]
        part = np.concatenate([found, part])
        known, first = np.unique(keys(part), return_index=True)
        if len(known) > MOST:
            return None
        found = part[first]
    return found


def pair(stack: Pixels) -> Pixels | None:
    """The colours [2, channels] of a stack that has two, ascending; no more is read than it takes to see a third."""
    first = stack[0, 0, 0]
    second: Pixels | None = None
    for block in ((0, slice(0, SIDE), slice(0, SIDE)), *blocks(stack.shape)):
        others = stack[block][(stack[block] != first).any(axis=-1)]
        if len(others):
            second = others[0] if second is None else second
            if (others != second).any():
                return None
    return None if second is None else np.array(sorted((first.tolist(), second.tolist())), stack.dtype)


def by_neighbours(indices: Pixels, entries: int) -> list[int]:
    """Indices in an order in which those come close that are neighbours in the picture often.

    W. Zeng, J. Li and S. Lei, "An efficient color re-indexing scheme for palette-based compression" (ICIP 2000): the
    next index is the one that is most often beside those placed, and is put at the end that it is nearer to.

    Args:
        indices: uint8 [N, H, W, 1], each below ``entries``.
    """
    pairs = np.zeros(entries * entries, np.int64)
    for block in blocks(indices.shape):
        part = indices[block][..., 0].astype(np.int64)
        for a, b in ((part[:, 1:], part[:, :-1]), (part[1:], part[:-1])):
            pairs += np.bincount((a * entries + b).reshape(-1), minlength=entries * entries)
    beside = pairs.reshape(entries, entries)
    beside = beside + beside.T
    np.fill_diagonal(beside, 0)
    order = [int(beside.sum(axis=1).argmax())]
    placed = np.zeros(entries, np.bool_)
    placed[order] = True
    near = beside[order[0]].copy()
    while not placed.all():
        new = int(np.where(placed, -1, near).argmax())
        ends = len(order) - 1 - 2 * np.arange(len(order))
        order.insert(0 if int(ends @ beside[new, order]) > 0 else len(order), new)
        placed[new] = True
        near += beside[new]
    return order
