"""A scan as tokens, and its bits.

A scan is first made into tokens: symbols with the bits that follow each, bits without a symbol, ends of intervals. Its
values are counted by the way, so tables can be made of them; then the tokens are written with the tables.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel
from arcomp.formats.jpeg.huffman import TABLES, Codes
from arcomp.formats.jpeg.masks import highest
from arcomp.formats.jpeg.scans import LONGEST_RUN

MADE, WRONG, RUN, KEPT, HELD, BLOCK, ZEROS, BREAKS = range(8)
"""Of the state: tokens made; whether something cannot be coded; blocks of the run without new coefficients; its
correction bits that count; of how many blocks some are held back; blocks coded; how much of each log is used up."""
PREDICTED = 8
STATE = PREDICTED + 4
MOST_HELD = LONGEST_RUN + 1
"""Blocks of a run that have correction bits."""
MARGIN = 16
"""Bytes that there must be room for beyond those of a scan."""
TOKENS_OF_A_BYTE, TOKENS_OF_A_BLOCK = 8, 160
"""More than there are: of a scan's bytes, since each has a bit; of 64 coefficients with their corrections."""
_BITS, _END = TABLES, TABLES + 1
"""In place of a token's table: bits without a symbol; the end of an interval, with a marker or without."""
_TABLE, _SYMBOL, _COUNT = 28, 20, 16
"""Where a token has its table, its symbol, and how many bits of a value: at most 15, TOGETHER without a symbol."""
TOGETHER = 16
"""Bits without a symbol that a token has at most."""
NO_MARKER = 8


Whole = int | np.int64


class Tokens(NamedTuple):
    """A scan's tokens.

    Attributes:
        tokens: uint32, room for them. held: int64 [MOST_HELD, 2], correction bits of blocks of a run, and how many.
        counts: int64 [8, 256], of the values of each table. state: int64 [STATE].
    """

    tokens: npt.NDArray[np.uint32]
    held: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    state: npt.NDArray[np.int64]


@kernel(inline="always")
def _put(out: Tokens, made: int, token: Whole) -> int:
    """A token more; returns how many there are."""
    if made == len(out.tokens):
        out.state[WRONG] = 1
        return made
    out.tokens[made] = token
    return made + 1


@kernel(inline="always")
def put_code(out: Tokens, made: int, table: int, symbol: int, value: Whole, bits: int) -> int:
    """A symbol, and the lowest bits, at most 15, of a value."""
    out.counts[table, symbol] += 1
    return _put(out, made, table << _TABLE | symbol << _SYMBOL | bits << _COUNT | (value & ((1 << bits) - 1)))


@kernel(inline="always")
def put_own(out: Tokens, made: int, own: Whole, count: Whole) -> int:
    """Bits without a symbol, the lowest of a value, at most 63."""
    while count > TOGETHER:
        count -= TOGETHER
        made = _put(out, made, _BITS << _TABLE | TOGETHER << _COUNT | (own >> count & ((1 << TOGETHER) - 1)))
    if count:
        made = _put(out, made, _BITS << _TABLE | count << _COUNT | (own & ((1 << count) - 1)))
    return made


@kernel(inline="always")
def put_end(out: Tokens, made: int, marker: int) -> int:
    """The end of an interval, and a restart marker, 0 to 7, or NO_MARKER."""
    return _put(out, made, _END << _TABLE | marker)


@kernel(inline="always")
def bits_of_size(value: Whole) -> int:
    return highest(np.uint64(value)) + 1 if value else 0


Pen = tuple[int, int, int]
"""Bits that are not written yet, and how many, at most 62; bytes made."""


@kernel(inner=True)
def _drain(data: npt.NDArray[np.uint8], pen: Pen) -> Pen:
    """Write the bytes that there are among the bits."""
    word, count, made = pen
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
def _write_bits(data: npt.NDArray[np.uint8], pen: Pen, value: Whole, bits: Whole) -> Pen:
    """Write so many bits, at most 31."""
    word, count, made = pen
    word, count = int((word << bits) | value), int(count + bits)
    if count < 32:
        return word, count, made
    four = (word >> (count - 32)) & 0xFFFFFFFF
    if ~four - 0x01010101 & four & 0x80808080:  # one of them may be 255
        return _drain(data, (word, count, made))
    for i in range(4):
        data[made + i] = four >> (24 - 8 * i)
    return word, count - 32, made + 4


@kernel()
def write_tokens(
    tokens: npt.NDArray[np.uint32], codes: Codes, pads: npt.NDArray[np.uint8], used: int, data: npt.NDArray[np.uint8]
) -> tuple[int, int]:
    """Write a scan.

    Args:
        pads: bits that fill bytes up, which repeat. used: how many of them were before. data: room for the bytes.

    Returns:
        how many bytes there are, -1 if there is no code for a symbol or too little room; bits of ``pads`` used.
    """
    pen = (0, 0, 0)
    for at in range(len(tokens)):
        token = np.int64(tokens[at])
        table, bits = token >> _TABLE, token >> _COUNT & 15
        if pen[2] + MARGIN > len(data):
            return -1, used
        if table < TABLES:
            symbol = token >> _SYMBOL & 255
            size = np.int64(codes.size[table, symbol])
            if not size:
                return -1, used
            code = np.int64(codes.code[table, symbol])
            pen = _write_bits(data, pen, code << bits | (token & 0xFFFF), size + bits)
        elif table == _BITS:
            pen = _write_bits(data, pen, token & 0xFFFF, token >> _COUNT & 31)
        else:
            while pen[1] & 7:
                pen = _write_bits(data, pen, np.int64(pads[used % len(pads)]), 1)
                used += 1
            word, count, made = _drain(data, pen)
            if token & 15 != NO_MARKER:
                data[made], data[made + 1] = 0xFF, 0xD0 + (token & 15)
                made += 2
            pen = (word, count, made)
    return pen[2], used
