"""The head of a block with codes: as an encoder makes it of the block's tokens, or corrected."""

from __future__ import annotations

from typing import Any

from arcomp.deflate.corrections import (
    BLOCK_FIXED,
    ORDER_AS_EXPECTED,
    OTHER_LENGTH,
    SAME_LENGTH,
    SIZES_AS_EXPECTED,
    SYMBOL_KIND,
    SYMBOLS_AS_EXPECTED,
    TREES_AS_EXPECTED,
    code_bit,
    code_evenly,
)  # fmt: skip
from arcomp.deflate.layout import (
    ENCODE,
    LENGTH_CODES,
    LENGTH_ORDER,
    LITERAL_CODES,
    MANY_ZEROS,
    OUT,
    OUT_BITS,
    OUT_HELD,
    PHASE,
    REPEAT,
    SIZE_DISTANCES,
    SIZE_LITERALS,
    SIZE_ORDER,
    SIZE_SYMBOLS,
    TOKEN,
    ZEROS,
)  # fmt: skip
from arcomp.deflate.parse import read_trees
from arcomp.deflate.trees import ZLIB, code_bits, expect_header, expect_order, expect_symbols
from arcomp.deflate.writing import write_trees
from arcomp.exact import apart
from arcomp.exact.compiled import kernel

WRONG_HEAD, HEAD_WANTED = -1, -2


@kernel(inner=True)
def code_head(m: Any, fixed: Any, bit: Any) -> Any:
    """Code whether a block has fixed codes, and if not, which code lengths.

    The block's symbols have been counted. In encoding, ``bit`` is where the stream has the code lengths; afterwards
    ``m.header`` has them. Returns 1 for fixed codes, else 0; WRONG_HEAD if the code lengths cannot be, HEAD_WANTED if
    they are not as expected and there is no kernel for that.
    """
    trees, builder, encoding = m.header, m.rules.builder, m.numbers[PHASE] == ENCODE
    own = expect_header(trees, builder) + code_bits(trees, False)
    common = code_bits(trees, True)
    shorter = (common + 10) >> 3 <= (own + 10) >> 3 if builder == ZLIB else common <= own  # zlib compares bytes
    if code_bit(m, BLOCK_FIXED + int(shorter), fixed):
        return 1
    if code_bit(m, TREES_AS_EXPECTED, int(encoding and _is_as_expected(m, bit))):
        return 0
    if m.correct == 0:
        return HEAD_WANTED
    apart.call(m.correct, (m, bit))
    return m.numbers[TOKEN]


@kernel(inner=True)
def _is_as_expected(m: Any, bit: Any) -> Any:
    """Whether a stream has the expected head of a block at a bit."""
    numbers, first = m.numbers, bit >> 3
    numbers[OUT], numbers[OUT_HELD] = 0, bit & 7
    numbers[OUT_BITS] = m.stream[first] & ((1 << (bit & 7)) - 1)
    write_trees(m, m.scratch)
    size, left = numbers[OUT], numbers[OUT_HELD]
    if first + size + (left > 0) > m.stream.shape[0]:
        return False
    for i in range(size):
        if m.scratch[i] != m.stream[first + i]:
            return False
    return left == 0 or numbers[OUT_BITS] == m.stream[first + size] & ((1 << left) - 1)


@kernel(apart=True)
def correct(m: Any, bit: Any) -> None:
    """Code the code lengths of a block beside those that are expected. TOKEN is then 0, or WRONG_HEAD."""
    trees, given, builder, encoding = m.header, m.given, m.rules.builder, m.numbers[PHASE] == ENCODE
    if encoding:
        read_trees(m.stream, bit, given)
    m.numbers[TOKEN] = 0
    _code_lengths(m)
    expect_symbols(trees, builder)
    if not code_bit(m, SYMBOLS_AS_EXPECTED, int(encoding and _same_symbols(trees, given))) and not _code_symbols(m):
        m.numbers[TOKEN] = WRONG_HEAD
        return
    expect_order(trees, builder)
    if not code_bit(m, ORDER_AS_EXPECTED, int(encoding and _same_order(trees, given))):
        trees.sizes[SIZE_ORDER] = code_evenly(m, given.sizes[SIZE_ORDER] - 4, 4) + 4
        for i in range(LENGTH_CODES):
            k = LENGTH_ORDER[i]
            trees.order[k] = code_evenly(m, given.order[k], 3) if i < trees.sizes[SIZE_ORDER] else 0


