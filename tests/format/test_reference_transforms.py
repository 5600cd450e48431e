"""Transforms as the reference decoder undoes them, from docs/format.md alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.container.header import NODE_RECORDS
from arcomp.samples import Pixels
from arcomp.transforms import NODES, Coded, Divide, Expand, Luma, Node, leaves
from arcomp.transforms.node import Palette
from tests.format.reference_container import Kind
from tests.format.reference_numbers import Reader
from tests.format.reference_records import NODES as REFERENCE_NODES
from tests.format.reference_records import read_record
from tests.format.reference_transforms import restored
from tests.trees import a_stack, a_tree, shape_of


def undone(tree: Node, stack: Pixels, depth: int, palette: Palette | None = None) -> list[int]:
    made = iter(leaves(tree, stack, depth, palette))
    record = read_record(Reader(NODE_RECORDS.encode(tree)), REFERENCE_NODES)
    colours = [] if palette is None else [tuple(colour) for colour in palette.tolist()]
    return restored(record, Kind(shape_of(stack), depth), colours, lambda leaf, kind: next(made).ravel().tolist())


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 16), st.integers(1, 300), st.integers(0, 4))
def test_any_tree(seed: int, depth: int, levels: int, nodes: int) -> None:
    rng = np.random.default_rng(seed)
    stack = a_stack(rng, depth, levels)
    assert undone(a_tree(rng, stack, depth, nodes), stack, depth) == stack.ravel().tolist()


@pytest.mark.parametrize("tree", [Luma(Coded(8)), Expand(Divide(3, Coded(8), Coded(8)))])
def test_palettes(tree: Node) -> None:
    palette = np.random.default_rng(3).permutation(256 * 4).reshape(256, 4).astype(np.uint8)
    stack = np.random.default_rng(4).integers(0, 256, (2, 5, 7, 1)).astype(np.uint8)
    assert undone(tree, stack, 8, palette) == stack.ravel().tolist()


def test_as_many_nodes() -> None:
    assert len(NODES) == len(REFERENCE_NODES)
