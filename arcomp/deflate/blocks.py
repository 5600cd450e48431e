"""Blocks, one after the other: surveyed, encoded or decoded by the same loop."""

from __future__ import annotations

from typing import Any

from arcomp.deflate.corrections import (
    BLOCK_AGAIN,
    BLOCK_DIRTY,
    BLOCK_EXPLICIT,
    BLOCK_FORGETS,
    BLOCK_LAST,
    BLOCK_LENGTH,
    BLOCK_PAD,
    BLOCK_STORED,
    code_bit,
    code_checked,
    code_evenly,
    code_number,
    exhausted,
)  # fmt: skip
from arcomp.deflate.headers import code_head
from arcomp.deflate.layout import (
    BLOCK,
    CARRIED,
    CLEAN,
    DECODE,
    DIRTY,
    DYNAMIC,
    EARLY,
    ENCODE,
    ENDS,
    EXPLICIT,
    FIRST_TOKEN,
    FIXED,
    FLOOR,
    FORCED,
    FORGETS,
    INSERTED,
    KIND,
    LAST,
    LAST_DIRTY,
    LAST_EXPLICIT,
    LAST_KIND,
    LAST_LENGTH,
    LENGTH,
    MAX_MATCH,
    MOST_BLOCKS,
    OUT,
    PAD_BITS,
    PHASE,
    POSITION,
    SIZE,
    STOP_AT,
    STOP_WRONG,
    STORED,
    SURVEY,
    TREES,
    WRONG_ENDS,
    WRONG_TOKENS,
)  # fmt: skip
from arcomp.deflate.libdeflate import GREEDY, LAZY_2, begin_block, libdeflate_token, observe
from arcomp.deflate.matching import NOTHING, fast_token, run_token, skip, slow_token
from arcomp.deflate.writing import BLOCK_ROOM, count_symbols, pad, write_block, write_stored
from arcomp.deflate.zlibng import MEDIUM, NEXT_FAST, QUICK, medium_token, next_fast_token, quick_token, skip_most
from arcomp.exact.compiled import kernel

HUFFMAN, FAST, SLOW, RUNS = range(4)
"""Modes: how the next token is found."""
GOING_ON, DONE, ROOM, WRONG = 0, 1, 2, -1
MOST_STORED = 0xFFFF
"""Bytes of a stored block."""


@kernel(inner=True)
def _next_token(m: Any, p: Any, known: Any) -> Any:
    """The token that the rules give at a position, of content that ends at ``known``."""
    mode = m.rules.mode
    if mode == SLOW:
        return slow_token(m, p, known)
    if mode == FAST:
        return fast_token(m, p, known)
    if mode == RUNS:
        return run_token(m, p, known)
    if mode == MEDIUM:
        return medium_token(m, p, known)
    if mode == QUICK:
        return quick_token(m, p, known)
    if mode == NEXT_FAST:
        return next_fast_token(m, p, known)
    return libdeflate_token(m, p) if mode >= GREEDY else 0


@kernel(inner=True)
def _pass(m: Any, p: Any, likely: Any, token: Any, known: Any) -> Any:
    """Go on after a token, where another was likely perhaps. Returns the position after it."""
    numbers, mode, length = m.numbers, m.rules.mode, min(token >> 16, MAX_MATCH)
    if token != likely:
        numbers[WRONG_TOKENS] += 1
        numbers[CARRIED], numbers[FORCED] = NOTHING, 0
    if length and mode == FAST:
        skip(m, p, length, known)
    elif length and mode == NEXT_FAST:
        skip_most(m, p, length, known)
    elif GREEDY <= mode <= LAZY_2:
        observe(m, p, token)
    elif length and mode == QUICK:
        numbers[INSERTED] = max(numbers[INSERTED], p + length)
    return p + max(length, 1)


