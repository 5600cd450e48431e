"""The instruction of masked networks (:mod:`arcomp.layers.masked`).

See :mod:`arcomp.kernels.instructions` for what an instruction is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.kernels.local import OPERANDS, address, linear

MASKED_OUT, MASKED_BLOCKS, MASKED_BLOCK = 11, 18, 9
"""Where parameters of the last product, and those of hidden layers, begin; numbers of a hidden layer."""


@kernel(inner=True)
def sample_of(code: Any, p: int, y: int, x: int, group: int, weights: Any) -> int:
    """The number of a sample in the order of coding."""
    return int(weights[code[p + 7] + np.int64(y) * code[p + 6] + x] * code[p] + group)


@kernel(inner=True)
def _new_units(code: Any, p: int, image: Any, degree: int, cache: Any, weights: Any, rescale: Any) -> None:
    """Compute the units of a degree, one hidden layer after the other; what they do not see is as yet real 0."""
    units, blocks, count = code[p + 3], code[p + 4], code[p + 5]
    held = code[p + 2] * units
    known, kept = code[p + 9] + image * count, code[p + 10] + image * blocks * held
    for b in range(blocks):
        q = p + MASKED_BLOCKS + MASKED_BLOCK * b
        for j in range(weights[code[q + 1] + degree], weights[code[q + 1] + degree + 1]):
            unit = np.int64(weights[code[q] + j])
            given, inputs = known, count
            if b:
                given, inputs = kept + (b - 1) * held + unit // units * units, units
            own = kept + b * held + unit
            linear(
                weights, rescale, code[q + 2 :], unit % units, 1, 0, inputs,
                cache[given : given + inputs], cache[own : own + 1],
            )  # fmt: skip


@kernel(inner=True)
def masked(
    code: Any, c: int, p: int, n: int, image: Any, y: Any, x: Any, width: int, group: int,
    values: Any, cache: Any, seen: Any, weights: Any, rescale: Any, workspace: Any,
) -> None:  # fmt: skip
    """Parameters: samples of a position, outputs of a sample under a mask; masks, units, hidden layers; samples of a
    picture, positions of a row; where numbers of positions are, where degrees that are done are counted, where samples
    and units are kept; of the last product; for each hidden layer its units by degree, where in those each degree
    begins, and of its product; whether there are direct connections, and of their product."""
    each, masks, units, blocks = code[p + 1], code[p + 2], code[p + 3], code[p + 4]
    held, direct = masks * units, p + MASKED_BLOCKS + MASKED_BLOCK * blocks
    workspace[:each] = 0
    for i in range(n):
        this = np.int64(image[i])
        sample = sample_of(code, p, y[i], x[i], group, weights)
        for degree in range(seen[code[p + 8] + this] + 1, sample + 1):
            _new_units(code, p, this, degree, cache, weights, rescale)
        seen[code[p + 8] + this] = sample
        if code[direct]:
            known = code[p + 9] + this * code[p + 5]
            linear(
                weights, rescale, code[direct + 1 :], sample * each, each, 0, code[p + 5],
                cache[known : known + code[p + 5]], workspace[:each],
            )  # fmt: skip
        out = address(code, c + OPERANDS, i, image, x, width) + group * masks * each
        for mask in range(masks):
            last = code[p + 10] + (this * blocks + blocks - 1) * held + mask * units
            linear(
                weights, rescale, code[p + MASKED_OUT :], sample * each, each, 0, units,
                cache[last : last + units], values[out + mask * each : out + (mask + 1) * each],
            )  # fmt: skip
            for j in range(each):
                total = np.int64(values[out + mask * each + j]) + workspace[j]
                values[out + mask * each + j] = min(32767, max(-32768, total))
