"""The tokens of a block as the rules predict them: one kernel for each family of encoders.

They are called by their address, and only the one that a stream needs is compiled.
"""

from __future__ import annotations

from typing import Any

from arcomp.deflate.layout import (
    AFTER,
    CARRIED,
    COUNT,
    DECODE,
    EARLY,
    ENDS,
    FORCED,
    INSERTED,
    MAX_MATCH,
    NOTHING,
    PHASE,
    POSITION,
    STOP_AT,
    STOP_WRONG,
    SURE,
    TOKEN,
    WRONG_TOKENS,
)  # fmt: skip
from arcomp.deflate.libdeflate import begin_block, count_token, libdeflate_token
from arcomp.deflate.matching import fast_token, run_token, skip, slow_token
from arcomp.deflate.tokens import put_token, token_at, token_bytes
from arcomp.deflate.zlibng import medium_token, next_fast_token, quick_token, skip_most
from arcomp.exact import apart
from arcomp.exact.compiled import kernel

HUFFMAN, FAST, SLOW, RUNS = range(4)
"""Modes of zlib: how the next token is found."""
QUICK, NEXT_FAST, MEDIUM = 4, 5, 6
"""Further ones of zlib-ng."""


@kernel(inner=True)
def _begin(m: Any, first: Any) -> None:
    m.numbers[AFTER], m.numbers[COUNT] = first, 0


@kernel(inner=True)
def _goes_on(m: Any, p: Any, last: Any, explicit: Any, end: Any) -> Any:
    """Whether a block has another token at p."""
    numbers = m.numbers
    if p >= min(end, numbers[STOP_AT]) or numbers[AFTER] == last or numbers[COUNT] < 0:
        return False
    if numbers[WRONG_TOKENS] > numbers[STOP_WRONG] and p < numbers[SURE]:
        return False
    return explicit or last >= 0 or (numbers[COUNT] < m.rules.tokens and not numbers[ENDS])


@kernel(inner=True)
def _take(m: Any, p: Any, last: Any, end: Any, dirty: Any, likely: Any) -> Any:
    """The token that there is, where another was likely perhaps; COUNT is -1 if there cannot be one."""
    numbers = m.numbers
    token = likely if last < 0 else token_at(m.tokens, numbers[AFTER])
    if dirty:
        apart.call(m.check, (m, p, likely, token, end))
        token = numbers[TOKEN]
        if token < 0:
            numbers[COUNT] = -1
            return 0
    if token != likely:
        if 2 * numbers[WRONG_TOKENS] + 1 < m.wrong.shape[0]:
            m.wrong[2 * numbers[WRONG_TOKENS]] = p
            m.wrong[2 * numbers[WRONG_TOKENS] + 1] = likely
        numbers[WRONG_TOKENS] += 1
        numbers[CARRIED], numbers[FORCED] = NOTHING, 0
    numbers[COUNT] += 1
    numbers[AFTER] = (
        put_token(m.tokens, numbers[AFTER], token)
        if numbers[PHASE] == DECODE
        else (numbers[AFTER] + token_bytes(token))
    )
    return token


@kernel(apart=True)
def of_zlib(m: Any, first: Any, last: Any, explicit: Any, end: Any, dirty: Any) -> None:
    """The tokens of a block from the position on, which moves to its end.

    Args:
        first, last: where the block's tokens are; last < 0: they are found, and put from ``first`` on.
        explicit: whether the block ends at ``end``, and not where the rules end it.
        end: of the block if it is explicit, else of the content.
        dirty: whether tokens are corrected; else what is found is right, or counted as wrong.

    COUNT is then the number of tokens, -1 if something is wrong; AFTER is where they end.
    """
    p, mode = m.numbers[POSITION], m.rules.mode
    _begin(m, first)
    while _goes_on(m, p, last, explicit, end):
        if mode == SLOW:
            likely = slow_token(m, p, end)
        elif mode == FAST:
            likely = fast_token(m, p, end)
        else:
            likely = run_token(m, p, end) if mode == RUNS else 0
        token = _take(m, p, last, end, dirty, likely)
        length = min(token >> 16, MAX_MATCH)
        if length and mode == FAST:
            skip(m, p, length, end)
        p += max(length, 1)
    m.numbers[POSITION] = p


@kernel(apart=True)
def of_libdeflate(m: Any, first: Any, last: Any, explicit: Any, end: Any, dirty: Any) -> None:
    """As :func:`of_zlib`; these rules see all of the content, and EARLY tells that they would have ended the block."""
    numbers = m.numbers
    p = numbers[POSITION]
    _begin(m, first)
    begin_block(m)
    while _goes_on(m, p, last, explicit, end):
        likely = libdeflate_token(m, p)
        token = _take(m, p, last, end, dirty, likely)
        count_token(m, p, token)
        p += max(min(token >> 16, MAX_MATCH), 1)
        if numbers[ENDS] and numbers[AFTER] != last:
            numbers[EARLY] = 1
    numbers[POSITION] = p


@kernel(apart=True)
def of_zlibng(m: Any, first: Any, last: Any, explicit: Any, end: Any, dirty: Any) -> None:
    """As :func:`of_zlib`."""
    numbers, mode = m.numbers, m.rules.mode
    p = numbers[POSITION]
    _begin(m, first)
    while _goes_on(m, p, last, explicit, end):
        if mode == MEDIUM:
            likely = medium_token(m, p, end)
        elif mode == SLOW:
            likely = slow_token(m, p, end)
        elif mode == QUICK:
            likely = quick_token(m, p, end)
        else:
            likely = next_fast_token(m, p, end)
        token = _take(m, p, last, end, dirty, likely)
        length = min(token >> 16, MAX_MATCH)
        if length and mode == NEXT_FAST:
            skip_most(m, p, length, end)
        elif length and mode == QUICK:
            numbers[INSERTED] = max(numbers[INSERTED], p + length)
        p += max(length, 1)
    numbers[POSITION] = p
