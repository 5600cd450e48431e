"""Deflate streams are parsed into blocks, code lengths and tokens."""

from __future__ import annotations

from typing import Any, NamedTuple

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
    REACHED,
    REPEAT,
    SIZE_DISTANCES,
    SIZE_LITERALS,
    SIZE_ORDER,
    SIZE_SYMBOLS,
    START,
    STORED,
    TOKENS,
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
from arcomp.deflate.loads import byte
from arcomp.deflate.tokens import put_token
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
MOST_STORED = 0xFFFF
"""Bytes of a stored block."""
FAR_AWAY = 1 << 60
TABLE = 1 << 15
"""Where the table of distances begins, after that of literals."""
BIT, AT, TOKEN, ROW, INSIDE, FARTHEST, STATES = range(7)
"""Where the parser is: bit of the stream, byte of the content, place of the token, block, and whether inside a block;
and the farthest distance so far."""
SPACE = 8
"""Bytes more than a match may take, that there are for content and for tokens."""


@kernel(inner=True)
def peek(stream: Any, bit: Any, count: Any) -> Any:
    """So many bits, at most 16, from a bit on; zeros beyond the end."""
    value = 0
    for k in range(3):
        i = (bit >> 3) + k
        if i < stream.shape[0]:
            value |= byte(stream, i) << (8 * k)
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
    sizes, lengths, symbols, order, table = trees.sizes, trees.lengths, trees.symbols, trees.order, trees.workspace
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
    total, end = sizes[SIZE_LITERALS] + sizes[SIZE_DISTANCES], 8 * stream.shape[0]
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
def _tokens(m: Any) -> Any:
    """The tokens of a block up to its end, or as long as there is room."""
    stream, state, data, tokens, blocks, tables = m.stream, m.state, m.data, m.tokens, m.blocks, m.tables
    size = stream.shape[0]
    at, held = (state[BIT] + 7) >> 3, -state[BIT] & 7
    buffer = np.uint64(stream[at - 1]) >> np.uint64(8 - held) if held else np.uint64(0)
    p, t, status, farthest, reached, count = (
        state[AT],
        state[TOKEN],
        FULL,
        state[FARTHEST],
        blocks[state[ROW], REACHED],
        0,
    )
    most = min(data.shape[0] - p, tokens.shape[0] - t) + p - MAX_MATCH - SPACE
    mask, far_mask = np.uint64((1 << m.widths[0]) - 1), np.uint64((1 << m.widths[1]) - 1)
    while p < most:
        while held < 48:
            if at < size:
                buffer |= np.uint64(byte(stream, at)) << np.uint64(held)
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
            count += 1
            continue
        if symbol == END_BLOCK or bits == 0 or symbol >= USED_CODES:
            status = DONE if symbol == END_BLOCK else _CODE
            break
        told, distance, buffer, bits = _match(symbol, buffer, tables, far_mask)
        held -= bits
        if distance == 0 or distance > p:
            status = _DISTANCE if distance else _CODE
            break
        t = put_token(tokens, t, told << 16 | distance)
        count += 1
        farthest, reached = max(farthest, distance), min(reached, p - distance)
        for _ in range(min(told, MAX_MATCH)):
            data[p] = byte(data, p - distance)
            p += 1
    state[BIT], state[AT], state[TOKEN], state[FARTHEST] = at * 8 - held, p, t, farthest
    blocks[state[ROW], REACHED] = reached
    blocks[state[ROW], TOKENS] += count
    return status


@kernel(inner=True)
def _open(m: Any) -> Any:
    """The head of a block, and the tables of its codes. Returns DONE or a number of ERRORS."""
    stream, state, blocks, trees, widths = m.stream, m.state, m.blocks, m.trees, m.widths
    row, bit, end = state[ROW], state[BIT], 8 * stream.shape[0]
    if bit + 3 > end:
        return _EARLY
    last, kind = peek(stream, bit, 1), peek(stream, bit + 1, 2)
    bit += 3
    if kind == 3:
        return _RESERVED
    for i in range(COLUMNS):
        blocks[row, i] = 0
    blocks[row, KIND], blocks[row, LAST], blocks[row, REACHED] = kind, last, FAR_AWAY
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
    widths[0] = fill_table(trees.lengths, 0, literals, m.tables, 0)
    widths[1] = fill_table(trees.lengths, literals, trees.sizes[SIZE_DISTANCES], m.tables, TABLE)
    return _LENGTHS if min(widths[0], widths[1]) < 0 else DONE


