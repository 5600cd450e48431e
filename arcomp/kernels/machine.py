"""Carrying out instructions at a front, as compiled loops over plain arrays.

Features of a front are indexed in front order. Row-level features are kept until the row ends.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel
from arcomp.kernels.attention import attention
from arcomp.kernels.dense import dense
from arcomp.kernels.instructions import (
    HEADER,
    OPCODES,
    OPERAND,
    Add,
    Attention,
    Cache,
    Convolution,
    Dense,
    DepthToSpace,
    Embedding,
    Header,
    Masked,
    MinGRU,
    PositionTable,
    Recurrent,
    Requantize,
    Shift,
)
from arcomp.kernels.linear import slot
from arcomp.kernels.lookup import embed, position, shift
from arcomp.kernels.masked import masked
from arcomp.kernels.memory import Call, Code, Ints, Memory, Positions, Scratch, Sets, Tables
from arcomp.kernels.pointwise import activate, add, requantize
from arcomp.kernels.records import read
from arcomp.kernels.recurrent import lstm, mingru
from arcomp.kernels.spatial import convolve, depth_to_space

CONVOLUTION, EMBEDDING, DENSE, MASKED = (OPCODES[kind] for kind in (Convolution, Embedding, Dense, Masked))
RECURRENT, ATTENTION, SHIFT = (OPCODES[kind] for kind in (Recurrent, Attention, Shift))
POSITION_TABLE, DEPTH_TO_SPACE = (OPCODES[kind] for kind in (PositionTable, DepthToSpace))
REQUANTIZE, ADD, MINGRU = (OPCODES[kind] for kind in (Requantize, Add, MinGRU))


@kernel()
def gather_sets(front: Positions, scales: Ints, image_widths: Ints, row_level: bool, sets: Sets) -> None:
    """Fill the sets of positions of a front. For each scale: the front's positions whose row and column are
    multiples of it; and, where x is 0, the whole row.

    Args:
        scales: int64, in pixels. image_widths: int32 [images], in pixels. row_level: whether whole rows are wanted.
    """
    positions, counts = sets.positions, sets.counts
    counts[:] = 0
    for s in range(scales.shape[0]):
        scale = scales[s]
        for i in range(front.size):
            image, y, x = front.image[i], front.y[i], front.x[i]
            if y % scale or x % scale:
                continue
            at = counts[2 * s]
            positions[2 * s, 0, at] = image
            positions[2 * s, 1, at] = y // scale
            positions[2 * s, 2, at] = x // scale
            counts[2 * s] += 1
            if row_level and x == 0:
                for column in range((image_widths[image] + scale - 1) // scale):
                    at = counts[2 * s + 1]
                    positions[2 * s + 1, 0, at] = image
                    positions[2 * s + 1, 1, at] = y // scale
                    positions[2 * s + 1, 2, at] = column
                    counts[2 * s + 1] += 1


@kernel(inner=True)
def _execute(header: Header, call: Call, at: Positions, memory: Memory, tables: Tables, scratch: Scratch) -> None:
    opcode = header.opcode
    if opcode == CONVOLUTION:
        convolve(call, at, memory, scratch)
    elif opcode == ADD:
        add(call, at, header.operands - 1, memory.values)
    elif opcode == REQUANTIZE:
        requantize(call, at, memory.values)
    elif opcode == EMBEDDING:
        embed(call, at, memory, scratch)
    elif opcode == DENSE:
        dense(call, at, memory)
    elif opcode == MASKED:
        masked(call, at, memory, scratch)
    elif opcode == RECURRENT:
        lstm(call, at, memory, tables, scratch)
    elif opcode == MINGRU:
        mingru(call, at, memory, tables)
    elif opcode == DEPTH_TO_SPACE:
        depth_to_space(call, at, memory)
    elif opcode == ATTENTION:
        attention(call, at, memory, tables, scratch)
    elif opcode == SHIFT:
        shift(call, at, memory)
    elif opcode == POSITION_TABLE:
        position(call, at, memory)
    else:
        activate(opcode, call, at, memory.values, tables)


@kernel()
def execute(
    code: Code, chosen: npt.NDArray[np.int64], group: int, sets: Sets, memory: Memory, tables: Tables, scratch: Scratch
) -> None:
    """Carry out some instructions, for a group of features.

    Args:
        chosen: int64, where those instructions begin.
    """
    for s in range(chosen.shape[0]):
        header = read(code.numbers, chosen[s], Header)
        count = sets.counts[header.positions]
        if count == 0:
            continue
        at = sets.positions[header.positions]
        operands = chosen[s] + HEADER
        own = operands + header.operands * OPERAND
        width, coarse_width = code.widths[header.scale], code.widths[header.scale + 1]
        call = Call(code.numbers, operands, own, width, coarse_width, group)
        _execute(header, call, Positions(count, at[0], at[1], at[2]), memory, tables, scratch)


@kernel()
def push(
    code: Code, caches: npt.NDArray[np.int64], group: int, front: Positions, samples: Ints, memory: Memory
) -> None:
    """Tell a channel's samples over the front to the layers that read them.

    Args:
        caches: int64, where in the code their caches' records begin. samples: int8 [n].
    """
    for s in range(caches.shape[0]):
        cache = read(code.numbers, caches[s], Cache)
        for i in range(front.size):
            kept = np.int16(samples[i])
            if cache.symbols >= 0:
                kept = memory.constants[cache.symbols + np.int64(samples[i]) + 128]
            memory.caches[slot(cache, front.image[i], front.y[i], front.x[i], group)] = kept
