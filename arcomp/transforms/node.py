"""What a transform is: a node of a tree, between a stack of pictures and the stacks that are coded in its place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.errors import FormatError
from arcomp.samples import MAX_CHANNELS, MAX_DEPTH, Pixels
from arcomp.transforms.region import Region

Palette = npt.NDArray[np.uint8]
"""uint8 [entries, 3 or 4]: what samples of one channel are indices into."""
Mask = npt.NDArray[np.bool_]
"""bool [N, H, W, C]: a word about each sample of a stack."""
CHUNK = 1 << 22
"""Positions that are worked on at a time where a step needs wider integers than the samples."""


def damaged(what: str) -> FormatError:
    """The error for a tree, or for leaves, that no encoder writes."""
    return FormatError(f"the transform of its samples is damaged: {what}", remedy="get a fresh copy of the file")


@dataclass(frozen=True, eq=False)
class Kind:
    """What a stack is.

    Attributes:
        shape: (pictures, height, width, channels), each at least 1.
        depth: bits of a sample, 1 to 16.
        palette: of indices; None if samples are none, or if it does not matter any more.
    """

    shape: tuple[int, int, int, int]
    depth: int
    palette: Palette | None = None

    @property
    def channels(self) -> int:
        """Samples of a position."""
        return self.shape[3]

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8 or uint16."""
        return np.dtype(np.uint8 if self.depth <= 8 else np.uint16)

    def of(self, channels: int | None = None, depth: int | None = None) -> Kind:
        """The same pictures with other channels or another depth, no longer indices of the palette."""
        shape = self.shape if channels is None else (*self.shape[:3], channels)
        return Kind(shape, self.depth if depth is None else depth)

    def sized(self, pictures: int, height: int, width: int) -> Kind:
        """The same samples in pictures of another size."""
        return replace(self, shape=(pictures, height, width, self.channels))

    def check(self) -> None:
        """Refuse what no stack can be.

        Raises:
            FormatError: it is none.
        """
        if not 1 <= self.depth <= MAX_DEPTH or not 1 <= self.channels <= MAX_CHANNELS or min(self.shape) < 1:
            raise damaged("a part that cannot be")


def blocks(shape: tuple[int, ...]) -> Iterator[tuple[int, slice, slice]]:
    """Parts of stacks [N, H, W, ...] of at most :data:`CHUNK` positions, each as an index."""
    pictures, height, width = shape[:3]
    columns = min(width, CHUNK)
    rows = max(1, CHUNK // columns)
    for n in range(pictures):
        for y in range(0, height, rows):
            for x in range(0, width, columns):
                yield n, slice(y, y + rows), slice(x, x + columns)


def looked_up(table: npt.NDArray[Any], at: Pixels) -> npt.NDArray[Any]:
    """``table[at]`` [N, H, W, ...]; numpy by itself would make all of ``at`` into indices of 64 bits at once.

    Raises:
        FormatError: the table has not so many.
    """
    if int(at.max()) >= len(table):
        raise damaged("a sample of no level")
    found = np.empty((*at.shape, *table.shape[1:]), table.dtype)
    for block in blocks(at.shape):
        found[block] = table[at[block]]
    return found


class Node(ABC):
    """A transform, or a leaf. Subclasses are frozen dataclasses; their fields are int, bool, bytes or nodes."""

    def children(self) -> tuple[Node, ...]:
        """The nodes among its fields, in their order."""
        values = (getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]
        return tuple(value for value in values if isinstance(value, Node))

    def with_children(self, children: Iterable[Node]) -> Node:
        """The same node with other nodes among its fields, as many, in their order."""
        made, values = iter(children), {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return replace(self, **{name: next(made) for name, value in values.items() if isinstance(value, Node)})  # type: ignore[type-var]

    @abstractmethod
    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        """What its children are, if it is itself a stack of a kind. Fields are checked here, and only here.

        Raises:
            FormatError: it cannot be of that kind.
        """

    @abstractmethod
    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        """A stack made into its children's; views where that is possible."""

    @abstractmethod
    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        """The stack that was split.

        Args:
            parts: the children's, as :meth:`kinds` says; they may be overwritten.

        Returns:
            Of the kind, perhaps a view; no sample has more bits.

        Raises:
            FormatError: parts that no stack is split into.
        """

    def regions(self, kind: Kind, region: Region) -> tuple[Region, ...]:
        """Which region of each child is needed to make a region of the stack: no more than a rectangle around the
        samples that it depends on. A node that makes each position of those at the same place needs the same region.

        Args:
            kind: of the whole stack.
        """
        return (region,) * len(self.children())

    def join_region(self, parts: Sequence[Pixels], kind: Kind, region: Region) -> Pixels:
        """A region of the stack, [1, height, width, C]; as of :meth:`join`, but for the parts.

        Args:
            parts: of the children's stacks what :meth:`regions` says; they may be overwritten.
            kind: of the whole stack.
        """
        return self.join(parts, kind.sized(1, region.height, region.width))

    def blanked(self, part: Pixels, unknown: Mask, kind: Kind) -> Pixels:
        """A child's stack with such samples in place of those that are not known that :meth:`join` takes it."""
        return np.where(unknown, part.dtype.type(0), part)

    def unknown(self, parts: Sequence[Mask], kind: Kind) -> Mask:
        """Which samples of the stack depend on samples of its children that are not known."""
        found = np.zeros(kind.shape, np.bool_)
        for part in parts:
            found |= part if part.shape[3] == kind.channels else part.any(axis=3, keepdims=True)
        return found
