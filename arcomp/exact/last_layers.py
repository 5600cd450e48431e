"""Last layers that go on learning while a strip is coded: Adam, in float32, in a fixed sequence.

Kingma and Ba 2015 ("Adam") on what was coded so far, a step after every group of whole fronts of at least so many
examples; the decoder takes the same steps. Weights, gradients and moments are float32, slopes of examples float64, in a
fixed sequence of + - * / and square roots, LANES at a time. What comes out is rounded to LOGITS, and everything before
and after is integer. Models say what the slopes are: :mod:`arcomp.models.photo.adaptation`,
:mod:`arcomp.models.jpeg.experts`.

Processors may be told to take numbers below 2**-126 for 0. There are none: slopes, moments and changes of weights are
set to 0 where they are smaller than the limits below (2**-60 and so on). So slopes of examples, gradients and their
products with units are multiples of 2**-84; changes of weights, weights (of 2**-46 at the start) and theirs of 2**-94;
and a product of a moment or a slope with a factor of Adam is above 2**-119. What is divided is above 2**-101; a
quotient may be too small, and is then set to 0 whatever became of it.

Outputs are in units of LOGITS (1/256), hidden units are 0 .. 255.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import (
    aligned,
    all_floats,
    all_words,
    larger_floats,
    load_floats,
    root_of_floats,
    smaller_floats,
    store_floats,
    store_words,
    without_tiny,
    words_of_floats,
)

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
BIAS = 32.0
"""How much faster biases move than weights."""
FIRST, SECOND = 0.9, 0.99
"""Decay of Adam's two moments."""
TINY = 1e-8
LANES = 16
ROWS = 4
"""Rows of weights that are gone through together."""
_TINY_SLOPE, _TINY_MEAN, _TINY_FIRST, _TINY_SECOND, _TINY_CHANGE = (2.0**-n for n in (60, 56, 80, 116, 70))
"""Below these a pixel's slope, their mean, Adam's moments and a change of a weight are 0."""


class Heads(NamedTuple):
    """The heads of one strip; hidden units padded to whole vectors, the bias the last but LANES - 1 of a row.

    ``weights``, ``gradient``, ``first``, ``second``: float32 [heads * rows, columns], with a head's outputs rounded
    up to a whole number of ROWS.
    """

    weights: Float32
    gradient: Float32
    first: Float32
    second: Float32
    hidden: Float32
    """[n, columns]: of a front's examples for one head; the bias's unit is 1."""
    slopes: Float32
    """[n, rows]: of a front's examples for one head."""
    slope: Float64
    """[outputs]: of one example."""
    progress: Float64
    """[3]: examples since the last step; FIRST and SECOND to the power of the steps so far."""
    rows: int
    outputs: int
    units: int
    rate: float
    """Of weights, in output units a hidden unit; 0.016 is 0.002 in the network's own."""
    group: int
    """Examples of a step, at least."""


