"""Dense layers over all positions (:mod:`arcomp.layers.dense`) in float."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from arcomp.exact.arrays import Ints
from arcomp.layers.dense import Dense, placed
from arcomp.layers.float.layer import FloatLayer
from arcomp.layers.float.linear import Linear, dequantize_linear, freeze_linear, rounded
from arcomp.layers.float.rounding import carry
from arcomp.layers.frozen import Arrays
from arcomp.layers.packed import packed, unpacked
from arcomp.layers.samples import LARGEST


class FloatDense(FloatLayer):
    """Weights are one matrix, masked."""

    def __init__(self, spec: Dense) -> None:
        super().__init__()
        self.spec = spec
        positions = spec.height * spec.width
        self.linear = Linear(
            positions * spec.groups * spec.inputs, positions * spec.groups * spec.outputs, spec.quantisation
        )
        self.free: torch.Tensor
        self.register_buffer("free", torch.from_numpy(spec.free()))
        with torch.no_grad():  # as if each row had no more inputs than it sees
            seen = self.free.sum(1, keepdim=True).clamp_min(1)
            self.linear.weight *= (self.linear.in_features / seen).sqrt() * self.free
            if spec.samples:
                self.linear.weight /= LARGEST

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """float [N, h, w, groups * inputs] -> [N, h, w, groups * outputs]."""
        spec = self.spec
        weight = self.linear.weight * self.free
        if rounding:
            weight = rounded(weight)
        inside = placed(x, spec.height, spec.width, 0)
        y = carry(functional.linear(inside, weight, self.linear.bias), spec.quantisation, rounding)
        return y.reshape(len(x), spec.height, spec.width, -1)[:, : x.shape[1], : x.shape[2]]

    def freeze(self) -> Arrays:
        with torch.no_grad():
            self.linear.weight *= self.free
        return packed(freeze_linear(self.linear, self.spec.source.bits, self._zeros()), self.spec.free())

    def dequantize(self, arrays: Mapping[str, Ints]) -> None:
        whole = unpacked(arrays, self.spec.weights, self.spec.free)
        dequantize_linear(self.linear, whole, self.spec.source.bits, self._zeros())

    def _zeros(self) -> npt.NDArray[np.int64]:
        return np.full(self.linear.in_features, self.spec.source.zero, np.int64)
