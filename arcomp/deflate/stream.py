"""Streams are taken apart into their content and corrections, and put together again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from arcomp.coding.binary import AT, Coder, decoder, encoder, finish
from arcomp.deflate.blocks import DONE, ROOM, WRONG, run
from arcomp.deflate.corrections import MODELS
from arcomp.deflate.layout import (
    CARRIED,
    CLEAN,
    COLUMNS,
    DECODE,
    DIRTY,
    ENCODE,
    FAILED,
    FIRST_TOKEN,
    FORGETS,
    KIND,
    LAST_KIND,
    LENGTH,
    MOST_BLOCKS,
    NUMBERS,
    OUT,
    OUT_HELD,
    OVERFLOW,
    PAD_BITS,
    PADDING,
    PHASE,
    SEEN_SIZE,
    SIZE,
    START,
    STOP_AT,
    STOP_WRONG,
    STORED,
    SURVEY,
    TABLES,
    WALKED,
    WINDOW,
    WORK,
    WRONG_ENDS,
    WRONG_TOKENS,
    Int32,
    Int64,
    Machine,
    UInt8,
    header,
)  # fmt: skip
from arcomp.deflate.matching import NOTHING
from arcomp.deflate.parse import parse, wanted
from arcomp.deflate.rules import Rules, memory_levels, pack, parameters, unpack
from arcomp.errors import FormatError
from arcomp.exact import apart
from arcomp.exact.records import record

LARGEST = (1 << 31) - 1024
"""Bytes of content."""
PREFIX = 1 << 21
"""Bytes of content on which rules are tried."""
SHORTLIST, CLOSEST = 5, 3
"""How many rules are tried on more, and how many on all of a stream that fits none well and is not long."""
FEW_TOKENS = 1 << 14
"""On which all rules are tried."""
_STEPS, _LEAST_STEPS, _MOST_STEPS = 1 << 10, 1 << 26, 1 << 34
_WALKS, _LEAST_WALKS = 64, 1 << 24


class DeflateError(FormatError):
    """This is no deflate stream, or these are not the corrections of one."""


@dataclass(frozen=True)
class Prediction:
    """A deflate stream, taken apart.

    Attributes:
        data: the content.
        length: bytes of the stream; what was given may go on after them.
        coded: with the content, all that is needed to make these bytes again.
        name: of the rules that the encoder seems to have had.
    """

    data: bytes
    length: int
    coded: bytes
    name: str


class _Parsed:
    """A stream's arrays, and machines made of them."""

    def __init__(self, stream: bytes, feed: int = 0) -> None:
        self.feed = feed
        self.data, self.tokens, self.blocks, self.stream, self.given, self.bits = parse(stream)
        self.size = len(self.data) - PADDING
        self.blocks[-1, PAD_BITS] = stream[self.bits >> 3] >> (self.bits & 7) if self.bits & 7 else 0
        _mark_forgotten(self.blocks, self.tokens)

    def machine(self, rules: Rules, phase: int, words: int) -> Machine:
        """At the start of the stream."""
        return _machine(rules, phase, self.data, self.tokens, self.blocks, self.stream, encoder(words))


def _machine(
    rules: Rules, phase: int, data: UInt8, tokens: Int32, blocks: Int64, stream: UInt8, coder: Coder
) -> Machine:  # fmt: skip
    numbers, size = np.zeros(NUMBERS, np.int64), len(data) - PADDING
    numbers[[PHASE, SIZE, CARRIED, LAST_KIND]] = phase, size, NOTHING, 3
    numbers[WORK] = min(_LEAST_STEPS + _STEPS * size, _MOST_STEPS)
    numbers[WALKED] = numbers[FAILED] = _LEAST_WALKS + _WALKS * size
    numbers[STOP_AT], numbers[STOP_WRONG] = size + 1, size + 1
    seen = np.zeros(SEEN_SIZE, np.int64)
    models = np.full(MODELS, 1 << 29, np.int32)
    tables = np.full(TABLES, -1, np.int32)
    return Machine(
        parameters(rules), data, tokens, tables, numbers, seen, models, coder, blocks, stream, header(), header()
    )


