"""Stacks in part: a region of one is that of the whole, from no more of its leaves than it depends on; what depends on
samples that are not known is said, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.samples import Pixels
from arcomp.transforms import (
    Coded,
    Constant,
    Divide,
    Expand,
    Fold,
    Inset,
    Kind,
    Levels,
    Luma,
    Node,
    Pile,
    Predict,
    Region,
    Reorder,
    Transpose,
    joined_around,
    joined_region,
    leaf_regions,
    leaves,
)
from arcomp.transforms.depth import packed_levels
from tests.trees import a_stack, a_tree, shape_of


def a_region(rng: np.random.Generator, stack: Pixels) -> Region:
    n, height, width, _ = stack.shape
    y, x = int(rng.integers(0, height)), int(rng.integers(0, width))
    return Region(
        int(rng.integers(0, n)), y, x, int(rng.integers(1, height - y + 1)), int(rng.integers(1, width - x + 1))
    )


def holes(rng: np.random.Generator, made: list[Pixels]) -> list[tuple[Pixels, npt.NDArray[np.bool_]]]:
    """Leaves with rectangles of anything in them, and where these are."""
    found = []
    for leaf in made:
        unknown = np.zeros(leaf.shape, np.bool_)
        if rng.random() < 0.7:
            a_region(rng, leaf).of(unknown)[...] = True
        noise = rng.integers(0, 1 << 8 * leaf.dtype.itemsize, leaf.shape).astype(leaf.dtype)
        found.append((np.where(unknown, noise, leaf), unknown))
    return found


def a_palette(rng: np.random.Generator, depth: int) -> npt.NDArray[np.uint8]:
    return np.unique(rng.integers(1, 256, (1 << depth, 3)).astype(np.uint8), axis=0)


@settings(max_examples=300)
@given(st.integers(0, 1 << 32), st.integers(1, 16), st.integers(1, 300), st.integers(0, 4))
def test_a_region_is_that_of_the_whole(seed: int, depth: int, levels: int, nodes: int) -> None:
    rng = np.random.default_rng(seed)
    stack = a_stack(rng, depth, levels)
    tree, kind, region = a_tree(rng, stack, depth, nodes), Kind(shape_of(stack), depth), a_region(rng, stack)
    made = leaves(tree, stack, depth)
    wanted = leaf_regions(tree, kind, region)
    assert all(part.of(leaf).shape[1:3] == part[3:] for part, leaf in zip(wanted, made, strict=True))
    found = joined_region(tree, [part.of(leaf).copy() for part, leaf in zip(wanted, made, strict=True)], kind, region)
    assert found.dtype == stack.dtype
    assert np.array_equal(found, region.of(stack))


@settings(max_examples=300)
@given(st.integers(0, 1 << 32), st.integers(1, 16), st.integers(1, 300), st.integers(0, 4))
def test_what_is_known_is_right(seed: int, depth: int, levels: int, nodes: int) -> None:
    rng = np.random.default_rng(seed)
    stack = a_stack(rng, depth, levels)
    tree, kind = a_tree(rng, stack, depth, nodes), Kind(shape_of(stack), depth)
    made = holes(rng, leaves(tree, stack, depth))
    found, unknown = joined_around(tree, made, kind)
    assert np.array_equal(found[~unknown], stack[~unknown])
    assert unknown.any() == any(mask.any() for _, mask in made) or unknown.size == 0 or _padding(tree)


def _padding(node: Node) -> bool:
    """Whether leaves have samples that are none of the stack's, as what lies under an inset."""
    return isinstance(node, Fold | Inset) or any(map(_padding, node.children()))


@settings(max_examples=40)
@given(st.integers(0, 1 << 32), st.integers(1, 8))
def test_palettes(seed: int, depth: int) -> None:
    rng = np.random.default_rng(seed)
    palette = a_palette(rng, depth)
    stack = rng.integers(0, len(palette), (2, 5, 6, 1)).astype(np.uint8)
    kind = Kind(shape_of(stack), depth, palette)
    trees: tuple[Node, ...] = (Luma(Coded(8)), Expand(Coded(8)), Transpose(Expand(Divide(1, Coded(8), Coded(8)))))
    for tree in trees:
        made, region = leaves(tree, stack, depth, palette), a_region(rng, stack)
        wanted = leaf_regions(tree, kind, region)
        parts = [part.of(leaf).copy() for part, leaf in zip(wanted, made, strict=True)]
        assert np.array_equal(joined_region(tree, parts, kind, region), region.of(stack))
        found, unknown = joined_around(tree, holes(rng, made), kind)
        assert np.array_equal(found[~unknown], stack[~unknown])


GRAY16 = Kind((2, 6, 10, 1), 16)
CONSTANT = Constant((0,))
WANTED: dict[str, tuple[Node, Kind, Region, Region]] = {
    "pointwise": (
        Reorder(bytes(range(8)), Coded(8)), Kind((2, 6, 10, 1), 3), Region(1, 2, 3, 2, 4), Region(1, 2, 3, 2, 4),
    ),
    "turned": (Transpose(Coded(16)), GRAY16, Region(1, 2, 3, 2, 4), Region(1, 3, 2, 4, 2)),
    "beside an inset": (Inset(0, 0, 2, 9, CONSTANT, Coded(16)), GRAY16, Region(1, 2, 3, 2, 4), Region(1, 2, 3, 2, 4)),
    "in an inset": (Inset(1, 4, 2, 6, Coded(16), CONSTANT), GRAY16, Region(1, 2, 3, 2, 4), Region(1, 1, 0, 1, 3)),
    "piled": (Pile(Coded(16)), GRAY16, Region(1, 2, 3, 2, 4), Region(0, 8, 3, 2, 4)),
    "in a piece": (Fold(2, Coded(16)), GRAY16, Region(1, 2, 6, 2, 3), Region(1, 8, 1, 2, 3)),
    "across pieces": (Fold(3, Coded(16)), GRAY16, Region(0, 1, 3, 2, 3), Region(0, 1, 0, 8, 4)),
    "predicted": (Predict(2, 0, Coded(16)), GRAY16, Region(1, 2, 3, 2, 4), Region(1, 0, 0, 4, 7)),
    "levels of what is predicted": (
        Levels(packed_levels(np.ones((1, 1 << 16), np.bool_)), Predict(2, 0, Transpose(Coded(16)))),
        GRAY16, Region(0, 2, 3, 2, 4), Region(0, 0, 0, 7, 4),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WANTED)
def test_no_more_is_wanted_than_is_needed(case: str) -> None:
    tree, kind, region, expected = WANTED[case]
    assert leaf_regions(tree, kind, region) == (expected,)


def test_a_lost_difference_loses_what_follows_in_its_channel() -> None:
    rng = np.random.default_rng(0)
    stack: npt.NDArray[Any] = rng.integers(0, 1 << 12, (2, 6, 8, 2)).astype(np.uint16)
    tree, kind = Predict(3, 100, Coded(16)), Kind((2, 6, 8, 2), 12)
    (leaf,) = leaves(tree, stack, 12)
    lost = np.zeros(leaf.shape, np.bool_)
    lost[1, 2, 3, 0] = True
    found, unknown = joined_around(tree, [(leaf, lost)], kind)
    expected = np.zeros(stack.shape, np.bool_)
    expected[1, 2:, 3:, 0] = True
    assert np.array_equal(unknown, expected)
    assert np.array_equal(found[~unknown], stack[~unknown])
