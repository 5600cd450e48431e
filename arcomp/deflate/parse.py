"""Deflate streams are parsed into blocks, code lengths and tokens."""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.deflate.layout import (
    COLUMNS,
    DISTANCE_BASE,
    DISTANCE_CODES,
    DISTANCE_EXTRA,
    END_BLOCK,
    FIRST_TOKEN,
    FIXED,
    KIND,
    LAST,
    LENGTH,
    LENGTH_BASE,
    LENGTH_CODES,
    LENGTH_EXTRA,
    LENGTH_ORDER,
    LITERAL_CODES,
    MANY_ZEROS,
    MAX_MATCH,
    ODD_MATCH,
    PAD_BITS,
    PADDING,
    REPEAT,
    SIZE_DISTANCES,
    SIZE_LITERALS,
    SIZE_ORDER,
    SIZE_SYMBOLS,
    START,
    STORED,
    TREES,
    USED_CODES,
    USED_DISTANCES,
    ZEROS,
    Header,
    Int32,
    Int64,
    UInt8,
    header,
)  # fmt: skip
from arcomp.exact import apart
from arcomp.exact.compiled import kernel
from arcomp.exact.records import record

DONE, FULL = 0, 1
ERRORS = {
    -1: "it ends too early",
    -2: "a block of kind 3",
    -3: "a stored block whose length is not told twice",
    -4: "code lengths that make no code",
    -5: "a code that stands for nothing",
    -6: "a distance that goes back too far",
}
_EARLY, _RESERVED, _STORED, _LENGTHS, _CODE, _DISTANCE = ERRORS
TABLE = 1 << 15
"""Where the table of distances begins, after that of literals."""
BIT, AT, TOKEN, ROW, INSIDE = range(5)
"""Where the parser is: bit of the stream, byte of the content, token, block, and whether inside a block."""


@kernel(inner=True)
def peek(stream: Any, bit: Any, count: Any) -> Any:
    """So many bits, at most 16, from a bit on; zeros beyond the end. The stream is followed by 8 zeros."""
    i = min(bit >> 3, stream.shape[0] - 8)
    value = stream[i] | np.int64(stream[i + 1]) << 8 | np.int64(stream[i + 2]) << 16
    return (value >> (bit & 7)) & ((1 << count) - 1)


@kernel(inner=True)
def fill_table(lengths: Any, first: Any, count: Any, table: Any, at: Any) -> Any:
    """A table that is looked up by bits of the stream: 16 * symbol + length, 0 for none.

    Returns log2 of its size, -1 if the lengths make no code. One or no symbol, or codes that are left over, are fine.
    """
    longest, room = 0, 1 << 15
    for i in range(first, first + count):
        if lengths[i]:
            longest = max(longest, lengths[i])
            room -= (1 << 15) >> lengths[i]
    if room < 0:
        return -1
    for i in range(at, at + (1 << longest)):
        table[i] = 0
    code = 0
    for bits in range(1, longest + 1):
        for i in range(count):
            if lengths[first + i] == bits:
                reverse = 0
                for k in range(bits):
                    reverse |= ((code >> k) & 1) << (bits - 1 - k)
                for j in range(reverse, 1 << longest, 1 << bits):
                    table[at + j] = 16 * i + bits
                code += 1
        code <<= 1
    return longest


@kernel(inner=True)
def fixed_lengths(trees: Any) -> None:
    """The code lengths of 3.2.6."""
    lengths, sizes = trees.lengths, trees.sizes
    sizes[SIZE_LITERALS], sizes[SIZE_DISTANCES] = LITERAL_CODES, DISTANCE_CODES
    for i in range(LITERAL_CODES):
        lengths[i] = 8 if i < 144 else 9 if i < 256 else 7 if i < 280 else 8
    for i in range(LITERAL_CODES, LITERAL_CODES + DISTANCE_CODES):
        lengths[i] = 5


