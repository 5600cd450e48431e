"""The range coder of digits in Numba, for machines that constriction has no package for (ARM Linux).

Martin 1979 as in constriction's ``RangeEncoder`` and ``RangeDecoder`` (Bamler 2022, "Understanding entropy coding with
ANS"): the same words for the same digits, and the same answer to damaged ones. Integers alone: 64 bits of state, words
of 32 bits, frequencies of 24 bits (the format, "Range coder"). A carry is added to the words before at once,
where constriction holds such words back: they end up the same.

A coder is uint64 [3]: lower end (decoding: the point less the lower end), range, next word.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arcomp.coding.distribution import FREQUENCY_BITS, Float32, Int32
from arcomp.errors import FormatError
from arcomp.exact.compiled import kernel

UInt32 = npt.NDArray[np.uint32]
UInt64 = npt.NDArray[np.uint64]

_LIMIT = np.uint64(1 << 32)
_WORD = np.uint64(32)
_PRECISION = np.uint64(FREQUENCY_BITS)
_FULL = (1 << 64) - 1
_LOW_WORD = (1 << 32) - 1


@kernel()
def _encode_digits(coder: UInt64, words: UInt32, digits: Int32, less_one: Float32) -> None:
    """Code digits [n], each below s, whose frequencies less one are less_one [n, s]; words has room for n more."""
    lower, span, at = coder[0], coder[1], np.int64(coder[2])
    for i in range(digits.shape[0]):
        digit = digits[i]
        below = np.int64(digit)
        for j in range(digit):
            below += np.int64(less_one[i, j])
        scale = span >> _PRECISION
        raised = lower + scale * np.uint64(below)
        if raised < lower:  # beyond 64 bits: carry into the words before
            k = at - 1
            while words[k] == np.uint32(0xFFFFFFFF):
                words[k] = np.uint32(0)
                k -= 1
            words[k] += np.uint32(1)
        lower = raised
        span = scale * np.uint64(np.int64(less_one[i, digit]) + 1)
        if span < _LIMIT:
            words[at] = np.uint32(lower >> _WORD)
            at += 1
            lower <<= _WORD
            span <<= _WORD
    coder[0], coder[1], coder[2] = lower, span, np.uint64(at)


@kernel()
def _decode_digits(coder: UInt64, words: UInt32, less_one: Float32, digits: Int32) -> int:
    """Write digits [n]; n, or the first that no digit can be."""
    point, span, at = coder[0], coder[1], np.int64(coder[2])
    n: int = less_one.shape[0]
    values: int = less_one.shape[1]
    for i in range(n):
        scale = span >> _PRECISION
        if point >= scale << _PRECISION:
            return i
        digit = 0
        below = np.uint64(0)
        above = scale * np.uint64(np.int64(less_one[i, 0]) + 1)
        while point >= above and digit < values - 1:
            digit += 1
            below = above
            above += scale * np.uint64(np.int64(less_one[i, digit]) + 1)
        digits[i] = digit
        point -= below
        span = above - below
        if span < _LIMIT:
            word = np.uint64(0)
            if at < words.shape[0]:
                word = np.uint64(words[at])
            at += 1
            point = (point << _WORD) | word
            span <<= _WORD
    coder[0], coder[1], coder[2] = point, span, np.uint64(at)
    return n


class RangeEncoder:
    """Collects digits; :meth:`words` gives them as words.

    Memory: up to twice the words so far, and a word for each digit of a call.
    """

    def __init__(self) -> None:
        self._coder = np.array([0, _FULL, 0], np.uint64)
        self._words = np.empty(1024, np.uint32)

    def encode(self, digits: Int32, less_one: Float32) -> None:
        """Code digits, int32 [n], with the frequencies less one of all their values, float32 [n, s].

        The frequencies of a digit are integers and sum to 2**24.
        """
        need = int(self._coder[2]) + len(digits)  # a digit writes one word at most
        if need > len(self._words):
            self._words = np.concatenate([self._words, np.empty(need, np.uint32)])
        _encode_digits(self._coder, self._words, digits, less_one)

    def words(self) -> UInt32:
        """The words so far and those that tell the last interval: uint32 [m]; none for no digit."""
        lower, span, at = (int(v) for v in self._coder)
        if span == _FULL:
            return np.empty(0, np.uint32)
        value = (lower + _LOW_WORD) >> 32  # within the interval, whatever comes after it
        written = np.concatenate([self._words[:at], np.array([value & _LOW_WORD], np.uint32)])
        if value >> 32:  # carry
            while written[at - 1] == _LOW_WORD:
                at -= 1
                written[at] = 0
            written[at - 1] += 1
        if ((lower + span) >> 32) & _LOW_WORD == value & _LOW_WORD:
            written = np.append(written, np.uint32(0))
        return written


class RangeDecoder:
    """Gives digits back.

    Args:
        words: uint32 [m]; what is read beyond their end is 0.
    """

    def __init__(self, words: UInt32) -> None:
        first = [*words[:2].tolist(), 0, 0]
        self._words = words
        self._coder = np.array([(first[0] << 32) | first[1], _FULL, 2], np.uint64)

    @property
    def beyond(self) -> int:
        """How many words have been read beyond the end."""
        return int(self._coder[2]) - len(self._words)

    def decode(self, less_one: Float32) -> Int32:
        """The digits, int32 [n], that were coded with the frequencies less one of less_one, float32 [n, s].

        Raises:
            FormatError: no digits give such words.
        """
        digits = np.empty(len(less_one), np.int32)
        if _decode_digits(self._coder, self._words, less_one, digits) != len(less_one):
            raise FormatError("the coded pixels are damaged", remedy="get a fresh copy of the file")
        return digits
