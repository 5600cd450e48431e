"""Which rules a stream was made with: those of the streams before are tried first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from arcomp.deflate.layout import (
    KIND,
    LENGTH,
    POSITION,
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
)  # fmt: skip
from arcomp.deflate.machine import Bench
from arcomp.deflate.parse import Parsed
from arcomp.deflate.rules import MIN_LOOKAHEAD, Rules, memory_levels
from arcomp.deflate.survey import WRONG, survey
from arcomp.errors import FormatError

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
SMALL = 1 << 13
"""Bytes of content up to which a stream of one block does not tell memory levels apart: hardly a hash is shared."""
KNOWN = 8
"""How many rules that fitted are remembered."""
SEARCHED_FREELY = 1 << 20
"""Bytes of content after which all rules are tried again, although none fitted the last time."""


class DeflateError(FormatError):
    """This is no deflate stream, or these are not the corrections of one."""


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


def _memories(parsed: Parsed) -> list[int]:
    inner = parsed.blocks[:-2]
    if not len(inner) and len(parsed.data) <= SMALL:
        return [8]
    return memory_levels(inner[inner[:, KIND] != STORED, TOKENS])


def _least_window(parsed: Parsed) -> int:
    """Log2 of the least window that all matches are in."""
    return next((bits for bits in range(9, 15) if (1 << bits) - 262 >= parsed.farthest), 15)


def _of_zlib(parsed: Parsed) -> Iterator[Rules]:
    """Rules of zlib that a stream may have been made with, the most frequent first."""
    least = _least_window(parsed)
    memories = _memories(parsed)
    runs = (10, 0) if parsed.farthest < 2 else ()
    for number in (*runs, 6, 9, 16, 1, 19, 29, 4, 26, 3, 5, 7, 8, 2, 10, 0, 14, 15, 17, 18, 24, 25, 27, 28):
        for memory in memories:
            yield Rules(number, least, memory)


def _of_others(parsed: Parsed, feed: int) -> Iterator[Rules]:
    """The same of libdeflate and zlib-ng."""
    least = _least_window(parsed)
    for number in (36, 39, 31, 37, 38, 35, 34, 33, 32):
        yield Rules(number, simulated=False)
    for number in (46, 43, 41, 42, 47, 48, 45, 44, 56, 55, 54, 53):
        for memory in _memories(parsed):
            rules = Rules(number, 15 if len(parsed.data) > WINDOW else least, memory)
            yield from (rules._replace(feed=fed) for fed in ((0, feed) if rules.is_fed else (0,)))


def _adapted(rules: Rules, parsed: Parsed, feed: int) -> Rules:
    """Rules of another stream for this one: with a window that reaches as far, and fed alike."""
    window = max(rules.window, _least_window(parsed))
    return rules._replace(window=window, feed=feed if rules.feed else 0)


def _plain(rules: Rules) -> Rules:
    """The same where stored blocks are as the rules have them, which no stored ones of libdeflate are."""
    return rules._replace(simulated=rules.number // 10 != 3)


def _first(best: list[Rules], others: list[Rules]) -> list[Rules]:
    """The best rules before the others, each once; as many as are remembered."""
    return list(dict.fromkeys([*map(_plain, best), *others]))[:KNOWN]


class Search:
    """Looks for the rules of a file's streams, one after the other.

    Rules by which a stream before was as expected are tried first, on all of the next. All rules are tried where those
    do not fit; and where none fits, this is done ever more seldom, so that a file of many small streams by an unknown
    encoder does not take long: meanwhile the rules that were closest the last time are used.

    Args:
        bench: on which streams are surveyed.

    Attributes:
        surveys: how often a stream, or the beginning of one, was gone through.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench, self.surveys = bench, 0
        self._known, self._closest = list[Rules](), list[Rules]()
        self._misses, self._missed = 0, 0

    def __call__(self, parsed: Parsed, feed: int) -> Iterable[Surveyed]:
        """All of a stream by the rules that it may have been made with: by those that fit, if there are any; else by
        the closest, one after the other.

        Args:
            parsed: the stream.
            feed: bytes of content that the encoder was perhaps given at once; 0 if nothing is known.

        Raises:
            DeflateError: hardly a token is as expected by them.
        """
        size = len(parsed.data)
        fitting = self._fitting(parsed, (_adapted(rules, parsed, feed) for rules in self._known))
        if fitting is None and self._may_search(size):
            fitting = self._searched(parsed, feed)
            if fitting is None:
                self._missed, self._closest = 0, _first(self._choose(parsed, feed), self._closest)
        if fitting is not None:
            self._known, self._misses = _first([fitting.rules], self._known), 0
            return [fitting]
        tried = dict.fromkeys(_adapted(rules, parsed, feed) for rules in self._closest)
        few = list(tried)[: 1 if size > PREFIX else CLOSEST if _evidence(parsed) else 2 * CLOSEST]
        return (self.survey(parsed, rules, size + 1, size + 1) for rules in few)

    def was_best(self, surveyed: Surveyed) -> None:
        """Remember which rules gave the shortest corrections."""
        self._closest = _first([surveyed.rules], self._closest)
        if surveyed.wrong == 0:
            self._known, self._misses = _first([surveyed.rules], self._known), 0

    def _may_search(self, size: int) -> bool:
        """Whether all rules are tried on a stream that the known ones do not fit."""
        self._misses += 1
        self._missed += size
        return self._misses & (self._misses - 1) == 0 or self._missed >= SEARCHED_FREELY

    def _searched(self, parsed: Parsed, feed: int) -> Surveyed | None:
        """All of a stream by rules that fit, if there are any."""
        fitting = self._fitting(parsed, _of_zlib(parsed))
        if fitting is None and _evidence(parsed) and not self._is_nearly_zlib(parsed):
            fitting = self._fitting(parsed, _of_others(parsed, feed))
        return fitting

    def survey(self, parsed: Parsed, rules: Rules, stop: int, most: int, sure: int | None = None) -> Surveyed:
        """Go through a stream up to a place in its content, or until more than so many are wrong before ``sure``.

        Raises:
            DeflateError: there are more wrong tokens in all of it than are kept.
        """
        size = len(parsed.data)
        room = 2 * min(int(parsed.blocks[:, TOKENS].sum()), (1 << 16) + size // 4) if stop > size else 0
        self._bench.put(data=parsed.data, tokens=parsed.tokens)
        self._bench.put(blocks=parsed.blocks.copy(), wrong=np.empty(room, np.int32))
        held, machine = self._bench.begin(rules, SURVEY)
        machine.numbers[STOP_AT], machine.numbers[STOP_WRONG] = stop, most
        machine.numbers[SURE] = size + 1 if sure is None else sure
        self.surveys += 1
        if survey(held) == WRONG:
            return self.survey(parsed, rules._replace(simulated=False), stop, most, sure)
        tokens, ends, reached = (int(machine.numbers[n]) for n in (WRONG_TOKENS, WRONG_ENDS, POSITION))
        if 2 * tokens > room and stop > size:
            raise DeflateError("hardly a token is as expected")
        return Surveyed(rules, tokens + ends, reached, machine.blocks, machine.wrong[: 2 * tokens])

    def _fitting(self, parsed: Parsed, candidates: Iterable[Rules]) -> Surveyed | None:
        """All of a stream by the first rules by which nothing is wrong in the beginning of it."""
        size = len(parsed.data)
        for rules in candidates:
            matters = rules.window < 15 and rules.number < 30 and size > (1 << rules.window) - MIN_LOOKAHEAD
            wide = [rules._replace(window=15)] if matters else []
            for one in (rules, *wide):
                surveyed = self.survey(parsed, one, size + 1, 0, PREFIX)
                if surveyed.wrong == 0 or surveyed.reached >= PREFIX:
                    return surveyed
        return None

    def _is_nearly_zlib(self, parsed: Parsed) -> bool:
        """Whether few of the first tokens are not as the most frequent rules of zlib have them."""
        early = min(len(parsed.data) + 1, max(_few_tokens(parsed.blocks), PREFIX >> 6))
        first = (rules for rules in _of_zlib(parsed) if rules.number in (1, 6, 9, 29))
        return self._tried(parsed, first, early, early)[0][0] * NEARLY <= _evidence(parsed)

    def _choose(self, parsed: Parsed, feed: int) -> list[Rules]:
        """The rules that give few wrong tokens at the beginning of a stream, those with the fewest first.

        All are tried on few tokens, those that did best on more of them. In a short stream code lengths may matter more
        than tokens: the best of zlib come first, whatever others do.
        """
        stop = min(PREFIX, len(parsed.data) + 1)
        early = min(stop, max(_few_tokens(parsed.blocks), PREFIX >> 6))
        tried = self._tried(parsed, _of_zlib(parsed), early, stop)
        few, closest = _evidence(parsed) == 0, list[Rules]()
        if few:
            closest, tried = self._closer(parsed, tried, stop), []
        if few or tried[0][0] * FEW_WRONG > _evidence(parsed):
            tried += self._tried(parsed, _of_others(parsed, feed), early, stop, tried[0][0] if tried else None)
        return closest + self._closer(parsed, sorted(tried, key=lambda one: one[0]), stop)

    def _closer(self, parsed: Parsed, tried: list[tuple[int, Rules]], stop: int) -> list[Rules]:
        """Of rules that were tried, those that do best further on."""
        chosen = [rules for wrong, rules in tried if wrong <= _worst(tried[0][0])][:SHORTLIST]
        if tried[0][0] and chosen[0].number // 10 != 3:
            chosen += [chosen[0]._replace(window=window) for window in range(chosen[0].window + 1, 16)]
        tried = self._tried(parsed, chosen, stop, stop)
        return [rules for wrong, rules in tried if wrong <= _worst(tried[0][0])][:CLOSEST]

    def _tried(
        self, parsed: Parsed, candidates: Iterable[Rules], stop: int, further: int, least: int | None = None
    ) -> list[tuple[int, Rules]]:  # fmt: skip
        """How many tokens and ends of blocks before a place are wrong by each rules, the best first; rules by which
        none are, also further on, stand alone."""
        least = len(parsed.data) + len(parsed.blocks) + 1 if least is None else least
        tried = []
        for rules in candidates:
            surveyed = self.survey(parsed, rules, stop, _worst(least))
            if surveyed.wrong == 0 and self.survey(parsed, rules, further, 0).wrong == 0:
                return [(0, surveyed.rules)]
            tried.append((surveyed.wrong, surveyed.rules))
            least = min(least, surveyed.wrong)
        return sorted(tried, key=lambda one: one[0])


def _evidence(parsed: Parsed) -> int:
    """How many tokens tell of an encoder; 0 if there are few: then rules of several are tried to the end."""
    tokens = int(parsed.blocks[:, TOKENS].sum())
    return min(tokens, FEW_TOKENS) if tokens >= FEW_TOKENS or len(parsed.data) > PREFIX else 0


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
