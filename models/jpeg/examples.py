"""What training learns from: every coefficient and every end of a block of known coefficients, as they are coded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coefficients import Component
from arcomp.exact.compiled import kernel
from arcomp.exact.dense import words
from arcomp.exact.records import record
from arcomp.models.jpeg import front, planes
from arcomp.models.jpeg.front import SKEW, Front, begin_front, push
from arcomp.models.jpeg.inputs import ANCHOR, COEFFICIENT, END, PREDICTIONS, end_features, features, got
from arcomp.models.jpeg.planes import Means, finish_block, update_gains, update_means
from arcomp.models.jpeg.strip import activate, find_ends, grid, new_planes
from arcomp.models.jpeg.tables import Tables, lookups


class Examples(NamedTuple):
    """Of n coefficients and m blocks."""

    inputs: npt.NDArray[np.int8]
    """[n, COEFFICIENT]."""
    place: npt.NDArray[np.uint8]
    """[n]: in the order; 64 more in chroma."""
    values: npt.NDArray[np.int16]
    """[n]: less the anchor."""
    predictions: npt.NDArray[np.int16]
    """[n, PREDICTIONS], Q6."""
    last: npt.NDArray[np.bool_]
    """[n]: whether it is known not to be 0."""
    end_inputs: npt.NDArray[np.int8]
    """[m, END]."""
    ends: npt.NDArray[np.uint8]
    """[m]."""


class _Parts(NamedTuple):
    tables: Tables
    means: Means
    front: Front
    inputs: npt.NDArray[np.uint8]
    last: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]


def examples(components: Sequence[Component]) -> Examples:
    """All coefficients up to the ends of their blocks, and all blocks."""
    shapes = [component.shape for component in components]
    made = new_planes(shapes)
    records = [record(plane) for plane in made]
    blocks = sum(shape.rows * shape.columns for shape in shapes)
    longest = max(front.longest(shape.rows, shape.columns) for shape in shapes)
    own = front.new_front(longest)
    n = len(own.block)
    counts = np.zeros(2, np.int64)
    inputs = np.zeros((words(max(COEFFICIENT, END)), n, 4), np.uint8)
    parts = _Parts(lookups(), planes.new_means(), own, inputs, np.zeros(n, np.int64), counts)
    most = 64 * blocks
    out = Examples(
        np.empty((most, COEFFICIENT), np.int8),
        np.empty(most, np.uint8),
        np.empty(most, np.int16),
        np.empty((most, PREDICTIONS), np.int16),
        np.empty(most, np.bool_),
        np.empty((blocks, END), np.int8),
        np.empty(blocks, np.uint8),
    )
    for i, plane in enumerate(made):
        grid(plane)[:] = components[i].blocks
        first = records[1] if plane.second else records[i]
        extract(record(parts), records[i], records[0], first, record(out))
    coefficients = int(counts[0])
    of_coefficients = (a[:coefficients].copy() for a in (out.inputs, out.place, out.values, out.predictions, out.last))
    return Examples._make((*of_coefficients, out.end_inputs, out.ends))


@kernel()
def extract(parts: Any, plane: Any, luma: Any, first: Any, out: Any) -> None:
    """All of a component, appended to :class:`Examples`."""
    tables, means, front, inputs, counts = parts.tables, parts.means, parts.front, parts.inputs, parts.counts
    all_planes = (plane, luma, first)
    for t in range(plane.columns + SKEW * (plane.rows - 1)):
        count = begin_front(tables, all_planes, front, t)
        update_gains(tables, plane, means)
        end_features(tables, plane, front, count, inputs)
        find_ends(tables, plane, front, count)
        highest = np.int64(0)
        for k in range(count):
            for i in range(END):
                out.end_inputs[counts[1], i] = got(inputs, i, k)
            out.ends[counts[1]] = front.end[k]
            counts[1] += 1
            plane.ends[front.block[k]] = front.end[k]
            highest = max(highest, front.end[k])
        for z in range(highest, -1, -1):
            m = activate(front, parts.last, z, count)
            for j in range(m):
                features(tables, all_planes, means, front, z, j, inputs)
            for j in range(m):
                _append(parts, plane, z, j, out)
        for k in range(count):
            finish_block(tables, plane, front.block[k])


@kernel(inner=True)
def _append(parts: Any, plane: Any, z: int, j: int, out: Any) -> None:
    tables, front, inputs = parts.tables, parts.front, parts.inputs
    k, at, place = front.active[j], parts.counts[0], 64 * plane.kind + z
    q = np.int64(plane.blocks[front.block[k], tables.zigzag[z]])
    value = q - front.about[j, ANCHOR]
    for i in range(COEFFICIENT):
        out.inputs[at, i] = got(inputs, i, j)
    for i in range(PREDICTIONS):
        out.predictions[at, i] = front.about[j, i]
    out.place[at], out.values[at], out.last[at] = place, value, parts.last[j] != 0
    parts.counts[0] += 1
    push(tables, plane, front, k, z, q)
    update_means(parts.means, place, front.end[k] - z, abs(value))
