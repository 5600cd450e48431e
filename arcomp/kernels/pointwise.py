"""Instructions on a position's own features."""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.arrays import Int
from arcomp.exact.compiled import kernel
from arcomp.kernels.instructions import OPCODES, Add, ConcatELU, Gate, Requantize
from arcomp.kernels.linear import address, operand
from arcomp.kernels.memory import Call, Positions, Tables
from arcomp.kernels.records import read

GATE, CONCAT_ELU = OPCODES[Gate], OPCODES[ConcatELU]


@kernel(inner=True)
def requantize(call: Call, at: Positions, values: Any) -> None:
    """The same real numbers on another quantisation."""
    own, output, given = read(call.numbers, call.own, Requantize), operand(call, 0), operand(call, 1)
    half = (np.int64(1) << own.shift) >> 1
    for i in range(at.size):
        out = address(output, at, i, call.width) + call.group * output.share
        a = address(given, at, i, call.width) + call.group * given.share
        for f in range(output.share):
            v = ((values[a + f] - own.source_zero + half) >> own.shift) + own.zero
            values[out + f] = min(own.high, max(own.low, v))


@kernel(inner=True)
def add(call: Call, at: Positions, inputs: int, values: Any) -> None:
    """The sum of so many inputs."""
    own, output = read(call.numbers, call.own, Add), operand(call, 0)
    for i in range(at.size):
        out = address(output, at, i, call.width) + call.group * output.share
        for f in range(output.share):
            total = own.offset
            for k in range(1, inputs + 1):
                given = operand(call, k)
                total += values[address(given, at, i, call.width) + call.group * given.share + f]
            values[out + f] = min(own.high, max(own.low, total))


@kernel(inner=True)
def logistic_at(z: Int, logistic: Any) -> int:
    """From the table, in 24 bits."""
    end = (logistic.shape[0] - 1) // 2
    return int(np.int64(logistic[min(end, max(-end, int(z))) + end]))


@kernel(inner=True)
def activate(opcode: int, call: Call, at: Positions, values: Any, tables: Tables) -> None:
    """Functions from tables: the gates, and the concatenated exponential linear unit."""
    output, first, second = operand(call, 0), operand(call, 1), operand(call, 2)
    share = output.share
    for i in range(at.size):
        out = address(output, at, i, call.width) + call.group * share
        a = address(first, at, i, call.width) + call.group * first.share
        if opcode == CONCAT_ELU:
            for f in range(share // 2):
                v = np.int64(values[a + f])
                values[out + f] = tables.elu[v + 128]
                values[out + share // 2 + f] = tables.elu[min(255, 128 - int(v))]
            continue
        b = address(second, at, i, call.width) + call.group * second.share
        for f in range(share):
            v = np.int64(values[a + f])
            sigmoid = logistic_at(np.int64(values[b + f]), tables.logistic) >> 9
            if opcode == GATE:
                tanh = (2 * logistic_at(2 * v, tables.logistic) - (1 << 24)) >> 9
                values[out + f] = min(127, max(-127, (tanh * sigmoid + (1 << 22)) >> 23))
            else:
                values[out + f] = (v * sigmoid + (1 << 14)) >> 15
