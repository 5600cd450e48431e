"""The next token that libdeflate would write, and where it would end a block (deflate_compress.c).

Positions are chained by their first four bytes; beside the chain there is the nearest position with the same three
bytes. The greedy compressor takes the longest match, the lazy ones look one or two positions further. Matches shorter
than a minimum, which follows from how many different literals there are, are not taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.deflate.layout import (
    BLOCK_LIMIT,
    BLOCK_START,
    CARRIED,
    CHAIN,
    CHAIN_3,
    ENDS,
    FORCED,
    HEAD,
    HEAD_3,
    INSERTED,
    MATCHES,
    MAX_MATCH,
    MIN_MATCH,
    MINIMUM,
    NEW,
    NOTHING,
    OLD,
    POSITION,
    RECHECK,
    SEEN,
    SIZE,
    STEPS_LEFT,
    WINDOW,
)  # fmt: skip
from arcomp.deflate.loads import byte
from arcomp.deflate.matching import FEW, before, chain, four_bytes, match_length
from arcomp.exact.compiled import kernel

GREEDY, LAZY, LAZY_2 = range(3)
"""Modes."""
FACTOR = 0x1E35A7BD
"""Of the hash."""
NEEDED = 5
"""Bytes that must be left for a match."""
SHORTEST_BLOCK = 5000
OBSERVATIONS = 512
"""After how many it is asked again whether a block should end."""
KINDS = 10
"""Of observations: eight of literals, short and long matches."""
MINIMA = np.array([9] * 6 + [8, 8, 7, 7] + [6] * 6 + [5] * 29 + [4] * 35, np.int64)
"""The shortest match, by how many literals are in use."""


@kernel(inner=True)
def _insert(m: Any, end: Any) -> None:
    """Chain all positions before ``end`` that are not yet."""
    data, heads, chains, numbers, shift = m.data, m.heads, m.chains, m.numbers, m.rules.shift
    end = min(end, numbers[SIZE] - NEEDED + 1)
    for i in range(numbers[INSERTED], end):
        value = four_bytes(data, i) if i else 0  # the first hash is not computed (next_hashes)
        chain(heads, HEAD + (((value * FACTOR) & 0xFFFFFFFF) >> shift), chains, CHAIN, i)
        chain(heads, HEAD_3 + ((((value & 0xFFFFFF) * FACTOR) & 0xFFFFFFFF) >> 17), chains, CHAIN_3, i)
    numbers[INSERTED] = max(end, numbers[INSERTED])


@kernel(inner=True)
def _search(m: Any, p: Any, best: Any, depth: Any) -> Any:
    """The longest match at a position that is longer than ``best``: length * 65536 + distance, or 0."""
    data, chains, numbers = m.data, m.chains, m.numbers
    most = min(numbers[SIZE] - p, MAX_MATCH)
    if most < NEEDED:
        return 0
    nice, found, cut = min(m.rules.nice, most), 0, p - WINDOW
    current = before(chains, CHAIN, p)
    if best < 4 and m.rules.good:
        near = before(chains, CHAIN_3, p)
        if near <= cut or near < 0:
            return 0
        if best < MIN_MATCH and match_length(data, near, p, MIN_MATCH) == MIN_MATCH:
            best, found = MIN_MATCH, MIN_MATCH << 16 | (p - near)
    elif best >= nice:
        return 0
    if numbers[STEPS_LEFT] < 0:
        depth = min(depth, FEW)
    work = depth
    best = max(best, MIN_MATCH)
    while current > cut and current >= 0 and depth > 0:
        if byte(data, current + best) == byte(data, p + best) and byte(data, current) == byte(data, p):
            n = match_length(data, current, p, most)
            work += n >> 3
            if n > best:
                best, found = n, n << 16 | (p - current)
                if n >= nice:
                    break
        current = before(chains, CHAIN, current)
        depth -= 1
    numbers[STEPS_LEFT] -= work - depth
    return found


@kernel(inner=True)
def _log2(value: Any) -> Any:
    bits = 0
    while value > 1:
        value >>= 1
        bits += 1
    return bits


@kernel(inner=True)
def _better(later: Any, found: Any, least: Any) -> Any:
    """Whether a later match is so much better."""
    if later == 0:
        return False
    gain = 4 * ((later >> 16) - (found >> 16)) + _log2(found & 0xFFFF) - _log2(later & 0xFFFF)
    return later >> 16 >= found >> 16 and gain > least


@kernel(inner=True)
def libdeflate_token(m: Any, p: Any) -> Any:
    """The next token."""
    numbers, mode, depth = m.numbers, m.rules.mode, m.rules.chain
    if numbers[FORCED]:
        numbers[FORCED] = 0
        return 0
    found = numbers[CARRIED]
    numbers[CARRIED] = NOTHING
    if found == NOTHING:
        if mode != GREEDY and p >= numbers[RECHECK]:
            _recheck(m, p)
        _insert(m, p + 1)
        found = _search(m, p, numbers[MINIMUM] - 1, depth)
        if found >> 16 == MIN_MATCH and found & 0xFFFF > m.rules.too_far:
            return 0
    if found == 0 or mode == GREEDY or found >> 16 >= min(m.rules.nice, numbers[SIZE] - p):
        return found
    _insert(m, p + 2)
    later = _search(m, p + 1, (found >> 16) - 1, depth >> 1)
    if _better(later, found, 2):
        numbers[CARRIED] = later
        return 0
    if mode == LAZY_2:
        _insert(m, p + 3)
        later = _search(m, p + 2, (found >> 16) - 1, depth >> 2)
        if _better(later, found, 6):
            numbers[CARRIED], numbers[FORCED] = later, 1
            return 0
    return found


@kernel(inner=True)
def _minimum(used: Any, depth: Any) -> Any:
    """The shortest match to take with so many literals in use."""
    if used >= MINIMA.shape[0]:
        return MIN_MATCH
    limit = 4 if depth < 5 else 5 if depth < 10 else 7 if depth < 16 else 9
    return min(MINIMA[used], limit)


@kernel(inner=True)
def _recheck(m: Any, p: Any) -> None:
    """The shortest match anew, from the literals of the block so far."""
    numbers, seen = m.numbers, m.seen
    total, used = 0, 0
    for i in range(256):
        total += seen[i]
    for i in range(256):
        used += 1 if seen[i] > total >> 10 else 0
    numbers[MINIMUM] = _minimum(used, m.rules.chain)
    numbers[RECHECK] += min(numbers[SIZE] - numbers[RECHECK], p - numbers[BLOCK_START])


@kernel(inner=True)
def begin_block(m: Any) -> None:
    """Forget what was seen; the shortest match is guessed from the first 4096 bytes."""
    numbers, seen, rules, p = m.numbers, m.seen, m.rules, m.numbers[POSITION]
    for i in range(seen.shape[0]):
        seen[i] = 0
    left = numbers[SIZE] - p
    numbers[BLOCK_START], numbers[MATCHES], numbers[ENDS], numbers[FORCED] = p, 0, 0, 0
    numbers[RECHECK] = p + min(left, 10000)
    if left >= rules.block + SHORTEST_BLOCK:
        left = rules.block
    numbers[BLOCK_LIMIT] = p + left
    if not rules.good:
        numbers[MINIMUM] = 4
        return
    used = 0
    for i in range(p, p + min(left, 4096)):
        if seen[m.data[i]] == 0:
            used += 1
            seen[m.data[i]] = 1
    for i in range(256):
        seen[i] = 0
    numbers[MINIMUM] = MIN_MATCH if left < 512 else _minimum(used, rules.chain)


@kernel(inner=True)
def count_token(m: Any, p: Any, token: Any) -> None:
    """Note a token at p, and whether the block ends after it."""
    numbers, seen, rules = m.numbers, m.seen, m.rules
    length = min(token >> 16, MAX_MATCH)
    if length:
        numbers[MATCHES] += 1
        kind: Any = 9 if length >= 9 else 8
    else:
        literal = np.int64(m.data[p])
        seen[literal] += 1
        kind = (literal >> 5 & 6) | (literal & 1)
    seen[NEW + kind] += 1
    seen[SEEN + 1] += 1
    p += max(length, 1)
    if numbers[CARRIED] != NOTHING:
        return
    numbers[ENDS] = 1 if p >= numbers[BLOCK_LIMIT] or numbers[MATCHES] >= rules.matches else 0
    inside = p - numbers[BLOCK_START] >= SHORTEST_BLOCK and numbers[SIZE] - p >= SHORTEST_BLOCK
    if rules.good and inside and not numbers[ENDS] and seen[SEEN + 1] >= OBSERVATIONS:
        numbers[ENDS] = _has_changed(m, p - numbers[BLOCK_START])


@kernel(inner=True)
def _has_changed(m: Any, length: Any) -> Any:
    """Whether the last observations differ from those before by so much that a new block is worth it."""
    seen = m.seen
    old, new, apart = seen[SEEN], seen[SEEN + 1], 0
    if old:
        for i in range(KINDS):
            apart += abs(seen[NEW + i] * old - seen[OLD + i] * new)
        cut = new * 200 // 512 * old
        if length < 10000 and old + new < 8192:
            cut += cut * (8192 - old - new) // 8192
        if apart + length // 4096 * old >= cut:
            return 1
    for i in range(KINDS):
        seen[OLD + i] += seen[NEW + i]
        seen[NEW + i] = 0
    seen[SEEN] += new
    seen[SEEN + 1] = 0
    return 0
