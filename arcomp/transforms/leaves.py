"""Leaves: what is coded by a model, and what is not coded at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arcomp.samples import MAX_DEPTH, Pixels
from arcomp.transforms.node import Kind, Node, damaged

MAX_MODELS = 16
"""Of a file."""


@dataclass(frozen=True)
class Coded(Node):
    """A stack that a model codes.

    Attributes:
        depth: bits of a sample as the model is told, at least those that there are.
        model: its number in the list of the file's models.
    """

    depth: int
    model: int = 0

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        if not kind.depth <= self.depth <= MAX_DEPTH or not 0 <= self.model < MAX_MODELS:
            raise damaged("a coded part")
        return ()

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        raise NotImplementedError

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        (leaf,) = parts
        if leaf.shape != kind.shape:
            raise damaged("a part of another size")
        if kind.depth < 8 * leaf.dtype.itemsize and int(leaf.max()) >> kind.depth:
            raise damaged("samples of too many bits")
        return leaf.astype(kind.dtype, copy=False)


@dataclass(frozen=True)
class Constant(Node):
    """A stack in which every position is the same.

    Attributes:
        values: one for each channel.
    """

    values: tuple[int, ...]

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        if len(self.values) != kind.channels or not all(0 <= v < 1 << kind.depth for v in self.values):
            raise damaged("a constant")
        return ()

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        return ()

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        return np.broadcast_to(np.array(self.values, kind.dtype), kind.shape)
