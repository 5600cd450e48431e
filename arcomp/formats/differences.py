"""Rows in which each sample is the difference from the one before it in its channel (TIFF 6.0, section 14)."""

from __future__ import annotations

import numpy as np

from arcomp.form import Layout
from arcomp.formats.layouts import Octets, row_bytes
from arcomp.samples import Pixels


def difference(rows: Octets, layout: Layout, width: int) -> None:
    """Replace samples by differences.

    Args:
        rows: uint8 [R, stride], changed in place; padding stays as it is.
        layout: of the rows, of 8 or 16 bits.
        width: pixels of a row.

    Raises:
        ValueError: for other layouts.
    """
    values = _values(rows, layout, width)
    values[:, 1:] -= values[:, :-1]


def accumulate(rows: Octets, layout: Layout, width: int) -> None:
    """Replace differences by samples: undo :func:`difference`."""
    values = _values(rows, layout, width)
    values[...] = np.cumsum(values, axis=1, dtype=values.dtype)


def _values(rows: Octets, layout: Layout, width: int) -> Pixels:
    """The samples in the bytes of rows, as the file has them: a view [R, width, channels]."""
    if layout.bits not in (8, 16):
        raise ValueError("differences of samples that are packed")
    body = rows[:, : row_bytes(layout, width)]
    values: Pixels = body if layout.bits == 8 else body.view("<u2" if layout.little else ">u2")
    return values.reshape(len(rows), width, -1)  # a view: its last axis is one run of bytes
