"""The instruction of causal attention (:mod:`arcomp.layers.attention`)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel
from arcomp.kernels.instructions import Attention
from arcomp.kernels.linear import address, dot, operand
from arcomp.kernels.memory import Call, Memory, Positions, Scratch, Tables
from arcomp.kernels.records import read


class Past(NamedTuple):
    """What a head looks at, position after position; what other heads look at lies between.

    Attributes:
        keys: int8 or int16, flat: [positions, heads, key], from the head's own key of the first position on.
        values: the same: [positions, heads, value]. size: how many positions.
        heads: how many there are, each with ``key`` features of a key and ``value`` features of a value.
    """

    keys: npt.NDArray[Any]
    values: npt.NDArray[Any]
    size: int
    heads: int
    key: int
    value: int


@kernel(inner=True)
def attend(query: Any, past: Past, exponential: Any, scores: Any, totals: Any, out: Any) -> None:
    """What a head finds: [value], given its query, [key]. Scores and totals: int64, to work in."""
    best = -(1 << 30)
    for j in range(past.size):
        first = j * past.heads * past.key
        scores[j] = (dot(past.keys[first : first + past.key], query, past.key) + 8) >> 4
        best = max(best, scores[j])
    mass = np.int64(0)
    totals[: past.value] = 0
    for j in range(past.size):
        weight = exponential[min(4095, best - scores[j])]
        mass += weight
        first = j * past.heads * past.value
        for f in range(past.value):
            totals[f] += weight * past.values[first + f]
    for f in range(past.value):
        out[f] = (2 * totals[f] + mass) // (2 * mass)


@kernel(inner=True)
def attention(call: Call, at: Positions, memory: Memory, tables: Tables, scratch: Scratch) -> None:
    """Keys and values of the present are kept first: it is looked at, too."""
    own = read(call.numbers, call.own, Attention)
    output, query, key, content = operand(call, 0), operand(call, 1), operand(call, 2), operand(call, 3)
    all_keys, all_values = own.heads * own.key, own.heads * own.value
    for i in range(at.size):
        image = np.int64(at.image[i])
        keys = own.keys + image * own.longest * all_keys
        contents = own.values + image * own.longest * all_values
        count = memory.counters[own.done + image]
        source = address(key, at, i, call.width)
        for f in range(all_keys):
            memory.caches[keys + count * all_keys + f] = memory.values[source + f]
        source = address(content, at, i, call.width)
        for f in range(all_values):
            memory.caches[contents + count * all_values + f] = memory.values[source + f]
        count += 1
        memory.counters[own.done + image] = count
        out, wanted = address(output, at, i, call.width), address(query, at, i, call.width)
        for h in range(own.heads):
            past = Past(
                memory.caches[keys + h * own.key :], memory.caches[contents + h * own.value :],
                count, own.heads, own.key, own.value,
            )  # fmt: skip
            attend(
                memory.values[wanted + h * own.key :], past, tables.exponential, scratch.scores, scratch.totals,
                memory.values[out + h * own.value :],
            )  # fmt: skip
