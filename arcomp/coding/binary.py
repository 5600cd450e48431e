"""A binary range coder for kernels: one decision at a time, its probability in 16 bits or in 24.

Martin 1979 with a range of 64 bits and words of 32 (as constriction's): with at least 2**32 left of the range at
every decision, cutting it at 2**-16 loses less than 2**-15 of a bit; in 24 bits the product is taken whole, and
next to nothing is lost. It lives inside the compiled loop of a model whose
state learns from each decision, where a call to a library for each would cost more than the decision.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.errors import FormatError
from arcomp.exact.compiled import kernel

LOWER, RANGE, POINT, AT, END = range(5)
LOOK_AHEAD = 4
"""Words that a decoder may read beyond the end of a whole stream: a stream that ends sooner was cut, or never was one.
Without that, a few bytes could be decoded for ever."""
UInt32 = npt.NDArray[np.uint32]
UInt64 = npt.NDArray[np.uint64]
_WORD = 32
_U0, _U1 = np.uint64(0), np.uint64(1)
_U32 = np.uint64(_WORD)
_U16 = np.uint64(16)
_U24 = np.uint64(24)
_BELOW_24 = np.uint64((1 << 24) - 1)
_LIMIT = np.uint64(1 << 32)


class Coder(NamedTuple):
    """An encoder or a decoder."""

    state: UInt64
    """[5]: lower end, range, point (decoding: the code less the lower end), next word, end of the words."""
    words: UInt32
    """What has been written, and room for more; or what is read."""


def encoder(words: int) -> Coder:
    """A coder that has written nothing, with room for so many words."""
    return Coder(np.array([0, (1 << 64) - 1, 0, 0, 0], np.uint64), np.zeros(words, np.uint32))


def with_space(coder: Coder, words: int) -> Coder:
    """The same encoder with room for so many words more."""
    needed = int(coder.state[AT]) + words
    if needed <= len(coder.words):
        return coder
    return coder._replace(words=np.concatenate([coder.words, np.zeros(needed, np.uint32)]))


def decoder(data: bytes | memoryview) -> Coder:
    """A coder that reads coded bytes; beyond their end there are zeros."""
    words = words_of(data)
    first = [int(w) for w in words[:2]] + [0, 0]
    return Coder(np.array([0, (1 << 64) - 1, (first[0] << _WORD) | first[1], 2, len(words)], np.uint64), words)


def check_end(words: int) -> None:
    """Refuse a stream that has ended.

    Args:
        words: that were read beyond its end.

    Raises:
        FormatError: more than whole streams need.
    """
    if words > LOOK_AHEAD:
        raise FormatError("the coded pixels end too soon", remedy="get a fresh copy of the file")


def beyond(coder: Coder) -> int:
    """How many words a decoder has read beyond the end of its stream."""
    return int(coder.state[AT]) - int(coder.state[END])


def words_of(data: bytes | memoryview) -> UInt32:
    """Coded bytes as words: the first of a word is its most significant, what is missing to a word is 0."""
    data = bytes(data)
    padded = np.frombuffer(data + bytes(-len(data) % 4), ">u4")
    return padded.astype(np.uint32)


@kernel(inline="always")
def part_of(span: Any, p: Any) -> Any:
    """span * p / 2**24, rounded down."""
    p = np.uint64(p)
    return (span >> _U24) * p + (((span & _BELOW_24) * p) >> _U24)


@kernel(inline="always")
def opened(coder: Any) -> Any:
    """A coder's numbers: lower end, range, point, next word. A loop keeps them in registers, and hands them back to
    :func:`close`."""
    state = coder.state
    return state[0], state[1], state[2], state[3]


@kernel(inline="always")
def close(coder: Any, numbers: Any) -> None:
    """Put the numbers back."""
    state = coder.state
    state[0], state[1], state[2], state[3] = numbers


@kernel(inline="always")
def _carry(words: Any, at: Any) -> None:
    """The lower end went over: carry into the words before."""
    i = np.int64(at) - 1
    while words[i] == np.uint32(0xFFFFFFFF):
        words[i] = np.uint32(0)
        i -= 1
    words[i] += np.uint32(1)


@kernel(inline="always")
def _written(words: Any, lower: Any, span: Any, point: Any, at: Any) -> Any:
    """An encoder's numbers, after the word that a small range has settled is written."""
    if span < _LIMIT:
        words[np.int64(at)] = np.uint32(lower >> _U32)
        lower <<= _U32
        span <<= _U32
        at += _U1
    return lower, span, point, at


@kernel(inline="always")
def _filled(coder: Any, lower: Any, span: Any, point: Any, at: Any) -> Any:
    """A decoder's numbers, after a word that a small range has room for is read."""
    if span < _LIMIT:
        word = _U0
        if at < coder.state[4]:
            word = np.uint64(coder.words[np.int64(at)])
        point = (point << _U32) | word
        span <<= _U32
        at += _U1
    return lower, span, point, at


