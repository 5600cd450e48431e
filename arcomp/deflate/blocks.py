"""Blocks, one after the other, encoded or decoded by the same loop."""

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
    code_evenly,
    code_number,
    exhausted,
)  # fmt: skip
from arcomp.deflate.headers import HEAD_WANTED, code_head
from arcomp.deflate.layout import (
    AFTER,
    BLOCK,
    CARRIED,
    COUNT,
    DECODE,
    DIRTY,
    DYNAMIC,
    ENCODE,
    EXPLICIT,
    FIRST_TOKEN,
    FIXED,
    FLOOR,
    FORGETS,
    HELD,
    HELD_END,
    HELD_FINAL,
    HELD_LAST,
    HELD_PADDING,
    HELD_START,
    KIND,
    LAST,
    LAST_DIRTY,
    LAST_EXPLICIT,
    LAST_KIND,
    LAST_LENGTH,
    LENGTH,
    MAX_MATCH,
    MOST_BLOCKS,
    NOTHING,
    OUT,
    PAD_BITS,
    PHASE,
    POSITION,
    SIZE,
    STORED,
    TREES,
    WRONG_TOKENS,
)  # fmt: skip
from arcomp.deflate.parse import MOST_STORED
from arcomp.deflate.survey import DONE, GOING_ON, WRONG
from arcomp.deflate.tokens import token_at, token_bytes
from arcomp.deflate.writing import HEAD_BYTES, count_symbols, pad, write_block, write_stored
from arcomp.exact import apart
from arcomp.exact.compiled import kernel

STREAM_FULL, CHECK_WANTED, CORRECT_WANTED = 2, 3, 4


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
def _close_block(m: Any, stored: Any, first: Any, end: Any, start: Any) -> Any:
    """All that is coded after the tokens of a block; decoding, it is written."""
    numbers, blocks, row = m.numbers, m.blocks, m.numbers[BLOCK]
    decoding, fixed, trees = numbers[PHASE] == DECODE, 0, 0
    if not decoding:
        fixed, trees = int(blocks[row, KIND] == FIXED), blocks[row, TREES]
    if not stored:
        count_symbols(m.data, m.tokens, first, end, start, m.header)
        fixed = code_head(m, fixed, trees)
        if fixed == HEAD_WANTED:
            return CORRECT_WANTED
    last, padding = _end_block(m, stored, start)
    if fixed < 0 or exhausted(m) or (last and numbers[POSITION] != numbers[SIZE]):
        return WRONG
    kind = numbers[LAST_KIND] = STORED if stored else FIXED if fixed else DYNAMIC
    final = 0
    if last:
        final = 0 if decoding else blocks[row + 1, PAD_BITS]
        final = code_evenly(m, final, 7) if code_bit(m, BLOCK_PAD + 1, int(final > 0)) else 0
    if decoding:
        numbers[HELD], numbers[HELD_LAST], numbers[HELD_PADDING], numbers[HELD_FINAL] = kind + 1, last, padding, final
        numbers[HELD_START], numbers[HELD_END] = start, end
    return DONE if last else GOING_ON


@kernel(inner=True)
def _write_held(m: Any) -> Any:
    """Write the block that was decoded, if there is room for it."""
    numbers = m.numbers
    kind, last, start = numbers[HELD] - 1, numbers[HELD_LAST], numbers[HELD_START]
    length = numbers[POSITION] - start
    if numbers[OUT] + 2 * length + HEAD_BYTES > m.stream.shape[0]:
        return STREAM_FULL
    numbers[HELD] = 0
    if kind == STORED:
        write_stored(m, last, numbers[HELD_PADDING], start, length)
    elif not write_block(m, int(kind == FIXED), last, numbers[HELD_END], start):
        return WRONG
    if last:
        pad(m, numbers[HELD_FINAL])
    return DONE if last else GOING_ON


@kernel(inner=True)
def _correct_tokens(m: Any, first: Any, last: Any, explicit: Any) -> None:
    """Encode the tokens of a block, from the position on, beside those that a survey expected."""
    numbers, p, t = m.numbers, m.numbers[POSITION], first
    end = p + m.blocks[numbers[BLOCK], LENGTH] if explicit else numbers[SIZE]
    while t < last:
        token = token_at(m.tokens, t)
        likely, next_wrong = token, 2 * numbers[WRONG_TOKENS]
        if next_wrong < m.wrong.shape[0] and m.wrong[next_wrong] == p:
            likely = m.wrong[next_wrong + 1]
            numbers[WRONG_TOKENS] += 1
        apart.call(m.check, (m, p, likely, token, end))
        p += max(min(token >> 16, MAX_MATCH), 1)
        t += token_bytes(token)


@kernel(inner=True)
def _find_tokens(m: Any, stored: Any, explicit: Any, dirty: Any, length: Any) -> Any:
    """Decode the tokens of a block, whose end becomes the position. Returns where they end, -1 if they cannot be."""
    numbers, start = m.numbers, m.numbers[POSITION]
    if stored and explicit:
        numbers[POSITION] = start + length
        return 0
    limit = start + length if explicit else numbers[SIZE]
    apart.call(m.predict, (m, 0, -1, explicit, limit, dirty))
    wrong = numbers[COUNT] < 0 or numbers[POSITION] > limit
    return -1 if wrong or (stored and numbers[POSITION] - start > MOST_STORED) else numbers[AFTER]


@kernel(inner=True)
def _code_block(m: Any) -> Any:
    """One block, encoded or decoded."""
    numbers, blocks, row = m.numbers, m.blocks, m.numbers[BLOCK]
    start, first, end, length, stored, explicit, dirty = numbers[POSITION], 0, 0, 0, 0, 0, 0
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
    if dirty and m.check == 0:
        return CHECK_WANTED
    if encoding:
        if dirty:
            _correct_tokens(m, first, end, explicit)
        numbers[POSITION] = start + length
    else:
        end = _find_tokens(m, stored, explicit, 0 if stored else dirty, length)
        if end < 0:
            return WRONG
    if explicit:
        numbers[CARRIED] = NOTHING
    return _close_block(m, stored, first, end, start)


@kernel()
def run(m: Any) -> Any:
    """Encode or decode blocks, to the last one. Returns DONE; CHECK_WANTED or CORRECT_WANTED where a block needs such a
    kernel and there is none; decoding, STREAM_FULL where there is too little to write to, or WRONG where what is coded
    cannot be."""
    numbers = m.numbers
    while True:
        status = GOING_ON
        if not numbers[HELD]:
            if numbers[PHASE] == DECODE and numbers[BLOCK] >= numbers[MOST_BLOCKS]:
                return WRONG
            status = _code_block(m)
        if numbers[HELD]:
            status = _write_held(m)
        if status != GOING_ON:
            return status
        numbers[BLOCK] += 1
