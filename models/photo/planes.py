"""What is known of a strip so far, in a form that whole fronts can be computed from at once.

Under a wavefront of skew 8 the pixel (y, x) belongs to front t = x + 8 y. Planes are kept *skewed*: the value at
(y, x) lies at ``plane[t % ring, MARGIN + y]``, so that a front is contiguous, its neighbour (dy, dx) is the
contiguous line ``plane[(t + dx + 8 dy) % ring, MARGIN + dy + y]``, and only as many fronts are kept as the
neighbourhood reaches back, however large the picture is.

Beyond the picture: above it the initial value; to the left of row y the value at (y - 1, 0); to the right of a row
its last value. This holds for every plane.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel
from arcomp.models.photo.depth import EIGHT, Depth

SKEW = 8
MARGIN = 24
"""Columns of a plane before row 0: how many rows up a neighbourhood may reach."""
LANES = 16
"""Pixels that are computed side by side; planes have as many columns to spare after the last row."""
LEFT = 24
RIGHT = 7
"""Columns beside the picture that a neighbourhood may reach; to the right at most SKEW - 1, or the front would not be
causal."""
BEYOND = RIGHT + 3
"""Columns to the right that are kept: neighbours of a window's rightmost samples."""
UNSEEN_ERROR = 32
"""Two levels in Q4: what errors are taken to be above the picture."""
UNSEEN_WEIGHT = 16

Int8 = npt.NDArray[np.int8]
Int16 = npt.NDArray[np.int16]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

NEIGHBOURS: Int64 = np.array(
    [
        (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, -2), (-1, 2),
        (-2, -1), (-2, 1), (-2, -2), (-2, 2), (0, -3), (-3, 0), (-1, -3), (-1, 3),
        (-3, -1), (-3, 1), (-2, -3), (-2, 3), (0, -4), (-4, 0), (-3, -2), (-3, 2),
    ],
    np.int64,
)  # fmt: skip
"""Neighbours (dy, dx) by importance."""


class Planes(NamedTuple):
    """The planes of a strip: int16 [count, ring, MARGIN + height + LANES]; int32 where samples have more than 8 bits.

    In this order: the pixels of each channel (levels), the errors of the base (Q4, signed), the absolute errors of the
    trunk's base (Q4), the errors of each window's prediction (Q4, signed; window by window), the sample weights
    of the least squares (Q6).
    """

    values: Int16 | Int32
    flat: Int16 | Int32
    """The same, front after front: [count * ring, MARGIN + height + LANES]."""
    levels: npt.NDArray[np.uint8] | Int16
    """[channels * ring, MARGIN + height + LANES]: the pixels of each channel once more, as bytes, or less their lowest
    bits in 16 bits. Least squares read thousands of them for each pixel, so that they should be near."""
    height: int
    width: int
    channels: int
    windows: int
    depth: Depth


@kernel(inline="always")
def base_error(channels: int, c: int) -> int:
    """Index of the plane of a channel's base errors."""
    return channels + c


@kernel(inline="always")
def trunk_error(channels: int, c: int) -> int:
    """Index of the plane of a channel's absolute errors of the trunk's base."""
    return 2 * channels + c


@kernel(inline="always")
def window_error(channels: int, w: int, c: int) -> int:
    """Index of the plane of a window's errors."""
    return (3 + w) * channels + c


@kernel(inline="always")
def sample_weight(channels: int, windows: int) -> int:
    """Index of the plane of sample weights."""
    return (3 + windows) * channels


def blank(height: int, width: int, channels: int, windows: int, ring: int, depth: Depth = EIGHT) -> Planes:
    """The planes of a strip of which nothing is known.

    Args:
        height, width: of the strip. channels: 1 or 3. windows: of the least squares.
        ring: fronts that are kept; a power of two. depth: of the samples.
    """
    count = (3 + windows) * channels + 1
    middle = (depth.highest + 1) // 2
    values = np.full((count, ring, MARGIN + height + LANES), UNSEEN_ERROR, np.int32 if depth.wide else np.int16)
    values[:channels] = middle
    values[-1] = UNSEEN_WEIGHT
    levels = np.full((channels * ring, values.shape[2]), middle >> depth.shift, np.int16 if depth.wide else np.uint8)
    return Planes(values, values.reshape(count * ring, -1), levels, height, width, channels, windows, depth)


@kernel(inline="always")
def first_row(t: int, width: int) -> int:
    """The first row of front t."""
    return 0 if t < width else (t - width) // SKEW + 1


@kernel(inline="always")
def last_row(t: int, height: int) -> int:
    """The last row of front t."""
    return min(height - 1, t // SKEW)


def front_count(height: int, width: int) -> int:
    """Fronts of a strip (some may be empty in narrow ones)."""
    return width + SKEW * (height - 1)


@kernel(inner=True)
def fill_margins(planes: Any, t: int) -> None:
    """Repeat front t's values beside the picture, where it has reached an edge."""
    values, levels, ring = planes.values, planes.levels, planes.values.shape[1]
    mask = ring - 1
    if t % SKEW == 0 and t // SKEW < planes.height - 1:  # (y, 0) is known: left of row y + 1
        at = MARGIN + t // SKEW
        for p in range(values.shape[0]):
            v = values[p, t & mask, at]
            for k in range(1, LEFT + 1):
                values[p, (t + SKEW - k) & mask, at + 1] = v
                if p < planes.channels:
                    levels[p * ring + ((t + SKEW - k) & mask), at + 1] = v >> planes.depth.shift
    last = t - planes.width + 1
    if last >= 0 and last % SKEW == 0 and last // SKEW < planes.height:  # (y, width - 1)
        at = MARGIN + last // SKEW
        for p in range(values.shape[0]):
            v = values[p, t & mask, at]
            for k in range(1, BEYOND + 1):
                values[p, (t + k) & mask, at] = v
                if p < planes.channels:
                    levels[p * ring + ((t + k) & mask), at] = v >> planes.depth.shift