@kernel()
def _parse(m: Any) -> Any:
    """Go on with a stream, to its end or as long as there is room."""
    stream, state, data, blocks = m.stream, m.state, m.data, m.blocks
    while True:
        row = state[ROW]
        if not state[INSIDE]:
            if row == blocks.shape[0]:
                return FULL
            status = _open(m)
            if status < 0:
                return status
            state[INSIDE] = 1
        if blocks[row, KIND] == STORED:
            length, p, at = blocks[row, LENGTH], state[AT], state[BIT] >> 3
            if p + length > data.shape[0] - MAX_MATCH - SPACE:
                return FULL
            for i in range(length):
                data[p + i] = stream[at + i]
            state[AT] += length
            state[BIT] += 8 * length
        else:
            status = _tokens(m)
            if status != DONE:
                return status
            blocks[row, LENGTH] = state[AT] - blocks[row, START]
        state[INSIDE] = 0
        state[ROW] += 1
        if blocks[row, LAST]:
            return DONE


class Parsed(NamedTuple):
    """A stream, taken apart."""

    data: UInt8
    """The content."""
    tokens: UInt8
    """As in :class:`Machine`."""
    blocks: Int64
    """As in :class:`Machine`, and one row more, where they end."""
    bits: int
    """Of the stream that were used."""
    farthest: int
    """Distance."""


class _Parser(NamedTuple):
    """What parsing takes."""

    stream: UInt8
    state: Int64
    data: UInt8
    tokens: UInt8
    blocks: Int64
    trees: Header
    tables: Int32
    """Of the codes of a block."""
    widths: Int64
    """Log2 of their sizes."""


def _room(stream: bytes) -> tuple[UInt8, UInt8, Int64]:
    """For content, tokens and blocks. Memory that is not written to is none yet."""
    size, blocks = 4 * len(stream) + 4096, 16 + (len(stream) >> 10)
    return np.empty(size, np.uint8), np.empty(size, np.uint8), np.zeros((blocks, COLUMNS), np.int64)


def _parser() -> _Parser:
    """Without a stream."""
    state, tables, widths = np.zeros(STATES, np.int64), np.zeros(2 * TABLE, np.int32), np.zeros(2, np.int64)
    return _Parser(np.zeros(0, np.uint8), state, *_room(b""), header(), tables, widths)


def wanted() -> apart.Wanted:
    """The kernel, and what it takes."""
    return _parse, (record(_parser()),)


class Parser:
    """Parses one stream after the other: what the kernel takes is packed once."""

    def __init__(self) -> None:
        self._held = record(_parser())

    def parse(self, stream: bytes) -> Parsed:
        """All of a stream.

        Raises:
            ValueError: a reason why this is no deflate stream.
        """
        held = self._held
        data, tokens, blocks = _room(stream)
        state = np.zeros(STATES, np.int64)
        held.put(stream=np.frombuffer(stream, np.uint8), state=state, data=data, tokens=tokens, blocks=blocks)
        while (status := _parse(held)) == FULL:
            share = 8 * len(stream) / max(int(state[BIT]), 1)
            if state[ROW] == len(blocks):
                blocks = np.concatenate([blocks, np.zeros_like(blocks)])
            else:
                for array, used in ((data, int(state[AT])), (tokens, int(state[TOKEN]))):
                    if len(array) - used < MOST_STORED + MAX_MATCH + SPACE:  # in place, and as much as it seems to have
                        size = int(used * min(max(1.02 * share, 1.25), 4)) + (1 << 18)
                        array.resize(size, refcheck=False)
            held.put(data=data, tokens=tokens, blocks=blocks)
        if status < 0:
            raise ValueError(ERRORS[int(status)])
        end = np.zeros((1, COLUMNS), np.int64)
        end[0, [FIRST_TOKEN, START]] = state[TOKEN], state[AT]
        blocks, bits = np.concatenate([blocks[: state[ROW]], end]), int(state[BIT])
        blocks[-1, PAD_BITS] = stream[bits >> 3] >> (bits & 7) if bits & 7 else 0
        return Parsed(data[: state[AT]], tokens[: state[TOKEN]], blocks, bits, int(state[FARTHEST]))
