"""Layers below the heads that go on learning from the picture: what they are made of, and their steps.

A step follows every group of whole fronts of at least so many pixels as the configuration says; the decoder takes the
same. Kingma and Ba 2015 ("Adam", section 7.1, "AdaMax"), without momentum: each weight moves by its slope over the
largest slope of late, times a rate that becomes smaller. The heads have steps of their own
(:mod:`arcomp.models.photo.adaptation`); what channels add to their hidden layers beside the trunk does not learn.
:mod:`arcomp.models.photo.backward` finds the slopes.

A weight is a float32 in units of the integer that it is rounded to, within WEIGHT_LIMIT, so evaluation stays what it
is: bytes, and so are the products of going back.

Inputs of a layer are held by *positions*: input 64 a + 4 w + b at 64 a + 16 b + w, so that four vectors of rounded
weights are the bytes of one vector of words.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact import dense
from arcomp.exact.bounds import WEIGHT_LIMIT
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import (
    aligned,
    all_floats,
    all_words,
    larger_floats,
    load_floats,
    load_words,
    shift_words,
    shift_words_left,
    smaller_floats,
    store_floats,
    store_words,
    sum_of_words,
    without_tiny,
    word,
    words_of_floats,
)
from arcomp.models.photo.config import PhotoConfig
from arcomp.models.photo.exact import PackedNet, rectified

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]
KEPT = 0.99
"""Of the largest slope so far, from step to step."""
SLOWER, SLOW_START = 256.0, 32.0
"""Steps after which the rate is divided by the root of 2, and by that of 3 after twice as many; the first steps, which
are shorter."""
BIAS = 4.0
"""How much faster biases move than weights."""
LANES, BLOCK = 16, 64
"""Numbers side by side; inputs whose weights are packed together."""
MANY = 19
"""Strips of more than 2 to the power of so many pixels learn from every second front, of twice as many every third."""
_SMALLEST = 2.0**-20
"""A largest slope, at least."""
_BIAS_LIMIT = float(1 << 22)
_TINY_MEAN, _TINY_CHANGE = 2.0**-40, 2.0**-40
_STRIDE = np.int64(0x9E3779B1)


class Layers(NamedTuple):
    """The layers of one strip, the trunk's and the trunk's part of all hidden ones: rows and inputs of all, one after
    the other."""

    weights: Float32
    """[rows, most positions]: before they are rounded."""
    largest: Float32
    """[rows, most positions]: slope of late."""
    gradient: Float32
    """[rows, most positions]: the sum since the last step."""
    bias: Float32
    """[1, rows]."""
    bias_largest: Float32
    bias_gradient: Float32
    rate: Float32
    """[1, rows]: of weights."""
    factor: Float32
    """[1, rows]: what the network multiplies sums by."""
    units: npt.NDArray[np.uint8]
    """[all positions, n]: what the layers were given in this front."""
    unit_words: Int32
    """[all positions, n / 4]: the same bytes, four pixels in a word."""
    errors: Float32
    """[most rows, n]: of the layer that is gone back through."""
    rounded: npt.NDArray[np.int8]
    """[most rows * n]: the same, rounded; rows are as long as the front asks for."""
    rounded_words: Int32
    """The same bytes."""
    rounded_sums: npt.NDArray[np.int64]
    """[most rows]: of each row."""
    columns: Int32
    """[n / 4 * most positions]: what the layer was given, four pixels in a word."""
    packed: Int32
    """[most rows / 4, n]: rounded errors, four rows in a word."""
    backwards: Int32
    """All layers' weights, four rows in a word: of each but the first [positions, rows / 4]."""
    sums: Int32
    """[most rows or positions, n or most positions]."""
    slopes: Float32
    """[outputs of a head, n]."""
    lanes: Float32
    """[1, LANES]: workspace."""
    place: Int32
    """[1, n]: what chance starts from at each pixel."""
    shapes: npt.NDArray[np.int64]
    """[layers, 7]: rows, inputs, positions, first row, first of all positions, where its part of ``backwards`` begins,
    what an input of 0 is as a byte."""
    progress: npt.NDArray[np.float64]
    """[3]: pixels since the last step, fronts, steps."""
    group: int
    """Pixels of a step, at least."""
    every: int
    """How many fronts there are to one that is learnt from."""


