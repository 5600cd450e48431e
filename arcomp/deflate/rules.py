"""The rules of the encoders that are known, by number."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arcomp.deflate.layout import WINDOW, Int64, Parameters
from arcomp.deflate.libdeflate import GREEDY, LAZY, LAZY_2
from arcomp.deflate.predicting import (
    FAST,
    HUFFMAN,
    MEDIUM,
    NEXT_FAST,
    QUICK,
    RUNS,
    SLOW,
    of_libdeflate,
    of_zlib,
    of_zlibng,
)  # fmt: skip
from arcomp.deflate.trees import LIBDEFLATE, ZLIB

MIN_LOOKAHEAD = 262
TOO_FAR_DISTANCE = 4096
LEVELS = {
    1: (4, 4, 8, 4), 2: (4, 5, 16, 8), 3: (4, 6, 32, 32), 4: (4, 4, 16, 16), 5: (8, 16, 32, 32), 6: (8, 16, 128, 128),
    7: (8, 32, 128, 256), 8: (32, 128, 258, 1024), 9: (32, 258, 258, 4096),
}  # fmt: skip
"""zlib's good_length, max_lazy, nice_length and max_chain of each level (configuration_table of deflate.c)."""


LIBDEFLATE_LEVELS = {
    1: (GREEDY, 2, 32), 2: (GREEDY, 6, 10), 3: (GREEDY, 12, 14), 4: (GREEDY, 16, 30), 5: (LAZY, 16, 30),
    6: (LAZY, 35, 65), 7: (LAZY, 100, 130), 8: (LAZY_2, 300, 258), 9: (LAZY_2, 600, 258),
}  # fmt: skip
"""libdeflate's compressor, max_search_depth and nice_match_length of each level."""
ENDLESS = 1 << 40


NEXT_LEVELS = {
    1: (QUICK, 0, 0, 0, 1), 2: (NEXT_FAST, 4, 4, 8, 4), 3: (MEDIUM, 4, 6, 16, 6), 4: (MEDIUM, 4, 12, 32, 24),
    5: (MEDIUM, 8, 16, 32, 32), 6: (MEDIUM, 8, 16, 128, 128), 7: (SLOW, 8, 32, 128, 256), 8: (SLOW, 32, 128, 258, 1024),
}  # fmt: skip
"""zlib-ng's compressor and numbers of each level."""


class Rules(NamedTuple):
    """Rules with all that there is to choose.

    Attributes:
        number: 0: zlib's Z_HUFFMAN_ONLY; 1 to 9: levels of zlib; 10: Z_RLE; 14 to 19: levels 4 to 9 with Z_FILTERED;
            24 to 29: levels 4 to 9 as if TOO_FAR were 32768; 31 to 39: levels of libdeflate; 41 to 48: of zlib-ng;
            53 to 56: levels 3 to 6 of it, all positions chained.
        window: log2 of the window's bytes, 9 to 15.
        memory: zlib's memLevel, 1 to 9: of the hash, and of tokens in a block.
        feed: bytes that the encoder was given at once, 0 if all of them; zlib-ng's levels 1 and 3 to 6 depend on it.
        simulated: whether stored blocks end where others would.
    """

    number: int
    window: int = 15
    memory: int = 8
    feed: int = 0
    simulated: bool = True

    @property
    def name(self) -> str:
        """What they are called."""
        kind, level = divmod(self.number, 10)
        if kind == 3:
            return f"libdeflate -{level}"
        if kind >= 4:
            name = f"zlib-ng{' 2.2' * (kind == 5)} -{level}" + " by rows" * (self.feed > 0)
        elif not level:
            name = "zlib rle" if kind else "zlib huffman"
        else:
            name = f"zlib -{level}" + ("", " filtered", " without TOO_FAR")[kind]
        return name + f" mem {self.memory}" * (self.memory != 8) + f" window {self.window}" * (self.window != 15)

    @property
    def is_fed(self) -> bool:
        """Whether it matters how many bytes the encoder was given at once."""
        return self.number // 10 >= 4 and self.number % 10 in (1, 3, 4, 5, 6)


FAMILIES = (of_zlib, of_zlib, of_zlib, of_libdeflate, of_zlibng, of_zlibng)
"""Kernels that predict tokens, by the tens of the rules' number."""
NUMBERS = (*range(11), *range(14, 20), *range(24, 30), *range(31, 40), *range(41, 49), *range(53, 57))
"""All rules that there are."""


def pack(rules: Rules) -> bytes:
    """Two bytes, and four more for rules that depend on how the encoder was fed."""
    packed = bytes([rules.number, (rules.window - 8) | rules.memory << 3])
    return packed + rules.feed.to_bytes(4, "little") if rules.is_fed else packed


def unpack(data: bytes) -> tuple[Rules, int]:
    """Rules, and how many bytes they took; ValueError if there are no such rules."""
    rules = Rules(data[0], (data[1] & 7) + 8, data[1] >> 3)
    if rules.number not in NUMBERS or rules.window < 9 or not 1 <= rules.memory <= 9:
        raise ValueError("there are no such rules")
    if not rules.is_fed:
        return rules, 2
    return rules._replace(feed=int.from_bytes(data[2:6], "little")), 6


def _libdeflate(level: int) -> Parameters:
    mode, depth, nice = LIBDEFLATE_LEVELS[level]
    return Parameters(
        mode,
        good=int(level > 1),
        lazy=0,
        nice=nice,
        chain=depth,
        filtered=0,
        too_far=4096 if mode == GREEDY else 8192,
        shift=16 if level > 1 else 17,
        mask=0,
        farthest=WINDOW - 1,
        tokens=ENDLESS,
        builder=LIBDEFLATE,
        simulated=0,
        block=300000 if level > 1 else 65535,
        matches=50000 if level > 1 else 8192,
        whole=0,
        feed=0,
    )


def parameters(rules: Rules) -> Parameters:
    """What kernels need to know."""
    kind, level = divmod(rules.number, 10)
    if kind == 3:
        return _libdeflate(level)
    bits = rules.memory + 7
    good, lazy, nice, chain = LEVELS.get(level, (0, 0, 0, 0))
    mode = (FAST if level < 4 else SLOW) if level else RUNS if kind else HUFFMAN
    if kind >= 4:
        mode, good, lazy, nice, chain = NEXT_LEVELS[level]
    return Parameters(
        mode,
        good,
        lazy,
        nice,
        chain,
        filtered=int(kind == 1),
        too_far=TOO_FAR_DISTANCE if kind < 2 and mode == SLOW else WINDOW,
        shift=(bits + 2) // 3,
        mask=0 if kind >= 4 else (1 << bits) - 1,
        farthest=(1 << rules.window) - MIN_LOOKAHEAD,
        tokens=ENDLESS if mode == QUICK else (1 << (rules.memory + 6)) - 1,
        builder=ZLIB,
        simulated=int(rules.simulated),
        block=0,
        matches=0,
        whole=16 * lazy if kind == 4 else 258,
        feed=rules.feed,
    )


def memory_levels(counts: Int64) -> list[int]:
    """Which memory levels blocks of so many tokens, the last one not among them, suggest."""
    found = [int(np.sum(counts == (1 << (memory + 6)) - 1)) for memory in range(10)]
    likely = [memory for memory in range(1, 10) if found[memory] > len(counts) // 8]
    return sorted(likely, key=lambda memory: -found[memory])[:2] or [8, 9]
