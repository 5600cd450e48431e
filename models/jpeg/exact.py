"""The exact networks: three layers each, over the blocks of a front side by side; and the mixtures they say.

Weights have 7 bits, activations 8 (:mod:`arcomp.exact.dense`). The first and the last layer of the network of
coefficients have biases for every place in the order, so that a place is not an input.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.container.tensors import part
from arcomp.errors import ModelError
from arcomp.exact import dense
from arcomp.exact.bounds import SUM_LIMIT, bound
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import aligned
from arcomp.layers.checks import check_linear
from arcomp.layers.quantisation import SIGNED8
from arcomp.models.jpeg.config import JpegConfig
from arcomp.models.jpeg.inputs import PREDICTIONS
from arcomp.models.jpeg.planes import PLACES
from arcomp.models.jpeg.tables import Int32, Int64

Arrays = Mapping[str, npt.NDArray[Any]]
COMPONENTS = 3
"""Logistics of a mixture."""
OUTPUTS = 4 * COMPONENTS + PREDICTIONS - COMPONENTS + 1
"""Of the network of coefficients: logits, log scales, offsets, gates of the predictions, logit of the mass at zero."""
ENDS = 64
MEAN_LIMIT = 6144 << 8
"""Of a mean, Q8."""
SCALES = (-3 * 256, 6 * 256)
"""Between which the logarithms of scales are kept, in 1/256."""
LARGEST_SCALE = 4 * 256
"""The last of the table; of a logarithm, in 1/256."""


class Network(NamedTuple):
    """Three layers."""

    weights: Int32
    """Packed, one layer after the other."""
    shapes: Int64
    """[3, 3]: outputs, words of inputs, where its weights begin."""
    bias: Int64
    """[places, all outputs]: less what packing adds to the sums."""
    multiplier: Int64
    shift: Int64


class Workspace(NamedTuple):
    """Activations of a front; columns are its blocks, rounded up to whole vectors."""

    inputs: npt.NDArray[np.uint8]
    """[words, columns, 4], the same memory as the first of ``packed``: a network's inputs plus 128, packed."""
    packed: Int32
    """[2, most words, columns]."""
    sums: Int32
    """[most outputs, columns]."""
    outputs: Int32
    """[most outputs of a last layer, columns]."""
    mixture: Int32
    """[columns, 2, 3 K]: weights (2**16 less the mass at zero, in all), means (Q8), inverse scales (Q16); with the
    means as they are, and with the other sign."""
    zero: Int64
    """[columns]: the mass at zero, Q16."""
    last: Int64
    """[columns]: whether the coefficient is the last that is not 0."""


def widths(config: JpegConfig) -> dict[str, tuple[int, ...]]:
    """Of inputs, hidden layers and outputs of all networks."""
    from arcomp.models.jpeg.inputs import COEFFICIENT, END

    own = {"coefficient": (COEFFICIENT, *config.hidden, OUTPUTS), "end": (END, *config.end_hidden, ENDS)}
    return {**own, "second": (COEFFICIENT, *config.second, OUTPUTS)} if config.second else own


def check_arrays(config: JpegConfig, arrays: Arrays) -> dict[str, Network]:
    """All networks, if shapes, types and bounds are right.

    Raises:
        ModelError: they are not.
    """
    return {name: _network(part(arrays, name), own) for name, own in widths(config).items()}


def _network(arrays: dict[str, npt.NDArray[Any]], own: tuple[int, ...]) -> Network:
    packed, bias, multiplier, shift, shapes, at = [], [], [], [], [], 0
    for i in range(3):
        layer = part(arrays, str(i))
        places = layer.pop("places", np.zeros((1, own[i + 1]), np.int32))
        check_linear(layer, SIGNED8.largest)
        weight = layer["weight"]
        total = layer["bias"].astype(np.int64) + places
        if (
            weight.shape != own[i : i + 2][::-1]
            or places.dtype != np.int32
            or places.shape not in ((1, own[i + 1]), (PLACES, own[i + 1]))
            or bound(weight, SIGNED8.largest) + int(np.abs(total).max()) >= SUM_LIMIT
        ):
            raise ModelError("a layer has the wrong shape or bounds", remedy="install the model's weights again")
        packed.append(dense.pack_weights(weight).ravel())
        shapes.append((weight.shape[0], dense.words(weight.shape[1]), at))
        at += packed[-1].size
        bias.append(np.broadcast_to(total - dense.offset(weight), (PLACES, weight.shape[0])))
        multiplier.append(layer["multiplier"].astype(np.int64))
        shift.append(layer["shift"].astype(np.int64))
    return Network(
        np.concatenate(packed),
        np.array(shapes, np.int64),
        np.ascontiguousarray(np.concatenate(bias, 1)),
        np.concatenate(multiplier),
        np.concatenate(shift),
    )