@kernel(inner=True)
def _code_tokens(m: Any, first: Any, last: Any, explicit: Any, end: Any, dirty: Any) -> Any:
    """The tokens of a block from the position on, which moves to its end.

    Args:
        first, last: the block's tokens; last < 0: they are found.
        explicit: whether the block ends at ``end``, and not where the rules end it.
        end: of the block if it is explicit, else of the content.
        dirty: whether tokens are corrected; else what is found is right, or counted as wrong.

    Returns the number of tokens, -1 if something is wrong.
    """
    numbers, tokens, observing = m.numbers, m.tokens, GREEDY <= m.rules.mode <= LAZY_2
    p, t, most = numbers[POSITION], first, first + m.rules.tokens
    known, stop = numbers[SIZE] if observing else end, min(end, numbers[STOP_AT])
    if observing:
        begin_block(m)
    while p < stop and t != last and (explicit or last >= 0 or (t < most and not numbers[ENDS])):
        likely = _next_token(m, p, known)
        token = likely if last < 0 else tokens[t]
        if dirty:
            token = code_checked(m, p, likely, token, end)
            if token < 0 or exhausted(m):
                return -1
        p = _pass(m, p, likely, token, known)
        if numbers[WRONG_TOKENS] > numbers[STOP_WRONG]:
            break
        t += 1
        if numbers[PHASE] == DECODE:
            tokens[t - 1] = token
        elif numbers[ENDS] and t != last:
            numbers[EARLY] = 1
    numbers[POSITION] = p
    return -1 if explicit and p > end else t - first


@kernel(inner=True)
def _open_block(m: Any, stored: Any, explicit: Any, length: Any) -> Any:
    """Code the kind of a block, and how long it is unless the rules tell: (stored, length), length -1 if they do."""
    numbers = m.numbers
    stored = code_bit(m, BLOCK_STORED + numbers[LAST_KIND], stored)
    explicit = code_bit(m, BLOCK_EXPLICIT + 2 * stored + numbers[LAST_EXPLICIT], explicit)
    numbers[LAST_EXPLICIT] = explicit
    if not explicit:
        return stored, -1
    if code_bit(m, BLOCK_AGAIN + stored, int(length == numbers[LAST_LENGTH])):
        length = numbers[LAST_LENGTH]
    else:
        length = code_number(m, BLOCK_LENGTH, length)
    numbers[LAST_LENGTH] = length
    return stored, length


@kernel(inner=True)
def _ends_elsewhere(m: Any, row: Any) -> Any:
    """Whether a block ends elsewhere than where zlib's rules end it."""
    numbers, blocks = m.numbers, m.blocks
    count, length = blocks[row + 1, FIRST_TOKEN] - blocks[row, FIRST_TOKEN], blocks[row, LENGTH]
    if blocks[row, KIND] == STORED:
        return int(length == 0 or not m.rules.simulated)
    if GREEDY <= m.rules.mode <= LAZY_2:
        return 0
    at_end = numbers[POSITION] + length == numbers[SIZE]
    return int(not (count == m.rules.tokens or (at_end and count < m.rules.tokens)))


@kernel(inner=True)
def _survey_block(m: Any) -> Any:
    """Find out where a block ends by the rules, and whether all of its tokens are as expected."""
    numbers, blocks, row = m.numbers, m.blocks, m.numbers[BLOCK]
    end, wrong, stored = numbers[POSITION] + blocks[row, LENGTH], numbers[WRONG_TOKENS], blocks[row, KIND] == STORED
    explicit = blocks[row, EXPLICIT] = _ends_elsewhere(m, row)
    limit = end if explicit else numbers[SIZE]
    numbers[EARLY] = 0
    if stored and explicit:
        numbers[POSITION] = end
    else:
        _code_tokens(m, blocks[row, FIRST_TOKEN], -1 if stored else blocks[row + 1, FIRST_TOKEN], explicit, limit, 0)
        if GREEDY <= m.rules.mode <= LAZY_2:
            explicit = int(numbers[EARLY] or not (numbers[ENDS] or numbers[POSITION] == numbers[SIZE]))
            blocks[row, EXPLICIT] = explicit
    if explicit:
        numbers[CARRIED] = NOTHING
    blocks[row, DIRTY] = int(numbers[WRONG_TOKENS] > wrong)
    numbers[WRONG_ENDS] += explicit
    if blocks[row, FORGETS]:
        numbers[FLOOR] = numbers[POSITION]
    if numbers[POSITION] >= numbers[STOP_AT] or numbers[WRONG_TOKENS] > numbers[STOP_WRONG]:
        return DONE
    if numbers[POSITION] != end:
        return WRONG
    return DONE if blocks[row, LAST] else GOING_ON


