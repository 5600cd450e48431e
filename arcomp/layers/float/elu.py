"""Exponential linear units and their gate (:mod:`arcomp.layers.elu`) in float."""

from __future__ import annotations

import torch
from torch.nn import functional

from arcomp.layers.elu import ConcatELU, SigmoidGate
from arcomp.layers.float.layer import FloatLayer
from arcomp.layers.float.rounding import carry
from arcomp.layers.quantisation import LOGITS, SIGNED8


class FloatConcatELU(FloatLayer):
    """elu(x), then elu(-x); some of them are dropped in training."""

    def __init__(self, spec: ConcatELU) -> None:
        super().__init__()
        self.dropout = spec.dropout / 100

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        both = carry(functional.elu(torch.cat([x, -x], -1)), SIGNED8, rounding)
        return functional.dropout(both, self.dropout, self.training)


class FloatSigmoidGate(FloatLayer):
    """a sigmoid(b)."""

    def __init__(self, spec: SigmoidGate) -> None:
        super().__init__()

    def forward(self, a: torch.Tensor, b: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        return carry(a * torch.sigmoid(b), LOGITS, rounding)
