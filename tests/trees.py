"""Trees of transforms to test with: some tree for some stack."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from arcomp.samples import Pixels
from arcomp.transforms import (
    Coded,
    Constant,
    Divide,
    Fold,
    HighLow,
    Index,
    Inset,
    Levels,
    Node,
    Pile,
    Predict,
    Reorder,
    Repeat,
    Scale,
    Transpose,
)
from arcomp.transforms.depth import packed_levels
from arcomp.transforms.node import Kind

Shape = tuple[int, int, int, int]
CODED = Coded(16)
"""A leaf for any stack."""


def shape_of(stack: Pixels) -> Shape:
    pictures, height, width, channels = stack.shape
    return pictures, height, width, channels


def a_stack(rng: np.random.Generator, depth: int, levels: int) -> Pixels:
    """A stack of any shape in which so many levels are in use, in some of its channels perhaps one alone."""
    shape = tuple(int(n) for n in rng.integers(1, (4, 7, 9, 5)))
    used = rng.integers(0, 1 << depth, levels)
    stack = used[rng.integers(0, levels, shape)].astype(np.uint8 if depth <= 8 else np.uint16)
    if rng.random() < 0.3:
        stack[..., rng.integers(0, shape[3])] = used[0]
    if rng.random() < 0.3:
        stack[...] = stack[..., :1]
    return stack


def a_tree(rng: np.random.Generator, stack: Pixels, depth: int, nodes: int) -> Node:
    """Some tree that a stack can be split by, made by drawing nodes that fit."""
    _, height, width, channels = stack.shape
    fit: list[Node] = [Transpose(CODED), Pile(CODED), Fold(int(rng.integers(1, width + 1)), CODED)]
    top, left = int(rng.integers(height)), int(rng.integers(width))
    tall, wide = int(rng.integers(1, height - top + 1)), int(rng.integers(1, width - left + 1))
    fit.append(Inset(top, left, tall, wide, CODED, CODED))
    if depth > 1:
        fit.append(HighLow(int(rng.integers(1, depth)), CODED, CODED))
    if depth > 8:
        fit.append(Predict(int(rng.integers(2, 5)), int(rng.integers(0, 1 << depth)), CODED))
    if channels > 1:
        fit.append(Divide(int(rng.integers(1, channels)), CODED, CODED))
    if (stack == stack[..., :1]).all():
        fit.append(Repeat(CODED))
    used = np.zeros((channels, 1 << depth), np.bool_)
    for c in range(channels):
        used[c, stack[..., c]] = True
    fit.append(Levels(packed_levels(used), CODED))
    wide = int(rng.integers(depth, 17))
    fit.append(Scale(int(rng.integers(1, ((1 << wide) - 1) // ((1 << depth) - 1) + 1)), wide, CODED))
    colours = np.unique(stack.reshape(-1, channels), axis=0)
    if len(colours) <= 256:
        kept = rng.permutation(colours).astype(">u2" if depth > 8 else np.uint8)
        fit.append(Index(kept.tobytes(), CODED))
    if channels == 1 and depth <= 8:
        fit.append(Reorder(bytes(int(v) for v in rng.permutation(np.unique(stack))), CODED))
    if (stack == stack[0, 0, 0]).all():
        fit.append(Constant(tuple(int(v) for v in stack[0, 0, 0])))
    if not nodes:
        return Coded(int(rng.integers(depth, 17)))
    node = fit[rng.integers(0, len(fit))]
    kind = Kind(shape_of(stack), depth)
    made = [
        a_tree(rng, part, child.depth, nodes - 1)
        for part, child in zip(node.split(stack, kind), node.kinds(kind), strict=True)
    ]
    values = [getattr(node, field.name) for field in fields(node)]  # type: ignore[arg-type]
    return type(node)(*[made.pop(0) if isinstance(value, Node) else value for value in values])
