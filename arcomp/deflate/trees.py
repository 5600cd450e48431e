"""Code lengths as encoders choose them for the symbols of a block, and codes for code lengths.

Two builders: zlib's (``build_tree`` and ``gen_bitlen`` of trees.c) merges nodes in a heap, in which equal frequencies
are told apart by depth; libdeflate's merges a sorted list of leaves with a queue of nodes.
"""

from __future__ import annotations

from typing import Any

from arcomp.deflate.layout import (
    DISTANCE_CODES,
    DISTANCE_EXTRA,
    END_BLOCK,
    LENGTH_CODES,
    LENGTH_EXTRA,
    LENGTH_ORDER,
    LITERAL_CODES,
    MANY_ZEROS,
    REPEAT,
    SIZE_DISTANCES,
    SIZE_LITERALS,
    SIZE_ORDER,
    SIZE_SYMBOLS,
    USED_CODES,
    USED_DISTANCES,
    ZEROS,
)  # fmt: skip
from arcomp.exact.compiled import kernel

ZLIB, LIBDEFLATE = range(2)
"""Builders."""
_FREQUENCY, _DEPTH, _PARENT, _HEAP, _SORTED, _TALLY = 0, 640, 1280, 1920, 2560, 3200
"""Where things are in the room to work: of each leaf and node, then lists of them; nodes that have each length."""


@kernel(inner=True)
def _before(work: Any, a: Any, b: Any) -> Any:
    """Whether one node comes before another in zlib's heap."""
    x, y = work[_FREQUENCY + a], work[_FREQUENCY + b]
    return x < y or (x == y and work[_DEPTH + a] <= work[_DEPTH + b])


@kernel(inner=True)
def _sift(work: Any, k: Any, size: Any) -> None:
    """Move a node of the heap down to its place (``pqdownheap``). The heap's first place is 1."""
    node, j = work[_HEAP + k], 2 * k
    while j <= size:
        if j < size and _before(work, work[_HEAP + j + 1], work[_HEAP + j]):
            j += 1
        if _before(work, node, work[_HEAP + j]):
            break
        work[_HEAP + k] = work[_HEAP + j]
        k, j = j, 2 * j
    work[_HEAP + k] = node


