"""The rules of the encoders that are known, by number."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from arcomp.deflate.blocks import FAST, HUFFMAN, RUNS, SLOW
from arcomp.deflate.layout import WINDOW, Int64, Parameters
from arcomp.deflate.trees import ZLIB

MIN_LOOKAHEAD = 262
TOO_FAR_DISTANCE = 4096
LEVELS = {
    1: (4, 4, 8, 4), 2: (4, 5, 16, 8), 3: (4, 6, 32, 32), 4: (4, 4, 16, 16), 5: (8, 16, 32, 32), 6: (8, 16, 128, 128),
    7: (8, 32, 128, 256), 8: (32, 128, 258, 1024), 9: (32, 258, 258, 4096),
}  # fmt: skip
"""zlib's good_length, max_lazy, nice_length and max_chain of each level (configuration_table of deflate.c)."""


class Rules(NamedTuple):
    """Rules with all that there is to choose.

    Attributes:
        number: 0: zlib's Z_HUFFMAN_ONLY; 1 to 9: levels of zlib; 10: Z_RLE; 14 to 19: levels 4 to 9 with Z_FILTERED;
            24 to 29: levels 4 to 9 as if TOO_FAR were 32768.
        window: log2 of the window's bytes, 9 to 15.
        memory: zlib's memLevel, 1 to 9: of the hash, and of tokens in a block.
        simulated: whether stored blocks end where others would.
    """

    number: int
    window: int = 15
    memory: int = 8
    simulated: bool = True

    @property
    def name(self) -> str:
        """What they are called."""
        level = self.number % 10
        kinds = {0: "zlib -{}", 1: "zlib -{} filtered", 2: "zlib -{} without TOO_FAR"}
        special = {0: "zlib huffman", 10: "zlib rle"}
        name = special.get(self.number) or kinds[self.number // 10].format(level)
        return name + f" mem {self.memory}" * (self.memory != 8) + f" window {self.window}" * (self.window != 15)


NUMBERS = (0, *range(1, 10), 10, *range(14, 20), *range(24, 30))
"""All rules that there are."""


def pack(rules: Rules) -> bytes:
    """Two bytes."""
    return bytes([rules.number, (rules.window - 8) | rules.memory << 3 | rules.simulated << 7])


def unpack(data: bytes) -> Rules:
    """From two bytes; ValueError if there are no such rules."""
    rules = Rules(data[0], (data[1] & 7) + 8, data[1] >> 3 & 15, bool(data[1] >> 7))
    if rules.number not in NUMBERS or rules.window < 9 or not 1 <= rules.memory <= 9:
        raise ValueError("there are no such rules")
    return rules


def parameters(rules: Rules) -> Parameters:
    """What kernels need to know."""
    kind, level = divmod(rules.number, 10)
    bits = rules.memory + 7
    good, lazy, nice, chain = LEVELS.get(level, (0, 0, 0, 0))
    mode = (FAST if level < 4 else SLOW) if level else RUNS if kind else HUFFMAN
    return Parameters(
        mode,
        good,
        lazy,
        nice,
        chain,
        filtered=int(kind == 1),
        too_far=WINDOW if kind == 2 or mode == FAST else TOO_FAR_DISTANCE,
        shift=(bits + 2) // 3,
        mask=(1 << bits) - 1,
        farthest=(1 << rules.window) - MIN_LOOKAHEAD,
        tokens=(1 << (rules.memory + 6)) - 1,
        builder=ZLIB,
        simulated=int(rules.simulated),
    )


def memory_levels(counts: Int64) -> list[int]:
    """Which memory levels blocks of so many tokens, the last one not among them, suggest."""
    found = [int(np.sum(counts == (1 << (memory + 6)) - 1)) for memory in range(10)]
    likely = [memory for memory in range(1, 10) if found[memory] > len(counts) // 8]
    return sorted(likely, key=lambda memory: -found[memory])[:2] or [8, 9]
