"""Streams are taken apart into their content and corrections, and put together again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from arcomp.coding.binary import LOOK_AHEAD, beyond, decoder, encoder, finish
from arcomp.deflate.blocks import CHECK_WANTED, CORRECT_WANTED, ROOM, run
from arcomp.deflate.corrections import check
from arcomp.deflate.headers import correct
from arcomp.deflate.layout import (
    DECODE,
    ENCODE,
    FIRST_TOKEN,
    FORGETS,
    HELD_START,
    KIND,
    LENGTH,
    MOST_BLOCKS,
    OUT,
    OUT_HELD,
    OVERFLOW,
    POSITION,
    REACHED,
    START,
    STOP_AT,
    STOP_WRONG,
    STORED,
    SURE,
    SURVEY,
    TOKENS,
    WINDOW,
    WRONG_ENDS,
    WRONG_TOKENS,
    Int32,
    Int64,
    Machine,
)  # fmt: skip
from arcomp.deflate.machine import NONE, predicting, start
from arcomp.deflate.parse import Parsed, parse, wanted
from arcomp.deflate.rules import FAMILIES, Rules, memory_levels, pack, unpack
from arcomp.deflate.survey import DONE, WRONG, survey
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
FEW_WRONG = 256
"""Rules of zlib with less than one wrong token in so many are good enough: no others are tried."""
NEARLY = 64
"""Other encoders' rules are tried before the rarer ones of zlib, unless one token in so many, or fewer, is wrong."""


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

    data: memoryview
    length: int
    coded: bytes
    name: str


class Surveyed(NamedTuple):
    """What was found by going through a stream by some rules.

    Attributes:
        rules: perhaps without simulated blocks.
        wrong: how many tokens and ends of blocks are not as expected.
        reached: the position up to which that is known.
        blocks: what was found of each of them.
        expected: where tokens are wrong, and which ones were expected; none in a part of a stream.
    """

    rules: Rules
    wrong: int
    reached: int
    blocks: Int64
    expected: Int32


class _Rare:
    """Kernels that most streams do not need: compiled when one is met that does."""

    def __init__(self) -> None:
        self.check = self.correct = 0

    def given(self, machine: Machine) -> Machine:
        """The machine with those that were wanted so far."""
        return machine._replace(check=self.check, correct=self.correct)

    def was_wanted(self, machine: Machine, status: int) -> bool:
        """Whether one was wanted and there is now: what was done has to be done again."""
        if status == CHECK_WANTED:
            self.check = apart.address(check, (record(machine), 0, 0, 0, 0))
        elif status == CORRECT_WANTED:
            self.correct = apart.address(correct, (record(machine), 0))
        return status in (CHECK_WANTED, CORRECT_WANTED)


def _mark_forgotten(blocks: Int64) -> None:
    """Note after which empty stored blocks no match reaches before them, as after a Z_FULL_FLUSH."""
    reached = np.minimum.accumulate(blocks[:-1, REACHED][::-1])[::-1]
    later = blocks[:-1, FIRST_TOKEN] < blocks[-1, FIRST_TOKEN]
    empty = (blocks[:-1, KIND] == STORED) & (blocks[:-1, LENGTH] == 0)
    blocks[:-1, FORGETS] = empty & later & (reached >= blocks[:-1, START])


def _memories(parsed: Parsed) -> list[int]:
    inner = parsed.blocks[:-2]
    return memory_levels(inner[inner[:, KIND] != STORED, TOKENS])


def _of_zlib(parsed: Parsed) -> Iterator[Rules]:
    """Rules of zlib that a stream may have been made with, the most frequent first."""
    least = next((bits for bits in range(9, 15) if (1 << bits) - 262 >= parsed.farthest), 15)
    memories = _memories(parsed)
    runs = (10, 0) if parsed.farthest < 2 else ()
    for number in (*runs, 6, 9, 16, 1, 19, 29, 4, 26, 3, 5, 7, 8, 2, 10, 0, 14, 15, 17, 18, 24, 25, 27, 28):
        for memory in memories:
            yield Rules(number, least, memory)


def _of_others(parsed: Parsed, feed: int) -> Iterator[Rules]:
    """The same of libdeflate and zlib-ng."""
    least = next((bits for bits in range(9, 15) if (1 << bits) - 262 >= parsed.farthest), 15)
    for number in (36, 39, 31, 37, 38, 35, 34, 33, 32):
        yield Rules(number, simulated=False)
    for number in (46, 43, 41, 42, 47, 48, 45, 44, 56, 55, 54, 53):
        for memory in _memories(parsed):
            rules = Rules(number, 15 if len(parsed.data) > WINDOW else least, memory)
            yield from (rules._replace(feed=fed) for fed in ((0, feed) if rules.is_fed else (0,)))


