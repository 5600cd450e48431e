"""The masked convolution of :mod:`arcomp.layers.conv` in float."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from arcomp.exact.arrays import Ints
from arcomp.layers.conv import margins, reach_down, tap_mask
from arcomp.layers.float.layer import FloatLayer
from arcomp.layers.float.linear import Linear, dequantize_linear, freeze_linear, rounded
from arcomp.layers.float.rounding import carry
from arcomp.layers.frozen import Arrays
from arcomp.layers.samples import LARGEST
from arcomp.layers.spec import Conv


class FloatConv(FloatLayer):
    """Weights are kept as one matrix over the taps, as the exact evaluation uses them."""

    def __init__(self, spec: Conv) -> None:
        super().__init__()
        if spec.mask not in ("A", "B"):
            raise ValueError(f"a convolution with mask {spec.mask}")
        self.spec, taps, groups = spec, spec.taps, spec.groups
        self.linear = Linear(len(taps) * groups * spec.inputs, groups * spec.outputs, spec.quantisation, spec.fine)
        self.free: torch.Tensor
        free = tap_mask(taps, spec.mask, groups, spec.inputs, spec.outputs)
        self.register_buffer("free", torch.from_numpy(free))
        top, left, right = margins(taps)
        self._apart = step = int(np.gcd.reduce([abs(v) for tap in taps for v in tap])) or 1  # more than 1 along a row
        wide = (left + right) // step + 1
        self.places: torch.Tensor
        at = torch.tensor([(top + dy) // step * wide + (left + dx) // step for dy, dx in taps])
        self.register_buffer("places", at, persistent=False)
        with torch.no_grad():
            self.linear.weight *= spec.init_scale / (LARGEST if spec.samples else 1)

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """float [N, H, W, groups * inputs] -> [N, H, W, groups * outputs], H and W over the stride, rounded up."""
        taps, stride = self.spec.taps, self.spec.stride
        weight = self.linear.weight * self.free
        if rounding:
            weight = rounded(weight, self.linear.limit)
        if taps == ((0, 0),) and stride == 1:
            return carry(functional.linear(x, weight, self.linear.bias), self.spec.quantisation, rounding)
        (top, left, right), bottom, step = margins(taps), reach_down(taps), self._apart
        high, wide = (top + bottom) // step + 1, (left + right) // step + 1
        by_tap = weight.reshape(len(weight), len(taps), x.shape[3]).mT
        kernel = weight.new_zeros(*by_tap.shape[:2], high * wide).index_copy(2, self.places, by_tap)
        padded = functional.pad(x.permute(0, 3, 1, 2), (left, right, top, bottom))
        kernel = kernel.reshape(*by_tap.shape[:2], high, wide)
        y = functional.conv2d(padded, kernel, self.linear.bias, stride, dilation=step)
        return carry(y.permute(0, 2, 3, 1), self.spec.quantisation, rounding)

    def data_dependent_init(self, made: torch.Tensor, deviation: float) -> None:
        """Scale and shift weights, so that these outputs, [.., outputs], would have had mean 0 and this deviation;
        those that are about constant are shifted only."""
        features = made.flatten(0, -2)
        mean, own = features.mean(0), features.std(0)
        factor = torch.where(own > 1e-3 * deviation, deviation / own, torch.ones_like(own))
        self.linear.weight *= factor[:, None]
        self.linear.bias.sub_(mean).mul_(factor)

    def freeze(self) -> Arrays:
        with torch.no_grad():
            self.linear.weight *= self.free
        return freeze_linear(self.linear, self.spec.source.bits, self._zeros())

    def dequantize(self, arrays: Mapping[str, Ints]) -> None:
        dequantize_linear(self.linear, arrays, self.spec.source.bits, self._zeros())

    def _zeros(self) -> npt.NDArray[np.int64]:
        return np.full(self.linear.in_features, self.spec.source.zero, np.int64)
