"""Blocks are written."""

from __future__ import annotations

from typing import Any

from arcomp.deflate.layout import (
    DISTANCE_BASE,
    DISTANCE_CODE,
    DISTANCE_EXTRA,
    DYNAMIC,
    END_BLOCK,
    FIXED,
    LENGTH_BASE,
    LENGTH_CODE,
    LENGTH_CODES,
    LENGTH_EXTRA,
    LENGTH_ORDER,
    LITERAL_CODES,
    MAX_MATCH,
    OUT,
    OUT_BITS,
    OUT_HELD,
    REPEAT,
    SIZE_DISTANCES,
    SIZE_LITERALS,
    SIZE_ORDER,
    SIZE_SYMBOLS,
    ZEROS,
)  # fmt: skip
from arcomp.deflate.tokens import token_at, token_bytes
from arcomp.deflate.trees import make_codes
from arcomp.exact.compiled import kernel

HEAD_BYTES = 1024
"""Bytes that the head of a block may take, with all that is not in proportion to its content."""


@kernel(inline="always")
def distance_code(distance: Any) -> Any:
    """The symbol of a distance."""
    return DISTANCE_CODE[distance - 1] if distance <= 256 else DISTANCE_CODE[256 + ((distance - 1) >> 7)]


@kernel(inner=True)
def put(stream: Any, numbers: Any, value: Any, bits: Any) -> None:
    """Write so many bits, at most 32, the lowest first."""
    held, count, out = numbers[OUT_BITS] | value << numbers[OUT_HELD], numbers[OUT_HELD] + bits, numbers[OUT]
    while count >= 8:
        stream[out] = held & 255
        held >>= 8
        count -= 8
        out += 1
    numbers[OUT_BITS], numbers[OUT_HELD], numbers[OUT] = held, count, out


@kernel(inner=True)
def pad(m: Any, value: Any) -> None:
    """Fill up a byte with the lowest bits of a value."""
    bits = -m.numbers[OUT_HELD] & 7
    put(m.stream, m.numbers, value & ((1 << bits) - 1), bits)


@kernel(inner=True)
def count_symbols(data: Any, tokens: Any, first: Any, last: Any, p: Any, trees: Any) -> None:
    """How often each symbol occurs in a block."""
    counts = trees.counts
    for i in range(counts.shape[0]):
        counts[i] = 0
    counts[END_BLOCK] = 1
    t = first
    while t < last:
        token = token_at(tokens, t)
        t += token_bytes(token)
        length = token >> 16
        if length:
            counts[257 + LENGTH_CODE[length]] += 1
            counts[LITERAL_CODES + distance_code(token & 0xFFFF)] += 1
            p += min(length, MAX_MATCH)
        else:
            counts[data[p]] += 1
            p += 1


@kernel(inner=True)
def write_trees(m: Any, stream: Any) -> Any:
    """The code lengths of a dynamic block. Returns whether there is a code for each symbol that tells them."""
    numbers, trees = m.numbers, m.header
    sizes, order, codes = trees.sizes, trees.order, trees.codes
    put(stream, numbers, sizes[SIZE_LITERALS] - 257, 5)
    put(stream, numbers, sizes[SIZE_DISTANCES] - 1, 5)
    put(stream, numbers, sizes[SIZE_ORDER] - 4, 4)
    for i in range(sizes[SIZE_ORDER]):
        put(stream, numbers, order[LENGTH_ORDER[i]], 3)
    if not make_codes(order, 0, LENGTH_CODES, codes, 0):
        return False
    for i in range(sizes[SIZE_SYMBOLS]):
        symbol, extra = trees.symbols[i] & 255, trees.symbols[i] >> 8
        if order[symbol] == 0:
            return False
        put(stream, numbers, codes[symbol], order[symbol])
        if symbol >= REPEAT:
            put(stream, numbers, extra, 2 if symbol == REPEAT else 3 if symbol == ZEROS else 7)
    return True


@kernel(inner=True)
def _make_block_codes(m: Any, fixed: Any) -> Any:
    """Codes of a block, with their lengths in ``expected``. Returns whether there is one for each symbol in use."""
    trees = m.header
    literals, distances = (LITERAL_CODES, 32) if fixed else (trees.sizes[SIZE_LITERALS], trees.sizes[SIZE_DISTANCES])
    for i in range(LITERAL_CODES):
        bits = 8 if i < 144 else 9 if i < 256 else 7 if i < 280 else 8
        trees.expected[i] = bits if fixed else trees.lengths[i] if i < literals else 0
    for i in range(32):
        trees.expected[LITERAL_CODES + i] = 5 if fixed else trees.lengths[literals + i] if i < distances else 0
    whole = make_codes(trees.expected, 0, LITERAL_CODES, trees.codes, 0)
    whole = make_codes(trees.expected, LITERAL_CODES, 32, trees.codes, LITERAL_CODES) and whole
    for i in range(LITERAL_CODES + 32):
        whole = whole and (trees.counts[i] == 0 or trees.expected[i] > 0)
    return whole


@kernel(inner=True)
def write_block(m: Any, fixed: Any, last: Any, end: Any, p: Any) -> Any:
    """A block with codes: tokens up to ``end``, content from p on. Returns whether there are codes."""
    stream, numbers, trees, data = m.stream, m.numbers, m.header, m.data
    put(stream, numbers, last | (FIXED if fixed else DYNAMIC) << 1, 3)
    if not fixed and not write_trees(m, stream):
        return False
    if not _make_block_codes(m, fixed):
        return False
    codes, bits = trees.codes, trees.expected
    t = 0
    while t < end:
        token: Any = token_at(m.tokens, t)
        t += token_bytes(token)
        length, distance = token >> 16, token & 0xFFFF
        if length == 0:
            put(stream, numbers, codes[data[p]], bits[data[p]])
            p += 1
            continue
        symbol = LENGTH_CODE[length]
        length = min(length, MAX_MATCH)
        put(stream, numbers, codes[257 + symbol], bits[257 + symbol])
        put(stream, numbers, length - LENGTH_BASE[symbol], LENGTH_EXTRA[symbol])
        symbol = distance_code(distance)
        put(stream, numbers, codes[LITERAL_CODES + symbol], bits[LITERAL_CODES + symbol])
        put(stream, numbers, distance - DISTANCE_BASE[symbol], DISTANCE_EXTRA[symbol])
        p += length
    put(stream, numbers, codes[END_BLOCK], bits[END_BLOCK])
    return True


@kernel(inner=True)
def write_stored(m: Any, last: Any, padding: Any, p: Any, length: Any) -> None:
    """A stored block (3.2.4)."""
    stream, numbers = m.stream, m.numbers
    put(stream, numbers, last, 3)
    pad(m, padding)
    put(stream, numbers, length, 16)
    put(stream, numbers, length ^ 0xFFFF, 16)
    out = numbers[OUT]
    for i in range(length):
        stream[out + i] = m.data[p + i]
    numbers[OUT] += length
