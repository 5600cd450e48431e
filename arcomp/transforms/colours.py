"""Transforms between colours and indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.samples import Pixels
from arcomp.transforms.node import Kind, Mask, Node, Palette, blocks, damaged, looked_up


@dataclass(frozen=True)
class Reorder(Node):
    """Indices in another order, one that makes neighbours in the picture neighbours in the order.

    Attributes:
        order: a byte for each new index: the old one. No old one twice; those left out do not occur.
    """

    order: bytes
    child: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        old = set(self.order)
        if kind.channels != 1 or kind.depth > 8 or not old or len(old) < len(self.order) or max(old) >> kind.depth:
            raise damaged("an order of indices")
        return (kind.of(depth=max(1, (len(old) - 1).bit_length())),)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        new = np.zeros(256, np.uint8)
        new[np.frombuffer(self.order, np.uint8)] = np.arange(len(self.order))
        return (looked_up(new, stack),)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        return looked_up(np.frombuffer(self.order, np.uint8), parts[0])


def by_luma(palette: Palette | Pixels) -> npt.NDArray[np.int64]:
    """Entries of a palette [entries, channels], the darkest first, of the equally bright ones the first."""
    weights = (299, 587, 114, 0) if palette.shape[1] > 2 else (1, 0)
    return np.argsort(palette.astype(np.int64) @ np.array(weights[: palette.shape[1]]), kind="stable")


@dataclass(frozen=True)
class Luma(Node):
    """Indices by the brightness of their colours: the darkest entry of the palette is 0, of equally bright entries the
    first comes first. Brightness is ``299 R + 587 G + 114 B``."""

    child: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        _palette_of(kind)
        return (kind.of(),)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        order = by_luma(_palette_of(kind))
        rank = np.empty(len(order), np.uint8)
        rank[order] = np.arange(len(order))
        return (looked_up(rank, stack),)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        return looked_up(by_luma(_palette_of(kind)).astype(np.uint8), parts[0])


def _palette_of(kind: Kind) -> Palette:
    """The palette of indices; what no index of so many bits can mean is left out.

    Raises:
        FormatError: they are none.
    """
    if kind.palette is None or kind.channels != 1 or kind.depth > 8 or not len(kind.palette):
        raise damaged("colours without a palette")
    return kind.palette[: 1 << kind.depth]


@dataclass(frozen=True)
class Expand(Node):
    """Indices as the colours of their palette. The first of several equal entries is the one that occurs."""

    child: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        return (Kind((*kind.shape[:3], _palette_of(kind).shape[1]), 8),)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        return (looked_up(_palette_of(kind), stack[..., 0]),)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        return indices(parts[0], _palette_of(kind))

    def blanked(self, part: Pixels, unknown: Mask, kind: Kind) -> Pixels:
        return np.where(unknown.any(axis=3, keepdims=True), _palette_of(kind)[0], part)


@dataclass(frozen=True)
class Index(Node):
    """Colours as indices into a list of them, at most 256.

    Attributes:
        colours: of each index its channels, one byte each or, of samples of more than 8 bits, two, the high one first.
    """

    colours: bytes
    child: Node

    def _palette(self, kind: Kind) -> Pixels:
        return np.frombuffer(self.colours, kind.dtype.newbyteorder(">")).reshape(-1, kind.channels)

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        count, left = divmod(len(self.colours), kind.channels * kind.dtype.itemsize)
        if left or not 1 <= count <= 256 or int(self._palette(kind).max()) >> kind.depth:
            raise damaged("a list of colours")
        return (kind.of(channels=1, depth=max(1, (count - 1).bit_length())),)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        return (indices(stack, self._palette(kind)),)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        return looked_up(self._palette(kind).astype(kind.dtype), parts[0][..., 0])


def keys(colours: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """A number for each colour [..., channels]: equal for equal ones."""
    made = colours[..., 0].astype(np.uint64)
    for c in range(1, colours.shape[-1]):
        made <<= np.uint64(16)
        made |= colours[..., c]
    return made


def indices(colours: Pixels, palette: Palette | Pixels) -> Pixels:
    """Where each colour stands in a palette of up to 256, for the first time: uint8 [N, H, W, 1].

    Raises:
        FormatError: a colour does not.
    """
    known, first = np.unique(keys(palette), return_index=True)
    found = np.empty(colours.shape[:3], np.uint8)
    for block in blocks(colours.shape):
        wanted = keys(colours[block])
        rank = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        if (known[rank] != wanted).any():
            raise damaged("a colour that the palette has not")
        found[block] = first[rank]
    return found[..., None]
