"""Instructions on what is near: linear layers over neighbours, and functions of a position's own features.

See :mod:`arcomp.kernels.instructions` for what an instruction is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel

(
    CONV,
    EMBEDDING,
    DENSE,
    REQUANTIZE,
    ADD,
    GATE,
    SIGMOID_GATE,
    CONCAT_ELU,
    DEPTH_TO_SPACE,
    SHIFT,
    POSITION,
    ATTENTION,
    LSTM,
) = range(13)
MASKED = 13
OPERANDS, OPERAND = 4, 4
"""Where operands begin in an instruction; numbers of one."""


@kernel(inner=True)
def address(code: Any, operand: int, i: int, image: Any, x: Any, width: int) -> int:
    """Where in ``values`` the features of the i-th position are."""
    if code[operand + 2]:
        return int(code[operand] + (np.int64(image[i]) * width + x[i]) * code[operand + 1])
    return int(code[operand] + i * code[operand + 1])


@kernel(inner=True)
def dot(weights: Any, x: Any, count: int) -> int:
    """Of products that 32 bits hold."""
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
def linear(
    weights: Any, rescale: Any, p: Any, row: Any, outputs: Any, begin: Any, count: Any, x: Any, out: Any
) -> None:  # fmt: skip
    """Some rows of a linear layer, of so many of its inputs, the others being real 0 or their weights 0.

    p: inputs, first weight, first row of rescale, zero, low, high, whether sums are wide (:meth:`Workspace.product`).
    """
    for j in range(outputs):
        first = p[1] + (row + j) * p[0] + begin
        own = weights[first : first + count]
        total = _wide_dot(own, x, count) if p[6] else dot(own, x, count)
        out[j] = rescaled(total, rescale, p[2] + row + j, p[3], p[4], p[5])


@kernel(inner=True)
def rescaled(total: Any, rescale: Any, row: int, zero: int, low: int, high: int) -> int:
    """A sum on the grid of an output (:mod:`arcomp.exact.rescale`)."""
    bias, multiplier, shift = rescale[row, 0], rescale[row, 1], rescale[row, 2]
    v = ((total + bias) * multiplier + (np.int64(1) << (shift - 1))) >> shift
    return int(min(high, max(low, v + zero)))


@kernel(inner=True)
def conv(
    code: Any, c: int, p: int, n: int, image: Any, y: Any, x: Any, width: int, coarse: int, group: int,
    values: Any, cache: Any, weights: Any, rescale: Any, workspace: Any,
) -> None:  # fmt: skip
    """Parameters: inputs, outputs of a group; where the cache is (-1: none is needed), its rows, width and left
    margin; stride; whether it reads the samples; of the product; number of taps, taps."""
    inputs, outputs, at, rows, wide, left = code[p], code[p + 1], code[p + 2], code[p + 3], code[p + 4], code[p + 5]
    stride, samples, features = code[p + 6], code[p + 7], code[p + 8] // code[p + 15]
    taps = code[p + 16 : p + 16 + 2 * code[p + 15]]
    given = c + OPERANDS + OPERAND
    if at >= 0 and not samples:
        for i in range(n):
            source = address(code, given, i, image, x, width) + group * code[given + 3]
            first = at + ((np.int64(image[i]) * rows + y[i] % rows) * wide + x[i] + left) * features + group * inputs
            for f in range(inputs):
                cache[first + f] = values[source + f]
    made = 0
    for i in range(n):
        if stride > 1 and (y[i] % stride or x[i] % stride):
            continue
        out = code[c + OPERANDS] + made * code[c + OPERANDS + 1]
        if code[c + OPERANDS + 2]:
            across = width if stride == 1 else coarse
            out = code[c + OPERANDS] + (np.int64(image[i]) * across + x[i] // stride) * code[c + OPERANDS + 1]
        out += group * outputs
        made += 1
        if at < 0:
            first = address(code, given, i, image, x, width)
            seen = values[first : first + features]
        else:
            for t in range(code[p + 15]):
                row = (y[i] + taps[2 * t] + rows) % rows
                first = at + ((np.int64(image[i]) * rows + row) * wide + x[i] + left + taps[2 * t + 1]) * features
                for f in range(features):
                    workspace[t * features + f] = cache[first + f]
            seen = workspace
        linear(
            weights, rescale, code[p + 8 :], group * outputs, outputs, 0, code[p + 8], seen, values[out : out + outputs]
        )  # fmt: skip


@kernel(inner=True)
def elementwise(
    kind: int, code: Any, c: int, p: int, n: int, image: Any, x: Any, width: int, group: int,
    values: Any, logistic: Any, elu: Any,
) -> None:  # fmt: skip
    """Parameters of a regrid: zero, shift, zero, low, high; of a sum: what is added, low, high."""
    operands, share = code[c + 3], code[c + OPERANDS + 3]
    end = (logistic.shape[0] - 1) // 2
    for i in range(n):
        out = address(code, c + OPERANDS, i, image, x, width) + group * share
        one = c + OPERANDS + OPERAND
        a = address(code, one, i, image, x, width) + group * code[one + 3]
        if kind == REQUANTIZE:
            half = (np.int64(1) << code[p + 1]) >> 1
            for f in range(share):
                v = ((values[a + f] - code[p] + half) >> code[p + 1]) + code[p + 2]
                values[out + f] = min(code[p + 4], max(code[p + 3], v))
        elif kind == ADD:
            for f in range(share):
                total = code[p]
                for k in range(1, operands):
                    other = c + OPERANDS + k * OPERAND
                    total += values[address(code, other, i, image, x, width) + group * code[other + 3] + f]
                values[out + f] = min(code[p + 2], max(code[p + 1], total))
        elif kind == CONCAT_ELU:
            for f in range(share // 2):
                v = np.int64(values[a + f])
                values[out + f] = elu[v + 128]
                values[out + share // 2 + f] = elu[min(255, 128 - v)]
        else:
            two = one + OPERAND
            b = address(code, two, i, image, x, width) + group * code[two + 3]
            for f in range(share):
                v = np.int64(values[a + f])
                sigmoid = np.int64(logistic[min(end, max(-end, np.int64(values[b + f]))) + end]) >> 9
                if kind == GATE:
                    tanh = (2 * np.int64(logistic[min(end, max(-end, 2 * v)) + end]) - (1 << 24)) >> 9
                    values[out + f] = min(127, max(-127, (tanh * sigmoid + (1 << 22)) >> 23))
                else:
                    values[out + f] = (v * sigmoid + (1 << 14)) >> 15


@kernel(inner=True)
def up(
    code: Any, c: int, p: int, n: int, image: Any, y: Any, x: Any, width: int, coarse: int, values: Any, cache: Any
) -> None:
    """Parameters: where the cache is, its height and width."""
    features, given, begun = code[c + OPERANDS + 3], c + OPERANDS + OPERAND, 0
    for i in range(n):
        at = code[p] + ((np.int64(image[i]) * code[p + 1] + y[i] // 2) * code[p + 2] + x[i] // 2) * 4 * features
        if y[i] % 2 == 0 and x[i] % 2 == 0:
            source = code[given] + begun * code[given + 1]
            if code[given + 2]:
                source = code[given] + (np.int64(image[i]) * coarse + x[i] // 2) * code[given + 1]
            begun += 1
            for f in range(4 * features):
                cache[at + f] = values[source + f]
    for i in range(n):
        at = code[p] + ((np.int64(image[i]) * code[p + 1] + y[i] // 2) * code[p + 2] + x[i] // 2) * 4 * features
        at += (2 * (y[i] % 2) + x[i] % 2) * features
        out = address(code, c + OPERANDS, i, image, x, width)
        for f in range(features):
            values[out + f] = cache[at + f]
