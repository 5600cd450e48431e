"""What a masked convolution looks at: taps, and the mask over space and channels; causal, unless its taps look at what
is known beforehand.

van den Oord et al. 2016, "Pixel recurrent neural networks", section 3.4 and figure 2 (right): features are split into
one group for each channel of a pixel. At the position itself, outputs of group g see the inputs of groups before g
(mask A, first layer) or up to g (mask B); of other positions, those that the taps name.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Tap = tuple[int, int]
"""Offset (dy, dx) from a position to one that its output looks at: before it in raster order, or itself; in layers that
are a row ahead also after it in its row; in those of networks over what is known beforehand, anywhere."""


def square(kernel: int) -> tuple[Tap, ...]:
    """The causal half of a square of odd side: rows above, then the left part of the position's own row, itself last.

    Under a wavefront all of them are known if the skew is at least ``kernel // 2 + 1``.
    """
    r = kernel // 2
    return tuple((dy, dx) for dy in range(-r, 1) for dx in range(-r, r + 1) if (dy, dx) <= (0, 0))


def above(kernel: int) -> tuple[Tap, ...]:
    """The rows above of a square of odd side: what a vertical stack sees (Gated PixelCNN, section 2.3)."""
    r = kernel // 2
    return tuple((dy, dx) for dy in range(-r, 0) for dx in range(-r, r + 1))


def around(kernel: int) -> tuple[Tap, ...]:
    """The rows above of a square of odd side and all of the position's own row: for layers that are a row ahead."""
    r = kernel // 2
    return tuple((dy, dx) for dy in range(-r, 1) for dx in range(-r, r + 1))


def full(kernel: int) -> tuple[Tap, ...]:
    """All of a square of odd side: for networks over what is known beforehand, which are evaluated whole only."""
    r = kernel // 2
    return tuple((dy, dx) for dy in range(-r, r + 1) for dx in range(-r, r + 1))


def line(kernel: int, dilation: int = 1) -> tuple[Tap, ...]:
    """So many positions along the row, ``dilation`` apart, the position itself last."""
    return tuple((0, -dilation * i) for i in range(kernel - 1, -1, -1))


def nearest(channels: int) -> tuple[Tap, ...]:
    """The positions above and to the left; where there are earlier channels, also the position itself, last."""
    return ((-1, 0), (0, -1), (0, 0))[: 3 if channels > 1 else 2]


def tap_mask(taps: tuple[Tap, ...], mask: str, groups: int, inputs: int, outputs: int) -> npt.NDArray[np.bool_]:
    """Which weights may differ from zero: bool [groups * outputs, taps * groups * inputs].

    Args:
        mask: "A" or "B". inputs, outputs: features of each group.
    """
    free = np.ones((groups, outputs, len(taps), groups, inputs), bool)
    for g in range(groups):
        for t, tap in enumerate(taps):
            if tap == (0, 0):
                free[g, :, t, (g if mask == "A" else g + 1) :] = False
    return free.reshape(groups * outputs, len(taps) * groups * inputs)


def free_weights(taps: tuple[Tap, ...], mask: str, groups: int, inputs: int, outputs: int) -> int:
    """How many weights :func:`tap_mask` lets differ from zero."""
    here = taps.count((0, 0))
    seen = sum(g if mask == "A" else g + 1 for g in range(groups))  # groups that outputs see at the position itself
    return outputs * inputs * (groups * groups * (len(taps) - here) + here * seen)


def margins(taps: Iterable[Tap]) -> tuple[int, int, int]:
    """How far taps reach up, left and right."""
    up, across = zip(*taps, strict=True)
    return max(0, -min(up)), max(0, -min(across)), max(0, *across)


def reach_down(taps: Iterable[Tap]) -> int:
    """How far taps reach down: 0 for those of causal layers."""
    return max(0, *(dy for dy, _ in taps))