@kernel(inline="always")
def _cut(coder: Any, numbers: Any, bit: Any, bound: Any) -> Any:
    """Keep the lower part of the range for 1, what is above the bound for 0; returns the numbers after it."""
    lower, span, point, at = numbers
    words = coder.words
    if bit:
        span = bound
    else:
        lower += bound
        if lower < bound:
            _carry(words, at)
        span -= bound
    return _written(words, lower, span, point, at)


@kernel(inline="always")
def _side(coder: Any, numbers: Any, bound: Any) -> Any:
    """On which side of the bound the point is, and the numbers after it."""
    lower, span, point, at = numbers
    bit = 0
    if point < bound:
        span = bound
        bit = 1
    else:
        point -= bound
        span -= bound
    return bit, _filled(coder, lower, span, point, at)


@kernel(inline="always")
def encode(coder: Any, numbers: Any, bit: Any, p: Any) -> Any:
    """Code a decision whose probability of 1 is p / 2**16, 0 < p < 2**16; returns the coder's numbers after it."""
    return _cut(coder, numbers, bit, (numbers[1] >> _U16) * np.uint64(p))


@kernel(inline="always")
def decode(coder: Any, numbers: Any, p: Any) -> Any:
    """The decision that was coded with this probability, and the coder's numbers after it."""
    return _side(coder, numbers, (numbers[1] >> _U16) * np.uint64(p))


@kernel(inline="always")
def code(coder: Any, numbers: Any, decoding: Any, bit: Any, p: Any) -> Any:
    """:func:`decode` or :func:`encode`; returns the decision, the coder's numbers after it, and its probability."""
    if decoding:
        bit, numbers = decode(coder, numbers, p)
    else:
        numbers = encode(coder, numbers, bit, p)
    return bit, numbers, float(p if bit else 65536 - p) * (1.0 / 65536.0)


@kernel(inline="always")
def encode_between(coder: Any, numbers: Any, below: Any, above: Any) -> Any:
    """Code a value that has the part of all probability from ``below`` to ``above``, in 2**-24, at least one of them;
    returns the coder's numbers after it."""
    lower, span, point, at = numbers
    words = coder.words
    begin = part_of(span, below)
    span = part_of(span, above) - begin
    lower += begin
    if lower < begin:
        _carry(words, at)
    return _written(words, lower, span, point, at)


@kernel(inline="always")
def decode_between(coder: Any, numbers: Any, below: Any, above: Any) -> Any:
    """The coder's numbers after that value. It is the one for which the point, ``numbers[2]``, is not less than
    :func:`part_of` the range, ``numbers[1]``, at ``below``, but less than that at ``above``."""
    lower, span, point, at = numbers
    begin = part_of(span, below)
    span = part_of(span, above) - begin
    point -= begin
    return _filled(coder, lower, span, point, at)


@kernel(inner=True)
def encode_bit(coder: Any, bit: Any, p: Any) -> None:
    """Code a decision by itself, as :func:`encode`."""
    close(coder, encode(coder, opened(coder), bit, p))


@kernel(inner=True)
def encode_finely(coder: Any, bit: Any, p: Any) -> None:
    """Code a decision whose probability of 1 is p / 2**24, 0 < p < 2**24."""
    numbers = opened(coder)
    close(coder, _cut(coder, numbers, bit, part_of(numbers[1], p)))


@kernel(inner=True)
def decode_bit(coder: Any, p: Any) -> Any:
    """A decision by itself, as :func:`decode`."""
    bit, numbers = decode(coder, opened(coder), p)
    close(coder, numbers)
    return bit


@kernel(inner=True)
def decode_finely(coder: Any, p: Any) -> Any:
    """The decision that was coded with this probability, in 24 bits."""
    numbers = opened(coder)
    bit, numbers = _side(coder, numbers, part_of(numbers[1], p))
    close(coder, numbers)
    return bit


def finish(coder: Coder) -> bytes:
    """The coded bytes, as few as tell the last interval; of zeros at the end as many are left out as a decoder may read
    beyond it."""
    lower, span, at = int(coder.state[LOWER]), int(coder.state[RANGE]), int(coder.state[AT])
    keep = bytearray(coder.words[:at].astype(">u4").tobytes())
    size = 0  # the fewest bytes that some number of the interval ends after
    while (value := -(-lower >> (64 - 8 * size)) << (64 - 8 * size)) >= lower + span:
        size += 1
    if value >> 64:  # carry
        i = len(keep) - 1
        while keep[i] == 255:
            keep[i] = 0
            i -= 1
        keep[i] += 1
    tail = (value & ((1 << 64) - 1)).to_bytes(8, "big")[:size]
    return (bytes(keep) + tail).rstrip(b"\0").ljust(max(0, 4 * (at + 2 - LOOK_AHEAD)), b"\0")
