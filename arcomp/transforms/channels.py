"""Transforms of channels: colour apart from alpha, gray that is stored as colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arcomp.samples import Pixels
from arcomp.transforms.node import Kind, Mask, Node, damaged


@dataclass(frozen=True)
class Divide(Node):
    """Some channels apart from the others, as colour from alpha.

    Attributes:
        at: how many are in the first part.
    """

    at: int
    first: Node
    second: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        if not 0 < self.at < kind.channels:
            raise damaged("a division of channels")
        return kind.of(channels=self.at), kind.of(channels=kind.channels - self.at)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        return stack[..., : self.at], stack[..., self.at :]

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        return np.concatenate(parts, axis=3)

    def unknown(self, parts: Sequence[Mask], kind: Kind) -> Mask:
        return np.concatenate(parts, axis=3)


@dataclass(frozen=True)
class Repeat(Node):
    """Channels that are all equal, as gray stored as colour: one of them."""

    child: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        return (kind.of(channels=1),)

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        return (stack[..., :1],)

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        return np.broadcast_to(parts[0], kind.shape)
