"""The instruction of masked networks (:mod:`arcomp.layers.masked`)."""

from __future__ import annotations

import numpy as np

from arcomp.exact.arrays import Int
from arcomp.exact.compiled import kernel
from arcomp.kernels.instructions import HIDDEN, Hidden, Masked
from arcomp.kernels.linear import address, linear, operand, slot
from arcomp.kernels.memory import Call, Memory, Positions, Scratch
from arcomp.kernels.records import read, several


@kernel(inner=True)
def _new_units(own: Masked, call: Call, image: Int, degree: Int, memory: Memory) -> None:
    """Compute the units of a degree, one hidden layer after the other; what they do not see is as yet real 0."""
    held, hidden = own.masks * own.units, several(own.hidden)
    known, kept = slot(own.cache, image, 0, 0, 0), own.held + image * hidden.size * held
    for b in range(hidden.size):
        layer = read(call.numbers, hidden.begin + HIDDEN * b, Hidden)
        begin, end = memory.constants[layer.first + degree], memory.constants[layer.first + degree + 1]
        for j in range(begin, end):
            unit = np.int64(memory.constants[layer.units + j])
            given = kept + (b - 1) * held + unit // own.units * own.units if b else known
            made = kept + b * held + unit
            seen = memory.caches[given : given + layer.product.inputs]
            linear(layer.product, unit % own.units, 0, seen, memory.caches[made : made + 1], memory)


@kernel(inner=True)
def masked(call: Call, at: Positions, memory: Memory, scratch: Scratch) -> None:
    """A sample's outputs under each mask, once the units of all samples before are computed."""
    own, output = read(call.numbers, call.own, Masked), operand(call, 0)
    each, blocks, direct = own.outputs, several(own.hidden).size, scratch.features[: own.outputs]
    direct[:] = 0
    for i in range(at.size):
        image = np.int64(at.image[i])
        number = memory.constants[own.order + np.int64(at.y[i]) * own.width + at.x[i]]
        sample = np.int64(number) * own.groups + call.group
        for degree in range(memory.counters[own.done + image] + 1, sample + 1):
            _new_units(own, call, image, degree, memory)
        memory.counters[own.done + image] = sample
        if own.direct.inputs:
            known = slot(own.cache, image, 0, 0, 0)
            seen = memory.caches[known : known + own.direct.inputs]
            linear(own.direct, sample * each, 0, seen, direct, memory)
        out = address(output, at, i, call.width) + call.group * own.masks * each
        for mask in range(own.masks):
            last = own.held + ((image * blocks + blocks - 1) * own.masks + mask) * own.units
            found = memory.values[out + mask * each : out + (mask + 1) * each]
            linear(own.last, sample * each, 0, memory.caches[last : last + own.units], found, memory)
            for j in range(each):
                found[j] = min(32767, max(-32768, np.int64(found[j]) + direct[j]))
