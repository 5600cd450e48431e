"""The instruction of layers that have weights of their own for every position (:mod:`arcomp.layers.dense`)."""

from __future__ import annotations

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.kernels.instructions import Dense
from arcomp.kernels.linear import address, linear, operand, slot
from arcomp.kernels.memory import Call, Memory, Positions
from arcomp.kernels.records import read


@kernel(inner=True)
def dense(call: Call, at: Positions, memory: Memory) -> None:
    """A sample's rows of the product, on the samples that it sees."""
    own, output, group = read(call.numbers, call.own, Dense), operand(call, 0), call.group
    given = operand(call, 1)
    for i in range(at.size):
        picture = slot(own.cache, at.image[i], 0, 0, 0)
        position = np.int64(at.y[i]) * own.width + at.x[i]
        sample = position * own.groups + group
        if own.local:
            source = address(given, at, i, call.width) + group * given.share
            for f in range(own.inputs):
                memory.caches[picture + sample * own.inputs + f] = memory.values[source + f]
        begin = position * own.groups * own.inputs if own.local else np.int64(0)
        end = max(begin, (sample + own.local) * own.inputs)
        out = address(output, at, i, call.width) + group * own.outputs
        linear(
            own.product, sample * own.outputs, begin, memory.caches[picture + begin : picture + end],
            memory.values[out : out + own.outputs], memory,
        )  # fmt: skip
