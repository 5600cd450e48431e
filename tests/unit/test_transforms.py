"""Transforms: leaves joined are the stack again; trees and leaves that no encoder writes are refused."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.errors import FormatError
from arcomp.transforms import (
    NODES,
    Coded,
    Constant,
    Divide,
    Expand,
    Fold,
    HighLow,
    Index,
    Inset,
    Levels,
    Luma,
    Node,
    Predict,
    Reorder,
    Scale,
    Transpose,
    joined,
    leaf_kinds,
    leaves,
)
from arcomp.transforms.colours import keys
from arcomp.transforms.depth import packed_levels
from tests.trees import CODED, Shape, a_stack, a_tree, shape_of


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 16), st.integers(1, 300), st.integers(0, 4))
def test_leaves_joined_are_the_stack(seed: int, depth: int, levels: int, nodes: int) -> None:
    rng = np.random.default_rng(seed)
    stack = a_stack(rng, depth, levels)
    tree = a_tree(rng, stack, depth, nodes)
    kinds, made = leaf_kinds(tree, shape_of(stack), depth), leaves(tree, stack, depth)
    assert [leaf.shape for leaf in made] == [kind.shape for kind in kinds]
    assert all(
        leaf.dtype == (np.uint8 if kind.depth <= 8 else np.uint16) for leaf, kind in zip(made, kinds, strict=True)
    )
    back = joined(tree, (leaf.copy() for leaf in made), shape_of(stack), depth)
    assert back.dtype == stack.dtype
    assert np.array_equal(back, stack)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 8), st.sampled_from([3, 4]))
def test_palettes_expanded(seed: int, depth: int, channels: int) -> None:
    rng = np.random.default_rng(seed)
    entries = int(rng.integers(1, (1 << depth) + 1))
    palette = rng.integers(0, 3, (entries, channels)).astype(np.uint8)
    first = np.unique(keys(palette), return_index=True)[1]
    stack = first[rng.integers(0, len(first), (2, 5, 6, 1))].astype(np.uint8)
    tree = Expand(Divide(3, Coded(8), Coded(8, 1)) if channels == 4 else Coded(8))
    made = leaves(tree, stack, depth, palette)
    assert np.array_equal(joined(tree, made, shape_of(stack), depth, palette), stack)
    with pytest.raises(FormatError):
        joined(tree, [leaf + 3 for leaf in made], shape_of(stack), depth, palette)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 8), st.sampled_from([3, 4]))
def test_palettes_by_luma(seed: int, depth: int, channels: int) -> None:
    rng = np.random.default_rng(seed)
    palette = rng.integers(0, 256, (int(rng.integers(1, (1 << depth) + 1)), channels)).astype(np.uint8)
    stack = rng.integers(0, len(palette), (2, 5, 6, 1)).astype(np.uint8)
    (leaf,) = leaves(Luma(Coded(8)), stack, depth, palette)
    assert np.array_equal(joined(Luma(Coded(8)), [leaf], shape_of(stack), depth, palette), stack)
    brightness = palette[:, :3] @ np.array([299, 587, 114])
    levels = [brightness[stack[leaf == level]] for level in np.unique(leaf)]
    assert all(np.ptp(level) == 0 for level in levels)
    assert list(map(np.max, levels)) == sorted(map(np.max, levels))
    if len(palette) < 256:
        with pytest.raises(FormatError):
            joined(Luma(Coded(8)), [np.full_like(leaf, len(palette))], shape_of(stack), depth, palette)


GRAY: Shape = (1, 2, 3, 1)
HOSTILE: dict[str, tuple[Node, Shape, int]] = {
    "shallow": (Coded(7), GRAY, 8),
    "deep": (Coded(17), GRAY, 8),
    "model out of range": (Coded(8, 16), GRAY, 8),
    "negative model": (Coded(8, -1), GRAY, 8),
    "constant of too few": (Constant((1,)), (1, 2, 3, 2), 8),
    "constant too large": (Constant((256,)), GRAY, 8),
    "constant negative": (Constant((-1,)), GRAY, 8),
    "nothing divided": (Divide(0, CODED, CODED), (1, 2, 3, 2), 8),
    "all divided": (Divide(2, CODED, CODED), (1, 2, 3, 2), 8),
    "no low bits": (HighLow(0, CODED, CODED), GRAY, 8),
    "no high bits": (HighLow(8, CODED, CODED), GRAY, 8),
    "negative bits": (HighLow(-1, CODED, CODED), GRAY, 8),
    "no order": (Reorder(b"", CODED), GRAY, 8),
    "order with one twice": (Reorder(b"\0\1\0", CODED), GRAY, 8),
    "order of too many bits": (Reorder(b"\0\4", CODED), GRAY, 2),
    "order of colours": (Reorder(b"\0\1", CODED), (1, 2, 3, 3), 8),
    "no palette": (Expand(CODED), GRAY, 8),
    "no luma": (Luma(CODED), GRAY, 8),
    "no colours": (Index(b"", CODED), GRAY, 8),
    "colours cut": (Index(b"\0\1\2\3", CODED), (1, 2, 3, 3), 8),
    "colours of too many bits": (Index(b"\0\1\2\4", CODED), GRAY, 2),
    "257 colours": (Index(bytes(514), CODED), GRAY, 16),
    "levels damaged": (Levels(b"\xff\xff", CODED), GRAY, 8),
    "levels cut": (Levels(packed_levels(np.ones((1, 256), np.bool_))[:-1], CODED), GRAY, 8),
    "levels and more": (Levels(packed_levels(np.ones((1, 256), np.bool_)) + b"\0", CODED), GRAY, 8),
    "too few levels": (Levels(packed_levels(np.ones((1, 128), np.bool_)), CODED), GRAY, 8),
    "too many levels": (Levels(packed_levels(np.ones((1, 1 << 20), np.bool_)), CODED), GRAY, 8),
    "no levels": (Levels(packed_levels(np.zeros((1, 256), np.bool_)), CODED), GRAY, 8),
    "scaled by nothing": (Scale(0, 8, CODED), GRAY, 1),
    "scaled too far": (Scale(256, 8, CODED), GRAY, 1),
    "scaled beyond all": (Scale(1, 17, CODED), GRAY, 1),
    "scaled down": (Scale(-1, 8, CODED), GRAY, 1),
    "no weight": (Predict(1, 0, CODED), GRAY, 16),
    "too much weight": (Predict(5, 0, CODED), GRAY, 16),
    "centre too high": (Predict(2, 4096, CODED), GRAY, 12),
    "centre negative": (Predict(2, -1, CODED), GRAY, 12),
    "8 bits predicted": (Predict(2, 0, CODED), GRAY, 8),
    "no inset": (Inset(0, 0, 0, 1, CODED, CODED), GRAY, 8),
    "an inset beyond": (Inset(0, 1, 1, 3, CODED, CODED), GRAY, 8),
    "an inset before": (Inset(-1, 0, 2, 2, CODED, CODED), GRAY, 8),
    "no pieces": (Fold(0, CODED), GRAY, 8),
    "more pieces than columns": (Fold(4, CODED), GRAY, 8),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_trees_that_do_not_fit_are_refused(case: str) -> None:
    tree, shape, depth = HOSTILE[case]
    with pytest.raises(FormatError):
        leaf_kinds(tree, shape, depth)
    with pytest.raises(FormatError):
        joined(tree, [], shape, depth)


def test_trees_are_small() -> None:
    tree: Node = CODED
    for _ in range(64):
        tree = Transpose(tree)
    with pytest.raises(FormatError):
        leaf_kinds(tree, GRAY, 8)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 16), st.integers(1, 40), st.integers(1, 4))
def test_leaves_of_anything_are_joined_or_refused(seed: int, depth: int, levels: int, nodes: int) -> None:
    """What models decode from a damaged file: any samples of the depth they are told, or of another size."""
    rng = np.random.default_rng(seed)
    stack = a_stack(rng, depth, levels)
    tree = a_tree(rng, stack, depth, nodes)
    kinds = leaf_kinds(tree, shape_of(stack), depth)
    made = [
        rng.integers(0, 1 << kind.depth, kind.shape).astype(np.uint8 if kind.depth <= 8 else np.uint16)
        for kind in kinds
    ]
    try:
        back = joined(tree, made, shape_of(stack), depth)
    except FormatError:
        return
    assert back.shape == stack.shape
    assert back.dtype == stack.dtype
    assert int(back.max()) < 1 << depth


def test_predictions() -> None:
    """By hand: 2 for the mean, 4 for the plane, 3 between."""
    stack = np.array([[10, 13], [20, 24]], np.uint16)[None, ..., None]
    for weight, last in ((2, 24 - 17), (3, 24 - 20), (4, 24 - 23)):
        (leaf,) = leaves(Predict(weight, 500, Coded(16)), stack, 10)
        assert leaf.ravel().tolist() == [510, 503, 510, 500 + last]


def test_leaves_missing_or_of_another_size_are_refused() -> None:
    for made in ([], [np.zeros((1, 2, 3, 2), np.uint8)], [np.zeros((1, 3, 2, 1), np.uint8)]):
        with pytest.raises(FormatError):
            joined(Coded(8), made, GRAY, 8)


def test_nodes_are_plain() -> None:
    """Files hold them field by field."""
    nodes: tuple[Any, ...] = NODES
    kinds = {field.type for node in nodes for field in fields(node)}
    assert kinds <= {"int", "bool", "bytes", "tuple[int, ...]", "Node"}
