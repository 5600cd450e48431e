"""Stacks in part: a region of one, made of no more than it needs; and what is known of one whose leaves are damaged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from arcomp.samples import Pixels
from arcomp.transforms.leaves import Coded
from arcomp.transforms.node import Kind, Mask, Node, damaged
from arcomp.transforms.region import Region
from arcomp.transforms.tree import leaf_kinds


def leaf_regions(tree: Node, kind: Kind, region: Region) -> tuple[Region, ...]:
    """What of each coded leaf is needed to make a region of a stack, in the order of :func:`leaf_kinds`.

    Args:
        kind: of the stack.

    Raises:
        FormatError: the tree does not fit such a stack.
    """
    leaf_kinds(tree, kind.shape, kind.depth, kind.palette)
    return tuple(_regions(tree, kind, region))


def _regions(node: Node, kind: Kind, region: Region) -> Iterator[Region]:
    if isinstance(node, Coded):
        yield region
        return
    wanted = node.regions(kind, region)
    for child, made, part in zip(node.children(), node.kinds(kind), wanted, strict=True):
        yield from _regions(child, made, part)


def joined_region(tree: Node, leaves: Iterable[Pixels], kind: Kind, region: Region) -> Pixels:
    """A region of a stack, [1, height, width, C]: the same as of the whole stack.

    Args:
        leaves: of the coded leaves what :func:`leaf_regions` says, each [1, height, width, C]. They may be overwritten.
        kind: of the stack.

    Raises:
        FormatError: the leaves do not fit the tree.
    """
    return _join_region(tree, iter(leaves), kind, region)


def _join_region(node: Node, leaves: Iterator[Pixels], kind: Kind, region: Region) -> Pixels:
    if isinstance(node, Coded):
        leaf = next(leaves, None)
        if leaf is None:
            raise damaged("a part is missing")
        return node.join_region([leaf], kind, region)
    wanted = node.regions(kind, region)
    parts = [
        _join_region(child, leaves, made, part)
        for child, made, part in zip(node.children(), node.kinds(kind), wanted, strict=True)
    ]
    return node.join_region(parts, kind, region)


def joined_around(tree: Node, leaves: Iterable[tuple[Pixels, Mask]], kind: Kind) -> tuple[Pixels, Mask]:
    """A stack of leaves some of whose samples are not known.

    Args:
        leaves: in the order of :func:`leaf_kinds`: samples, and which of them are not known (of the same shape).
        kind: of the stack.

    Returns:
        The stack, [N, H, W, C], and which of its samples are not known; these have no meaning.

    Raises:
        FormatError: the tree does not fit such a stack, or what is known of the leaves does not fit the tree.
    """
    leaf_kinds(tree, kind.shape, kind.depth, kind.palette)
    return _join_around(tree, iter(leaves), kind)


def _join_around(node: Node, leaves: Iterator[tuple[Pixels, Mask]], kind: Kind) -> tuple[Pixels, Mask]:
    if isinstance(node, Coded):
        leaf, unknown = next(leaves)
        return node.join([node.blanked(leaf, unknown, kind)], kind), unknown
    found = [_join_around(child, leaves, made) for child, made in zip(node.children(), node.kinds(kind), strict=True)]
    parts = [node.blanked(part, unknown, kind) if unknown.any() else part for part, unknown in found]
    return node.join(parts, kind), node.unknown([unknown for _, unknown in found], kind)


def unknown_in(tree: Node, leaves: Iterable[Mask], kind: Kind) -> Mask:
    """Which samples of a stack are not known, by those of its leaves that are not; as :func:`joined_around`.

    Raises:
        FormatError: the tree does not fit such a stack.
    """
    leaf_kinds(tree, kind.shape, kind.depth, kind.palette)
    return _unknown(tree, iter(leaves), kind)


def _unknown(node: Node, leaves: Iterator[Mask], kind: Kind) -> Mask:
    if isinstance(node, Coded):
        return next(leaves)
    found = [_unknown(child, leaves, made) for child, made in zip(node.children(), node.kinds(kind), strict=True)]
    return node.unknown(found, kind)
