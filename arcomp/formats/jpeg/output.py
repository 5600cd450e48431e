"""Bits of a scan as they are written."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel
from arcomp.formats.jpeg.huffman import Codes
from arcomp.formats.jpeg.masks import highest
from arcomp.formats.jpeg.scans import LONGEST_RUN

WORD, COUNT, MADE, WRONG, RUN, KEPT, HELD, BLOCK, ZEROS, BREAKS, PADS = range(11)
"""Of the state: bits that are not written yet, and how many, at most 62; bytes made; whether something cannot be coded;
blocks of the run without new coefficients; its correction bits that count; of how many blocks some are held back;
blocks coded; how much of each log is used up."""
PREDICTED = 11
STATE = PREDICTED + 4
MOST_HELD = LONGEST_RUN + 1
"""Blocks of a run that have correction bits."""
MARGIN = 16
"""Bytes that there must be room for beyond those of a scan."""


Pen = tuple[int, int, int]
"""WORD, COUNT and MADE while they change."""
Whole = int | np.int64


class Output(NamedTuple):
    """Where a scan goes.

    Attributes:
        data: uint8. held: int64 [MOST_HELD, 2], correction bits of blocks of a run, and how many.
        counts: int64 [8, 256], of the values of each table. state: int64 [STATE].
    """

    data: npt.NDArray[np.uint8]
    held: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    state: npt.NDArray[np.int64]


@kernel(inner=True)
def _drain(out: Output, word: int, count: int, made: int) -> Pen:
    """Write the bytes that there are among the bits."""
    data = out.data
    if made + MARGIN > len(data):
        out.state[WRONG] = 1
        made = 0
    while count >= 8:
        count -= 8
        byte = (word >> count) & 255
        data[made] = byte
        made += 1
        if byte == 255:
            data[made] = 0
            made += 1
    return word, count, made


@kernel(inline="always")
def put(out: Output, pen: Pen, value: Whole, bits: Whole) -> Pen:
    """Write the lowest bits, at most 31, of a value."""
    word, count, made = pen
    word, count = int((word << bits) | (value & ((1 << bits) - 1))), int(count + bits)
    if count < 32:
        return word, count, made
    four = (word >> (count - 32)) & 0xFFFFFFFF
    if made + MARGIN > len(out.data) or ~four - 0x01010101 & four & 0x80808080:  # one of them may be 255
        return _drain(out, word, count, made)
    for i in range(4):
        out.data[made + i] = four >> (24 - 8 * i)
    return word, count - 32, made + 4


@kernel(inline="always")
def put_code(out: Output, pen: Pen, codes: Codes, table: int, symbol: int, value: Whole, bits: int) -> Pen:
    """Write a symbol, and the lowest bits, at most 15, of a value."""
    size = np.int64(codes.size[table, symbol])
    out.counts[table, symbol] += 1
    if not size:
        out.state[WRONG] = 1
    return put(out, pen, np.int64(codes.code[table, symbol]) << bits | (value & ((1 << bits) - 1)), size + bits)


@kernel(inline="always")
def bits_of_size(value: Whole) -> int:
    return highest(np.uint64(value)) + 1 if value else 0


@kernel(inline="always")
def put_own(out: Output, pen: Pen, own: Whole, count: Whole) -> Pen:
    """Write correction bits, at most 63."""
    while count > 31:
        count -= 31
        pen = put(out, pen, own >> count, 31)
    return put(out, pen, own, count)


@kernel(inner=True)
def put_padding(out: Output, bits: npt.NDArray[np.uint8]) -> None:
    """Fill the byte up with padding bits, and write all."""
    state = out.state
    pen = (state[WORD], state[COUNT], state[MADE])
    while pen[1] & 7:
        pen = put(out, pen, np.int64(bits[state[PADS] % len(bits)]), 1)
        state[PADS] += 1
    state[WORD], state[COUNT], state[MADE] = _drain(out, pen[0], pen[1], pen[2])


@kernel(inner=True)
def put_marker(out: Output, number: int) -> None:
    """Write a restart marker between bytes."""
    state, data = out.state, out.data
    made = state[MADE]
    if made + MARGIN > len(data):
        state[WRONG] = 1
        return
    data[made], data[made + 1] = 0xFF, 0xD0 + number
    state[MADE] = made + 2
