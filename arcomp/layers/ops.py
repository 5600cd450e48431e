"""What layers do at a front, as compiled loops over plain arrays: the instructions of :mod:`arcomp.layers.program`.

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

from arcomp.exact.kernels import kernel

CONV, REGRID, ADD, GATE, SIGMOID_GATE, CONCAT_ELU, UP, BEFORE, PLACE, ATTENTION = range(10)
OPERANDS, OPERAND = 4, 4
"""Where operands begin in an instruction; numbers of one."""


@kernel(inner=True)
def _at(code: Any, operand: int, i: int, image: Any, x: Any, width: int) -> int:
    """Where in ``values`` the features of the i-th position are."""
    if code[operand + 2]:
        return int(code[operand] + (np.int64(image[i]) * width + x[i]) * code[operand + 1])
    return int(code[operand] + i * code[operand + 1])


@kernel(inner=True)
def _dot(weights: Any, x: Any, count: int) -> int:
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
def _product(weights: Any, rescale: Any, p: Any, row: int, outputs: int, x: Any, out: Any) -> None:
    """Rows of a linear layer. p: inputs, first weight, first row of rescale, zero, low, high, whether sums are wide."""
    count = p[0]
    for j in range(outputs):
        first = p[1] + (row + j) * count
        own = weights[first : first + count]
        total = _wide_dot(own, x, count) if p[6] else _dot(own, x, count)
        bias, multiplier, shift = rescale[p[2] + row + j]
        v = ((total + bias) * multiplier + (np.int64(1) << (shift - 1))) >> shift
        out[j] = min(p[5], max(p[4], v + p[3]))


@kernel(inner=True)
def _conv(
    code: Any, c: int, p: int, n: int, image: Any, y: Any, x: Any, width: int, coarse: int, group: int,
    values: Any, cache: Any, weights: Any, rescale: Any, room: Any,
) -> None:  # fmt: skip
    """Parameters: inputs, outputs of a group; where the cache is (-1: none is needed), its rows, width and left
    margin; stride; whether it reads the samples; of the product; number of taps, taps."""
    inputs, outputs, at, rows, wide, left = code[p], code[p + 1], code[p + 2], code[p + 3], code[p + 4], code[p + 5]
    stride, samples, features = code[p + 6], code[p + 7], code[p + 8] // code[p + 15]
    taps = code[p + 16 : p + 16 + 2 * code[p + 15]]
    given = c + OPERANDS + OPERAND
    if at >= 0 and not samples:
        for i in range(n):
            source = _at(code, given, i, image, x, width) + group * code[given + 3]
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
            first = _at(code, given, i, image, x, width)
            seen = values[first : first + features]
        else:
            for t in range(code[p + 15]):
                row = (y[i] + taps[2 * t] + rows) % rows
                first = at + ((np.int64(image[i]) * rows + row) * wide + x[i] + left + taps[2 * t + 1]) * features
                for f in range(features):
                    room[t * features + f] = cache[first + f]
            seen = room
        _product(weights, rescale, code[p + 8 :], group * outputs, outputs, seen, values[out : out + outputs])


@kernel(inner=True)
def _elementwise(
    kind: int, code: Any, c: int, p: int, n: int, image: Any, x: Any, width: int, group: int,
    values: Any, logistic: Any, elu: Any,
) -> None:  # fmt: skip
    """Parameters of a regrid: zero, shift, zero, low, high; of a sum: what is added, low, high."""
    operands, share = code[c + 3], code[c + OPERANDS + 3]
    end = (logistic.shape[0] - 1) // 2
    for i in range(n):
        out = _at(code, c + OPERANDS, i, image, x, width) + group * share
        one = c + OPERANDS + OPERAND
        a = _at(code, one, i, image, x, width) + group * code[one + 3]
        if kind == REGRID:
            half = (np.int64(1) << code[p + 1]) >> 1
            for f in range(share):
                v = ((values[a + f] - code[p] + half) >> code[p + 1]) + code[p + 2]
                values[out + f] = min(code[p + 4], max(code[p + 3], v))
        elif kind == ADD:
            for f in range(share):
                total = code[p]
                for k in range(1, operands):
                    other = c + OPERANDS + k * OPERAND
                    total += values[_at(code, other, i, image, x, width) + group * code[other + 3] + f]
                values[out + f] = min(code[p + 2], max(code[p + 1], total))
        elif kind == CONCAT_ELU:
            for f in range(share // 2):
                v = np.int64(values[a + f])
                values[out + f] = elu[v + 128]
                values[out + share // 2 + f] = elu[min(255, 128 - v)]
        else:
            two = one + OPERAND
            b = _at(code, two, i, image, x, width) + group * code[two + 3]
            for f in range(share):
                v = np.int64(values[a + f])
                sigmoid = np.int64(logistic[min(end, max(-end, np.int64(values[b + f]))) + end]) >> 9
                if kind == GATE:
                    tanh = (2 * np.int64(logistic[min(end, max(-end, 2 * v)) + end]) - (1 << 24)) >> 9
                    values[out + f] = min(127, max(-127, (tanh * sigmoid + (1 << 22)) >> 23))
                else:
                    values[out + f] = (v * sigmoid + (1 << 14)) >> 15


@kernel(inner=True)
def _up(
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
        out = _at(code, c + OPERANDS, i, image, x, width)
        for f in range(features):
            values[out + f] = cache[at + f]


@kernel(inner=True)
def attend(
    query: Any, keys: Any, contents: Any, count: int, heads: int, key: int, features: int,
    exponential: Any, score: Any, total: Any, out: Any,
) -> None:  # fmt: skip
    """What a head finds at so many positions; those of other heads lie between (:mod:`arcomp.layers.attention`)."""
    best = -(1 << 30)
    for j in range(count):
        first = j * heads * key
        score[j] = (_dot(keys[first : first + key], query, key) + 8) >> 4
        best = max(best, score[j])
    mass = np.int64(0)
    total[:features] = 0
    for j in range(count):
        weight = exponential[min(4095, best - score[j])]
        mass += weight
        first = j * heads * features
        for f in range(features):
            total[f] += weight * contents[first + f]
    for f in range(features):
        out[f] = (2 * total[f] + mass) // (2 * mass)


@kernel(inner=True)
def _attention(
    code: Any, c: int, p: int, n: int, image: Any, x: Any, width: int,
    values: Any, cache: Any, seen: Any, exponential: Any, score: Any, total: Any,
) -> None:  # fmt: skip
    """Parameters: heads, features of a key, of a value; where keys are kept, where values, how many; where they are
    counted."""
    heads, key, features, longest = code[p], code[p + 1], code[p + 2], code[p + 5]
    operands = c + OPERANDS
    for i in range(n):
        out = _at(code, operands, i, image, x, width)
        query = _at(code, operands + OPERAND, i, image, x, width)
        own = _at(code, operands + 2 * OPERAND, i, image, x, width)
        content = _at(code, operands + 3 * OPERAND, i, image, x, width)
        keys = code[p + 3] + np.int64(image[i]) * longest * heads * key
        contents = code[p + 4] + np.int64(image[i]) * longest * heads * features
        count = seen[code[p + 6] + image[i]]
        for f in range(heads * key):
            cache[keys + count * heads * key + f] = values[own + f]
        for f in range(heads * features):
            cache[contents + count * heads * features + f] = values[content + f]
        count += 1
        seen[code[p + 6] + image[i]] = count
        for h in range(heads):
            attend(
                values[query + h * key :], cache[keys + h * key :], cache[contents + h * features :],
                count, heads, key, features, exponential, score, total, values[out + h * features :],
            )  # fmt: skip


@kernel(inner=True)
def _remembered(
    kind: int, code: Any, c: int, p: int, n: int, image: Any, y: Any, x: Any, width: int,
    values: Any, cache: Any, weights: Any,
) -> None:  # fmt: skip
    """What does not depend on the present. Parameters of what was before: where it is kept, whether it is the samples;
    of a place: where its table is, the table's height (0: one for all pictures), its width."""
    features = code[c + OPERANDS + 3]
    for i in range(n):
        out = _at(code, c + OPERANDS, i, image, x, width)
        if kind == PLACE:
            first = code[p] + ((np.int64(image[i]) * code[p + 1] + y[i]) * code[p + 2] + x[i]) * features
            for f in range(features):
                values[out + f] = weights[first + f]
        else:
            first = code[p] + np.int64(image[i]) * features
            for f in range(features):
                values[out + f] = cache[first + f]
            if not code[p + 1]:
                source = _at(code, c + OPERANDS + OPERAND, i, image, x, width)
                for f in range(features):
                    cache[first + f] = values[source + f]