def columns(units: int) -> int:
    """Of a row of weights."""
    return -(-units // LANES) * LANES + LANES


def new_heads(weights: Float64, longest: int, rate: float, group: int) -> Heads:
    """Heads before the first example.

    Args:
        weights: [heads, outputs, units + 1], the bias last. longest: examples of a front.
    """
    count, outputs, units = weights.shape[0], weights.shape[1], weights.shape[2] - 1
    width, rows = columns(units), -(-outputs // ROWS) * ROWS
    size = count * rows, width
    made = Heads(
        aligned(size, np.float32),
        aligned(size, np.float32),
        aligned(size, np.float32),
        aligned(size, np.float32),
        aligned((longest + 16, width), np.float32),
        aligned((longest + 16, rows), np.float32),
        np.zeros(outputs),
        np.array([0.0, 1.0, 1.0]),
        rows,
        outputs,
        units,
        rate,
        group,
    )
    for i, own in enumerate(weights):
        made.weights[i * rows : i * rows + outputs, :units] = own[:, :units]
        made.weights[i * rows : i * rows + outputs, width - LANES] = own[:, units]
    return made


def memory(count: int, outputs: int, units: int, longest: int) -> int:
    """Bytes of so many heads, about."""
    width, rows = columns(units), -(-outputs // ROWS) * ROWS
    return 4 * (4 * count * rows * width + (longest + 16) * (width + rows))


def float_weights(packed: npt.NDArray[np.int32], units: int, multiplier: Any, shift: Any) -> Float64:
    """A layer's weights, int32 [outputs, words] as :mod:`arcomp.exact.dense` packs them, in units of LOGITS: float64
    [outputs, units]."""
    integers = packed.astype("<i4").view(np.int8)[:, :units]
    return np.asarray(integers * output_steps(multiplier, shift)[:, None])


def output_steps(multiplier: Any, shift: Any) -> Float64:
    """What one of a layer's sums is in units of LOGITS: float64 [outputs]."""
    return np.asarray(np.ldexp(multiplier.astype(np.float64), -shift.astype(np.int32)))


@kernel(inner=True)
def unpack(packed: Any, units: int, count: int, out: Any) -> None:
    """Packed rectified activations (:mod:`arcomp.exact.dense`) as uint8 [units, >= count]."""
    for i in range(units):
        row, shift = packed[i // 4], 8 * (i % 4)
        for k in range(count):
            out[i, k] = (row[k] >> shift) & 255


@kernel(inner=True)
def forward(heads: Any, head: int, units: Any, count: int, out: Any) -> None:
    """Outputs of a front's examples: units uint8 [hidden, columns] -> int32 [outputs, columns], where the columns are
    count rounded up to LANES at least. A sum begins with the bias."""
    weights, hidden, bias = heads.weights, heads.hidden, heads.weights.shape[1] - LANES
    for k in range(count):
        for i in range(heads.units):
            hidden[k, i] = units[i, k]
        hidden[k, bias] = 1.0
    for row in range(head * heads.rows, (head + 1) * heads.rows, ROWS):
        j = row - head * heads.rows
        for at in range(0, count, LANES):
            a, b = all_floats(weights[row, bias]), all_floats(weights[row + 1, bias])
            c, d = all_floats(weights[row + 2, bias]), all_floats(weights[row + 3, bias])
            for i in range(heads.units):
                u = load_floats(units, i, at)
                a, b = a + all_floats(weights[row, i]) * u, b + all_floats(weights[row + 1, i]) * u
                c, d = c + all_floats(weights[row + 2, i]) * u, d + all_floats(weights[row + 3, i]) * u
            _store_output(out, j, at, heads.outputs, a)
            _store_output(out, j + 1, at, heads.outputs, b)
            _store_output(out, j + 2, at, heads.outputs, c)
            _store_output(out, j + 3, at, heads.outputs, d)


@kernel(inline="always")
def _store_output(out: Any, j: Any, at: Any, outputs: Any, z: Any) -> None:
    """Rounded to LOGITS."""
    if j < outputs:
        z = smaller_floats(larger_floats(z, all_floats(np.float32(-32768.0))), all_floats(np.float32(32767.0)))
        above = words_of_floats(z + all_floats(np.float32(32768.5)))  # so that rounding towards zero rounds down
        store_words(out, j, at, above - all_words(np.int32(32768)))


@kernel(inner=True)
def logistic_of(z: int, logistic: Any) -> float:
    """2**-24 times an entry of a table of the logistic function, in doubles."""
    return float(logistic[max(0, min(6144, z + 3072))]) * (1.0 / 16777216.0)


@kernel(inner=True)
def steepness(share: float, z: int) -> float:
    """Of the logistic function at z, where it is ``share``; 0 beyond the table: what is flat there must not pull."""
    return share * (1.0 - share) if -3072 < z < 3072 else 0.0


@kernel(inner=True)
def gather(heads: Any, head: int, count: int) -> None:
    """Add the gradient of a front's examples, after :func:`forward` for them and :func:`keep_slope` of each."""
    gradient, hidden, slopes = heads.gradient, heads.hidden, heads.slopes
    for row in range(head * heads.rows, (head + 1) * heads.rows, ROWS):
        j = row - head * heads.rows
        for at in range(0, gradient.shape[1], LANES):
            a, b = load_floats(gradient, row, at), load_floats(gradient, row + 1, at)
            c, d = load_floats(gradient, row + 2, at), load_floats(gradient, row + 3, at)
            for k in range(count):
                u = load_floats(hidden, k, at)
                a, b = a + all_floats(slopes[k, j]) * u, b + all_floats(slopes[k, j + 1]) * u
                c, d = c + all_floats(slopes[k, j + 2]) * u, d + all_floats(slopes[k, j + 3]) * u
            store_floats(gradient, row, at, a)
            store_floats(gradient, row + 1, at, b)
            store_floats(gradient, row + 2, at, c)
            store_floats(gradient, row + 3, at, d)


@kernel(inline="always")
def keep_slope(heads: Any, k: Any) -> None:
    """``heads.slope`` is that of example k."""
    for j in range(heads.outputs):
        heads.slopes[k, j] = np.float32(heads.slope[j]) if abs(heads.slope[j]) >= _TINY_SLOPE else np.float32(0.0)


@kernel(inner=True)
def step(heads: Any, count: int) -> None:
    """A front of so many examples is done: one step of Adam if the group is full."""
    progress = heads.progress
    progress[0] += float(count)
    if progress[0] < float(heads.group):
        return
    progress[1] *= FIRST
    progress[2] *= SECOND
    mean = all_floats(np.float32(1.0 / progress[0]))
    first_part = all_floats(np.float32(1.0 / (1.0 - progress[1])))
    second_part = all_floats(np.float32(1.0 / (1.0 - progress[2])))
    weights, gradient, first, second = heads.weights, heads.gradient, heads.first, heads.second
    for i in range(0, weights.shape[1], LANES):
        rate = all_floats(np.float32(BIAS * heads.rate if i == weights.shape[1] - LANES else heads.rate))
        for row in range(weights.shape[0]):
            slope = without_tiny(load_floats(gradient, row, i) * mean, all_floats(np.float32(_TINY_MEAN)))
            m = all_floats(np.float32(FIRST)) * load_floats(first, row, i)
            m = without_tiny(m + all_floats(np.float32(1.0 - FIRST)) * slope, all_floats(np.float32(_TINY_FIRST)))
            v = all_floats(np.float32(SECOND)) * load_floats(second, row, i)
            v = v + all_floats(np.float32(1.0 - SECOND)) * (slope * slope)
            v = without_tiny(v, all_floats(np.float32(_TINY_SECOND)))
            below = root_of_floats(v * second_part) + all_floats(np.float32(TINY))
            change = without_tiny(rate * (m * first_part) / below, all_floats(np.float32(_TINY_CHANGE)))
            store_floats(weights, row, i, load_floats(weights, row, i) - change)
            store_floats(first, row, i, m)
            store_floats(second, row, i, v)
            store_floats(gradient, row, i, all_floats(np.float32(0.0)))
    progress[0] = 0.0
