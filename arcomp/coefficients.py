"""What a JPEG is made of: quantised DCT coefficients, component by component.

This is what travels from the reader of JPEG files (:mod:`arcomp.formats.jpeg`) to a model of coefficients and back, as
:mod:`arcomp.samples` does for pictures. Scans, Huffman tables and headers are no part of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Blocks = npt.NDArray[np.int16]
"""Coefficients [rows, columns, 64] of 8 x 8 blocks; 8 v + u is the one of vertical frequency v and horizontal u."""
MAX_VALUE = 2047
"""Largest magnitude of a coefficient; JPEGs of 8 bits a sample need no more."""
MAX_COMPONENTS = 4
MAX_SIDE = 65535
"""Most pixels of a side: T.81 has 16 bits for it."""
MAX_SAMPLING = 4
"""Largest sampling factor."""


@dataclass(frozen=True, eq=False)
class ComponentShape:
    """What is known of a component before its coefficients are.

    Attributes:
        rows, columns: of blocks, at least 1.
        sampling: (horizontal, vertical) factors, 1 to 4; a component has its part of the largest ones' resolution.
        quantisation: uint16 [64] steps, in the sequence of a block's coefficients.
    """

    rows: int
    columns: int
    sampling: tuple[int, int]
    quantisation: npt.NDArray[np.uint16]

    @property
    def coefficients(self) -> int:
        """How many."""
        return 64 * self.rows * self.columns


@dataclass(frozen=True, eq=False)
class Shape:
    """What is known of a JPEG before its coefficients are: its size in pixels, and its components, 1 to 4.

    A component has as many blocks as cover its samples; or more, up to those that fill all units in which its blocks
    are coded together with others' (at most one less than its sampling factor, to the right and below).
    """

    width: int
    height: int
    components: tuple[ComponentShape, ...]

    @property
    def coefficients(self) -> int:
        """How many in all."""
        return sum(component.coefficients for component in self.components)


@dataclass(frozen=True, eq=False)
class Component:
    """A component.

    Attributes:
        blocks: int16 [rows, columns, 64], each within ±`MAX_VALUE`.
        quantisation, sampling: as of :class:`ComponentShape`.
    """

    blocks: Blocks
    quantisation: npt.NDArray[np.uint16]
    sampling: tuple[int, int]

    @property
    def shape(self) -> ComponentShape:
        """The same without its coefficients."""
        rows, columns, _ = self.blocks.shape
        return ComponentShape(rows, columns, self.sampling, self.quantisation)


@dataclass(frozen=True, eq=False)
class Coefficients:
    """All coefficients of a JPEG: components in the sequence of its frame, their size in pixels."""

    components: tuple[Component, ...]
    width: int
    height: int

    @property
    def shape(self) -> Shape:
        """The same without its coefficients."""
        return Shape(self.width, self.height, tuple(component.shape for component in self.components))


def blocks_of(size: int, factor: int, largest: int) -> tuple[int, int]:
    """Blocks along a side of a component: those that cover its samples, and those that fill all units of interleaved
    blocks (T.81, A.1.1 and A.2.4).

    Args:
        size: of the picture in pixels. factor: the component's sampling. largest: of all components.
    """
    return math.ceil(math.ceil(size * factor / largest) / 8), math.ceil(size / (8 * largest)) * factor
