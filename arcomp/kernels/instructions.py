"""What layers do at a front, as compiled loops over plain arrays: the instructions of :mod:`arcomp.network.program`.

An instruction is a run of numbers in ``code``: what it is, the scale, which set of positions, how many operands; the
operands, the output first; parameters of its layer. Features of all layers lie in one array of int16, ``values``. An
operand says where:

    offset, distance from position to position, whether they are known for a row (ahead), features of a group

Positions of a front are numbered as they come; those of a row by image and column, and stay until the next row.
Everything is integers; each loop is its layer's rule as the layer's own file has it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.kernels.history import attend, attention, dense, embedding, lstm, remembered
from arcomp.kernels.local import (
    ADD,
    ATTENTION,
    CONCAT_ELU,
    CONV,
    DENSE,
    DEPTH_TO_SPACE,
    EMBEDDING,
    GATE,
    LSTM,
    MASKED,
    OPERAND,
    OPERANDS,
    POSITION,
    REQUANTIZE,
    SHIFT,
    SIGMOID_GATE,
    conv,
    elementwise,
    up,
)
from arcomp.kernels.masked import masked, sample_of

__all__ = [
    "ADD",
    "ATTENTION",
    "CONCAT_ELU",
    "CONV",
    "DENSE",
    "DEPTH_TO_SPACE",
    "EMBEDDING",
    "GATE",
    "LSTM",
    "MASKED",
    "POSITION",
    "REQUANTIZE",
    "SHIFT",
    "SIGMOID_GATE",
    "attend",
    "gather_sets",
    "push",
    "run",
]


@kernel()
def gather_sets(
    image: Any, y: Any, x: Any, scales: Any, image_widths: Any, row_level: bool,
    positions: Any, counts: Any,
) -> None:  # fmt: skip
    """The sets of positions of a front: for each scale those of the front that are the first of a square, and all of
    the rows that begin there.

    Args:
        image, y, x: int32, the front. scales: int64. image_widths: int32 [images]. ahead: whether rows are wanted.
        positions, counts: see :func:`run`, filled; sets are (scale, front), (scale, rows), scale after scale.
    """
    counts[:] = 0
    for s in range(scales.shape[0]):
        scale = scales[s]
        for i in range(image.shape[0]):
            if y[i] % scale or x[i] % scale:
                continue
            at = counts[2 * s]
            positions[2 * s, 0, at] = image[i]
            positions[2 * s, 1, at] = y[i] // scale
            positions[2 * s, 2, at] = x[i] // scale
            counts[2 * s] += 1
            if row_level and x[i] == 0:
                for column in range((image_widths[image[i]] + scale - 1) // scale):
                    at = counts[2 * s + 1]
                    positions[2 * s + 1, 0, at] = image[i]
                    positions[2 * s + 1, 1, at] = y[i] // scale
                    positions[2 * s + 1, 2, at] = column
                    counts[2 * s + 1] += 1


@kernel()
def run(
    code: Any, starts: Any, group: int, positions: Any, counts: Any, widths: Any,
    values: Any, cache: Any, seen: Any, weights: Any, rescale: Any,
    logistic: Any, elu: Any, exponential: Any, workspace: Any, score: Any, total: Any,
) -> None:  # fmt: skip
    """Go through some instructions.

    Args:
        code: int64, instructions: kind, scale, which positions, number of operands; operands; parameters.
        starts: int64, where those wanted begin.
        group: of features.
        positions: int32 [sets, 3, n]: image, y, x. counts: int64 [sets], how many of each set there are.
        widths: int64 [scales + 1], of the canvas.
        values, cache, weights: int16. rescale: int64 [rows, 3]: bias, multiplier, shift. seen: int64.
        logistic, elu, exponential: tables.
        room: int16, score: int64, total: int64: to work in.
    """
    for s in range(starts.shape[0]):
        c = starts[s]
        kind, scale, which = code[c], code[c + 1], code[c + 2]
        n = counts[which]
        image, y, x = positions[which, 0], positions[which, 1], positions[which, 2]
        width, coarse = widths[scale], widths[scale + 1]
        p = c + OPERANDS + OPERAND * code[c + 3]
        if n == 0:
            continue
        if kind == CONV:
            conv(code, c, p, n, image, y, x, width, coarse, group, values, cache, weights, rescale, workspace)
        elif kind == EMBEDDING:
            embedding(code, c, p, n, image, y, x, width, group, values, cache, weights, rescale)
        elif kind == DENSE:
            dense(code, c, p, n, image, y, x, width, group, values, cache, weights, rescale)
        elif kind == MASKED:
            masked(code, c, p, n, image, y, x, width, group, values, cache, seen, weights, rescale, workspace)
        elif kind == LSTM:
            lstm(code, c, p, n, image, y, x, width, group, values, cache, weights, rescale, logistic, workspace)
        elif kind == DEPTH_TO_SPACE:
            up(code, c, p, n, image, y, x, width, coarse, values, cache)
        elif kind == ATTENTION:
            attention(code, c, p, n, image, x, width, values, cache, seen, exponential, score, total)
        elif kind in (SHIFT, POSITION):
            remembered(kind, code, c, p, n, image, y, x, width, values, cache, weights)
        else:
            elementwise(kind, code, c, p, n, image, x, width, group, values, logistic, elu)


@kernel()
def push(
    code: Any, starts: Any, group: int, image: Any, y: Any, x: Any, n: int, samples: Any, cache: Any, weights: Any
) -> None:  # fmt: skip
    """Tell those instructions that read them a channel's samples over the front: int8 [n]."""
    for s in range(starts.shape[0]):
        c = starts[s]
        p = c + OPERANDS + OPERAND * code[c + 3]
        for i in range(n):
            if code[c] == CONV:
                row = np.int64(image[i]) * code[p + 3] + y[i] % code[p + 3]
                features = code[p + 8] // code[p + 15]
                cache[code[p + 2] + (row * code[p + 4] + x[i] + code[p + 5]) * features + group] = samples[i]
            elif code[c] == EMBEDDING:
                row = np.int64(image[i]) * code[p + 3] + y[i] % code[p + 3]
                symbol = weights[code[p + 8] + np.int64(samples[i]) + 128]
                cache[code[p + 2] + (row * code[p + 4] + x[i] + code[p + 5]) * code[p] + group] = symbol
            elif code[c] == DENSE:
                sample = (np.int64(y[i]) * code[p + 3] + x[i]) * code[p + 2] + group
                cache[code[p + 5] + np.int64(image[i]) * code[p + 6] + sample * code[p]] = samples[i]
            elif code[c] == MASKED:
                sample = sample_of(code, p, y[i], x[i], group, weights)
                cache[code[p + 9] + np.int64(image[i]) * code[p + 5] + sample] = samples[i]
            elif code[c] == SHIFT:
                cache[code[p] + np.int64(image[i]) * code[c + OPERANDS + 3] + group] = samples[i]
