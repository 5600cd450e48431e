"""Embeddings (:mod:`arcomp.layers.embedding`) in float."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from arcomp.exact.arrays import Ints
from arcomp.exact.devices import backend_of
from arcomp.layers.embedding import ONE_BITS, Embedding, symbols_seen
from arcomp.layers.float.layer import FloatLayer
from arcomp.layers.float.linear import Linear, dequantize_linear, freeze_linear, rounded
from arcomp.layers.float.rounding import carry
from arcomp.layers.frozen import Arrays
from arcomp.layers.quantisation import SIGNED8
from arcomp.layers.samples import symbols

WAVES = (1, 2, 4, 8)
"""Half waves over all levels, of the functions that training begins with."""


def smooth(rows: int, inputs: int, levels: int) -> torch.Tensor:
    """Random functions of a level of about mean 0 and deviation 1: a line, and waves, the shorter the weaker.

    [rows, inputs, levels].
    """
    level = torch.linspace(-1, 1, levels)
    functions = [math.sqrt(3) * level]
    strengths = [1.0]
    for k in WAVES:
        functions += [math.sqrt(2) * torch.sin(math.pi * k * level), math.sqrt(2) * torch.cos(math.pi * k * level)]
        strengths += [0.5 / math.sqrt(k)] * 2
    strength = torch.tensor(strengths)
    parts = torch.randn(rows, inputs, len(functions)) * strength / strength.norm()
    made: torch.Tensor = parts @ torch.stack(functions)
    return made


class FloatEmbedding(FloatLayer):
    """Weights are one matrix over one-hot inputs, as the exact evaluation uses them."""

    def __init__(self, spec: Embedding) -> None:
        super().__init__()
        self.spec = spec
        seen = len(spec.taps) * spec.groups
        self.linear = Linear(seen << spec.depth, spec.groups * spec.outputs, spec.quantisation)
        nn.init.normal_(self.linear.weight, std=seen**-0.5)  # of the inputs, so many are 1
        if spec.levels:
            columns = smooth(spec.groups * spec.outputs, seen, 1 << spec.depth) * seen**-0.5
            self.linear.weight.data = columns.flatten(1)
        self.free: torch.Tensor
        self.register_buffer("free", torch.from_numpy(spec.free()))

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """float [N, H, W, groups], samples quantised as SIGNED8 -> [N, H, W, groups * outputs]."""
        spec, (n, height, width, _) = self.spec, x.shape
        weight = self.linear.weight * self.free
        if rounding:
            weight = rounded(weight)
        table = backend_of(x).constant(symbols(spec.depth).astype(np.int64))
        seen = symbols_seen(table[(x / SIGNED8.step).round().long() + 128], spec).reshape(n * height * width, -1)
        # a row for each symbol of each input, and after each input's a row of zeros for none
        rows = functional.pad(weight.t().reshape(seen.shape[1], 1 << spec.depth, -1), (0, 0, 0, 1)).flatten(0, 1)
        if seen.shape[1] == 1:  # outputs are rows
            y = functional.embedding(seen[:, 0], carry(rows + self.linear.bias, spec.quantisation, rounding))
        else:
            first = torch.arange(seen.shape[1], device=x.device) * ((1 << spec.depth) + 1)
            sums = functional.embedding_bag(seen + first, rows, mode="sum")
            y = carry(sums + self.linear.bias, spec.quantisation, rounding)
        return y.reshape(n, height, width, -1)

    def freeze(self) -> Arrays:
        with torch.no_grad():
            self.linear.weight *= self.free
        return freeze_linear(self.linear, ONE_BITS, np.zeros(self.linear.in_features, np.int64))

    def dequantize(self, arrays: Mapping[str, Ints]) -> None:
        dequantize_linear(self.linear, arrays, ONE_BITS, np.zeros(self.linear.in_features, np.int64))
