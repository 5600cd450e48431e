"""The gradient goes backwards through the network of ``photo``, from the heads' slopes to the trunk's first layer.

Rumelhart, Hinton and Williams 1986 ("Learning representations by back-propagating errors"). *Errors* are slopes of the
code length by the sums of a layer. For each front and layer they are rounded to -63 .. 63, up or down by chance, so
that what is small is not lost (Gupta et al. 2015, "Deep learning with limited numerical precision"); then products are
those of integers (:mod:`arcomp.exact.dense`). Chance is a sequence that depends on place alone. What is left in float32
is a fixed sequence of + - * /; numbers that might become too small for some processors are set to 0 before, as in
:mod:`arcomp.exact.last_layers`: nothing below 2**-120 is made.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact import dense
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import (
    all_floats,
    all_words,
    floats_of_words,
    larger_floats,
    load_floats,
    load_words,
    shift_words,
    smaller_floats,
    store_bytes,
    store_floats,
    sum_of_words,
    without_tiny,
    words_of_floats,
)
from arcomp.models.photo.descent import BLOCK, LANES

_TINY = 2.0**-40
"""Slopes, weights of heads, errors: what is smaller is 0."""
_TURN = np.int64(0x85EBCA6B)


@kernel(inner=True)
def begin(layers: Any, heads: Any, channel: Any, units: Any, count: Any) -> None:
    """The errors of one channel's hidden layer, from its head's slopes.

    Args:
        heads: record of :class:`arcomp.exact.last_layers.Heads`, after it learnt of the channel's values.
        units: uint8 [hidden, >= count], what its head was given.
    """
    last = layers.shapes.shape[0] - 1
    first, slopes, turned = layers.shapes[last, 3] + channel * heads.units, heads.slopes, layers.slopes
    low, nothing = np.float32(_TINY), np.float32(0.0)
    for j in range(heads.outputs):
        for k in range(count):
            turned[j, k] = slopes[k, j] if abs(slopes[k, j]) >= low else nothing
    tiny = all_floats(low)
    for i in range(heads.units):
        row = channel * heads.units + i
        for at in range(0, count, LANES):
            total = all_floats(nothing)
            for j in range(heads.outputs):
                w = heads.weights[channel * heads.rows + j, i]
                total = total + all_floats(w if abs(w) >= low else nothing) * load_floats(turned, j, at)
            total = without_tiny(total, tiny) * all_floats(layers.factor[0, first + i])
            store_floats(layers.errors, row, at, total * _open(units, i, at))
        layers.errors[row, count : count + LANES] = 0.0


@kernel(inline="always")
def _open(units: Any, row: Any, at: Any) -> Any:
    """1 where a unit is neither at its lowest nor at its highest, 0 where it is: it does not move there."""
    one, u = all_floats(np.float32(1.0)), load_floats(units, row, at)
    return smaller_floats(smaller_floats(u, all_floats(np.float32(255.0)) - u), one)


@kernel(inner=True)
def back(layers: Any, count: Any) -> None:
    """All channels of a front are known, and :func:`begin` was called for each: add the gradient of all layers."""
    for up in range(layers.shapes.shape[0]):
        layer = layers.shapes.shape[0] - 1 - up
        scale = _round(layers, layer, count)
        if scale == 0.0:
            return  # and so are all errors below
        _gradient(layers, layer, count, scale)
        if layer > 0:
            _pass_down(layers, layer, count, scale)


@kernel(inner=True)
def _round(layers: Any, layer: Any, count: Any) -> Any:
    """Errors to integers, the largest of which is 63; returns what one is worth, or 0 if all are next to nothing.

    A row has one pixel more than the front at least, whose error is 0.
    """
    rows, errors, zero = layers.shapes[layer, 0], layers.errors, all_floats(np.float32(0.0))
    most = zero
    for row in range(rows):
        for at in range(0, count, LANES):
            e = load_floats(errors, row, at)
            most = larger_floats(most, larger_floats(e, zero - e))
    store_floats(layers.lanes, 0, 0, most)
    largest = np.float32(0.0)
    for lane in range(LANES):
        largest = max(largest, layers.lanes[0, lane])
    if largest < np.float32(_TINY):
        return np.float32(0.0)
    by, share = all_floats(np.float32(63.0) / largest), all_floats(np.float32(1.0 / 128.0))
    middle, lowest = all_floats(np.float32(64.0)), all_floats(np.float32(1.0))
    shift, mask, down = all_words(np.int32(9)), all_words(np.int32(127)), all_words(np.int32(64))
    length = 4 * (count // 4 + 1)
    out = layers.rounded[: rows * length + LANES].reshape(1, rows * length + LANES)
    for row in range(rows):
        turn = all_words(np.int32((np.int64(layers.progress[1]) * 97 + layer * 31 + row + 1) * _TURN))
        total = all_words(np.int32(0))
        for at in range(0, length, LANES):
            chance = floats_of_words(shift_words(load_words(layers.place, 0, at) + turn, shift) & mask)
            e = load_floats(errors, row, at) * by + chance * share + middle
            q = words_of_floats(larger_floats(e, lowest)) - down
            store_bytes(out, 0, row * length + at, q)
            total = total + q
        layers.rounded_sums[row] = sum_of_words(total)
    return largest / np.float32(63.0)


@kernel(inner=True)
def _gradient(layers: Any, layer: Any, count: Any, scale: Any) -> None:
    """Rounded errors times what the layer was given, summed over a front."""
    rows, positions, first = layers.shapes[layer, 0], layers.shapes[layer, 2], layers.shapes[layer, 3]
    given, zero, quarter = layers.shapes[layer, 4], layers.shapes[layer, 6], count // 4 + 1
    columns = layers.columns[: quarter * positions].reshape(quarter, positions)
    for block in range(0, positions, LANES):  # whole lines of memory at a time
        for k in range(quarter):
            for p in range(block, block + LANES):
                columns[k, p] = layers.unit_words[given + p, k]
    errors = layers.rounded_words[: rows * quarter].reshape(rows, quarter)
    dense.multiply(errors, columns, positions, layers.sums)
    worth = all_floats(scale)
    for row in range(rows):
        surplus = all_words(np.int32(zero * layers.rounded_sums[row]))
        for p in range(0, positions, LANES):
            sums = floats_of_words(load_words(layers.sums, row, p) - surplus)
            store_floats(layers.gradient, first + row, p, load_floats(layers.gradient, first + row, p) + sums * worth)
        layers.bias_gradient[0, first + row] += np.float32(layers.rounded_sums[row]) * scale


@kernel(inner=True)
def _pass_down(layers: Any, layer: Any, count: Any, scale: Any) -> None:
    """The errors of the layer below, from the rounded ones of this."""
    rows, inputs, positions = layers.shapes[layer, 0], layers.shapes[layer, 1], layers.shapes[layer, 2]
    given, start, below = layers.shapes[layer, 4], layers.shapes[layer, 5], layers.shapes[layer - 1, 3]
    length, quarter = 4 * (count // 4 + 1), (rows + 3) // 4
    dense.pack(layers.rounded[: rows * length].reshape(rows, length), count + 1, layers.packed)
    backwards = layers.backwards[start : start + positions * quarter].reshape(positions, quarter)
    dense.multiply(backwards, layers.packed, count + 1, layers.sums)
    for i in range(inputs):
        p = i // BLOCK * BLOCK + i % 4 * LANES + i % BLOCK // 4
        nothing = all_words(layers.sums[p, count])  # what the sum is where all errors are 0: packing adds 128 to each
        worth = all_floats(scale * layers.factor[0, below + i])
        for at in range(0, count, LANES):
            e = floats_of_words(load_words(layers.sums, p, at) - nothing) * worth
            store_floats(layers.errors, i, at, e * _open(layers.units, given + p, at))
        layers.errors[i, count : count + LANES] = 0.0
