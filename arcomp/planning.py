"""Chooses how samples are made into what models take: the tree of transforms that suits a stack.

By looking where that is enough, as for photographs of 8 bits, else by trying.
"""

from __future__ import annotations

from arcomp.contract.fitting import takes
from arcomp.contract.model import Model
from arcomp.samples import Pixels
from arcomp.transforms import Coded, Constant, Divide, HighLow, Node
from arcomp.transforms.node import Kind, Palette, blocks

FALLBACK = "context"
"""Codes what is left over by transforms and not taken by the model that was asked for."""


def plan(stack: Pixels, depth: int, alpha: bool, palette: Palette | None, model: Model) -> Node:
    """The tree for a stack.

    Args:
        stack: uint8 or uint16 [N, H, W, C].
        depth, alpha, palette: see :class:`arcomp.samples.Samples`.
        model: codes what it takes of the leaves; :data:`FALLBACK` the others.

    Raises:
        ModelError: the model does not take such pictures, transformed or not.
    """
    pictures, height, width, channels = stack.shape
    return _planned(stack, Kind((pictures, height, width, channels), depth, palette), model)


def _planned(stack: Pixels, kind: Kind, model: Model) -> Node:
    if constant(stack):
        return Constant(tuple(int(v) for v in stack[0, 0, 0]))
    if takes(model, kind.channels, kind.depth):
        return Coded(kind.depth)
    if kind.channels in (2, 4):
        at = kind.channels - 1
        first, second = stack[..., :at], stack[..., at:]
        return Divide(at, _planned(first, kind.of(channels=at), model), _planned(second, kind.of(channels=1), model))
    if kind.depth > 8:
        return HighLow(
            8,
            _planned((stack >> 8).astype("uint8"), kind.of(depth=kind.depth - 8), model),
            _planned((stack & 255).astype("uint8"), kind.of(depth=8), model),
        )
    return Coded(8, 0 if takes(model, kind.channels, 8) else 1)


def constant(stack: Pixels) -> bool:
    """Whether every position is the same; no more is read than it takes to see that it is not."""
    first = stack[0, 0, 0]
    small = (slice(0, 1), slice(0, 64), slice(0, 64))
    return bool((stack[small] == first).all()) and all((stack[block] == first).all() for block in blocks(stack.shape))
