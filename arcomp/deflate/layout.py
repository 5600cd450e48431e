"""The numbers of RFC 1951, and the arrays that kernels of this package share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding.binary import Coder

UInt8 = npt.NDArray[np.uint8]
UInt16 = npt.NDArray[np.uint16]
UInt32 = npt.NDArray[np.uint32]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

STORED, FIXED, DYNAMIC = range(3)
"""Kinds of blocks (3.2.3)."""
LITERALS = END_BLOCK = 256
LITERAL_CODES, DISTANCE_CODES = 288, 32
"""Symbols of the two alphabets, those that stand for nothing included."""
USED_CODES, USED_DISTANCES = 286, 30
LENGTH_CODES = 19
"""Symbols of the code for code lengths (3.2.7)."""
REPEAT, ZEROS, MANY_ZEROS = 16, 17, 18
MIN_MATCH, MAX_MATCH = 3, 258
ODD_MATCH = 259
"""A length of 258 written as symbol 284 and 31, in place of symbol 285."""
WINDOW = 1 << 15
NOTHING = -1
"""No token is carried."""
TOO_FAR = 65535
"""The distance to the position before in a chain where there is none, or none that can be reached."""

_extra = [0] * 4 + [i // 4 for i in range(24)] + [0]
LENGTH_EXTRA = np.array(_extra, np.int64)
LENGTH_BASE = np.array([3 + sum(1 << e for e in _extra[:i]) for i in range(28)] + [258], np.int64)
DISTANCE_EXTRA = np.array([0, 0] + [i // 2 for i in range(28)], np.int64)
DISTANCE_BASE = np.array([1 + sum(1 << int(e) for e in DISTANCE_EXTRA[:i]) for i in range(30)], np.int64)
LENGTH_ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15], np.int64)
LENGTH_CODE = np.array([0] * 3 + [int(np.sum(LENGTH_BASE[:28] <= n)) - 1 for n in range(3, 258)] + [28, 27], np.int64)
_code = [int(np.sum(d >= DISTANCE_BASE)) - 1 for d in range(1, 257)]
DISTANCE_CODE = np.array(_code + [int(np.sum(1 + (i << 7) >= DISTANCE_BASE)) - 1 for i in range(256)], np.int64)
"""Of a distance d, at d - 1 if d <= 256, else at 256 + (d - 1) // 128."""


class Header(NamedTuple):
    """Code lengths of a block, and room to work on them."""

    sizes: Int64
    """[4]: HLIT + 257, HDIST + 1, HCLEN + 4, and how many symbols tell the code lengths."""
    lengths: Int64
    """[320]: code lengths of the literals, then of the distances, without a gap between them."""
    symbols: Int64
    """[640]: what tells them: symbol + 256 * extra bits."""
    order: Int64
    """[19]: code lengths of these symbols, by symbol."""
    counts: Int64
    """[320]: how often each literal and length occurs, and from 288 on each distance."""
    expected: Int64
    """[320]: code lengths that are expected for these counts."""
    codes: Int64
    """[320]: codes, the first bit lowest; those of distances from 288 on."""
    work: Int64
    """[4096]: for the builders of codes."""


def header() -> Header:
    """All zero."""
    sizes = (320, 640, 19, 320, 320, 320, 4096)
    return Header(np.zeros(4, np.int64), *(np.zeros(n, np.int64) for n in sizes))


SIZE_LITERALS, SIZE_DISTANCES, SIZE_ORDER, SIZE_SYMBOLS = range(4)

# Columns of Machine.blocks. REACHED: the least position that a match reaches back to.
KIND, LAST, FIRST_TOKEN, TOKENS, START, LENGTH, REACHED, TREES, PAD_BITS, EXPLICIT, DIRTY, FORGETS, COLUMNS = range(13)

# Machine.numbers: the state.
(
    PHASE, SIZE, POSITION, BLOCK, INSERTED, CARRIED, FLOOR, WORK, INDEXED, WALKED, FAILED, HISTORY, LAST_LENGTH,
    LAST_KIND, LAST_EXPLICIT, LAST_DIRTY, WRONG_TOKENS, WRONG_ENDS, STOP_AT, STOP_WRONG, SURE, MOST_BLOCKS, OUT,
    OUT_BITS, OUT_HELD, OVERFLOW, BLOCK_START, BLOCK_LIMIT, MATCHES, MINIMUM, RECHECK, FORCED, ENDS, EARLY, BASE,
    BUFFERED, COUNT, TOKEN, AFTER, HELD, HELD_LAST, HELD_PADDING, HELD_FINAL, HELD_START, HELD_END, NUMBERS,
) = range(46)  # fmt: skip
SURVEY, ENCODE, DECODE = range(3)

# Machine.heads, .chains: the last position of each hash, and from each position the distance to the one before.
HEAD, HEAD_3, INDEX_HEAD, HEADS = 0, 1 << 16, 3 << 15, 5 << 15
CHAIN, CHAIN_3, INDEX_CHAIN, CHAINS = 0, 1 << 15, 2 << 15, 3 << 15

# Machine.seen: what libdeflate notes of a block: literals, earlier and new observations by kind, how many of each.
OLD, NEW, SEEN, SEEN_SIZE = 256, 272, 288, 290


class Parameters(NamedTuple):
    """Numbers of rules, for kernels; zlib's names."""

    mode: int
    good: int
    lazy: int
    nice: int
    chain: int
    filtered: int
    too_far: int
    """A match of three bytes is not taken from farther away."""
    shift: int
    mask: int
    """Of the hash."""
    farthest: int
    """Distance of a match."""
    tokens: int
    """Of a block."""
    builder: int
    """Of code lengths."""
    simulated: int
    """Whether stored blocks end where others would."""
    block: int
    """Bytes of a block, about."""
    matches: int
    """Of a block."""
    whole: int
    """zlib-ng: of a longer match only the last position is chained."""
    feed: int
    """Bytes of input that come at once; 0: all of them."""


class Machine(NamedTuple):
    """All that a stream is predicted with."""

    rules: Parameters

    data: UInt8
    """The content."""
    tokens: UInt8
    """Of the stream, or (decoding) of a block, one after the other: 0 for a literal. Else the length less 2, but from
    257 on 255 and the length less 257; and the distance less 1, its low byte first. No token takes more bytes than it
    stands for."""
    heads: Int32
    chains: UInt16
    numbers: Int64
    seen: Int64
    models: Int32
    """Of each decision: probability of 1 in 22 bits, then a count in 8 bits."""
    coder: Coder
    blocks: Int64
    """[blocks, COLUMNS], not used in decoding."""
    wrong: Int32
    """Of each token that is not as expected, in surveys and encoding: its position, and which one was expected."""
    stream: UInt8
    """What was parsed; or what is written."""
    header: Header
    """Of the block: as expected, then as it is."""
    given: Header
    """Encoding: of the block as it is."""
    scratch: UInt8
    """[1024]: room for the head of a block."""
    predict: int
    """Address of the kernel that predicts tokens by these rules."""
    check: int
    """Address of the kernel that codes whether a token is as predicted; 0 where it was not needed so far."""
    correct: int
    """The same of the kernel that codes code lengths."""
