"""The next token that zlib-ng would write, where it differs from zlib (deflate_quick.c, _fast.c and _medium.c).

Positions are chained by a hash of four bytes, and matches have four bytes at least. The medium compressor looks for the
match after the one that it has found, and lets it begin earlier if that replaces the first one. It sees no farther than
the input that it has been given, and forgets the second match when it gets more.
"""

from __future__ import annotations

from typing import Any

from arcomp.deflate.layout import (
    BASE,
    BUFFERED,
    CARRIED,
    CHAIN,
    HEAD,
    INSERTED,
    MAX_MATCH,
    NOTHING,
    SIZE,
    TOO_FAR,
    WINDOW,
)  # fmt: skip
from arcomp.deflate.matching import before, insert, key_of_four, longest_match, match_length
from arcomp.exact.compiled import kernel

LEAST = 4
"""Bytes of a match."""
AHEAD = 262
"""Bytes of input that are wanted (MIN_LOOKAHEAD)."""


@kernel(inner=True)
def _refill(m: Any, p: Any, known: Any) -> Any:
    """Get more input, as much as comes at once and as there is room for (``fill_window``).

    The position before is chained anew then: after this one, if that is chained and has the same hash. Returns whether
    it is so.
    """
    numbers, feed, size = m.numbers, m.rules.feed, m.rules.farthest + AHEAD
    numbers[CARRIED] = NOTHING
    if p == 0 or numbers[BUFFERED] == numbers[SIZE] or known - p < LEAST:
        again = False
    else:
        key = key_of_four(m.data, p - 1)
        again = numbers[INSERTED] > p and key == key_of_four(m.data, p)
        if again:
            m.chains[CHAIN + (p - 1 & (WINDOW - 1))] = TOO_FAR
            m.chains[CHAIN + (p & (WINDOW - 1))] = 1
        elif numbers[INSERTED] == p and m.heads[HEAD + key] != p - 1:
            numbers[INSERTED] = p - 1
    while numbers[BUFFERED] - p < AHEAD and numbers[BUFFERED] < numbers[SIZE]:
        if p - numbers[BASE] >= size + m.rules.farthest:
            numbers[BASE] += size
        room = 2 * size - (numbers[BUFFERED] - numbers[BASE])
        if feed:
            room = min(room, feed - numbers[BUFFERED] % feed)
        numbers[BUFFERED] = min(numbers[BUFFERED] + max(room, 1), numbers[SIZE])
    return again


@kernel(inner=True)
def quick_token(m: Any, p: Any, known: Any) -> Any:
    """``deflate_quick``: a match with the last position of the same hash, or with the first one if there is none."""
    if min(m.numbers[BUFFERED], known) - p < AHEAD:
        _refill(m, p, known)
    insert(m, p + 1, known)
    if known - p < LEAST:
        return 0
    last = max(before(m.chains, CHAIN, p), 0)
    if p == last or p - last > m.rules.farthest:
        return 0
    n = match_length(m.data, last, p, min(known - p, MAX_MATCH))
    return n << 16 | (p - last) if n >= LEAST else 0


@kernel(inner=True)
def _found(m: Any, p: Any, known: Any, again: Any) -> Any:
    """The match at a position that is not chained yet; none at one that is, but again."""
    if (m.numbers[INSERTED] > p and not again) or known - p < LEAST:
        return 0
    insert(m, p + 1, known)
    found = longest_match(m, p, 2, known)
    return found if found >> 16 >= LEAST else 0


@kernel(inner=True)
def next_fast_token(m: Any, p: Any, known: Any) -> Any:
    """``deflate_fast``: the longest match here."""
    return _found(m, p, known, False)


@kernel(inner=True)
def skip_most(m: Any, p: Any, length: Any, known: Any) -> None:
    """After a match in ``deflate_fast``: of a long one only the last position is chained."""
    if length > m.rules.lazy or known - p - length < LEAST:
        m.numbers[INSERTED] = max(m.numbers[INSERTED], p + length - 1)
    insert(m, p + length, known)


@kernel(inner=True)
def _moved(m: Any, p: Any, length: Any, later: Any) -> Any:
    """By how much a match after one of so many bytes can begin earlier (``fizzle_matches``); 0 if that is of no use."""
    data, n, distance, start = m.data, later >> 16, later & 0xFFFF, p + length
    origin, base = start - distance, m.numbers[BASE]
    if length <= 1 or length > 1 + origin - base or data[origin - length + 1] != data[start - length + 1]:
        return 0
    limit = max(start - base - m.rules.farthest, 0) + base
    moved = 0
    while moved < length and data[origin - moved - 1] == data[start - moved - 1]:
        if start - moved <= limit or n + moved >= 256 or origin - moved <= base + 1:
            break
        moved += 1
    return moved if moved and length - moved <= 1 and n + moved != 2 else 0


@kernel(inner=True)
def medium_token(m: Any, p: Any, known: Any) -> Any:
    """``deflate_medium``: the match here, unless the one after it reaches back so far that it replaces it."""
    numbers = m.numbers
    while True:
        again = False
        if min(numbers[BUFFERED], known) - p < AHEAD:
            again = _refill(m, p, known)
        found = numbers[CARRIED]
        numbers[CARRIED] = NOTHING
        if found == NOTHING:
            found = _found(m, p, known, again)
        length = max(found >> 16, 1)
        left = min(numbers[BUFFERED], known) - p
        if length > 1 and (left <= length + LEAST or length > m.rules.whole):
            numbers[INSERTED] = max(numbers[INSERTED], p + length - int(length > m.rules.whole))
        insert(m, p + length, known)
        end, room = p + length, 2 * (m.rules.farthest + AHEAD) - AHEAD
        if m.rules.good < 8 or left <= AHEAD or end - numbers[BASE] >= room:
            return found
        later = _found(m, end, known, False)
        moved = _moved(m, p, length, later) if later else 0
        numbers[CARRIED] = later + (moved << 16)
        if moved == 0:
            return found
        if moved < length:
            return 0