@kernel(inner=True)
def _end_block(m: Any, stored: Any, start: Any) -> Any:
    """Code whether a block is the last one, and odd things of stored blocks. Returns (last, bits of padding)."""
    numbers, blocks, row = m.numbers, m.blocks, m.numbers[BLOCK]
    last, padding, forgets = 0, 0, 0
    if numbers[PHASE] == ENCODE:
        last, padding, forgets = blocks[row, LAST], blocks[row, PAD_BITS], blocks[row, FORGETS]
    last = code_bit(m, BLOCK_LAST + int(numbers[POSITION] == numbers[SIZE]), last)
    if not stored:
        return last, 0
    padding = code_evenly(m, padding, 7) if code_bit(m, BLOCK_PAD, int(padding > 0)) else 0
    if numbers[POSITION] == start and code_bit(m, BLOCK_FORGETS, forgets):
        numbers[FLOOR] = start
    return last, padding


@kernel(inner=True)
def _close_block(m: Any, stored: Any, first: Any, count: Any, start: Any) -> Any:
    """All that is coded after the tokens of a block; decoding, it is written."""
    numbers, blocks, row = m.numbers, m.blocks, m.numbers[BLOCK]
    decoding, fixed, trees = numbers[PHASE] == DECODE, 0, 0
    if not decoding:
        fixed, trees = int(blocks[row, KIND] == FIXED), blocks[row, TREES]
    if not stored:
        count_symbols(m.data, m.tokens, first, first + count, start, m.header)
        fixed = code_head(m, fixed, trees)
    last, padding = _end_block(m, stored, start)
    if fixed < 0 or exhausted(m) or (last and numbers[POSITION] != numbers[SIZE]):
        return WRONG
    numbers[LAST_KIND] = STORED if stored else FIXED if fixed else DYNAMIC
    if decoding and stored:
        write_stored(m, last, padding, start, numbers[POSITION] - start)
    elif decoding and not write_block(m, fixed, last, first, first + count, start):
        return WRONG
    if not last:
        return GOING_ON
    padding = 0 if decoding else blocks[row + 1, PAD_BITS]
    padding = code_evenly(m, padding, 7) if code_bit(m, BLOCK_PAD + 1, int(padding > 0)) else 0
    if decoding:
        pad(m, padding)
    return DONE


@kernel(inner=True)
def _code_block(m: Any) -> Any:
    """One block, encoded or decoded."""
    numbers, blocks, row = m.numbers, m.blocks, m.numbers[BLOCK]
    start, first, end, length, stored, explicit, dirty = numbers[POSITION], 0, -1, 0, 0, 0, 0
    encoding = numbers[PHASE] == ENCODE
    if encoding:
        length, stored, explicit = blocks[row, LENGTH], int(blocks[row, KIND] == STORED), blocks[row, EXPLICIT]
        first, end, dirty = blocks[row, FIRST_TOKEN], blocks[row + 1, FIRST_TOKEN], blocks[row, DIRTY]
    stored, told = _open_block(m, stored, explicit, length)
    explicit = int(told >= 0)
    length = told if explicit else length
    if start + length > numbers[SIZE] or (stored and length > MOST_STORED):
        return WRONG
    if not stored:
        dirty = code_bit(m, BLOCK_DIRTY + numbers[LAST_DIRTY], dirty)
        numbers[LAST_DIRTY] = dirty
    count = end - first
    if (stored and explicit) or (encoding and numbers[CLEAN]):
        numbers[POSITION] = start + length
    else:
        limit = start + length if explicit else numbers[SIZE]
        count = _code_tokens(m, first, -1 if stored else end, explicit, limit, 0 if stored else dirty)
        if count < 0 or (stored and numbers[POSITION] - start > MOST_STORED):
            return WRONG
    if explicit:
        numbers[CARRIED] = NOTHING
    return _close_block(m, stored, first, count, start)


@kernel()
def run(m: Any) -> Any:
    """Go through blocks, to the last one. Returns DONE; decoding, ROOM where there is too little to write to, or WRONG
    where what is coded cannot be; surveying, WRONG where a stored block does not end where the rules end it."""
    numbers = m.numbers
    while True:
        if numbers[PHASE] == DECODE:
            if numbers[OUT] + 2 * (numbers[SIZE] - numbers[POSITION]) + BLOCK_ROOM > m.stream.shape[0]:
                return ROOM
            if numbers[BLOCK] >= numbers[MOST_BLOCKS]:
                return WRONG
        status = _survey_block(m) if numbers[PHASE] == SURVEY else _code_block(m)
        if status != GOING_ON:
            return status
        numbers[BLOCK] += 1