@kernel()
def gather_sets(
    image: Any, y: Any, x: Any, scales: Any, image_widths: Any, ahead: bool,
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
            if ahead and x[i] == 0:
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
    logistic: Any, elu: Any, exponential: Any, room: Any, score: Any, total: Any,
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
            _conv(code, c, p, n, image, y, x, width, coarse, group, values, cache, weights, rescale, room)
        elif kind == UP:
            _up(code, c, p, n, image, y, x, width, coarse, values, cache)
        elif kind == ATTENTION:
            _attention(code, c, p, n, image, x, width, values, cache, seen, exponential, score, total)
        elif kind in (BEFORE, PLACE):
            _remembered(kind, code, c, p, n, image, y, x, width, values, cache, weights)
        else:
            _elementwise(kind, code, c, p, n, image, x, width, group, values, logistic, elu)


@kernel()
def enter(
    code: Any, starts: Any, group: int, image: Any, y: Any, x: Any, n: int, samples: Any, cache: Any
) -> None:  # fmt: skip
    """Tell those instructions that read them a channel's samples over the front: int8 [n]."""
    for s in range(starts.shape[0]):
        c = starts[s]
        p = c + OPERANDS + OPERAND * code[c + 3]
        if code[c] == CONV:
            features = code[p + 8] // code[p + 15]
            for i in range(n):
                row = np.int64(image[i]) * code[p + 3] + y[i] % code[p + 3]
                cache[code[p + 2] + (row * code[p + 4] + x[i] + code[p + 5]) * features + group] = samples[i]
        elif code[c] == BEFORE:
            for i in range(n):
                cache[code[p] + np.int64(image[i]) * code[c + OPERANDS + 3] + group] = samples[i]