@kernel(inner=True)
def _same_symbols(a: Any, b: Any) -> Any:
    same = a.sizes[SIZE_SYMBOLS] == b.sizes[SIZE_SYMBOLS]
    for i in range(a.sizes[SIZE_SYMBOLS]):
        same = same and a.symbols[i] == b.symbols[i]
    return same


@kernel(inner=True)
def _same_order(a: Any, b: Any) -> Any:
    same = a.sizes[SIZE_ORDER] == b.sizes[SIZE_ORDER]
    for i in range(LENGTH_CODES):
        same = same and a.order[i] == b.order[i]
    return same


@kernel(inner=True)
def _code_lengths(m: Any) -> None:
    """Code how many code lengths there are, and each of them beside the one that is expected."""
    trees, given = m.header, m.given
    sizes, lengths = trees.sizes, given.lengths
    same = sizes[SIZE_LITERALS] == given.sizes[SIZE_LITERALS] and sizes[SIZE_DISTANCES] == given.sizes[SIZE_DISTANCES]
    if not code_bit(m, SIZES_AS_EXPECTED, int(same)):
        sizes[SIZE_LITERALS] = code_evenly(m, given.sizes[SIZE_LITERALS] - 257, 5) + 257
        sizes[SIZE_DISTANCES] = code_evenly(m, given.sizes[SIZE_DISTANCES] - 1, 5) + 1
    literals = sizes[SIZE_LITERALS]
    for i in range(literals + sizes[SIZE_DISTANCES]):
        far = 16 if i >= literals else 0
        likely = trees.expected[LITERAL_CODES + i - literals if far else i]
        if code_bit(m, SAME_LENGTH + far + likely, int(lengths[i] == likely)):
            trees.lengths[i] = likely
            continue
        node = 1
        for k in range(3, -1, -1):
            node = 2 * node + code_bit(m, OTHER_LENGTH + 16 * (far + likely) + node, (lengths[i] >> k) & 1)
        trees.lengths[i] = node & 15


@kernel(inner=True)
def _code_symbols(m: Any) -> Any:
    """Code which symbols tell the code lengths. Returns whether they do."""
    trees, given = m.header, m.given
    lengths, end = trees.lengths, trees.sizes[SIZE_LITERALS] + trees.sizes[SIZE_DISTANCES]
    i, told = 0, 0
    while i < end:
        symbol, extra = given.symbols[told] & 255, given.symbols[told] >> 8
        kind: Any = max(symbol - REPEAT + 1, 0)
        high = code_bit(m, SYMBOL_KIND, kind >> 1)
        kind = 2 * high + code_bit(m, SYMBOL_KIND + 1 + high, kind & 1)
        times, symbol, value = 1, kind + REPEAT - 1, 0
        if kind == 0:
            symbol, extra, value = lengths[i], 0, lengths[i]
        else:
            extra = code_evenly(m, extra, 2 if symbol == REPEAT else 3 if symbol == ZEROS else 7)
            times = extra + (11 if symbol == MANY_ZEROS else 3)
            if symbol == REPEAT:
                value = lengths[i - 1] if i else -1
        if i + times > end:
            return False
        for k in range(i, i + times):
            if lengths[k] != value:
                return False
        trees.symbols[told] = symbol + 256 * extra
        i += times
        told += 1
    trees.sizes[SIZE_SYMBOLS] = told
    return True
