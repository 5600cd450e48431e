"""Symbols as digits over a range coder: constriction's, or where there is none :mod:`arcomp.coding.range_coder`, which
writes the same words. The latter decodes: it is faster at that, and tells where it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from arcomp.coding.binary import check_end
from arcomp.coding.choice import range_encoder
from arcomp.coding.distribution import Distribution, Float32, Int32, digit_widths
from arcomp.coding.range_coder import RangeDecoder
from arcomp.errors import FormatError


def digit_of(symbols: Int32, depth: int, level: int) -> tuple[Int32, Int32]:
    """(prefix, digit) of symbols at a level: int32 [n] each."""
    widths = digit_widths(depth)
    below = sum(widths[level + 1 :])
    upto = symbols >> below
    return upto >> widths[level], upto & ((1 << widths[level]) - 1)


class Encoder:
    """Collects symbols; :meth:`finish` gives the bytes.

    Memory: the bytes so far (at most twice), and what one call is given.
    """

    def __init__(self) -> None:
        self._coder = range_encoder()

    def encode(self, distributions: Sequence[Distribution], symbols: Int32, ends: npt.NDArray[np.int64]) -> None:
        """Code the symbols of one or several fronts.

        Args:
            distributions: one for each channel, each over the same n positions.
            symbols: int32 [n, channels].
            ends: int64 [fronts], where each front ends in 0 .. n. Within a front come channel after channel,
                digit after digit, position after position.
        """
        parts: list[tuple[Int32, Float32]] = []
        for c, distribution in enumerate(distributions):
            column = np.ascontiguousarray(symbols[:, c])
            for level in range(len(digit_widths(distribution.depth))):
                prefix, digit = digit_of(column, distribution.depth, level)
                parts.append((digit, distribution.frequencies(level, prefix)))
        begin = 0
        for end in ends.tolist():
            for digit, frequencies in parts:
                self._coder.encode(digit[begin:end], frequencies[begin:end])
            begin = end

    def finish(self) -> bytes:
        """The coded bytes: 32-bit words, little-endian."""
        return bytes(self._coder.words().astype("<u4").tobytes())


class Decoder:
    """Gives symbols back, in the order and with the distributions they were coded with.

    Args:
        data: what :meth:`Encoder.finish` gave.

    Raises:
        FormatError: the length is no multiple of 4.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) % 4:
            raise FormatError("the coded pixels are no whole number of words", remedy="the file is damaged")
        self._coder = RangeDecoder(np.frombuffer(data, "<u4").astype(np.uint32))

    def decode(self, distribution: Distribution) -> Int32:
        """One symbol for each position: int32 [n].

        Raises:
            FormatError: the data cannot have been coded with such a distribution, or has ended.
        """
        symbols = np.zeros(len(distribution), np.int32)
        for level, width in enumerate(digit_widths(distribution.depth)):
            digit = self._coder.decode(distribution.frequencies(level, symbols))
            symbols = (symbols << width) | digit
        check_end(self._coder.beyond)
        return symbols


def sample(distribution: Distribution, rng: np.random.Generator, temperature: float = 1.0) -> Int32:
    """Draw a symbol for each position by the inverse of the distribution function: int32 [n].

    A uniform number in 0 .. 2**24 - 1 falls into one digit's interval after the other.

    Args:
        rng: asked for numbers in a fixed sequence.
        temperature: probabilities are raised to the power of its inverse: 1 leaves them as they are (integers, the same
            draw everywhere), less prefers the likely ones, 0 takes the likeliest.
    """
    if temperature != 1:
        return _sample_at(distribution, rng, temperature)
    symbols = np.zeros(len(distribution), np.int32)
    for level, width in enumerate(digit_widths(distribution.depth)):
        ends = np.cumsum(distribution.frequencies(level, symbols).astype(np.int64) + 1, axis=1)
        uniform = rng.integers(1 << 24, size=(len(symbols), 1))
        symbols = ((symbols << width) | (ends <= uniform).sum(1)).astype(np.int32)
    return symbols


def _sample_at(distribution: Distribution, rng: np.random.Generator, temperature: float) -> Int32:
    """The same from probabilities of whole symbols, in floating point."""
    n = len(distribution)
    masses = np.ones((n, 1))
    for level in range(len(digit_widths(distribution.depth))):
        digits = [distribution.frequencies(level, np.full(n, p, np.int32)) for p in range(masses.shape[1])]
        masses = np.concatenate([masses[:, p : p + 1] * (f + 1.0) for p, f in enumerate(digits)], 1)
    if temperature == 0:
        return np.asarray(masses.argmax(1), np.int32)
    powers = (masses / masses.max(1, keepdims=True)) ** (1 / temperature)
    ends = np.cumsum(powers, 1)
    uniform = rng.random((n, 1)) * ends[:, -1:]
    return np.asarray(np.minimum((ends <= uniform).sum(1), masses.shape[1] - 1), np.int32)
