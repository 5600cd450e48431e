"""Going through a stream by some rules: where they end blocks otherwise, and which tokens are not as they would be."""

from __future__ import annotations

from typing import Any

from arcomp.deflate.layout import (
    BLOCK,
    CARRIED,
    DIRTY,
    EARLY,
    ENDS,
    EXPLICIT,
    FIRST_TOKEN,
    FLOOR,
    FORGETS,
    KIND,
    LAST,
    LENGTH,
    NOTHING,
    POSITION,
    SIZE,
    STOP_AT,
    STOP_WRONG,
    STORED,
    SURE,
    TOKENS,
    WRONG_ENDS,
    WRONG_TOKENS,
)  # fmt: skip
from arcomp.deflate.trees import LIBDEFLATE
from arcomp.exact import apart
from arcomp.exact.compiled import kernel

GOING_ON, DONE, WRONG = 0, 1, -1


@kernel(inner=True)
def _ends_elsewhere(m: Any, row: Any) -> Any:
    """Whether a block ends elsewhere than where zlib's rules end it."""
    numbers, blocks = m.numbers, m.blocks
    count, length = blocks[row, TOKENS], blocks[row, LENGTH]
    if blocks[row, KIND] == STORED:
        return int(length == 0 or not m.rules.simulated)
    if m.rules.builder == LIBDEFLATE:
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
        first, last = blocks[row, FIRST_TOKEN], -1 if stored else blocks[row + 1, FIRST_TOKEN]
        apart.call(m.predict, (m, first, last, explicit, limit, 0))
        if m.rules.builder == LIBDEFLATE:
            explicit = int(numbers[EARLY] or not (numbers[ENDS] or numbers[POSITION] == numbers[SIZE]))
            blocks[row, EXPLICIT] = explicit
    if explicit:
        numbers[CARRIED] = NOTHING
    blocks[row, DIRTY] = int(numbers[WRONG_TOKENS] > wrong)
    numbers[WRONG_ENDS] += explicit
    if blocks[row, FORGETS]:
        numbers[FLOOR] = numbers[POSITION]
    wrong = numbers[WRONG_TOKENS] + numbers[WRONG_ENDS]
    if numbers[POSITION] >= numbers[STOP_AT] or (wrong > numbers[STOP_WRONG] and numbers[POSITION] < numbers[SURE]):
        return DONE
    if numbers[POSITION] != end:
        return WRONG
    return DONE if blocks[row, LAST] else GOING_ON


@kernel()
def survey(m: Any) -> Any:
    """Go through blocks, to the last one, or until there are too many wrong tokens early in the stream. Returns DONE,
    or WRONG where a stored block does not end where the rules end it."""
    while True:
        status = _survey_block(m)
        if status != GOING_ON:
            return status
        m.numbers[BLOCK] += 1
