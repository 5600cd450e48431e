"""Exponential linear units of a feature and of its negative, and the gate that goes with them.

Clevert et al. 2016, "Fast and accurate deep network learning by exponential linear units"; concatenated as in Salimans
et al. 2017, "PixelCNN++" (the authors' code), after Shang et al. 2016, "Understanding and improving convolutional
neural networks via concatenated rectified linear units".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.exact import tables
from arcomp.exact.arrays import Array, Ints
from arcomp.exact.compiled import kernel
from arcomp.exact.devices import backend_of, on_host
from arcomp.exact.threads import in_parts
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.layer import ExactLayer
from arcomp.layers.pointwise import LEAST, Pointwise, clamped, logistic15, wide
from arcomp.layers.quantisation import LOGITS, SIGNED8, Quantisation
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front


@dataclass(frozen=True)
class ConcatELU(Spec):
    """elu(x) of all features, then elu(-x): twice as many, x and both quantised as SIGNED8.

    Attributes:
        dropout: percent of the outputs that are dropped in training (Srivastava et al. 2014).
    """

    float_twin: ClassVar[str] = "arcomp.layers.float.elu.FloatConcatELU"

    dropout: int = 0
    row_level: bool = False
    scale: int = 1
    groups: int = 1
    quantisation: Quantisation = SIGNED8

    def total(self, *inputs: int) -> int:
        return 2 * inputs[0]

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactConcatELU:
        return ExactConcatELU()


@cache
def elu_table() -> npt.NDArray[np.int8]:
    """int8 [256]: elu of the values i - 128 of SIGNED8, rounded."""
    below = tables.exponential()[8 * np.arange(129)]  # 2**16 exp(-n / 32)
    negative = -((32 * ((1 << 16) - below) + (1 << 15)) >> 16)
    return np.concatenate([negative[:0:-1], np.arange(128)]).astype(np.int8)


@kernel()
def _concat_elu(x: Any, table: Any, out: Any) -> None:
    """int8 [n, F] -> int8 [n, 2 F]."""
    features = x.shape[1]
    for i in range(x.shape[0]):
        for f in range(features):
            v = np.int64(x[i, f])
            out[i, f] = table[v + 128]
            out[i, features + f] = table[min(255, 128 - v)]


class ExactConcatELU(ExactLayer):
    """Nothing is cached."""

    def __init__(self) -> None:
        self.quantisation = SIGNED8
        table = elu_table()
        self._tables = np.stack([table, table[np.minimum(256 - np.arange(256), 255)]])

    def parallel(self, batch: Batch, *x: Array) -> Array:
        return self.compute(x[0])

    def compute(self, x: Array) -> Array:
        """int8 [.., F] -> int8 [.., 2 F]."""
        if not on_host(x):
            backend = backend_of(x)
            at, tables = backend.cast(x, np.int64) + 128, backend.constant(self._tables)
            return backend.concat([tables[0][at], tables[1][at]], -1)
        rows = np.ascontiguousarray(x).reshape(-1, x.shape[-1])
        out, table, least = np.empty((len(rows), 2 * rows.shape[1]), np.int8), elu_table(), LEAST // rows.shape[1]
        in_parts(len(rows), least, lambda first, end: _concat_elu(rows[first:end], table, out[first:end]))
        return out.reshape(*x.shape[:-1], -1)

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        return instructions.ConcatELU()

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        return np.asarray(self.compute(x[0]))


@dataclass(frozen=True)
class SigmoidGate(Spec):
    """a sigmoid(b) (Dauphin et al. 2017, "Language modeling with gated convolutional networks", equation 1), all on the
    quantisation LOGITS."""

    float_twin: ClassVar[str] = "arcomp.layers.float.elu.FloatSigmoidGate"

    row_level: bool = False
    scale: int = 1
    groups: int = 1
    quantisation: Quantisation = LOGITS

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactSigmoidGate:
        return ExactSigmoidGate()


@kernel()
def _sigmoid_gate(a: Any, b: Any, logistic: Any, out: Any) -> None:
    end = np.int32((logistic.shape[0] - 1) // 2)
    for i in range(a.shape[0]):
        sigmoid = logistic[min(end, max(-end, np.int32(b[i]))) + end] >> 9
        out[i] = (np.int32(a[i]) * np.int32(sigmoid) + (1 << 14)) >> 15


class ExactSigmoidGate(Pointwise):
    """(a (L(b) >> 9) + 2**14) >> 15, with L the table of the logistic function in 24 bits."""

    quantisation = LOGITS

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        return instructions.SigmoidGate()

    def by_formula(self, *x: Array) -> Array:
        a, b = map(wide, x)
        return clamped((a * logistic15(b) + (1 << 14)) >> 15, LOGITS)

    def compiled(self, out: Ints, *x: Ints) -> None:
        _sigmoid_gate(x[0], x[1], tables.fine_logistic(), out)