@kernel(inner=True)
def read_trees(stream: Any, bit: Any, trees: Any) -> Any:
    """The code lengths of a dynamic block (3.2.7). Returns the bit after them, or a number of ERRORS."""
    sizes, lengths, symbols, order, table = trees.sizes, trees.lengths, trees.symbols, trees.order, trees.work
    sizes[SIZE_LITERALS] = peek(stream, bit, 5) + 257
    sizes[SIZE_DISTANCES] = peek(stream, bit + 5, 5) + 1
    sizes[SIZE_ORDER] = peek(stream, bit + 10, 4) + 4
    bit += 14
    for i in range(LENGTH_CODES):
        order[LENGTH_ORDER[i]] = 0
        if i < sizes[SIZE_ORDER]:
            order[LENGTH_ORDER[i]] = peek(stream, bit, 3)
            bit += 3
    longest = fill_table(order, 0, LENGTH_CODES, table, 0)
    if longest < 0:
        return _LENGTHS
    total, end = sizes[SIZE_LITERALS] + sizes[SIZE_DISTANCES], 8 * (stream.shape[0] - 8)
    told, i = 0, 0
    while i < total:
        found = table[peek(stream, bit, longest)]
        bit += found & 15
        symbol, extra, times, value = found >> 4, 0, 1, found >> 4
        if found == 0 or bit > end:
            return _CODE if found == 0 else _EARLY
        if symbol >= REPEAT:
            width = 2 if symbol == REPEAT else 3 if symbol == ZEROS else 7
            extra = peek(stream, bit, width)
            bit += width
            times = extra + (11 if symbol == MANY_ZEROS else 3)
            if i + times > total or (symbol == REPEAT and i == 0):
                return _LENGTHS
            value = lengths[i - 1] if symbol == REPEAT else 0
        symbols[told] = symbol + 256 * extra
        told += 1
        for _ in range(times):
            lengths[i] = value
            i += 1
    sizes[SIZE_SYMBOLS] = told
    return bit if bit <= end else _EARLY


@kernel(inner=True)
def _match(symbol: Any, buffer: Any, tables: Any, mask: Any) -> Any:
    """A match that begins with this symbol: (length as told, distance or 0 if it cannot be, the next bits, how many
    were read)."""
    extra = LENGTH_EXTRA[symbol - 257]
    length = LENGTH_BASE[symbol - 257] + np.int64(buffer & np.uint64((1 << extra) - 1))
    if symbol == 284 and length == MAX_MATCH:
        length = ODD_MATCH
    buffer >>= np.uint64(extra)
    found = np.int64(tables[TABLE + np.int64(buffer & mask)])
    bits, symbol = found & 15, found >> 4
    if bits == 0 or symbol >= USED_DISTANCES:
        return length, 0, buffer, 0
    buffer >>= np.uint64(bits)
    far = DISTANCE_EXTRA[symbol]
    distance = DISTANCE_BASE[symbol] + np.int64(buffer & np.uint64((1 << far) - 1))
    return length, distance, buffer >> np.uint64(far), extra + bits + far


@kernel(inner=True)
def _tokens(stream: Any, state: Any, data: Any, tokens: Any, tables: Any, widths: Any) -> Any:
    """The tokens of a block up to its end, or as long as there is room."""
    size = stream.shape[0] - 8
    at, held = (state[BIT] + 7) >> 3, -state[BIT] & 7
    buffer = np.uint64(stream[at - 1]) >> np.uint64(8 - held) if held else np.uint64(0)
    p, t, status = state[AT], state[TOKEN], FULL
    most, room = data.shape[0] - MAX_MATCH - PADDING, tokens.shape[0]
    mask, far_mask = np.uint64((1 << widths[0]) - 1), np.uint64((1 << widths[1]) - 1)
    while p < most and t < room:
        while held < 48:
            if at < size:
                buffer |= np.uint64(stream[at]) << np.uint64(held)
            at += 1
            held += 8
        found = np.int64(tables[np.int64(buffer & mask)])
        bits, symbol = found & 15, found >> 4
        buffer >>= np.uint64(bits)
        held -= bits
        if at * 8 - held > size * 8:
            status = _EARLY
            break
        if symbol < END_BLOCK and bits:
            data[p] = symbol
            tokens[t] = 0
            p += 1
            t += 1
            continue
        if symbol == END_BLOCK or bits == 0 or symbol >= USED_CODES:
            status = DONE if symbol == END_BLOCK else _CODE
            break
        told, distance, buffer, bits = _match(symbol, buffer, tables, far_mask)
        held -= bits
        if distance == 0 or distance > p:
            status = _DISTANCE if distance else _CODE
            break
        tokens[t] = told << 16 | distance
        t += 1
        for _ in range(min(told, MAX_MATCH)):
            data[p] = data[p - distance]
            p += 1
    state[BIT], state[AT], state[TOKEN] = at * 8 - held, p, t
    return status