def _mark_forgotten(blocks: Int64, tokens: Int32) -> None:
    """Note after which empty stored blocks no match reaches before them, as after a Z_FULL_FLUSH."""
    empty = np.flatnonzero((blocks[:-1, KIND] == STORED) & (blocks[:-1, LENGTH] == 0))
    if not len(empty):
        return
    spans = np.minimum(np.maximum(tokens >> 16, 1), 258).astype(np.int64)
    starts = np.zeros(len(tokens) + 1, np.int64)
    np.cumsum(spans, out=starts[1:])
    inside = np.diff(blocks[:, FIRST_TOKEN])
    shift = blocks[:-1, START] - starts[blocks[:-1, FIRST_TOKEN]]  # stored blocks lie between tokens
    starts = starts[:-1] + np.repeat(shift, inside)
    reached = np.minimum.accumulate((starts - (tokens & 0xFFFF))[::-1])[::-1]
    after = blocks[empty, FIRST_TOKEN]
    later = after < len(tokens)
    forgets = later.copy()
    forgets[later] = reached[after[later]] >= blocks[empty[later], START]
    blocks[empty, FORGETS] = forgets


def _candidates(parsed: _Parsed) -> Iterator[Rules]:
    """Rules that a stream may have been made with, the most frequent first."""
    inner = parsed.blocks[:-2]
    counts = np.diff(parsed.blocks[:-1, FIRST_TOKEN])[inner[:, KIND] != STORED]
    farthest = int((parsed.tokens & 0xFFFF).max(initial=0))
    window = next((bits for bits in range(9, 15) if (1 << bits) - 262 >= farthest), 15)
    memories = memory_levels(counts)
    if farthest < 2:
        yield from (Rules(number, window, memory) for number in (10, 0) for memory in memories)
    for number in (6, 9, 1, 19, 29, 4, 16, 26, 3, 5, 7, 8, 2):
        yield from (Rules(number, window, memory) for memory in memories)
    for number in (36, 39, 31, 37, 38, 35, 34, 33, 32):
        yield Rules(number, simulated=False)
    for number in (46, 43, 41, 42, 47, 48, 45, 44, 56, 55, 54, 53):
        for memory in memories:
            rules = Rules(number, 15 if parsed.size > WINDOW else window, memory)
            yield from (rules._replace(feed=feed) for feed in ((0, parsed.feed) if rules.is_fed else (0,)))
    for number in (10, 0, 14, 15, 17, 18, 24, 25, 27, 28):
        yield from (Rules(number, window, memory) for memory in memories)


def _survey(parsed: _Parsed, rules: Rules, stop: int, most: int) -> tuple[int, Rules, Int64]:
    """How many tokens and ends of blocks are wrong by these rules, up to a place in the content or so many.

    Also the rules, perhaps without simulated blocks, and the blocks with what was found of each.
    """
    machine = parsed.machine(rules, SURVEY, 4)
    machine.numbers[STOP_AT], machine.numbers[STOP_WRONG] = stop, most
    parsed.blocks[:, DIRTY] = 0
    if run(record(machine)) == WRONG:
        return _survey(parsed, rules._replace(simulated=False), stop, most)
    wrong = int(machine.numbers[WRONG_TOKENS] + machine.numbers[WRONG_ENDS])
    return wrong, rules, parsed.blocks.copy()


def _choose(parsed: _Parsed) -> list[Rules]:
    """The rules that give few wrong tokens at the beginning of a stream, those with the fewest first.

    All are tried on few tokens, those that did best on more of them. Rules without a wrong one stand alone.
    """
    stop = min(PREFIX, parsed.size + 1)
    spans = np.minimum(np.maximum(parsed.tokens[:FEW_TOKENS] >> 16, 1), 258)
    early = min(stop, max(int(spans.sum()), PREFIX >> 6))
    least, tried = parsed.size + len(parsed.blocks) + 1, list[tuple[int, Rules]]()
    for rules in _candidates(parsed):
        wrong, rules, _ = _survey(parsed, rules, early, _worst(least))
        tried.append((wrong, rules))
        least = min(least, wrong)
        if wrong == 0 and _survey(parsed, rules, stop, 1)[0] == 0:
            return [rules]
    chosen = [rules for wrong, rules in sorted(tried, key=lambda one: one[0]) if wrong <= _worst(least)][:SHORTLIST]
    others = [chosen[0]._replace(window=window) for window in range(chosen[0].window + 1, 16)]
    least, tried = parsed.size + len(parsed.blocks) + 1, []
    for rules in chosen + others:
        wrong, rules, _ = _survey(parsed, rules, stop, _worst(least))
        if wrong == 0:
            return [rules]
        tried.append((wrong, rules))
        least = min(least, wrong)
    return [rules for wrong, rules in sorted(tried, key=lambda one: one[0]) if wrong <= _worst(least)]


