"""Instructions that look features up: of symbols around, of positions, of the position before."""

from __future__ import annotations

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.kernels.instructions import Embedding, PositionTable, Shift
from arcomp.kernels.linear import address, operand, rescaled, slot
from arcomp.kernels.memory import Call, Memory, Positions, Scratch
from arcomp.kernels.records import read, several
from arcomp.kernels.spatial import gather_runs


@kernel(inner=True)
def embed(call: Call, at: Positions, memory: Memory, scratch: Scratch) -> None:
    """The sum, over taps and samples, of the table's features of symbols."""
    own, output, totals = read(call.numbers, call.own, Embedding), operand(call, 0), scratch.totals
    columns, begin = own.groups * own.outputs, call.group * own.outputs
    for i in range(at.size):
        count = gather_runs(call.numbers, several(own.runs), own.cache, at, i, memory.caches, scratch.features)
        totals[: own.outputs] = 0
        for s in range(count):
            line = own.table + (s * own.symbols + scratch.features[s]) * columns + begin
            for j in range(own.outputs):
                totals[j] += memory.constants[line + j]
        out = address(output, at, i, call.width) + begin
        for j in range(own.outputs):
            memory.values[out + j] = rescaled(totals[j], own.rescaling, begin + j, memory.rescale)


@kernel(inner=True)
def shift(call: Call, at: Positions, memory: Memory) -> None:
    """What the position before left."""
    own, output, given = read(call.numbers, call.own, Shift), operand(call, 0), operand(call, 1)
    for i in range(at.size):
        out, first = address(output, at, i, call.width), slot(own.cache, at.image[i], 0, 0, 0)
        for f in range(output.share):
            memory.values[out + f] = memory.caches[first + f]
        if not own.samples:
            source = address(given, at, i, call.width)
            for f in range(output.share):
                memory.caches[first + f] = memory.values[source + f]


@kernel(inner=True)
def position(call: Call, at: Positions, memory: Memory) -> None:
    """A position's own features."""
    own, output = read(call.numbers, call.own, PositionTable), operand(call, 0)
    for i in range(at.size):
        out = address(output, at, i, call.width)
        row = np.int64(at.image[i]) * own.height + at.y[i]
        first = own.table + (row * own.width + at.x[i]) * output.share
        for f in range(output.share):
            memory.values[out + f] = memory.constants[first + f]