@kernel(inner=True)
def _open(stream: Any, state: Any, blocks: Any, trees: Any, tables: Any, widths: Any) -> Any:
    """The head of a block, and the tables of its codes. Returns DONE or a number of ERRORS."""
    row, bit, end = state[ROW], state[BIT], 8 * (stream.shape[0] - 8)
    if bit + 3 > end:
        return _EARLY
    last, kind = peek(stream, bit, 1), peek(stream, bit + 1, 2)
    bit += 3
    if kind == 3:
        return _RESERVED
    for i in range(COLUMNS):
        blocks[row, i] = 0
    blocks[row, KIND], blocks[row, LAST] = kind, last
    blocks[row, START], blocks[row, FIRST_TOKEN], blocks[row, TREES] = state[AT], state[TOKEN], bit
    if kind == STORED:
        blocks[row, PAD_BITS] = peek(stream, bit, -bit & 7)
        bit = (bit + 7) & ~7
        length = peek(stream, bit, 16)
        if bit + 32 + 8 * length > end:
            return _EARLY
        if length ^ peek(stream, bit + 16, 16) != 0xFFFF:
            return _STORED
        blocks[row, LENGTH] = length
        state[BIT] = bit + 32
        return DONE
    if kind == FIXED:
        fixed_lengths(trees)
    else:
        bit = read_trees(stream, bit, trees)
        if bit < 0:
            return bit
    state[BIT] = bit
    literals = trees.sizes[SIZE_LITERALS]
    widths[0] = fill_table(trees.lengths, 0, literals, tables, 0)
    widths[1] = fill_table(trees.lengths, literals, trees.sizes[SIZE_DISTANCES], tables, TABLE)
    return _LENGTHS if min(widths[0], widths[1]) < 0 else DONE


@kernel()
def _parse(
    stream: Any, state: Any, data: Any, tokens: Any, blocks: Any, trees: Any, tables: Any, widths: Any
) -> Any:  # fmt: skip
    """Go on with a stream, to its end or as long as there is room."""
    while True:
        row = state[ROW]
        if not state[INSIDE]:
            if row == blocks.shape[0]:
                return FULL
            status = _open(stream, state, blocks, trees, tables, widths)
            if status < 0:
                return status
            state[INSIDE] = 1
        if blocks[row, KIND] == STORED:
            length, p, at = blocks[row, LENGTH], state[AT], state[BIT] >> 3
            if p + length > data.shape[0] - MAX_MATCH - PADDING:
                return FULL
            for i in range(length):
                data[p + i] = stream[at + i]
            state[AT] += length
            state[BIT] += 8 * length
        else:
            status = _tokens(stream, state, data, tokens, tables, widths)
            if status != DONE:
                return status
            blocks[row, LENGTH] = state[AT] - blocks[row, START]
        state[INSIDE] = 0
        state[ROW] += 1
        if blocks[row, LAST]:
            return DONE


def _held(stream: bytes) -> tuple[UInt8, Int64, UInt8, Int32, Int64, Header, Int32, Int64]:
    """What parsing takes: the stream and 8 zeros; its state; room for content, tokens and blocks; code lengths, tables
    of codes and their widths."""
    given = np.frombuffer(bytearray(stream) + bytes(8), np.uint8)
    data = np.zeros(4 * len(stream) + 4096, np.uint8)
    tokens = np.empty(2 * len(stream) + 64, np.int32)
    blocks = np.zeros((16 + (len(stream) >> 10), COLUMNS), np.int64)
    return (
        given,
        np.zeros(5, np.int64),
        data,
        tokens,
        blocks,
        header(),
        np.zeros(2 * TABLE, np.int32),
        np.zeros(2, np.int64),
    )


def wanted() -> apart.Wanted:
    """The kernel, and what it takes."""
    given, state, data, tokens, blocks, trees, tables, widths = _held(b"")
    return _parse, (given, state, data, tokens, blocks, record(trees), tables, widths)


def parse(stream: bytes) -> tuple[UInt8, Int32, Int64, UInt8, Header, int]:
    """All of a stream.

    Returns:
        the content and PADDING zeros; tokens; blocks and one row more, where they end; the stream and 8 zeros; code
        lengths to work with; bits of the stream that were used.

    Raises:
        ValueError: a reason why this is no deflate stream.
    """
    given, state, data, tokens, blocks, trees, tables, widths = _held(stream)
    while (status := _parse(given, state, data, tokens, blocks, record(trees), tables, widths)) == FULL:
        if state[ROW] == len(blocks):
            blocks = np.concatenate([blocks, np.zeros_like(blocks)])
        elif state[TOKEN] == len(tokens):
            tokens = np.concatenate([tokens, np.empty_like(tokens)])
        else:
            data = np.concatenate([data, np.zeros(len(data) + (1 << 16), np.uint8)])
    if status < 0:
        raise ValueError(ERRORS[int(status)])
    end = np.zeros((1, COLUMNS), np.int64)
    end[0, [FIRST_TOKEN, START]] = state[TOKEN], state[AT]
    blocks = np.concatenate([blocks[: state[ROW]], end])
    size = int(state[AT])
    data[size:] = 0
    return data[: size + PADDING], tokens[: state[TOKEN]], blocks, given, trees, int(state[BIT])
