"""LSTM layers (:mod:`arcomp.layers.recurrent`) in float."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from arcomp.exact.arrays import Ints
from arcomp.exact.cell import GATES
from arcomp.layers.float.layer import FloatLayer
from arcomp.layers.float.linear import Linear, dequantize_linear, freeze_linear, rounded
from arcomp.layers.float.scan import scan
from arcomp.layers.frozen import Arrays
from arcomp.layers.quantisation import LOGITS, UNIT8
from arcomp.layers.recurrent import LSTM


class FloatLSTM(FloatLayer):
    """The recurrence is :func:`arcomp.layers.float.scan.scan`."""

    def __init__(self, spec: LSTM) -> None:
        super().__init__()
        self.spec = spec
        gates = (spec.groups, GATES, spec.features)
        self.linear = Linear(spec.kernel * spec.groups * spec.features, spec.groups * GATES * spec.features, LOGITS)
        nn.init.xavier_uniform_(self.linear.weight)
        with torch.no_grad():  # it remembers at first (Jozefowicz et al. 2015, section 5)
            self.linear.bias.view(gates)[:, 1] = 1

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """float [N, H, W, groups * 4 * features] -> [N, H, W, groups * features]."""
        spec = self.spec
        weight = rounded(self.linear.weight) if rounding else self.linear.weight
        with torch.autocast(x.device.type, enabled=False):  # errors would add up from step to step
            return scan(x.float(), weight, self.linear.bias, spec.features, spec.kernel, spec.axis, rounding)

    def freeze(self) -> Arrays:
        return freeze_linear(self.linear, UNIT8.bits, np.zeros(self.linear.in_features, np.int64))

    def dequantize(self, arrays: Mapping[str, Ints]) -> None:
        dequantize_linear(self.linear, arrays, UNIT8.bits, np.zeros(self.linear.in_features, np.int64))
