"""Instructions on what was before: attention, states, tables of symbols and of places, whole pictures.

See :mod:`arcomp.kernels.instructions` for what an instruction is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.kernels.local import OPERAND, OPERANDS, POSITION, address, dot, linear, rescaled


@kernel(inner=True)
def attend(
    query: Any, keys: Any, contents: Any, count: int, heads: int, key: int, features: int,
    exponential: Any, score: Any, total: Any, out: Any,
) -> None:  # fmt: skip
    """What a head finds at so many positions; those of other heads lie between (:mod:`arcomp.layers.attention`)."""
    best = -(1 << 30)
    for j in range(count):
        first = j * heads * key
        score[j] = (dot(keys[first : first + key], query, key) + 8) >> 4
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
def attention(
    code: Any, c: int, p: int, n: int, image: Any, x: Any, width: int,
    values: Any, cache: Any, seen: Any, exponential: Any, score: Any, total: Any,
) -> None:  # fmt: skip
    """Parameters: heads, features of a key, of a value; where keys are kept, where values, how many; where they are
    counted."""
    heads, key, features, longest = code[p], code[p + 1], code[p + 2], code[p + 5]
    operands = c + OPERANDS
    for i in range(n):
        out = address(code, operands, i, image, x, width)
        query = address(code, operands + OPERAND, i, image, x, width)
        own = address(code, operands + 2 * OPERAND, i, image, x, width)
        content = address(code, operands + 3 * OPERAND, i, image, x, width)
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
def remembered(
    kind: int, code: Any, c: int, p: int, n: int, image: Any, y: Any, x: Any, width: int,
    values: Any, cache: Any, weights: Any,
) -> None:  # fmt: skip
    """What does not depend on the present. Parameters of what was before: where it is kept, whether it is the samples;
    of a place: where its table is, the table's height (0: one for all pictures), its width."""
    features = code[c + OPERANDS + 3]
    for i in range(n):
        out = address(code, c + OPERANDS, i, image, x, width)
        if kind == POSITION:
            first = code[p] + ((np.int64(image[i]) * code[p + 1] + y[i]) * code[p + 2] + x[i]) * features
            for f in range(features):
                values[out + f] = weights[first + f]
        else:
            first = code[p] + np.int64(image[i]) * features
            for f in range(features):
                values[out + f] = cache[first + f]
            if not code[p + 1]:
                source = address(code, c + OPERANDS + OPERAND, i, image, x, width)
                for f in range(features):
                    cache[first + f] = values[source + f]