def _worst(least: int) -> int:
    """With more wrong tokens than this, rules can hardly be better than others with so few."""
    return least + (least >> 1) + 16


def _encode(parsed: _Parsed, rules: Rules) -> bytes:
    _, rules, parsed.blocks = _survey(parsed, rules, parsed.size + 1, parsed.size + 1)
    words = len(parsed.stream) // 4 + 1024
    while True:
        machine = parsed.machine(rules, ENCODE, words)
        machine.numbers[CLEAN] = not parsed.blocks[:, DIRTY].any()
        run(record(machine))
        if not machine.numbers[OVERFLOW]:
            break
        words *= 2
    payload = finish(machine.coder)
    return pack(rules) + payload.ljust(4 * int(machine.coder.state[AT]) - 8, b"\0")


def begin() -> bool:
    """Have the kernels compiled by a second process, if they are not kept from before, while something else is done;
    whether there is one."""
    nothing, tokens, blocks = np.zeros(PADDING, np.uint8), np.empty(1, np.int32), np.zeros((0, COLUMNS), np.int64)
    machine = _machine(Rules(6), DECODE, nothing, tokens, blocks, nothing, encoder(4))
    return apart.begin([(run, (record(machine),)), wanted()])


def predict(stream: bytes, feed: int = 0) -> Prediction:
    """Take a deflate stream (RFC 1951) apart.

    Args:
        stream: begins with it; what follows does not matter.
        feed: bytes of content that the encoder was perhaps given at once, such as a row of a PNG and its filter; 0 if
            nothing is known.

    Raises:
        DeflateError: it is no deflate stream, or one that cannot be taken apart.
    """
    apart.settle()
    try:
        parsed = _Parsed(stream, feed)
    except ValueError as error:
        raise DeflateError(f"not a deflate stream: {error}") from None
    if parsed.size > LARGEST:
        raise DeflateError("a deflate stream of more than 2 GB of content")
    chosen = _choose(parsed)[: CLOSEST if parsed.size <= PREFIX else 1]
    coded, rules = min(((_encode(parsed, rules), rules) for rules in chosen), key=lambda one: len(one[0]))
    if len(parsed.blocks) > _most_blocks(parsed.size, len(coded)):
        raise DeflateError("a deflate stream of empty blocks")
    return Prediction(parsed.data[: parsed.size].tobytes(), (parsed.bits + 7) // 8, coded, rules.name)


def _most_blocks(size: int, coded: int) -> int:
    """How many blocks there may be."""
    return size + 64 * coded + 4096


def restore(data: bytes, coded: bytes) -> bytes:
    """The deflate stream that was taken apart.

    Raises:
        DeflateError: these are not what :func:`predict` gave.
    """
    try:
        rules, packed = unpack(coded[:6].ljust(2, b"\xff"))
    except ValueError as error:
        raise DeflateError(f"corrections of a deflate stream are damaged: {error}") from None
    size = len(data)
    content = np.frombuffer(bytearray(data) + bytes(PADDING), np.uint8)
    out = np.empty(size + size // 4 + 4096, np.uint8)
    blocks, tokens = np.zeros((0, COLUMNS), np.int64), np.empty(size + 1, np.int32)
    machine = _machine(rules, DECODE, content, tokens, blocks, out, decoder(coded[packed:]))
    machine.numbers[MOST_BLOCKS] = _most_blocks(size, len(coded))
    while (status := run(record(machine))) == ROOM:
        more = np.empty(len(machine.stream) + 2 * size + 4096, np.uint8)
        used = int(machine.numbers[OUT])
        more[:used] = machine.stream[:used]
        machine = machine._replace(stream=more)
    if status != DONE or machine.numbers[OUT_HELD]:
        raise DeflateError("corrections of a deflate stream are damaged")
    return machine.stream[: int(machine.numbers[OUT])].tobytes()