def padded(inputs: int) -> int:
    """Positions of so many inputs."""
    return -(-inputs // BLOCK) * BLOCK


def places(inputs: int) -> npt.NDArray[np.int64]:
    """The position of each input."""
    i = np.arange(inputs)
    return np.asarray(i // BLOCK * BLOCK + i % 4 * LANES + i % BLOCK // 4, np.int64)


def own_net(net: PackedNet) -> PackedNet:
    """A copy to learn, its weights of the trunk and the hidden layers in whole blocks."""
    parts, shapes, start = [], net.shapes.copy(), 0
    for layer, (outputs, words, begin) in enumerate(net.shapes):
        part = net.weights[begin : begin + outputs * words].reshape(outputs, words)
        if layer <= net.trunk:
            part = np.pad(part, ((0, 0), (0, -words % (BLOCK // 4))))
        parts.append(part)
        shapes[layer] = outputs, part.shape[1], start
        start += part.size
    return net._replace(weights=np.concatenate([p.ravel() for p in parts]), shapes=shapes, bias=net.bias.copy())


def layers(net: PackedNet, config: PhotoConfig, longest: int, pixels: int) -> Layers:
    """As they were frozen.

    Args:
        net: of :func:`own_net`. longest: pixels of a front. pixels: of the strip.
    """
    widths = (config.inputs, *config.trunk)
    rows = (*config.trunk, config.channels * config.head)
    positions = [padded(w) for w in widths]
    starts = np.cumsum([0, *rows])
    n, most = -(-longest // LANES) * LANES + 2 * LANES, max(*positions, *rows)
    quarters = [p * -(-r // 4) for p, r in zip(positions, rows, strict=True)]
    shapes = np.zeros((len(rows), 7), np.int64)
    for at, (own, inputs) in enumerate(zip(rows, widths, strict=True)):
        zero = 128 if at == 0 else 0
        shapes[at] = own, inputs, positions[at], starts[at], sum(positions[:at]), sum(quarters[1:at]), zero
    count, width = int(starts[-1]), max(positions)
    integers, kept = [_integers(net, at) for at in range(len(rows))], -(-count // LANES) * LANES
    weights: Float32 = aligned((count, width), np.float32)
    for at, matrix in enumerate(integers):
        weights[starts[at] : starts[at] + rows[at], places(widths[at])] = matrix[:, : widths[at]]
    factor: Float32 = aligned((1, kept), np.float32)
    factor[0, :count] = np.ldexp(net.multiplier[:count].astype(np.float64), -net.shift[:count].astype(np.int32))
    bias: Float32 = aligned((1, kept), np.float32)
    begun = net.bias[:count].copy()
    begun[: rows[0]] += dense.offset(integers[0])
    bias[0, :count] = begun
    units = aligned((sum(positions), n), np.uint8)
    units[: positions[0]] = 128
    rounded = aligned((most * n + BLOCK,), np.int8)
    rate: Float32 = np.divide(
        np.float32(config.inner_rate), factor, out=aligned((1, kept), np.float32), where=factor > 0
    )  # fmt: skip
    made = Layers(
        weights, aligned(weights.shape, np.float32), aligned(weights.shape, np.float32),
        bias, aligned(bias.shape, np.float32), aligned(bias.shape, np.float32), rate, factor,
        units, units.view(np.int32), aligned((most, n), np.float32),
        rounded, rounded.view(np.int32), np.zeros(most, np.int64),
        aligned((n // 4 * width,), np.int32), aligned((-(-most // 4), n), np.int32),
        aligned((sum(quarters[1:]),), np.int32), aligned((most, max(n, width)), np.int32),
        aligned((config.outputs, n), np.float32), aligned((1, LANES), np.float32),
        (np.arange(n) * _STRIDE).astype(np.uint32).view(np.int32)[None].copy(),
        shapes, np.zeros(3), config.inner_group, 1 + min(2, (pixels - 1) >> MANY),
    )  # fmt: skip
    for at in range(1, len(rows)):
        turned = np.zeros((positions[at], 4 * -(-rows[at] // 4)), np.int8)
        turned[places(widths[at]), : rows[at]] = integers[at][:, : widths[at]].T
        made.backwards[shapes[at, 5] : shapes[at, 5] + quarters[at]] = turned.view("<i4").ravel()
    return made


def _integers(net: PackedNet, layer: int) -> npt.NDArray[np.int8]:
    """A layer's weights, [rows, positions]; their inputs in their own sequence."""
    outputs, words, start = net.shapes[layer]
    packed = net.weights[start : start + outputs * words]
    integers: npt.NDArray[np.int8] = packed.astype("<i4").view(np.int8).reshape(outputs, 4 * words)
    return integers


def memory(config: PhotoConfig, longest: int) -> int:
    """Bytes that a strip's layers take, about."""
    widths, rows = (config.inputs, *config.trunk), (*config.trunk, config.channels * config.head)
    return 12 * sum(rows) * padded(max(widths)) + longest * (sum(widths) + 15 * max(*widths, *rows))


@kernel(inner=True)
def learns(layers: Any) -> bool:
    """Whether the front that is coded now is learnt from."""
    return bool(np.int64(layers.progress[1]) % layers.every == 0)


@kernel(inner=True)
def trunk(layers: Any, net: Any, workspace: Any, count: Any) -> None:
    """As :func:`arcomp.models.photo.exact.trunk`; what each layer is given is kept if the front is learnt from."""
    dense.pack(workspace.inputs, count, workspace.packed[0])
    first, learning = np.int64(0), learns(layers)
    for layer in range(net.trunk + 1):
        own = workspace.packed[layer % 2]
        if learning:
            _remember(layers, layer, own, count)
        if layer < net.trunk:
            rectified(net, layer, own, None, count, first, workspace.packed[(layer + 1) % 2])
            first += net.shapes[layer, 0]
    dense.multiply_layer(net, net.trunk, workspace.packed[net.trunk % 2], count, workspace.shared)


@kernel(inner=True)
def _remember(layers: Any, layer: Any, packed: Any, count: Any) -> None:
    """What a layer is given: packed activations (:mod:`arcomp.exact.dense`) of count pixels."""
    inputs, first = layers.shapes[layer, 1], layers.shapes[layer, 4]
    for i in range(inputs):
        q, b = i // 4, i % 4
        own, row, shift = layers.units[first + q // LANES * BLOCK + b * LANES + q % LANES], packed[q], np.int32(8 * b)
        for k in range(count):
            own[k] = (row[k] >> shift) & np.int32(255)


@kernel(inner=True)
def step(layers: Any, net: Any, count: Any) -> None:
    """A front of so many pixels is done: one step if the group is full.

    Args:
        net: record of a :class:`PackedNet` of :func:`own_net`, whose weights and biases are written.
    """
    progress = layers.progress
    if learns(layers):
        progress[0] += float(count)
    progress[1] += 1.0
    if progress[0] < float(layers.group):
        return
    slower = np.sqrt(1.0 + progress[2] * (1.0 / SLOWER))
    part = min(1.0, (progress[2] + 1.0) * (1.0 / SLOW_START)) / slower
    parts = all_floats(np.float32(1.0 / progress[0])), all_floats(np.float32(part))
    limit = all_floats(np.float32(_BIAS_LIMIT))
    for at in range(0, layers.bias.shape[1], LANES):
        rate = load_floats(layers.rate, 0, at) * all_floats(np.float32(32.0 * BIAS))
        _moved(layers.bias, layers.bias_largest, layers.bias_gradient, 0, at, rate, parts, limit)
    for layer in range(layers.shapes.shape[0]):
        _step_layer(layers, net, layer, parts)
        if layer > 0:
            _turn(layers, net, layer)
    progress[0] = 0.0
    progress[2] += 1.0


@kernel(inner=True)
def _step_layer(layers: Any, net: Any, layer: Any, parts: Any) -> None:
    rows, positions, first = layers.shapes[layer, 0], layers.shapes[layer, 2], layers.shapes[layer, 3]
    start, words, zero = net.shapes[layer, 2], positions // 4, layers.shapes[layer, 6]
    packed = net.weights[start : start + rows * words].reshape(rows, words)
    limit, byte = all_floats(np.float32(float(WEIGHT_LIMIT))), all_words(np.int32(255))
    eight, sixteen, most = all_words(np.int32(8)), all_words(np.int32(16)), all_words(np.int32(24))
    own = layers.weights, layers.largest, layers.gradient
    for r in range(rows):
        row, total = first + r, all_words(np.int32(0))
        rate = all_floats(layers.rate[0, row])
        for p in range(0, positions, BLOCK):
            a = _rounded(_moved(own[0], own[1], own[2], row, p, rate, parts, limit))
            b = _rounded(_moved(own[0], own[1], own[2], row, p + LANES, rate, parts, limit))
            c = _rounded(_moved(own[0], own[1], own[2], row, p + 2 * LANES, rate, parts, limit))
            d = _rounded(_moved(own[0], own[1], own[2], row, p + 3 * LANES, rate, parts, limit))
            total = total + a + b + c + d
            low = (a & byte) + shift_words_left(b & byte, eight)
            store_words(packed, r, p // 4, low + shift_words_left(c & byte, sixteen) + shift_words_left(d, most))
        bias = np.int64(np.floor(np.float64(layers.bias[0, row]) + 0.5))
        net.bias[row] = bias - zero * np.int64(sum_of_words(total))


@kernel(inline="always")
def _rounded(weights: Any) -> Any:
    """To the nearest integers, upwards from the middle."""
    return words_of_floats(weights + all_floats(np.float32(64.5))) - all_words(np.int32(64))


@kernel(inline="always")
def _moved(weights: Any, largest: Any, gradient: Any, row: Any, at: Any, rate: Any, parts: Any, limit: Any) -> Any:
    """LANES weights after a step; ``parts``: 1 / its pixels, and the part of the rate."""
    zero = all_floats(np.float32(0.0))
    slope = without_tiny(load_floats(gradient, row, at) * parts[0], all_floats(np.float32(_TINY_MEAN)))
    before = all_floats(np.float32(KEPT)) * load_floats(largest, row, at)
    most = larger_floats(larger_floats(before, larger_floats(slope, zero - slope)), all_floats(np.float32(_SMALLEST)))
    change = without_tiny(rate * parts[1] * slope / most, all_floats(np.float32(_TINY_CHANGE)))
    w = larger_floats(smaller_floats(load_floats(weights, row, at) - change, limit), zero - limit)
    store_floats(weights, row, at, w)
    store_floats(largest, row, at, most)
    store_floats(gradient, row, at, zero)
    return w


@kernel(inner=True)
def _turn(layers: Any, net: Any, layer: Any) -> None:
    """A layer's weights to go back through: four rows in a word."""
    rows, positions, at = layers.shapes[layer, 0], layers.shapes[layer, 2], layers.shapes[layer, 5]
    start, words, quarter = net.shapes[layer, 2], positions // 4, (rows + 3) // 4
    packed = net.weights[start : start + rows * words].reshape(rows, words)
    backwards = layers.backwards[at : at + positions * quarter].reshape(positions, quarter)
    byte, nothing = all_words(np.int32(255)), all_words(np.int32(0))
    eight, sixteen, most = all_words(np.int32(8)), all_words(np.int32(16)), all_words(np.int32(24))
    for g in range(quarter):
        r = 4 * g
        for q in range(0, words, LANES):
            one, two = load_words(packed, r, q), load_words(packed, r + 1, q) if r + 1 < rows else nothing
            three = load_words(packed, r + 2, q) if r + 2 < rows else nothing
            four = load_words(packed, r + 3, q) if r + 3 < rows else nothing
            for b in range(4):
                down = all_words(np.int32(8 * b))
                low = (shift_words(one, down) & byte) + shift_words_left(shift_words(two, down) & byte, eight)
                high = shift_words_left(shift_words(three, down) & byte, sixteen)
                turned = low + high + shift_words_left(shift_words(four, down) & byte, most)
                for lane in range(LANES):
                    backwards[4 * q + LANES * b + lane, g] = word(turned, lane)
