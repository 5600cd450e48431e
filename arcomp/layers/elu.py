"""Exponential linear units of a feature and of its negative, and the gate that goes with them.

Clevert et al. 2016, "Fast and accurate deep network learning by exponential linear units"; concatenated as in Salimans
et al. 2017, "PixelCNN++" (the authors' code), after Shang et al. 2016, "Understanding and improving convolutional
neural networks via concatenated rectified linear units".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from arcomp.exact import tables
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.pointwise import Pointwise, kept, logistic15
from arcomp.layers.quantisation import LOGITS, SIGNED8, Quantisation
from arcomp.layers.spatial import ExactLayer, Ints
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front


@dataclass(frozen=True)
class ConcatELU(Spec):
    """elu(x) of all features, then elu(-x): twice as many, x and both on the grid SIGNED8.

    Attributes:
        dropout: percent of the outputs that are dropped in training (Srivastava et al. 2014).
    """

    dropout: int = 0
    row_level: bool = False
    scale: int = 1
    groups: int = 1
    grid: Quantisation = SIGNED8

    def total(self, *inputs: int) -> int:
        """See :meth:`Spec.total`."""
        return 2 * inputs[0]

    def float_layer(self) -> nn.Module:
        """See :meth:`Spec.float_layer`."""
        return _FloatConcatELU(self.dropout / 100)

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactConcatELU:
        """See :meth:`Spec.exact_layer`."""
        return ExactConcatELU()


class _FloatConcatELU(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        both = SIGNED8.carry(functional.elu(torch.cat([x, -x], -1)), rounding)
        return functional.dropout(both, self.dropout, self.training)


@cache
def elu_table() -> npt.NDArray[np.int8]:
    """int8 [256]: elu of the values i - 128 of SIGNED8, rounded."""
    below = tables.exponential()[8 * np.arange(129)]  # 2**16 exp(-n / 32)
    negative = -((32 * ((1 << 16) - below) + (1 << 15)) >> 16)
    return np.concatenate([negative[:0:-1], np.arange(128)]).astype(np.int8)


class ExactConcatELU(ExactLayer):
    """Nothing is cached."""

    def __init__(self) -> None:
        self.grid = SIGNED8
        table = elu_table()
        self._tables = torch.from_numpy(np.stack([table, table[np.minimum(256 - np.arange(256), 255)]]))

    def parallel(self, batch: object, *x: torch.Tensor) -> torch.Tensor:
        """See :meth:`ExactLayer.parallel`."""
        at, features = x[0].to(torch.int64) + 128, x[0].shape[-1]
        out = torch.empty((*at.shape[:-1], 2 * features), dtype=torch.int8, device=at.device)
        positive, negative = self._tables.to(at.device)
        out[..., :features], out[..., features:] = positive[at], negative[at]
        return out

    def instruction(self, workspace: Workspace, batch: Batch) -> tuple[int, list[int]]:
        """See :meth:`ExactLayer.instruction`."""
        return instructions.CONCAT_ELU, []

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        """See :meth:`ExactLayer.step`."""
        return np.asarray(self.parallel(None, torch.from_numpy(x[0])).numpy())


@dataclass(frozen=True)
class SigmoidGate(Spec):
    """a sigmoid(b) (Dauphin et al. 2017, "Language modeling with gated convolutional networks", equation 1), all on the
    grid LOGITS."""

    row_level: bool = False
    scale: int = 1
    groups: int = 1
    grid: Quantisation = LOGITS

    def float_layer(self) -> nn.Module:
        """See :meth:`Spec.float_layer`."""
        return _FloatSigmoidGate()

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactSigmoidGate:
        """See :meth:`Spec.exact_layer`."""
        return ExactSigmoidGate()


class _FloatSigmoidGate(nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        return LOGITS.carry(a * torch.sigmoid(b), rounding)


class ExactSigmoidGate(Pointwise):
    """(a (L(b) >> 9) + 2**14) >> 15, with L the table of the logistic function in 24 bits."""

    grid = LOGITS

    def instruction(self, workspace: Workspace, batch: Batch) -> tuple[int, list[int]]:
        """See :meth:`ExactLayer.instruction`."""
        return instructions.SIGMOID_GATE, []

    def compute(self, *x: torch.Tensor) -> torch.Tensor:
        """See :meth:`Pointwise.compute`."""
        a, b = (part.to(torch.int32) for part in x)
        return kept((a * logistic15(b) + (1 << 14)) >> 15, LOGITS)
