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
END_BLOCK = 256
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
    workspace: Int64
    """[4096]: for the builders of codes."""


def header() -> Header:
    """All zero."""
    sizes = (320, 640, 19, 320, 320, 320, 4096)
    return Header(np.zeros(4, np.int64), *(np.zeros(n, np.int64) for n in sizes))


SIZE_LITERALS, SIZE_DISTANCES, SIZE_ORDER, SIZE_SYMBOLS = range(4)

# Columns of Machine.blocks. Positions are bytes of the content, from 0.
(
    KIND,  # STORED, FIXED or DYNAMIC
    LAST,  # 1: of the last block
    FIRST_TOKEN,  # byte of Machine.tokens where its tokens begin
    TOKENS,  # how many there are
    START,  # position where the block begins
    LENGTH,  # bytes of the content
    REACHED,  # the least position that a match reaches back to
    TREES,  # bit of the stream after the three that say the kind
    PAD_BITS,  # what fills up the byte before a stored block; in the row after the last one: after the stream
    EXPLICIT,  # 1: it ends elsewhere than where the rules end it
    DIRTY,  # 1: some of its tokens are not as expected
    FORGETS,  # 1: an empty stored block, and no later match reaches back beyond it
    COLUMNS,
) = range(13)

# Machine.numbers: the state. Flags are 0 or 1.
(
    PHASE,  # SURVEY, ENCODE or DECODE
    SIZE,  # bytes of the content
    POSITION,  # where the next block, or token, begins
    BLOCK,  # number of the block at hand
    INSERTED,  # positions before it are chained
    CARRIED,  # a token that was found while the one before it was looked for; NOTHING: none
    FLOOR,  # matches reach back to positions after it only
    STEPS_LEFT,  # of all searches for matches; below 0 they look at FEW candidates
    INDEXED,  # positions before it are in the index of candidates
    WALKED,  # candidates that may still be looked at to find distances: by walks that find one,
    FAILED,  # and by walks that do not
    HISTORY,  # of the last three tokens, whether each was not as expected: a bit each, the last one lowest
    LAST_LENGTH,  # bytes of the last block whose length was coded
    LAST_KIND,  # of the last block; 3: there was none
    LAST_EXPLICIT,  # flag of the last block: its length was coded
    LAST_DIRTY,  # flag of the last one that is not stored: its tokens were corrected
    WRONG_TOKENS,  # tokens not as expected so far
    WRONG_ENDS,  # blocks that end elsewhere so far
    STOP_AT,  # position where a survey ends
    STOP_WRONG,  # a survey ends after more wrong tokens and ends than this,
    SURE,  # but not from this position on
    MOST_BLOCKS,  # that may be decoded
    OUT,  # bytes of Machine.stream that are written
    OUT_BITS,  # bits of the byte after them, the first one lowest
    OUT_HELD,  # how many these are, 0 to 7
    OVERFLOW,  # flag: the coder had too few words to write to
    BLOCK_START,  # libdeflate: position where the block begins,
    BLOCK_LIMIT,  # and where it ends at the latest
    MATCHES,  # libdeflate: of the block so far
    MINIMUM,  # libdeflate: shorter matches are not taken
    RECHECK,  # libdeflate: position from which MINIMUM is computed anew
    FORCED,  # libdeflate, flag: the carried token is taken without a further look
    ENDS,  # libdeflate, flag: the block ends here
    EARLY,  # libdeflate, flag: by the rules the block would have ended before
    BASE,  # zlib-ng: position of the first byte of its buffer,
    BUFFERED,  # and of the first one after it
    COUNT,  # tokens of the block so far; -1: one cannot be
    TOKEN,  # what a kernel gives that is called by its address
    AFTER,  # byte of Machine.tokens after the block's tokens
    HELD,  # kind of a block that is decoded and not yet written, plus 1; 0: there is none
    HELD_LAST,  # its LAST,
    HELD_PADDING,  # its PAD_BITS,
    HELD_FINAL,  # those after the stream,
    HELD_START,  # position where it begins,
    HELD_END,  # and byte of Machine.tokens after its tokens
    NUMBERS,
) = range(46)
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
    """[bytes]: the content."""
    tokens: UInt8
    """[bytes]: of the stream, or (decoding) of a block, one after the other: 0 for a literal. Else the length less 2,
    but from 257 on 255 and the length less 257; and the distance less 1, its low byte first. No token takes more bytes
    than it stands for."""
    heads: Int32
    """[HEADS]: position that came last, by hash; -1: none. Three tables, which begin at HEAD, HEAD_3 and INDEX_HEAD."""
    chains: UInt16
    """[CHAINS]: bytes back to the position before with the same hash, by position modulo the window; TOO_FAR: none.
    Three tables, as of the heads."""
    numbers: Int64
    """[NUMBERS]: the state, see `PHASE` and those after it."""
    seen: Int64
    """[SEEN_SIZE]: what libdeflate counts in a block, see `OLD`."""
    models: Int32
    """[contexts]: of each kind of decision the probability of 1, in 22 bits, then a count in 8 bits. What begins where:
    :mod:`arcomp.deflate.corrections`."""
    coder: Coder
    """Of the corrections."""
    blocks: Int64
    """[blocks, COLUMNS], not used in decoding."""
    wrong: Int32
    """[2 n]: of each token that is not as expected, in surveys and encoding: its position, and which one was expected
    (length * 65536 + distance; 0: a literal)."""
    stream: UInt8
    """[bytes]: what was parsed; or what is written."""
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
