"""Causal two-dimensional convolution, masked over space and channels, in float.

van den Oord et al. 2016, "Pixel recurrent neural networks", section 3.4 and figure 2 (right): features are split
into one
group for each channel of a pixel. At the position itself, outputs of group g see the inputs of groups before g (mask
A, first layer) or up to g (mask B); of other positions, those before in raster order. Its exact twin is
:class:`arcomp.layers.spatial.ExactConv`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from arcomp.layers.frozen import Arrays, freeze_linear
from arcomp.layers.grid import Grid, round_through
from arcomp.layers.linear import Linear, weight_steps


def causal_taps(kernel: int) -> list[tuple[int, int]]:
    """Offsets (dy, dx) of a kernel that a position may look at, itself last: rows above, then the left part of its row.

    Under a wavefront all of them are known if the skew is at least ``kernel // 2 + 1``.
    """
    r = kernel // 2
    return [(dy, dx) for dy in range(-r, 1) for dx in range(-r, r + 1) if (dy, dx) <= (0, 0)]


def tap_mask(kernel: int, mask: str, groups: int, inputs: int, outputs: int) -> npt.NDArray[np.bool_]:
    """Which weights may differ from zero: bool [groups * outputs, taps * groups * inputs].

    Args:
        mask: "A" or "B". inputs, outputs: features of each group.
    """
    taps = len(causal_taps(kernel))
    free = np.ones((groups, outputs, taps, groups, inputs), bool)
    for g in range(groups):
        free[g, :, -1, (g if mask == "A" else g + 1) :] = False
    return free.reshape(groups * outputs, taps * groups * inputs)


class CausalConv2d(nn.Module):
    """The float evaluation. Weights are kept as one matrix over the taps, as the exact evaluation uses them.

    Args:
        kernel: odd side of the kernel.
        mask: "A" or "B".
        groups: channels of a pixel.
        inputs, outputs: features of each group.
        grid: of the outputs.
    """

    def __init__(self, kernel: int, mask: str, groups: int, inputs: int, outputs: int, grid: Grid) -> None:
        super().__init__()
        if kernel % 2 == 0 or mask not in ("A", "B"):
            raise ValueError(f"a causal convolution of side {kernel} with mask {mask}")
        self.kernel, self.mask_kind, self.groups = kernel, mask, groups
        self.inputs, self.outputs, self.grid = inputs, outputs, grid
        self.linear = Linear(len(causal_taps(kernel)) * groups * inputs, groups * outputs, grid)
        self.free: torch.Tensor
        self.register_buffer("free", torch.from_numpy(tap_mask(kernel, mask, groups, inputs, outputs)))

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """float [N, H, W, groups * inputs] -> [N, H, W, groups * outputs]."""
        weight = self.linear.weight * self.free
        if rounding:
            steps = weight_steps(weight)
            weight = round_through(weight / steps) * steps
        r = self.kernel // 2
        height, width = x.shape[1:3]
        padded = functional.pad(x, (0, 0, r, r, r, 0))
        taps = [padded[:, r + dy : r + dy + height, r + dx : r + dx + width] for dy, dx in causal_taps(self.kernel)]
        return self.grid.carry(functional.linear(torch.cat(taps, 3), weight, self.linear.bias), rounding)

    def freeze(self, grid: Grid) -> Arrays:
        """Integers for inputs on the given grid; see :func:`arcomp.layers.frozen.freeze_linear`."""
        with torch.no_grad():
            self.linear.weight *= self.free
        return freeze_linear(self.linear, grid.bits, np.full(self.linear.in_features, grid.zero, np.int64))
