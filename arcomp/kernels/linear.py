"""What kernels are made of: where features are, and linear layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.arrays import Int
from arcomp.exact.compiled import kernel
from arcomp.kernels.instructions import OPERAND, Cache, Operand, Product, Rescaling
from arcomp.kernels.memory import Call, Memory, Positions
from arcomp.kernels.records import read


@kernel(inner=True)
def operand(call: Call, number: int) -> Operand:
    """The output is number 0."""
    return read(call.numbers, call.operands + number * OPERAND, Operand)


@kernel(inner=True)
def address(one: Operand, at: Positions, i: int, width: int) -> int:
    """Where in ``Memory.values`` the features of the i-th position are."""
    if one.row_level:
        return int(one.begin + (np.int64(at.image[i]) * width + at.x[i]) * one.distance)
    return int(one.begin + i * one.distance)


@kernel(inner=True)
def slot(cache: Cache, image: Int, y: Int, x: Int, group: Int) -> int:
    """Where in ``Memory.caches`` a group's features at a position are."""
    picture = cache.begin + np.int64(image) * cache.image
    return int(picture + (y % cache.rows) * cache.row + x * cache.column + group * cache.group)


@kernel(inner=True)
def dot(weights: Any, x: Any, count: int) -> int:
    """Of products that 32 bits hold: int16 [count] each."""
    total = np.int32(0)
    for k in range(count):
        total = np.int32(total + np.int32(weights[k]) * np.int32(x[k]))
    return int(total)


@kernel(inner=True)
def _wide_dot(weights: Any, x: Any, count: int) -> int:
    total = np.int64(0)
    for k in range(count):
        total += np.int64(weights[k]) * np.int64(x[k])
    return int(total)


@kernel(inner=True)
def rescaled(total: Int, rescaling: Rescaling, row: Int, rescale: Any) -> int:
    """A sum as an output's integer (:mod:`arcomp.exact.rescale`)."""
    at = rescaling.begin + row
    bias, multiplier, shift = rescale[at, 0], rescale[at, 1], rescale[at, 2]
    v = ((total + bias) * multiplier + (np.int64(1) << (shift - 1))) >> shift
    return int(min(rescaling.high, max(rescaling.low, v + rescaling.zero)))


@kernel(inner=True)
def linear(product: Product, row: Int, begin: Int, x: Any, out: Any, memory: Memory) -> None:
    """Outputs ``row`` and on of a linear layer, int16 [n], of some of its inputs, int16, from the ``begin``-th on; the
    others are real 0, or their weights are 0."""
    count = x.shape[0]
    for j in range(out.shape[0]):
        first = product.weights + (row + j) * product.inputs + begin
        own = memory.constants[first : first + count]
        total = _wide_dot(own, x, count) if product.wide else dot(own, x, count)
        out[j] = rescaled(total, product.rescaling, row + j, memory.rescale)
