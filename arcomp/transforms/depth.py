"""Transforms of depth: samples of many bits as several of few, levels that are in use, few bits as many."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.samples import Pixels
from arcomp.transforms.node import Kind, Mask, Node, damaged, looked_up


@dataclass(frozen=True)
class HighLow(Node):
    """The high bits of each sample apart from its low bits.

    Attributes:
        bits: how many are low; a sample is ``high << bits | low``.
    """

    bits: int
    high: Node
    low: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        if not 0 < self.bits < kind.depth:
            raise damaged("a division of bits")
        return kind.of(depth=kind.depth - self.bits), kind.of(depth=self.bits)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        high, low = (np.empty(made.shape, made.dtype) for made in self.kinds(kind))
        np.right_shift(stack, self.bits, out=high, casting="unsafe")
        np.bitwise_and(stack, (1 << self.bits) - 1, out=low, casting="unsafe")
        return high, low

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        stack: Pixels = parts[0].astype(kind.dtype)
        stack <<= self.bits
        stack |= parts[1]
        return stack


@dataclass(frozen=True)
class Octets(Node):
    """Samples of more than 8 bits as two channels of 8: the high bits, then the low 8 ones, which are so coded knowing
    the high ones (as WaveRNN has them: Kalchbrenner et al. 2018, section 2.2)."""

    child: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        if kind.depth <= 8:
            raise damaged("samples of one byte in two")
        return (kind.of(channels=2 * kind.channels, depth=8),)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        made = np.empty((*kind.shape, 2), np.uint8)
        np.right_shift(stack, 8, out=made[..., 0], casting="unsafe")
        np.bitwise_and(stack, 255, out=made[..., 1], casting="unsafe")
        return (made.reshape(*kind.shape[:3], 2 * kind.channels),)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        pairs = parts[0].reshape(*kind.shape, 2)
        stack: Pixels = pairs[..., 0].astype(kind.dtype)
        stack <<= 8
        stack |= pairs[..., 1]
        if int(stack.max()) >> kind.depth:
            raise damaged("a sample of too many bits")
        return stack

    def unknown(self, parts: Sequence[Mask], kind: Kind) -> Mask:
        """A sample depends on both of its bytes."""
        pairs = parts[0].reshape(*kind.shape, 2)
        return np.logical_or(pairs[..., 0], pairs[..., 1])


def packed_levels(used: npt.NDArray[np.bool_]) -> bytes:
    """Which levels of each channel are in use (bool [channels, 1 << depth]), as :class:`Levels` holds it."""
    deflate = zlib.compressobj(9, wbits=-15)
    return deflate.compress(np.packbits(used).tobytes()) + deflate.flush()


@dataclass(frozen=True)
class Levels(Node):
    """Levels by their rank among those that are in use, in each channel apart.

    Attributes:
        used: a raw deflate stream (RFC 1951) of a bit for each level of each channel, channel by channel, the lowest
            level first and in the highest bit of a byte; the last byte is filled up with zeros.
    """

    used: bytes
    child: Node

    def _table(self, kind: Kind) -> npt.NDArray[np.bool_]:
        """bool [channels, 1 << depth].

        Raises:
            FormatError: there are fewer or more bits, or a channel without levels.
        """
        count = kind.channels << kind.depth
        size, inflate = -(-count // 8), zlib.decompressobj(-15)
        try:
            data = inflate.decompress(self.used, size + 1)
        except zlib.error:
            raise damaged("levels in use") from None
        if len(data) != size or not inflate.eof or inflate.unused_data:
            raise damaged("levels in use")
        bits = np.unpackbits(np.frombuffer(data, np.uint8), count=count)
        table: npt.NDArray[np.bool_] = bits.view(np.bool_).reshape(kind.channels, -1)
        if not table.any(axis=1).all():
            raise damaged("levels in use")
        return table

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        most = int(self._table(kind).sum(axis=1).max())
        return (kind.of(depth=max(1, (most - 1).bit_length())),)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        (made,) = self.kinds(kind)
        ranks = (np.cumsum(self._table(kind), axis=1) - 1).astype(made.dtype)
        return (_by_channel([*ranks], stack),)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        return _by_channel([np.flatnonzero(used).astype(kind.dtype) for used in self._table(kind)], parts[0])


def _by_channel(tables: list[npt.NDArray[Any]], stack: Pixels) -> Pixels:
    """Each channel looked up in a table of its own.

    Raises:
        FormatError: a sample has no entry.
    """
    if len(tables) == 1:
        return looked_up(tables[0], stack)
    made = np.empty(stack.shape, tables[0].dtype)
    for c, table in enumerate(tables):
        made[..., c] = looked_up(table, stack[..., c])
    return made


@dataclass(frozen=True)
class Scale(Node):
    """Samples of few bits spread over many.

    Attributes:
        factor: a sample times this is coded.
        depth: bits of what is coded.
    """

    factor: int
    depth: int
    child: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        if self.depth > 16 or not 1 <= self.factor * ((1 << kind.depth) - 1) < 1 << self.depth:
            raise damaged("a scale")
        return (kind.of(depth=self.depth),)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        (made,) = self.kinds(kind)
        return (np.multiply(stack, made.dtype.type(self.factor), dtype=made.dtype),)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        whole, left = np.divmod(parts[0], parts[0].dtype.type(self.factor))
        if left.any() or int(whole.max()) >> kind.depth:
            raise damaged("a sample between two levels")
        return whole.astype(kind.dtype, copy=False)
