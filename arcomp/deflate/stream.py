"""Streams are taken apart into their content and corrections, and put together again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arcomp.coding.binary import LOOK_AHEAD, beyond, decoder, encoder, finish
from arcomp.deflate.blocks import STREAM_FULL, run
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
    STORED,
    Int64,
)  # fmt: skip
from arcomp.deflate.machine import Bench
from arcomp.deflate.parse import Parsed, Parser, wanted
from arcomp.deflate.rules import Rules, pack, unpack
from arcomp.deflate.search import DeflateError, Search, Surveyed
from arcomp.deflate.survey import DONE, survey
from arcomp.exact import apart

LARGEST = (1 << 31) - 1024
"""Bytes of content."""


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


def _mark_forgotten(blocks: Int64) -> None:
    """Note after which empty stored blocks no match reaches before them, as after a Z_FULL_FLUSH."""
    reached = np.minimum.accumulate(blocks[:-1, REACHED][::-1])[::-1]
    later = blocks[:-1, FIRST_TOKEN] < blocks[-1, FIRST_TOKEN]
    empty = (blocks[:-1, KIND] == STORED) & (blocks[:-1, LENGTH] == 0)
    blocks[:-1, FORGETS] = empty & later & (reached >= blocks[:-1, START])


class Predictor:
    """Takes the deflate streams of a file apart, in their order.

    Rules that one was made with are tried first for the next, and what kernels take is made once: a file of thousands
    of small streams takes little more time than one large stream.
    """

    def __init__(self) -> None:
        self._parser, self._bench = Parser(), Bench()
        self._search = Search(self._bench)

    @property
    def surveys(self) -> int:
        """How often a stream, or the beginning of one, was gone through by some rules."""
        return self._search.surveys

    def predict(self, stream: bytes, feed: int = 0) -> Prediction:
        """Take a deflate stream (RFC 1951) apart.

        Args:
            stream: begins with it; what follows does not matter.
            feed: bytes of content that the encoder was perhaps given at once, such as a row of a PNG and its filter;
                0 if nothing is known.

        Raises:
            DeflateError: it is no deflate stream, or one that cannot be taken apart.
        """
        apart.settle()
        parsed = self._parsed(stream)
        found = ((self._encode(parsed, one, stream), one) for one in self._search(parsed, feed))
        coded, surveyed = min(found, key=lambda pair: len(pair[0]))
        self._search.was_best(surveyed)
        if len(parsed.blocks) > _most_blocks(len(parsed.data), len(coded)):
            raise DeflateError("a deflate stream of empty blocks")
        return Prediction(parsed.data.data, (parsed.bits + 7) // 8, coded, surveyed.rules.name)

    def corrections(self, stream: bytes, rules: Rules) -> bytes:
        """The corrections of a stream by given rules.

        Raises:
            DeflateError: it is no deflate stream, or not one of these rules at all.
        """
        parsed = self._parsed(stream)
        size = len(parsed.data)
        return self._encode(parsed, self._search.survey(parsed, rules, size + 1, size + 1), stream)

    def _parsed(self, stream: bytes) -> Parsed:
        try:
            parsed = self._parser.parse(stream)
        except ValueError as error:
            raise DeflateError(f"not a deflate stream: {error}") from None
        if len(parsed.data) > LARGEST:
            raise DeflateError("a deflate stream of more than 2 GB of content")
        _mark_forgotten(parsed.blocks)
        return parsed

    def _encode(self, parsed: Parsed, surveyed: Surveyed, stream: bytes) -> bytes:
        """The corrections."""
        bench, blocks = self._bench, surveyed.blocks
        words = len(surveyed.expected) + 4 * len(blocks) + 1024
        bench.put(data=parsed.data, tokens=parsed.tokens, stream=np.frombuffer(stream, np.uint8))
        bench.put(blocks=blocks, wrong=surveyed.expected)
        while True:
            bench.put(coder=encoder(words))
            held, machine = bench.begin(surveyed.rules, ENCODE)
            if bench.compile_if_wanted(run(held)):
                continue
            if not machine.numbers[OVERFLOW]:
                return pack(surveyed.rules) + finish(machine.coder)
            words *= 2


def predict(stream: bytes, feed: int = 0) -> Prediction:
    """Take one deflate stream apart, as :meth:`Predictor.predict` does."""
    return Predictor().predict(stream, feed)


def begin() -> bool:
    """Have the kernels that most streams need compiled by a second process, if they are not kept from before, while
    something else is done; whether there is one."""
    return apart.begin([wanted(), *Bench().wanted(survey, run)])


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
    size, bench = len(data), Bench()
    bench.put(data=np.frombuffer(data, np.uint8), tokens=np.empty(size + 4, np.uint8))
    while True:
        bench.put(coder=decoder(coded[packed:]), stream=np.empty(size // 2 + 4096, np.uint8))
        held, machine = bench.begin(rules, DECODE)
        machine.numbers[MOST_BLOCKS] = _most_blocks(size, len(coded))
        while (status := run(held)) == STREAM_FULL and int(machine.numbers[OUT]) <= most:
            used, seen = int(machine.numbers[OUT]), int(machine.numbers[POSITION])
            left = 2 * (seen - int(machine.numbers[HELD_START])) + 4096
            machine.stream.resize(int(1.02 * used * min(size / max(seen, 1), 4)) + left, refcheck=False)
            bench.put(stream=machine.stream)
        if not bench.compile_if_wanted(status):
            break
    if status != DONE or machine.numbers[OUT_HELD] or beyond(machine.coder) > LOOK_AHEAD:
        raise DeflateError("corrections of a deflate stream are damaged")
    return machine.stream[: int(machine.numbers[OUT])].data