@kernel(inner=True)
def _zlib(counts: Any, first: Any, count: Any, longest: Any, lengths: Any, work: Any) -> None:
    """zlib's code lengths for these counts."""
    size, most = 0, -1
    for i in range(count):
        lengths[first + i] = 0
        work[_FREQUENCY + i], work[_DEPTH + i] = counts[first + i], 0
        if counts[first + i]:
            size += 1
            most = i
            work[_HEAP + size] = i
    while size < 2:
        most, i = (most + 1, most + 1) if most < 2 else (most, 0)
        size += 1
        work[_HEAP + size] = i
        work[_FREQUENCY + i] = 1
    for k in range(size // 2, 0, -1):
        _sift(work, k, size)
    node, listed = count, 0
    while size > 1:
        a = work[_HEAP + 1]
        work[_HEAP + 1] = work[_HEAP + size]
        size -= 1
        _sift(work, 1, size)
        b = work[_HEAP + 1]
        work[_SORTED + listed], work[_SORTED + listed + 1] = a, b
        listed += 2
        work[_FREQUENCY + node] = work[_FREQUENCY + a] + work[_FREQUENCY + b]
        work[_DEPTH + node] = max(work[_DEPTH + a], work[_DEPTH + b]) + 1
        work[_PARENT + a] = work[_PARENT + b] = node
        work[_HEAP + 1] = node
        node += 1
        _sift(work, 1, size)
    for bits in range(longest + 1):
        work[_TALLY + bits] = 0
    over = 0
    work[_DEPTH + node - 1] = 0  # from here on the length of its code, seen from the root
    for k in range(listed - 1, -1, -1):
        i = work[_SORTED + k]
        bits = work[_DEPTH + work[_PARENT + i]] + 1
        if bits > longest:
            bits = longest
            over += 1
        work[_DEPTH + i] = bits
        if i < count:
            work[_TALLY + bits] += 1
            lengths[first + i] = bits
    if over:
        _shorten(first, count, longest, over, lengths, work)


@kernel(inner=True)
def _shorten(first: Any, count: Any, longest: Any, over: Any, lengths: Any, work: Any) -> None:
    """Code lengths anew, for so many leaves and nodes are too deep: the rarest symbols get the longest codes."""
    while over > 0:
        bits = longest - 1
        while work[_TALLY + bits] == 0:
            bits -= 1
        work[_TALLY + bits] -= 1
        work[_TALLY + bits + 1] += 2
        work[_TALLY + longest] -= 1
        over -= 2
    k = 0
    for bits in range(longest, 0, -1):
        left = work[_TALLY + bits]
        while left:
            if work[_SORTED + k] < count:
                lengths[first + work[_SORTED + k]] = bits
                left -= 1
            k += 1


@kernel(inner=True)
def _sort(counts: Any, first: Any, count: Any, work: Any) -> Any:
    """Symbols that occur, the rarest first, those with equal counts by number. Returns how many. (Shell's sort.)"""
    size = 0
    for i in range(count):
        if counts[first + i]:
            work[_SORTED + size] = i
            size += 1
    gap = size // 2
    while gap:
        for k in range(gap, size):
            i, j = work[_SORTED + k], k
            while j >= gap:
                other = work[_SORTED + j - gap]
                x, y = counts[first + other], counts[first + i]
                if x < y or (x == y and other < i):
                    break
                work[_SORTED + j] = other
                j -= gap
            work[_SORTED + j] = i
        gap //= 2
    return size


@kernel(inner=True)
def _libdeflate(counts: Any, first: Any, count: Any, longest: Any, lengths: Any, work: Any) -> None:
    """libdeflate's code lengths for these counts."""
    for i in range(count):
        lengths[first + i] = 0
    size = _sort(counts, first, count, work)
    if size < 2:
        only = work[_SORTED] if size else 0
        lengths[first] = lengths[first + max(only, 1)] = 1
        return
    leaf, low, node = 0, 0, 0  # the rarest leaf and node that have no parent; the next node
    while node < size - 1:
        total = 0
        for _ in range(2):
            rare = counts[first + work[_SORTED + leaf]] if leaf < size else 0
            if leaf < size and (low == node or rare <= work[_FREQUENCY + low]):
                total += rare
                leaf += 1
            else:
                total += work[_FREQUENCY + low]
                work[_PARENT + low] = node
                low += 1
        work[_FREQUENCY + node] = total
        node += 1
    for bits in range(longest + 2):
        work[_TALLY + bits] = 0
    work[_TALLY + 1] = 2
    work[_DEPTH + node - 1] = 0
    for k in range(node - 2, -1, -1):
        bits = work[_DEPTH + work[_PARENT + k]] + 1
        work[_DEPTH + k] = bits
        if bits >= longest:
            bits = longest - 1
            while work[_TALLY + bits] == 0:
                bits -= 1
        work[_TALLY + bits] -= 1
        work[_TALLY + bits + 1] += 2
    k = 0
    for bits in range(longest, 0, -1):
        for _ in range(work[_TALLY + bits]):
            lengths[first + work[_SORTED + k]] = bits
            k += 1


@kernel(inner=True)
def build(counts: Any, first: Any, count: Any, longest: Any, lengths: Any, work: Any, builder: Any) -> None:
    """Code lengths for counts[first : first + count], of so many bits at most."""
    if builder == ZLIB:
        _zlib(counts, first, count, longest, lengths, work)
    else:
        _libdeflate(counts, first, count, longest, lengths, work)


@kernel(inner=True)
def expect_lengths(trees: Any, builder: Any) -> None:
    """The code lengths that a builder gives for the counts of a block."""
    build(trees.counts, 0, USED_CODES, 15 if builder == ZLIB else 14, trees.expected, trees.workspace, builder)
    build(trees.counts, LITERAL_CODES, USED_DISTANCES, 15, trees.expected, trees.workspace, builder)
    for i in range(USED_CODES, LITERAL_CODES):
        trees.expected[i] = 0
    for i in range(LITERAL_CODES + USED_DISTANCES, LITERAL_CODES + DISTANCE_CODES):
        trees.expected[i] = 0


@kernel(inner=True)
def expect_header(trees: Any, builder: Any) -> Any:
    """All that comes before the symbols of a dynamic block, as a builder makes it of the counts. Returns its bits."""
    expect_lengths(trees, builder)
    sizes, expected = trees.sizes, trees.expected
    sizes[SIZE_LITERALS], sizes[SIZE_DISTANCES] = LITERAL_CODES, DISTANCE_CODES
    while sizes[SIZE_LITERALS] > 257 and expected[sizes[SIZE_LITERALS] - 1] == 0:
        sizes[SIZE_LITERALS] -= 1
    while sizes[SIZE_DISTANCES] > 1 and expected[LITERAL_CODES + sizes[SIZE_DISTANCES] - 1] == 0:
        sizes[SIZE_DISTANCES] -= 1
    literals = sizes[SIZE_LITERALS]
    for i in range(literals):
        trees.lengths[i] = expected[i]
    for i in range(sizes[SIZE_DISTANCES]):
        trees.lengths[literals + i] = expected[LITERAL_CODES + i]
    expect_symbols(trees, builder)
    expect_order(trees, builder)
    bits = 14 + 3 * sizes[SIZE_ORDER]
    for i in range(sizes[SIZE_SYMBOLS]):
        symbol = trees.symbols[i] & 255
        bits += trees.order[symbol] + (2 if symbol == REPEAT else 3 if symbol == ZEROS else 0)
        bits += 7 if symbol == MANY_ZEROS else 0
    return bits


@kernel(inner=True)
def _run(lengths: Any, first: Any, end: Any, symbols: Any, told: Any) -> Any:
    """Tell a part of the code lengths by runs as long as can be. Returns how many symbols there are then."""
    i = first
    while i < end:
        value, run = lengths[i], 1
        while i + run < end and lengths[i + run] == value:
            run += 1
        i += run
        if value:
            symbols[told] = value
            told += 1
            run -= 1
        while run >= 3:
            most = 6 if value else 138
            part = min(run, most)
            symbol = REPEAT if value else ZEROS if part <= 10 else MANY_ZEROS
            symbols[told] = symbol + 256 * (part - (11 if symbol == MANY_ZEROS else 3))
            told += 1
            run -= part
        for _ in range(run):
            symbols[told] = value
            told += 1
    return told


@kernel(inner=True)
def expect_symbols(trees: Any, builder: Any) -> None:
    """The symbols that tell the code lengths: zlib's runs end with the literals'."""
    literals, told = trees.sizes[SIZE_LITERALS], 0
    end = literals + trees.sizes[SIZE_DISTANCES]
    if builder == ZLIB:
        told = _run(trees.lengths, 0, literals, trees.symbols, told)
        trees.sizes[SIZE_SYMBOLS] = _run(trees.lengths, literals, end, trees.symbols, told)
    else:
        trees.sizes[SIZE_SYMBOLS] = _run(trees.lengths, 0, end, trees.symbols, told)


@kernel(inner=True)
def expect_order(trees: Any, builder: Any) -> None:
    """The code for the symbols that there are."""
    counts = trees.codes
    for i in range(LENGTH_CODES):
        counts[i] = 0
    for i in range(trees.sizes[SIZE_SYMBOLS]):
        counts[trees.symbols[i] & 255] += 1
    build(counts, 0, LENGTH_CODES, 7, trees.order, trees.workspace, builder)
    size = LENGTH_CODES
    while size > 4 and trees.order[LENGTH_ORDER[size - 1]] == 0:
        size -= 1
    trees.sizes[SIZE_ORDER] = size


@kernel(inner=True)
def make_codes(lengths: Any, first: Any, count: Any, codes: Any, at: Any) -> Any:
    """Codes of these lengths (3.2.2), the first bit lowest. Returns whether they are a code."""
    code, room = 0, 1 << 15
    for bits in range(1, 16):
        for i in range(count):
            if lengths[first + i] == bits:
                reverse = 0
                for k in range(bits):
                    reverse |= ((code >> k) & 1) << (bits - 1 - k)
                codes[at + i] = reverse
                code += 1
                room -= (1 << 15) >> bits
        code <<= 1
    return room >= 0


@kernel(inner=True)
def code_bits(trees: Any, fixed: Any) -> Any:
    """Bits of a block's symbols and their extra bits: in the fixed codes, or those that are expected."""
    total = 0
    for i in range(USED_CODES):
        bits = (8 if i < 144 else 9 if i < 256 else 7 if i < 280 else 8) if fixed else trees.expected[i]
        total += trees.counts[i] * (bits + (LENGTH_EXTRA[i - 257] if i > END_BLOCK else 0))
    for i in range(USED_DISTANCES):
        bits = 5 if fixed else trees.expected[LITERAL_CODES + i]
        total += trees.counts[LITERAL_CODES + i] * (bits + DISTANCE_EXTRA[i])
    return total
