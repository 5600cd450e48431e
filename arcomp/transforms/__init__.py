"""Reversible transforms: any samples as pictures that models take.

A stack of pictures is split by a small tree of nodes; its leaves are stacks that a model codes, or constants. Each
node is one transform and says how it is undone. Which tree suits a stack is planned by :mod:`arcomp.planning`; what
each node means to a decoder is said in docs/format.md.
"""

from __future__ import annotations

from arcomp.transforms.channels import Divide, Repeat
from arcomp.transforms.colours import Expand, Index, Luma, Reorder
from arcomp.transforms.depth import HighLow, Levels, Octets, Scale
from arcomp.transforms.forecast import Forecast
from arcomp.transforms.inset import Inset
from arcomp.transforms.leaves import Coded, Constant
from arcomp.transforms.node import Kind, Mask, Node
from arcomp.transforms.partial import joined_around, joined_region, leaf_regions, unknown_in
from arcomp.transforms.predicted import Predict
from arcomp.transforms.region import Region
from arcomp.transforms.shapes import Fold, Pile, Transpose
from arcomp.transforms.tree import MAX_NODES, Leaf, coded_leaves, joined, leaf_kinds, leaves, renumbered

NODES: tuple[type[Node], ...] = (
    Coded, Constant, Divide, HighLow, Reorder, Expand, Index, Levels, Scale, Repeat, Transpose, Fold, Pile, Luma,
    Predict, Forecast, Octets, Inset,
)  # fmt: skip
"""Every node that a tree can hold. Files number them by their place here."""

__all__ = [
    "MAX_NODES",
    "NODES", "Coded", "Constant", "Divide", "Expand", "Fold", "Forecast", "HighLow", "Index", "Inset", "Kind", "Leaf",
    "Levels", "Luma", "Mask", "Node", "Octets", "Pile", "Predict", "Region", "Reorder", "Repeat", "Scale", "Transpose",
    "coded_leaves", "joined", "joined_around", "joined_region", "leaf_kinds", "leaf_regions", "leaves", "renumbered",
    "unknown_in",
]  # fmt: skip
