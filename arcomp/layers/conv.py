"""Convolution, masked over space and channels, in float: causal, unless its taps look at what is known beforehand.

van den Oord et al. 2016, "Pixel recurrent neural networks", section 3.4 and figure 2 (right): features are split into
one group for each channel of a pixel. At the position itself, outputs of group g see the inputs of groups before g
(mask A, first layer) or up to g (mask B); of other positions, those that the taps name. Its exact twin is
:class:`arcomp.layers.spatial.ExactConv`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from arcomp.layers.frozen import Arrays, dequantize_linear, freeze_linear
from arcomp.layers.linear import Linear, rounded
from arcomp.layers.quantisation import Quantisation

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


class CausalConv2d(nn.Module):
    """The float evaluation. Weights are kept as one matrix over the taps, as the exact evaluation uses them.

    Args:
        taps: what a position looks at.
        mask: "A" or "B".
        groups: channels of a pixel, or 1.
        inputs, outputs: features of each group.
        grid: of the outputs.
        stride: outputs are made for positions that are multiples of it only.
        fine: whether weights will have 13 bits, not 7.
    """

    def __init__(
        self, taps: tuple[Tap, ...], mask: str, groups: int, inputs: int, outputs: int, grid: Quantisation,
        stride: int = 1, fine: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if mask not in ("A", "B"):
            raise ValueError(f"a convolution with mask {mask}")
        self.taps, self.grid, self.stride = taps, grid, stride
        self.linear = Linear(len(taps) * groups * inputs, groups * outputs, grid, fine)
        self.free: torch.Tensor
        self.register_buffer("free", torch.from_numpy(tap_mask(taps, mask, groups, inputs, outputs)))
        top, left, right = margins(taps)
        self._apart = step = int(np.gcd.reduce([abs(v) for tap in taps for v in tap])) or 1  # more than 1 along a row
        wide = (left + right) // step + 1
        self.places: torch.Tensor
        at = torch.tensor([(top + dy) // step * wide + (left + dx) // step for dy, dx in taps])
        self.register_buffer("places", at, persistent=False)

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """float [N, H, W, groups * inputs] -> [N, H, W, groups * outputs], H and W over the stride, rounded up."""
        weight = self.linear.weight * self.free
        if rounding:
            weight = rounded(weight, self.linear.limit)
        if self.taps == ((0, 0),) and self.stride == 1:
            return self.grid.carry(functional.linear(x, weight, self.linear.bias), rounding)
        (top, left, right), bottom, step = margins(self.taps), reach_down(self.taps), self._apart
        high, wide = (top + bottom) // step + 1, (left + right) // step + 1
        by_tap = weight.reshape(len(weight), len(self.taps), x.shape[3]).mT
        kernel = weight.new_zeros(*by_tap.shape[:2], high * wide).index_copy(2, self.places, by_tap)
        padded = functional.pad(x.permute(0, 3, 1, 2), (left, right, top, bottom))
        kernel = kernel.reshape(*by_tap.shape[:2], high, wide)
        y = functional.conv2d(padded, kernel, self.linear.bias, self.stride, dilation=step)
        return self.grid.carry(y.permute(0, 2, 3, 1), rounding)

    def data_dependent_init(self, made: torch.Tensor, deviation: float) -> None:
        """Scale and shift weights, so that these outputs, [.., outputs], would have had mean 0 and this deviation;
        those that are about constant are shifted only."""
        features = made.flatten(0, -2)
        mean, own = features.mean(0), features.std(0)
        factor = torch.where(own > 1e-3 * deviation, deviation / own, torch.ones_like(own))
        self.linear.weight *= factor[:, None]
        self.linear.bias.sub_(mean).mul_(factor)

    def freeze(self, grid: Quantisation) -> Arrays:
        """Integers for inputs on the given grid; see :func:`arcomp.layers.frozen.freeze_linear`."""
        with torch.no_grad():
            self.linear.weight *= self.free
        return freeze_linear(self.linear, grid.bits, self._zeros(grid))

    def dequantize(self, arrays: Mapping[str, npt.NDArray[Any]], grid: Quantisation) -> None:
        """The inverse of :meth:`freeze`; see :func:`arcomp.layers.frozen.thaw_linear`."""
        dequantize_linear(self.linear, arrays, grid.bits, self._zeros(grid))

    def _zeros(self, grid: Quantisation) -> npt.NDArray[np.int64]:
        return np.full(self.linear.in_features, grid.zero, np.int64)