@kernel(inner=True)
def lstm(
    code: Any, c: int, p: int, n: int, image: Any, y: Any, x: Any, width: int, group: int,
    values: Any, cache: Any, weights: Any, rescale: Any, logistic: Any, workspace: Any,
) -> None:  # fmt: skip
    """The cell is :mod:`arcomp.exact.cell`'s. Parameters: features, those of all groups; taps, where the state is from
    (dy, dx); where outputs and states are kept, rows, width and left margin of both; of the product."""
    features, all_features, taps, dy, dx = code[p], code[p + 1], code[p + 2], code[p + 3], code[p + 4]
    outputs, states, rows, wide, left = code[p + 5], code[p + 6], code[p + 7], code[p + 8], code[p + 9]
    count, given = code[p + 10], c + OPERANDS + OPERAND
    end = (logistic.shape[0] - 1) // 2
    gates = workspace[count : count + 4 * features]
    for i in range(n):
        before = np.int64(image[i]) * rows + (y[i] + dy + rows) % rows
        for t in range(taps):
            first = outputs + (before * wide + x[i] + left + dx + t - taps // 2) * all_features
            for f in range(all_features):
                workspace[t * all_features + f] = cache[first + f]
        linear(
            weights, rescale, code[p + 10 :], group * 4 * features, 4 * features, 0, count, workspace, gates
        )  # fmt: skip
        own = ((np.int64(image[i]) * rows + y[i] % rows) * wide + x[i] + left) * all_features + group * features
        past = states + (before * wide + x[i] + left + dx) * all_features + group * features
        source = address(code, given, i, image, x, width) + group * code[given + 3]
        out = address(code, c + OPERANDS, i, image, x, width) + group * code[c + OPERANDS + 3]
        for j in range(features):
            z = np.int64(values[source + j]) + gates[j]
            enters = np.int64(logistic[min(end, max(-end, z)) + end]) >> 9
            z = np.int64(values[source + features + j]) + gates[features + j]
            stays = np.int64(logistic[min(end, max(-end, z)) + end]) >> 9
            z = np.int64(values[source + 2 * features + j]) + gates[2 * features + j]
            leaves = np.int64(logistic[min(end, max(-end, z)) + end]) >> 9
            z = 2 * (np.int64(values[source + 3 * features + j]) + gates[3 * features + j])
            new = (np.int64(logistic[min(end, max(-end, z)) + end]) - (1 << 23)) >> 8
            state = (stays * cache[past + j] + ((enters * new) >> 3) + (1 << 14)) >> 15
            state = min((1 << 15) - 1, max(-(1 << 15), state))
            shown = (np.int64(logistic[min(end, max(-end, (state + 4) >> 3)) + end]) - (1 << 23)) >> 8
            made = min(127, max(-127, (leaves * shown + (1 << 22)) >> 23))
            cache[states + own + j] = state
            cache[outputs + own + j] = made
            values[out + j] = made


@kernel(inner=True)
def embedding(
    code: Any, c: int, p: int, n: int, image: Any, y: Any, x: Any, width: int, group: int,
    values: Any, cache: Any, weights: Any, rescale: Any,
) -> None:  # fmt: skip
    """Parameters: samples of a position, outputs of a group; where symbols are kept, rows, width and left margin; how
    many symbols (none is one more), where the table is, where that of symbols; of re-scaling; taps."""
    samples, outputs, at, rows, wide, left = code[p], code[p + 1], code[p + 2], code[p + 3], code[p + 4], code[p + 5]
    levels, table, taps = code[p + 6] + 1, code[p + 7], code[p + 14 : p + 14 + 2 * code[p + 13]]
    for i in range(n):
        out = address(code, c + OPERANDS, i, image, x, width) + group * outputs
        for j in range(outputs):
            total = np.int64(0)
            for t in range(code[p + 13]):
                row = np.int64(image[i]) * rows + (y[i] + taps[2 * t] + rows) % rows
                first = at + (row * wide + x[i] + left + taps[2 * t + 1]) * samples
                for s in range(samples):
                    line = (t * samples + s) * levels + cache[first + s]
                    total += weights[table + line * samples * outputs + group * outputs + j]
            values[out + j] = rescaled(
                total, rescale, code[p + 9] + group * outputs + j, code[p + 10], code[p + 11], code[p + 12]
            )  # fmt: skip


@kernel(inner=True)
def dense(
    code: Any, c: int, p: int, n: int, image: Any, y: Any, x: Any, width: int, group: int,
    values: Any, cache: Any, weights: Any, rescale: Any,
) -> None:  # fmt: skip
    """Parameters: inputs, outputs of a sample; samples of a position; positions of a row; whether a sample sees its own
    position's inputs, up to its own (else the samples before); where features are kept; of the product."""
    inputs, outputs, samples, across = code[p], code[p + 1], code[p + 2], code[p + 3]
    local, given = code[p + 4], c + OPERANDS + OPERAND
    for i in range(n):
        kept = code[p + 5] + np.int64(image[i]) * code[p + 6]
        position = np.int64(y[i]) * across + x[i]
        sample = position * samples + group
        if local:
            source = address(code, given, i, image, x, width) + group * code[given + 3]
            for f in range(inputs):
                cache[kept + sample * inputs + f] = values[source + f]
        begin, end = position * samples * inputs if local else np.int64(0), (sample + local) * inputs
        out = address(code, c + OPERANDS, i, image, x, width) + group * outputs
        linear(
            weights, rescale, code[p + 6 :], sample * outputs, outputs, begin, max(np.int64(0), end - begin),
            cache[kept + begin : kept + end], values[out : out + outputs],
        )  # fmt: skip
