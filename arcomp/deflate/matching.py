"""The next token that zlib would write, from the content alone (deflate.c).

Positions with equal hashes are chained, the nearest first. A chain is followed for so many candidates; the longest
match wins, of those the nearest. Work is counted, so that no content takes longer than it should: when it is used up,
only few candidates are looked at.
"""

from __future__ import annotations

from typing import Any

from arcomp.deflate.layout import (
    CARRIED,
    CHAIN,
    FLOOR,
    HEAD,
    INSERTED,
    MAX_MATCH,
    MIN_MATCH,
    NOTHING,
    STEPS_LEFT,
    TOO_FAR,
    WINDOW,
)  # fmt: skip
from arcomp.deflate.loads import byte, equal_of_eight, two_bytes
from arcomp.exact.compiled import kernel

FEW = 4
"""Candidates that are looked at when all work is used up."""
FACTOR = 2654435761
"""Of zlib-ng's hash."""


@kernel(inner=True)
def match_length(data: Any, a: Any, b: Any, most: Any) -> Any:
    """How many bytes are equal from two positions on, at most so many."""
    n = 0
    while n + 8 <= most:
        equal = equal_of_eight(data, a + n, b + n)
        n += equal
        if equal < 8:
            return n
    while n < most and byte(data, a + n) == byte(data, b + n):
        n += 1
    return n


@kernel(inner=True)
def four_bytes(data: Any, p: Any) -> Any:
    """A number of 32 bits, the first byte lowest."""
    return byte(data, p) | byte(data, p + 1) << 8 | byte(data, p + 2) << 16 | byte(data, p + 3) << 24


@kernel(inner=True)
def key_of_four(data: Any, p: Any) -> Any:
    """zlib-ng's hash."""
    return ((four_bytes(data, p) * FACTOR) & 0xFFFFFFFF) >> 16


@kernel(inner=True)
def chain(heads: Any, head: Any, chains: Any, at: Any, p: Any) -> None:
    """Make a position the last one of its chain."""
    chains[at + (p & (WINDOW - 1))] = min(p - heads[head], TOO_FAR) if heads[head] >= 0 else TOO_FAR
    heads[head] = p


@kernel(inner=True)
def before(chains: Any, at: Any, p: Any) -> Any:
    """The position before one in its chain; at or before the beginning of the window if there is none."""
    return p - chains[at + (p & (WINDOW - 1))]


@kernel(inner=True)
def insert(m: Any, end: Any, known: Any) -> None:
    """Chain all positions before ``end`` that are not yet; a position needs three bytes before ``known``."""
    data, heads, chains, numbers, shift, mask = m.data, m.heads, m.chains, m.numbers, m.rules.shift, m.rules.mask
    i = numbers[INSERTED]
    end = min(end, known - MIN_MATCH + 1 if mask else known - MIN_MATCH)
    while i < end:
        if mask:
            key = ((byte(data, i) << (2 * shift)) ^ (byte(data, i + 1) << shift) ^ byte(data, i + 2)) & mask
        else:
            key = key_of_four(data, i)
        chain(heads, HEAD + key, chains, CHAIN, i)
        i += 1
    numbers[INSERTED] = max(i, numbers[INSERTED])


@kernel(inner=True)
def longest_match(m: Any, p: Any, best: Any, known: Any) -> Any:
    """The longest match at a position that is longer than ``best``: length * 65536 + distance, or 0."""
    data, chains, numbers = m.data, m.chains, m.numbers
    look = min(known - p, MAX_MATCH)
    if look < (MIN_MATCH if m.rules.mask else MIN_MATCH + 1) or best >= look:
        return 0
    most = m.rules.chain >> 2 if best >= m.rules.good else m.rules.chain
    if numbers[STEPS_LEFT] < 0:
        most = min(most, FEW)
    farthest, nice = m.rules.farthest, min(m.rules.nice, look)
    current, found = before(chains, CHAIN, p), 0
    limit = max(p - farthest, numbers[FLOOR])
    if current < limit or current <= numbers[FLOOR]:
        return 0
    work, left = 0, most
    start, end = two_bytes(data, p), two_bytes(data, p + best - 1)
    while True:
        if two_bytes(data, current + best - 1) == end and two_bytes(data, current) == start:
            n = match_length(data, current, p, look)
            work += n >> 3
            if n > best:
                best, found = n, n << 16 | (p - current)
                if n >= nice:
                    break
                end = two_bytes(data, p + best - 1)
        current = before(chains, CHAIN, current)
        left -= 1
        if current <= limit or left == 0:
            break
    numbers[STEPS_LEFT] -= work + most - left
    return found


@kernel(inner=True)
def fast_token(m: Any, p: Any, known: Any) -> Any:
    """``deflate_fast``: the longest match here."""
    insert(m, p + 1, known)
    return longest_match(m, p, MIN_MATCH - 1, known)


@kernel(inner=True)
def slow_token(m: Any, p: Any, known: Any) -> Any:
    """``deflate_slow``: the longest match here, unless there is a longer one at the next position."""
    numbers = m.numbers
    found = numbers[CARRIED]
    numbers[CARRIED] = NOTHING
    if found == NOTHING:
        insert(m, p + 1, known)
        found = longest_match(m, p, MIN_MATCH - 1, known)
        length = found >> 16
        if length < 6 and (m.rules.filtered or (length == MIN_MATCH and found & 0xFFFF > m.rules.too_far)):
            return 0
    length = found >> 16
    if found and length < m.rules.lazy:
        insert(m, p + 2, known)
        later = longest_match(m, p + 1, length, known)
        if later and not (m.rules.filtered and later >> 16 < 6):
            numbers[CARRIED] = later
            return 0
    return found


@kernel(inner=True)
def run_token(m: Any, p: Any, known: Any) -> Any:
    """``deflate_rle``: the byte before, as often as it is repeated."""
    if p <= m.numbers[FLOOR]:
        return 0
    n = match_length(m.data, p - 1, p, min(known - p, MAX_MATCH))
    return n << 16 | 1 if n >= MIN_MATCH else 0


@kernel(inner=True)
def skip(m: Any, p: Any, length: Any, known: Any) -> None:
    """After a match in ``deflate_fast``: positions inside a long one are not chained."""
    if length > m.rules.lazy or known - p - length < MIN_MATCH:
        m.numbers[INSERTED] = max(m.numbers[INSERTED], p + length)
    else:
        insert(m, p + length, known)
