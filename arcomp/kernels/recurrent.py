"""Instructions of recurrent layers: the LSTM (:mod:`arcomp.exact.cell`) and minGRU (:mod:`arcomp.exact.gru_cell`)."""

from __future__ import annotations

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.exact.gru_cell import next_state, shown
from arcomp.kernels.instructions import MinGRU, Recurrent
from arcomp.kernels.linear import address, linear, operand, slot
from arcomp.kernels.memory import Call, Memory, Positions, Scratch, Tables
from arcomp.kernels.pointwise import logistic_at
from arcomp.kernels.records import read


@kernel(inner=True)
def lstm(call: Call, at: Positions, memory: Memory, tables: Tables, scratch: Scratch) -> None:
    """Gates of a group are input, forget, output and new, each for all features."""
    own = read(call.numbers, call.own, Recurrent)
    output, given = operand(call, 0), operand(call, 1)
    features, group, logistic = own.features, call.group, tables.logistic
    gates = scratch.features[: 4 * features]
    for i in range(at.size):
        image, y, x = at.image[i], at.y[i], at.x[i]
        first = slot(own.outputs, image, y + own.dy, x + own.first, 0)
        seen = memory.caches[first : first + own.product.inputs]
        linear(own.product, group * 4 * features, 0, seen, gates, memory)
        past = slot(own.states, image, y + own.dy, x + own.dx, group)
        new_output, new_state = slot(own.outputs, image, y, x, group), slot(own.states, image, y, x, group)
        z = address(given, at, i, call.width) + group * given.share
        out = address(output, at, i, call.width) + group * output.share
        for j in range(features):
            k = j + features
            input_gate = logistic_at(np.int64(memory.values[z + j]) + gates[j], logistic) >> 9
            forget_gate = logistic_at(np.int64(memory.values[z + k]) + gates[k], logistic) >> 9
            output_gate = logistic_at(np.int64(memory.values[z + k + features]) + gates[k + features], logistic) >> 9
            k += 2 * features
            new = (logistic_at(2 * (np.int64(memory.values[z + k]) + gates[k]), logistic) - (1 << 23)) >> 8
            state = (forget_gate * memory.caches[past + j] + ((input_gate * new) >> 3) + (1 << 14)) >> 15
            state = min((1 << 15) - 1, max(-(1 << 15), state))
            shown = (logistic_at((state + 4) >> 3, logistic) - (1 << 23)) >> 8
            made = min(127, max(-127, (output_gate * shown + (1 << 22)) >> 23))
            memory.caches[new_state + j] = state
            memory.caches[new_output + j] = made
            memory.values[out + j] = made


@kernel(inner=True)
def mingru(call: Call, at: Positions, memory: Memory, tables: Tables) -> None:
    """What a group is given is the gate and the candidate, each for all features."""
    own = read(call.numbers, call.own, MinGRU)
    output, given = operand(call, 0), operand(call, 1)
    for i in range(at.size):
        image, y, x = at.image[i], at.y[i], at.x[i]
        past = slot(own.states, image, y + own.dy, x + own.dx, call.group)
        new = slot(own.states, image, y, x, call.group)
        z = address(given, at, i, call.width) + call.group * given.share
        out = address(output, at, i, call.width) + call.group * output.share
        for j in range(own.features):
            gate, candidate = np.int32(memory.values[z + j]), np.int32(memory.values[z + own.features + j])
            state = next_state(gate, candidate, np.int32(memory.caches[past + j]), tables.logistic)
            memory.caches[new + j] = state
            memory.values[out + j] = shown(state)
