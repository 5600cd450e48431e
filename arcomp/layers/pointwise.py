"""Exact layers that look at nothing but the position's own features: nothing is cached."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from arcomp.errors import ModelError
from arcomp.exact import tables
from arcomp.exact.arrays import Array, Ints
from arcomp.exact.compiled import kernel
from arcomp.exact.devices import backend_of, on_host
from arcomp.exact.threads import in_parts
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.layer import ExactLayer
from arcomp.layers.quantisation import UNIT8, Quantisation
from arcomp.orders import Batch, Front

LEAST = 1 << 16
"""Features of a thread's part, at least."""


class Pointwise(ExactLayer):
    """A function of each feature, or of the same feature of several inputs."""

    @abstractmethod
    def by_formula(self, *x: Array) -> Array:
        """Integers of any shape -> integers of that shape, by operations on whole arrays."""

    @abstractmethod
    def compiled(self, out: Ints, *x: Ints) -> None:
        """The same of flat arrays."""

    def compute(self, *x: Array) -> Array:
        """Integers of any shape -> integers of that shape."""
        if not on_host(x[0]):
            return self.by_formula(*x)
        flat = [np.ascontiguousarray(part).reshape(-1) for part in x]
        out: Ints = np.empty(len(flat[0]), self.quantisation.dtype)
        in_parts(len(out), LEAST, lambda first, end: self.compiled(out[first:end], *(f[first:end] for f in flat)))
        return out.reshape(x[0].shape)

    def parallel(self, batch: Batch, *x: Array) -> Array:
        return self.compute(*x)

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        return np.asarray(self.compute(*x))


def clamped(x: Array, quantisation: Quantisation) -> Array:
    """Wide integers, clamped to a quantisation and in its type."""
    return backend_of(x).cast(x.clip(quantisation.low, quantisation.high), quantisation.dtype)


def wide(x: Array) -> Array:
    """int32."""
    return backend_of(x).cast(x, np.int32)


@kernel()
def _requantize(x: Any, numbers: Any, out: Any) -> None:
    """numbers: int64 [5], zero and shift of the inputs; zero, low and high of the outputs."""
    zero, shift, to = np.int32(numbers[0]), np.int32(numbers[1]), np.int32(numbers[2])
    low, high, half = np.int32(numbers[3]), np.int32(numbers[4]), (np.int32(1) << np.int32(numbers[1])) >> np.int32(1)
    for i in range(x.shape[0]):
        v = ((np.int32(x[i]) - zero + half) >> shift) + to
        out[i] = min(high, max(low, v))


@kernel()
def _add(x: Any, y: Any, numbers: Any, out: Any) -> None:
    """numbers: int64 [3], what is added besides, low and high."""
    offset, low, high = np.int32(numbers[0]), np.int32(numbers[1]), np.int32(numbers[2])
    for i in range(x.shape[0]):
        out[i] = min(high, max(low, np.int32(x[i]) + np.int32(y[i]) + offset))


@kernel()
def _gate(a: Any, b: Any, logistic: Any, out: Any) -> None:
    end = np.int32((logistic.shape[0] - 1) // 2)
    for i in range(a.shape[0]):
        tanh = (2 * logistic[min(end, max(-end, 2 * np.int32(a[i]))) + end] - (1 << 24)) >> 9
        sigmoid = logistic[min(end, max(-end, np.int32(b[i]))) + end] >> 9
        out[i] = min(127, max(-127, (tanh * sigmoid + (1 << 22)) >> 23))


class ExactRequantize(Pointwise):
    """The same real numbers in another quantisation, rounded and clamped: a rectifier, if that one starts at 0.

    Args:
        source: quantisation of the inputs, at least as fine. quantisation: of the outputs.
    """

    def __init__(self, source: Quantisation, quantisation: Quantisation) -> None:
        if source.bits < quantisation.bits:
            raise ModelError("a quantisation can be made coarser, not finer")
        self.source, self.quantisation = source, quantisation
        self._shift = source.bits - quantisation.bits
        self._numbers = np.array(
            [source.zero, self._shift, quantisation.zero, quantisation.low, quantisation.high], np.int64
        )

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        quantisation = self.quantisation
        return instructions.Requantize(
            self.source.zero, self._shift, quantisation.zero, quantisation.low, quantisation.high
        )

    def by_formula(self, *x: Array) -> Array:
        v = wide(x[0]) - self.source.zero
        if self._shift:
            v = (v + (1 << (self._shift - 1))) >> self._shift
        return clamped(v + self.quantisation.zero, self.quantisation)

    def compiled(self, out: Ints, *x: Ints) -> None:
        _requantize(x[0], self._numbers, out)


class ExactAdd(Pointwise):
    """The sum of inputs (He et al. 2016, "Deep residual learning for image recognition"), clamped.

    Args:
        sources: quantisations of the inputs, all with as many fractional bits as the sum.
        quantisation: of the sum.
    """

    def __init__(self, sources: tuple[Quantisation, ...], quantisation: Quantisation) -> None:
        if any(source.bits != quantisation.bits for source in sources):
            raise ModelError("the sides of a sum are quantised differently")
        self.quantisation = quantisation
        self._offset = quantisation.zero - sum(source.zero for source in sources)

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        return instructions.Add(self._offset, self.quantisation.low, self.quantisation.high)

    def by_formula(self, *x: Array) -> Array:
        total = wide(x[0])
        for more in x[1:]:
            total = total + more
        return clamped(total + self._offset, self.quantisation)

    def compiled(self, out: Ints, *x: Ints) -> None:
        total: Ints = np.zeros(len(out), np.int32) if len(x) == 1 else x[0]
        for more in x[1:-1]:
            wider = np.empty(len(total), np.int32)
            _add(total, more, np.array([0, -(1 << 30), 1 << 30], np.int64), wider)
            total = wider
        _add(total, x[-1], np.array([self._offset, self.quantisation.low, self.quantisation.high], np.int64), out)


def logistic15(z: Array) -> Array:
    """The logistic function of integers quantised as LOGITS, from the table in 24 bits, 15 of them, rounded down."""
    return _logistic24(z) >> (tables.FINE_BITS - 15)


def _logistic24(z: Array) -> Array:
    end = tables.FINE_STEPS * tables.FINE_RANGE
    backend = backend_of(z)
    return backend.constant(tables.fine_logistic())[backend.cast(z.clip(-end, end) + end, np.int64)]


class ExactGate(Pointwise):
    """tanh(a) sigmoid(b) (van den Oord et al. 2016, "Conditional image generation with PixelCNN decoders", equation 2).

    a and b are quantised as LOGITS, the result as UNIT8. With L(z) the table of the logistic function in 24 bits,
    tanh(a) = 2 L(2 a) - 1; both factors are taken in 15 bits, rounded down, and their product is rounded.
    """

    quantisation = UNIT8

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        return instructions.Gate()

    def compiled(self, out: Ints, *x: Ints) -> None:
        _gate(x[0], x[1], tables.fine_logistic(), out)

    def by_formula(self, *x: Array) -> Array:
        a, b = map(wide, x)
        tanh = (2 * _logistic24(2 * a) - (1 << tables.FINE_BITS)) >> (tables.FINE_BITS - 15)
        return clamped((tanh * logistic15(b) + (1 << 22)) >> 23, self.quantisation)