def _survey(parsed: Parsed, rules: Rules, stop: int, most: int, sure: int | None = None) -> Surveyed:
    """Go through a stream up to a place in its content, or until more than so many are wrong before ``sure``.

    Raises:
        DeflateError: there are more wrong tokens in all of it than are kept.
    """
    size = len(parsed.data)
    room = 2 * min(int(parsed.blocks[:, TOKENS].sum()), (1 << 16) + size // 4) if stop > size else 0
    machine = start(rules, SURVEY, parsed.data, parsed.tokens, coder=encoder(4))
    machine = machine._replace(blocks=parsed.blocks.copy(), wrong=np.empty(room, np.int32))
    machine.numbers[STOP_AT], machine.numbers[STOP_WRONG] = stop, most
    machine.numbers[SURE] = size + 1 if sure is None else sure
    if survey(record(predicting(machine, rules))) == WRONG:
        return _survey(parsed, rules._replace(simulated=False), stop, most, sure)
    tokens, ends, reached = (int(machine.numbers[n]) for n in (WRONG_TOKENS, WRONG_ENDS, POSITION))
    if 2 * tokens > room and stop > size:
        raise DeflateError("hardly a token is as expected")
    return Surveyed(rules, tokens + ends, reached, machine.blocks, machine.wrong[: 2 * tokens])


def _fitting(parsed: Parsed, candidates: Iterator[Rules]) -> Surveyed | None:
    """All of a stream by the first rules by which nothing is wrong in the beginning of it."""
    size = len(parsed.data)
    for rules in candidates:
        wide = [rules._replace(window=15)] if rules.window < 15 and rules.number < 30 else []
        for one in (rules, *wide):
            surveyed = _survey(parsed, one, size + 1, 0, PREFIX)
            if surveyed.wrong == 0 or surveyed.reached >= PREFIX:
                return surveyed
    return None


def _is_nearly_zlib(parsed: Parsed) -> bool:
    """Whether few of the first tokens are not as the most frequent rules of zlib have them."""
    early = min(len(parsed.data) + 1, max(_few_tokens(parsed.blocks), PREFIX >> 6))
    first = (rules for rules in _of_zlib(parsed) if rules.number in (1, 6, 9, 29))
    least = _tried(parsed, first, early, early)[0][0]
    return least * NEARLY <= min(FEW_TOKENS, int(parsed.blocks[:, TOKENS].sum()))


def _choose(parsed: Parsed, feed: int) -> list[Rules]:
    """The rules that give few wrong tokens at the beginning of a stream, those with the fewest first.

    All are tried on few tokens, those that did best on more of them.
    """
    stop = min(PREFIX, len(parsed.data) + 1)
    early = min(stop, max(_few_tokens(parsed.blocks), PREFIX >> 6))
    tried = _tried(parsed, _of_zlib(parsed), early, stop)
    if tried[0][0] * FEW_WRONG > min(FEW_TOKENS, int(parsed.blocks[:, TOKENS].sum())):
        others = _tried(parsed, _of_others(parsed, feed), early, stop, tried[0][0])
        tried = sorted(tried + others, key=lambda one: one[0])
    chosen = [rules for wrong, rules in tried if wrong <= _worst(tried[0][0])][:SHORTLIST]
    if tried[0][0]:
        chosen += [chosen[0]._replace(window=window) for window in range(chosen[0].window + 1, 16)]
    tried = _tried(parsed, iter(chosen), stop, stop)
    return [rules for wrong, rules in tried if wrong <= _worst(tried[0][0])]


def _tried(
    parsed: Parsed, candidates: Iterator[Rules], stop: int, further: int, least: int | None = None
) -> list[tuple[int, Rules]]:  # fmt: skip
    """How many tokens and ends of blocks before a place are wrong by each rules, the best first; rules by which none
    are, also further on, stand alone."""
    least = len(parsed.data) + len(parsed.blocks) + 1 if least is None else least
    tried = []
    for rules in candidates:
        surveyed = _survey(parsed, rules, stop, _worst(least))
        if surveyed.wrong == 0 and _survey(parsed, rules, further, 0).wrong == 0:
            return [(0, surveyed.rules)]
        tried.append((surveyed.wrong, surveyed.rules))
        least = min(least, surveyed.wrong)
    return sorted(tried, key=lambda one: one[0])


def _few_tokens(blocks: Int64) -> int:
    """About how many bytes of content few tokens stand for."""
    counts = np.cumsum(blocks[:, TOKENS])
    row = int(np.searchsorted(counts, FEW_TOKENS))
    if row >= len(blocks):
        return int(blocks[-1, START])
    share = 1 - (counts[row] - FEW_TOKENS) / max(int(blocks[row, TOKENS]), 1)
    return int(blocks[row, START] + share * blocks[row, LENGTH])


def _worst(least: int) -> int:
    """With more wrong tokens than this, rules can hardly be better than others with so few."""
    return least + (least >> 1) + 16


def _encode(parsed: Parsed, surveyed: Surveyed, stream: bytes) -> bytes:
    """The corrections."""
    rules, blocks = surveyed.rules, surveyed.blocks
    words = len(surveyed.expected) + 4 * len(blocks) + 1024
    rare = _Rare()
    while True:
        machine = start(rules, ENCODE, parsed.data, parsed.tokens, coder=encoder(words))
        given = np.frombuffer(stream, np.uint8)
        machine = machine._replace(blocks=blocks, wrong=surveyed.expected, stream=given)
        machine = rare.given(machine)
        if rare.was_wanted(machine, run(record(machine))):
            continue
        if machine.numbers[OVERFLOW]:
            words *= 2
            continue
        break
    return pack(rules) + finish(machine.coder)


def corrections(stream: bytes, rules: Rules) -> bytes:
    """The corrections of a stream by given rules.

    Raises:
        DeflateError: it is no deflate stream, or not one of these rules at all.
    """
    parsed = _parsed(stream)
    size = len(parsed.data)
    return _encode(parsed, _survey(parsed, rules, size + 1, size + 1), stream)


def begin() -> bool:
    """Have the kernels that most streams need compiled by a second process, if they are not kept from before, while
    something else is done; whether there is one."""
    machine = start(Rules(6), DECODE, NONE, NONE, coder=encoder(4))
    held = record(machine)
    return apart.begin([wanted(), (FAMILIES[0], (held, 0, 0, 0, 0, 0)), (survey, (held,)), (run, (held,))])


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
    parsed = _parsed(stream)
    coded, name = _best(parsed, feed, stream)
    if len(parsed.blocks) > _most_blocks(len(parsed.data), len(coded)):
        raise DeflateError("a deflate stream of empty blocks")
    return Prediction(parsed.data.data, (parsed.bits + 7) // 8, coded, name)


def _parsed(stream: bytes) -> Parsed:
    try:
        parsed = parse(stream)
    except ValueError as error:
        raise DeflateError(f"not a deflate stream: {error}") from None
    if len(parsed.data) > LARGEST:
        raise DeflateError("a deflate stream of more than 2 GB of content")
    _mark_forgotten(parsed.blocks)
    return parsed


def _best(parsed: Parsed, feed: int, stream: bytes) -> tuple[bytes, str]:
    """The shortest corrections, and the name of the rules."""
    size = len(parsed.data)
    fitting = _fitting(parsed, _of_zlib(parsed))
    if fitting is not None:
        return _encode(parsed, fitting, stream), fitting.rules.name
    if not _is_nearly_zlib(parsed) and (fitting := _fitting(parsed, _of_others(parsed, feed))) is not None:
        return _encode(parsed, fitting, stream), fitting.rules.name
    chosen = _choose(parsed, feed)[: CLOSEST if size <= PREFIX else 1]
    surveys = (_survey(parsed, rules, size + 1, size + 1) for rules in chosen)
    return min(((_encode(parsed, one, stream), one.rules.name) for one in surveys), key=lambda pair: len(pair[0]))


def _most_blocks(size: int, coded: int) -> int:
    """How many blocks there may be."""
    return size + 64 * coded + 4096


def restore(data: bytes | memoryview, coded: bytes, most: int = 1 << 63) -> memoryview:
    """The deflate stream that was taken apart.

    Raises:
        DeflateError: these are not what :func:`predict` gave, or more than `most` bytes come of them.
    """
    try:
        rules, packed = unpack(coded[:6].ljust(2, b"\xff"))
    except ValueError as error:
        raise DeflateError(f"corrections of a deflate stream are damaged: {error}") from None
    apart.settle()
    content, size, rare = np.frombuffer(data, np.uint8), len(data), _Rare()
    tokens = np.empty(size + 4, np.uint8)
    while True:
        machine = start(rules, DECODE, content, tokens, coder=decoder(coded[packed:]))
        machine = predicting(machine, rules)._replace(stream=np.empty(size // 2 + 4096, np.uint8))
        machine = rare.given(machine)
        machine.numbers[MOST_BLOCKS] = _most_blocks(size, len(coded))
        while (status := run(record(machine))) == ROOM and int(machine.numbers[OUT]) <= most:
            used, seen = int(machine.numbers[OUT]), int(machine.numbers[POSITION])
            left = 2 * (seen - int(machine.numbers[HELD_START])) + 4096
            machine.stream.resize(int(1.02 * used * min(size / max(seen, 1), 4)) + left, refcheck=False)
        if not rare.was_wanted(machine, status):
            break
    if status != DONE or machine.numbers[OUT_HELD] or beyond(machine.coder) > LOOK_AHEAD:
        raise DeflateError("corrections of a deflate stream are damaged")
    return machine.stream[: int(machine.numbers[OUT])].data
