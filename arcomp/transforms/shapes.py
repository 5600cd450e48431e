"""Transforms of shape: pictures turned over, folded, or put below each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arcomp.samples import Pixels
from arcomp.transforms.node import Kind, Mask, Node, damaged
from arcomp.transforms.region import Region


@dataclass(frozen=True)
class Transpose(Node):
    """Rows as columns."""

    child: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        pictures, height, width, _ = kind.shape
        return (kind.sized(pictures, width, height),)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        return (stack.swapaxes(1, 2),)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        return parts[0].swapaxes(1, 2)

    def regions(self, kind: Kind, region: Region) -> tuple[Region, ...]:
        return (Region(region.picture, region.x, region.y, region.width, region.height),)

    def unknown(self, parts: Sequence[Mask], kind: Kind) -> Mask:
        return self.join(parts, kind)


@dataclass(frozen=True)
class Pile(Node):
    """Pictures below each other, as one."""

    child: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        pictures, height, width, _ = kind.shape
        return (kind.sized(1, pictures * height, width),)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        return (stack.reshape(self.kinds(kind)[0].shape),)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        return parts[0].reshape(kind.shape)

    def regions(self, kind: Kind, region: Region) -> tuple[Region, ...]:
        return (region._replace(picture=0, y=region.picture * kind.shape[1] + region.y),)

    def unknown(self, parts: Sequence[Mask], kind: Kind) -> Mask:
        return self.join(parts, kind)


@dataclass(frozen=True)
class Fold(Node):
    """Wide pictures cut across into pieces of one width, which are put below each other.

    Attributes:
        pieces: how many, at most as many as there are columns. The last one is filled up with its last column.
    """

    pieces: int
    child: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        pictures, height, width, _ = kind.shape
        if not 1 <= self.pieces <= width:
            raise damaged("a fold")
        return (kind.sized(pictures, height * self.pieces, -(-width // self.pieces)),)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        pictures, height, width, channels = kind.shape
        piece = -(-width // self.pieces)
        filled = np.pad(stack, ((0, 0), (0, 0), (0, piece * self.pieces - width), (0, 0)), "edge")
        pieces = filled.reshape(pictures, height, self.pieces, piece, channels).swapaxes(1, 2)
        return (pieces.reshape(pictures, -1, piece, channels),)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        pictures, height, width, channels = kind.shape
        pieces = parts[0].reshape(pictures, self.pieces, height, -1, channels).swapaxes(1, 2)
        return pieces.reshape(pictures, height, -1, channels)[:, :, :width]

    def _columns(self, kind: Kind, region: Region) -> tuple[int, int, int]:
        """Columns of a piece, and the first and the last piece that a region lies in."""
        piece = -(-kind.shape[2] // self.pieces)
        return piece, region.x // piece, (region.x + region.width - 1) // piece

    def regions(self, kind: Kind, region: Region) -> tuple[Region, ...]:
        """In one piece, the region itself; across pieces, the rows from its first in the first of them to its last in
        the last."""
        height = kind.shape[1]
        piece, first, last = self._columns(kind, region)
        y = first * height + region.y
        if first == last:
            return (region._replace(y=y, x=region.x - first * piece),)
        return (Region(region.picture, y, 0, (last - first) * height + region.height, piece),)

    def join_region(self, parts: Sequence[Pixels], kind: Kind, region: Region) -> Pixels:
        height = kind.shape[1]
        piece, first, last = self._columns(kind, region)
        rows = [parts[0][:, i * height : i * height + region.height] for i in range(last - first + 1)]
        if first == last:
            return rows[0]
        x = region.x - first * piece
        return np.concatenate(rows, axis=2)[:, :, x : x + region.width]

    def unknown(self, parts: Sequence[Mask], kind: Kind) -> Mask:
        return self.join(parts, kind)
