"""The next token that zlib would write, from the content alone (deflate.c).

Positions with equal hashes are chained, the nearest first. A chain is followed for so many candidates; the longest
match wins, of those the nearest. Work is counted, so that no content takes longer than it should: when it is used up,
only few candidates are looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.deflate.layout import (
    CARRIED,
    FLOOR,
    HEAD,
    INSERTED,
    MAX_MATCH,
    MIN_MATCH,
    PREVIOUS,
    WINDOW,
    WORK,
)  # fmt: skip
from arcomp.exact.compiled import kernel

FEW = 4
"""Candidates that are looked at when all work is used up."""
NOTHING = -1
FACTOR = 2654435761
"""Of zlib-ng's hash."""


@kernel(inner=True)
def match_length(data: Any, a: Any, b: Any, most: Any) -> Any:
    """How many bytes are equal from two positions on, at most so many."""
    n = 0
    while n < most and data[a + n] == data[b + n]:
        n += 1
    return n


@kernel(inner=True)
def four_bytes(data: Any, p: Any) -> Any:
    """A number of 32 bits, the first byte lowest."""
    low = np.int64(data[p]) | np.int64(data[p + 1]) << 8
    return low | np.int64(data[p + 2]) << 16 | np.int64(data[p + 3]) << 24


@kernel(inner=True)
def key_of_four(data: Any, p: Any) -> Any:
    """zlib-ng's hash."""
    return ((four_bytes(data, p) * FACTOR) & 0xFFFFFFFF) >> 16


@kernel(inner=True)
def insert(m: Any, end: Any, known: Any) -> None:
    """Chain all positions before ``end`` that are not yet; a position needs three bytes before ``known``."""
    data, tables, numbers, shift, mask = m.data, m.tables, m.numbers, m.rules.shift, m.rules.mask
    i = numbers[INSERTED]
    end = min(end, known - MIN_MATCH + 1 if mask else known - MIN_MATCH)
    while i < end:
        if mask:
            key = ((np.int64(data[i]) << (2 * shift)) ^ (np.int64(data[i + 1]) << shift) ^ data[i + 2]) & mask
        else:
            key = key_of_four(data, i)
        tables[PREVIOUS + (i & (WINDOW - 1))] = tables[HEAD + key]
        tables[HEAD + key] = i
        i += 1
    numbers[INSERTED] = max(i, numbers[INSERTED])


@kernel(inner=True)
def longest_match(m: Any, p: Any, best: Any, known: Any) -> Any:
    """The longest match at a position that is longer than ``best``: length * 65536 + distance, or 0."""
    data, tables, numbers = m.data, m.tables, m.numbers
    look = min(known - p, MAX_MATCH)
    if look < (MIN_MATCH if m.rules.mask else MIN_MATCH + 1) or best >= look:
        return 0
    chain = m.rules.chain >> 2 if best >= m.rules.good else m.rules.chain
    if numbers[WORK] < 0:
        chain = min(chain, FEW)
    farthest, floor, nice = m.rules.farthest, numbers[FLOOR], min(m.rules.nice, look)
    current, found = tables[PREVIOUS + (p & (WINDOW - 1))], 0
    if p - current > farthest:
        return 0
    limit = max(p - farthest, floor)
    work, left = 0, chain
    first, second, last, end = data[p], data[p + 1], data[p + best - 1], data[p + best]
    while current > floor:
        if (
            data[current + best] == end
            and data[current + best - 1] == last
            and data[current] == first
            and data[current + 1] == second
        ):
            n = match_length(data, current, p, look)
            work += n >> 3
            if n > best:
                best, found = n, n << 16 | (p - current)
                if n >= nice:
                    break
                last, end = data[p + best - 1], data[p + best]
        current = tables[PREVIOUS + (current & (WINDOW - 1))]
        left -= 1
        if current <= limit or left == 0 or current >= p:  # zlib-ng chains some twice
            break
    numbers[WORK] -= work + chain - left
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
