"""Transforms of shape: pictures turned over, folded, or put below each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arcomp.samples import Pixels
from arcomp.transforms.node import Kind, Node, damaged


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