def new_workspace(config: JpegConfig, longest: int) -> Workspace:
    """For fronts of at most so many blocks."""
    n = -(-longest // dense.LANES) * dense.LANES
    most = max(max(own) for own in widths(config).values())
    packed: Int32 = aligned((2, dense.words(most), n), np.int32)
    return Workspace(
        packed[0].view(np.uint8).reshape(-1, n, 4),
        packed,
        aligned((most, n), np.int32),
        aligned((ENDS, n), np.int32),
        np.zeros((n, 2, 3 * COMPONENTS), np.int32),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
    )


@kernel(inner=True)
def evaluate_hidden(net: Any, workspace: Any, place: int, count: int) -> int:
    """From ``workspace.inputs`` to the hidden units, in the first of ``packed``; returns how many units there are."""
    packed, scale, first = workspace.packed, (net.bias[place], net.multiplier, net.shift), 0
    for layer in range(2):
        outputs, words, start = net.shapes[layer, 0], net.shapes[layer, 1], net.shapes[layer, 2]
        weights = net.weights[start : start + outputs * words].reshape(outputs, words)
        dense.multiply_rectified(weights, packed[layer], None, count, scale, first, packed[1 - layer])
        first += outputs
    return first


@kernel(inner=True)
def evaluate(net: Any, workspace: Any, place: int, count: int) -> None:
    """From ``workspace.inputs`` to ``workspace.outputs``."""
    packed, sums = workspace.packed, workspace.sums
    first = evaluate_hidden(net, workspace, place, count)
    m = dense.multiply_layer(net, 2, packed[0], count, sums)
    for j in range(m):
        bias, multiplier, shift = net.bias[place, first + j], net.multiplier[first + j], net.shift[first + j]
        half = np.int64(1) << (shift - 1)
        row, made = sums[j], workspace.outputs[j]
        for k in range(count):
            v = ((np.int64(row[k]) + bias) * multiplier + half) >> shift
            made[k] = max(np.int64(-32768), min(np.int64(32767), v))


@kernel(inner=True)
def mixtures(tables: Any, workspace: Any, about: Any, last: Any, count: int) -> None:
    """From ``workspace.outputs`` to ``workspace.mixture`` and ``zero``.

    Args:
        about: int64 [>= count, >= PREDICTIONS], predictions in its first columns.
        last: int64 [>= count]: whether the coefficient is the last that is not 0, so that no mass is at zero.
    """
    outputs, c = workspace.outputs, COMPONENTS
    for k in range(count):
        made, other = workspace.mixture[k, 0], workspace.mixture[k, 1]
        at_zero = OUTPUTS - 1
        best = outputs[0, k]
        for j in range(1, c):
            best = max(best, outputs[j, k])
        if not last[k]:
            best = max(best, outputs[at_zero, k])
        total = np.int64(0) if last[k] else tables.exponential[min(4095, best - outputs[at_zero, k])]
        zero = total
        for j in range(c):
            total += tables.exponential[min(4095, best - outputs[j, k])]
        centre = np.int64(0)
        for g in range(PREDICTIONS):
            centre += np.int64(outputs[3 * c + g, k]) * about[k, g]
        centre >>= 6
        zero = (zero << 16) // total
        workspace.zero[k] = zero
        rest = np.int64(1 << 16) - zero
        for j in range(c):
            w = (tables.exponential[min(4095, best - outputs[j, k])] << 16) // total
            w = rest if j == c - 1 else w
            rest -= w
            mean = max(-MEAN_LIMIT, min(MEAN_LIMIT, centre + outputs[2 * c + j, k]))
            scale: Any = max(SCALES[0], min(SCALES[1], np.int64(outputs[c + j, k])))
            sharpness = tables.inverse_scale[min(LARGEST_SCALE, scale) + 1536]
            if scale > LARGEST_SCALE:
                sharpness = (sharpness * tables.exponential[scale - LARGEST_SCALE]) >> 16
            made[j] = other[j] = w
            made[c + j], other[c + j] = mean, -mean
            made[2 * c + j] = other[2 * c + j] = sharpness >> 1
