"""Instructions that look at positions around: convolution, and from squares to their positions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from arcomp.exact.compiled import kernel
from arcomp.kernels.instructions import RUN, Cache, Convolution, DepthToSpace, Run
from arcomp.kernels.linear import address, linear, operand, slot
from arcomp.kernels.memory import Call, Memory, Positions, Scratch
from arcomp.kernels.records import Several, read, several


def runs_of(taps: Iterable[tuple[int, int]]) -> tuple[Run, ...]:
    """Those that lie side by side and follow one another, as one."""
    found: list[Run] = []
    for dy, dx in taps:
        if found and found[-1].dy == dy and found[-1].dx + found[-1].columns == dx:
            found[-1] = found[-1]._replace(columns=found[-1].columns + 1)
        else:
            found.append(Run(dy, dx, 1))
    return tuple(found)


@kernel(inner=True)
def gather_runs(numbers: Any, runs: Several, cache: Cache, at: Positions, i: int, caches: Any, out: Any) -> int:
    """What the i-th position sees of a cache, tap after tap; how many features."""
    made = 0
    for r in range(runs.size):
        run = read(numbers, runs.begin + r * RUN, Run)
        first = slot(cache, at.image[i], at.y[i] + run.dy, at.x[i] + run.dx, 0)
        count = run.columns * cache.column
        for f in range(count):
            out[made + f] = caches[first + f]
        made += count
    return made


@kernel(inner=True)
def _keep(own: Convolution, call: Call, at: Positions, memory: Memory) -> None:
    """The inputs go into the cache."""
    given = operand(call, 1)
    for i in range(at.size):
        source = address(given, at, i, call.width) + call.group * given.share
        first = slot(own.cache, at.image[i], at.y[i], at.x[i], call.group)
        for f in range(own.inputs):
            memory.caches[first + f] = memory.values[source + f]


@kernel(inner=True)
def convolve(call: Call, at: Positions, memory: Memory, scratch: Scratch) -> None:
    """Convolution."""
    own = read(call.numbers, call.own, Convolution)
    if own.cached and not own.samples:
        _keep(own, call, at, memory)
    output, group, made = operand(call, 0), call.group, 0
    count = own.product.inputs - (own.groups - 1 - group) * own.later
    for i in range(at.size):
        if own.stride > 1 and (at.y[i] % own.stride or at.x[i] % own.stride):
            continue
        out = output.begin + made * output.distance
        if output.row_level:
            across = call.width if own.stride == 1 else call.coarse_width
            out = output.begin + (at.image[i] * across + at.x[i] // own.stride) * output.distance
        out += group * own.outputs
        made += 1
        if own.cached:
            gather_runs(call.numbers, several(own.runs), own.cache, at, i, memory.caches, scratch.features)
            seen = scratch.features[:count]
        else:
            first = address(operand(call, 1), at, i, call.width)
            seen = memory.values[first : first + count]
        linear(own.product, group * own.outputs, 0, seen, memory.values[out : out + own.outputs], memory)


@kernel(inner=True)
def depth_to_space(call: Call, at: Positions, memory: Memory) -> None:
    """Features of squares of 2 x 2 become those of their positions."""
    cache = read(call.numbers, call.own, DepthToSpace).cache
    output, given, begun = operand(call, 0), operand(call, 1), 0
    for i in range(at.size):
        if at.y[i] % 2 == 0 and at.x[i] % 2 == 0:
            source = given.begin + begun * given.distance
            if given.row_level:
                source = given.begin + (at.image[i] * call.coarse_width + at.x[i] // 2) * given.distance
            begun += 1
            first = slot(cache, at.image[i], at.y[i] // 2, at.x[i] // 2, 0)
            for f in range(cache.column):
                memory.caches[first + f] = memory.values[source + f]
    for i in range(at.size):
        first = slot(cache, at.image[i], at.y[i] // 2, at.x[i] // 2, 2 * (at.y[i] % 2) + at.x[i] % 2)
        out = address(output, at, i, call.width)
        for f in range(cache.group):
            memory.values[out + f] = memory.caches[first + f]
