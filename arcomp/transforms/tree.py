"""Trees of transforms: what their leaves are, a stack made into leaves, and leaves into the stack again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from arcomp.samples import Pixels
from arcomp.transforms.leaves import Coded
from arcomp.transforms.node import Kind, Node, Palette, damaged

MAX_NODES = 64
"""Most nodes of a tree."""


@dataclass(frozen=True)
class Leaf:
    """What a coded leaf is.

    Attributes:
        shape: (pictures, height, width, channels).
        depth: bits of a sample as the model is told.
        model: see :class:`arcomp.transforms.leaves.Coded`.
    """

    shape: tuple[int, int, int, int]
    depth: int
    model: int

    @property
    def size(self) -> int:
        """How many samples there are."""
        return math.prod(self.shape)


def coded_leaves(tree: Node) -> tuple[Coded, ...]:
    """The coded leaves of a tree, in the order of their streams, whatever stack it is for."""
    if isinstance(tree, Coded):
        return (tree,)
    return tuple(leaf for child in tree.children() for leaf in coded_leaves(child))


def renumbered(tree: Node, numbers: Sequence[int]) -> Node:
    """The same tree whose leaves name a model by its place in ``numbers``."""
    if isinstance(tree, Coded):
        return replace(tree, model=numbers.index(tree.model))
    return tree.with_children(renumbered(child, numbers) for child in tree.children())


def leaf_kinds(
    tree: Node, shape: tuple[int, int, int, int], depth: int, palette: Palette | None = None
) -> tuple[Leaf, ...]:
    """The coded leaves of a tree, in the order of their streams. The whole tree is checked.

    Args:
        shape, depth, palette: of the stack that the tree is for.

    Raises:
        FormatError: the tree does not fit such a stack.
    """
    found, waiting, count = [], [(tree, Kind(shape, depth, palette))], 0
    while waiting:
        node, kind = waiting.pop()
        count += 1
        if count > MAX_NODES:
            raise damaged("too many parts")
        kind.check()
        made = node.kinds(kind)
        if isinstance(node, Coded):
            found.append(Leaf(kind.shape, node.depth, node.model))
        waiting += reversed([*zip(node.children(), made, strict=True)])
    return tuple(found)


def leaves(tree: Node, stack: Pixels, depth: int, palette: Palette | None = None) -> list[Pixels]:
    """A stack's coded leaves, of the sizes that :func:`leaf_kinds` says; views of the stack where that is possible.

    Args:
        stack: uint8 (depth up to 8) or uint16 [N, H, W, C].

    Raises:
        FormatError: the tree does not fit such a stack.
    """
    pictures, height, width, channels = stack.shape
    kind = Kind((pictures, height, width, channels), depth, palette)
    kinds = leaf_kinds(tree, kind.shape, depth, palette)
    return [
        leaf.astype("uint8" if made.depth <= 8 else "uint16", copy=False)
        for leaf, made in zip(_split(tree, stack, kind), kinds, strict=True)
    ]


def _split(node: Node, stack: Pixels, kind: Kind) -> Iterator[Pixels]:
    if isinstance(node, Coded):
        yield stack
        return
    for child, part, made in zip(node.children(), node.split(stack, kind), node.kinds(kind), strict=True):
        yield from _split(child, part, made)


def joined(
    tree: Node,
    leaves: Iterable[Pixels],
    shape: tuple[int, int, int, int],
    depth: int,
    palette: Palette | None = None,
) -> Pixels:
    """The stack of coded leaves.

    Args:
        leaves: in the order of :func:`leaf_kinds`; each is asked for when it is needed, so that they can be made one
            after the other. They may be overwritten.
        shape, depth, palette: of the stack.

    Returns:
        uint8 or uint16 [N, H, W, C]; perhaps a view, or one of the leaves.

    Raises:
        FormatError: the tree does not fit such a stack, or the leaves do not fit the tree.
    """
    leaf_kinds(tree, shape, depth, palette)
    return _join(tree, iter(leaves), Kind(shape, depth, palette))


def _join(node: Node, leaves: Iterator[Pixels], kind: Kind) -> Pixels:
    if isinstance(node, Coded):
        leaf = next(leaves, None)
        if leaf is None:
            raise damaged("a part is missing")
        return node.join([leaf], kind)
    return node.join(
        [_join(child, leaves, made) for child, made in zip(node.children(), node.kinds(kind), strict=True)], kind
    )
