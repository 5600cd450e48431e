"""Networks of coefficients with all that they work with, and last layers of them that go on learning from the picture.

Each of an expert's two heads (luma, chroma) begins as the network's last layer, without biases, and follows the
gradient of the code length of the coefficients coded so far (:mod:`arcomp.exact.last_layers`). The biases of places
stay.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact import last_layers
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import aligned
from arcomp.exact.last_layers import (
    Float64,
    Heads,
    float_weights,
    gather,
    keep_slope,
    logistic_of,
    new_heads,
    steepness,
)
from arcomp.exact.records import Fixed
from arcomp.models.jpeg.config import JpegConfig
from arcomp.models.jpeg.exact import (
    COMPONENTS,
    OUTPUTS,
    SCALES,
    Network,
    Workspace,
    evaluate,
    evaluate_hidden,
    mixtures,
    new_workspace,
)
from arcomp.models.jpeg.inputs import PREDICTIONS
from arcomp.models.jpeg.tables import Int64

KINDS = 2
"""Heads of an expert: of luma, of chroma."""
_FLOOR, _LEAST_REST = 1e-6, 1e-3
"""Added to a mass that is divided by; least mass of what is not 0."""


class Expert(NamedTuple):
    """One network of coefficients of a strip."""

    network: Network
    workspace: Workspace
    heads: Heads
    units: npt.NDArray[np.uint8]
    """[hidden units, columns]."""
    places: Int64
    """[places, outputs]: biases of places, in units of LOGITS."""
    masses: Float64
    """[3, components], workspace: of a value, its derivatives by the means and by the logarithms of the scales."""
    learns: int
    """1 if the heads make the outputs, and learn."""


def new_expert(config: JpegConfig, network: Network, longest: int) -> Expert:
    """For fronts of at most so many blocks."""
    workspace = new_workspace(config, longest)
    outputs, words, start = (int(n) for n in network.shapes[2])
    units = int(network.shapes[1, 0]) if config.online else 1
    own = slice(len(network.shift) - outputs, None)
    weights = np.zeros((KINDS, outputs, units + 1))
    multiplier, shift = network.multiplier[own], network.shift[own]
    if config.online:
        packed = network.weights[start:].reshape(outputs, words)
        weights[:, :, :units] = float_weights(packed, units, multiplier, shift)
    return Expert(
        network,
        workspace,
        new_heads(weights, longest if config.online else 1, config.rate, config.group),
        aligned((units, workspace.packed.shape[2]), np.uint8),
        np.ascontiguousarray((network.bias[:, own] * multiplier + (np.int64(1) << (shift - 1))) >> shift),
        np.zeros((3, COMPONENTS)),
        Fixed(config.online),
    )


def memory(config: JpegConfig, longest: int) -> int:
    """Bytes of what all experts of a strip learn, about."""
    if not config.online:
        return 0
    hidden = [widths[1] for widths in (config.hidden, config.second) if widths]
    return sum(last_layers.memory(KINDS, OUTPUTS, units, longest) + units * (longest + 16) for units in hidden)


@kernel(inner=True)
def copy_inputs(first: Any, second: Any, words: int, count: int) -> None:
    """The second expert sees what the first sees."""
    given, taken = first.workspace.packed[0], second.workspace.packed[0]
    for i in range(words):
        for k in range(count):
            taken[i, k] = given[i, k]


@kernel(inner=True)
def say(tables: Any, expert: Any, about: Any, last: Any, kind: int, place: int, count: int) -> None:
    """From ``workspace.inputs`` to ``workspace.mixture`` and ``zero``, of the active blocks; see :func:`mixtures`."""
    workspace, heads = expert.workspace, expert.heads
    if expert.learns:
        evaluate_hidden(expert.network, workspace, place, count)
        last_layers.unpack(workspace.packed[0], heads.units, count, expert.units)
        last_layers.forward(heads, kind, expert.units, count, workspace.outputs)
        for j in range(OUTPUTS):
            bias, row = expert.places[place, j], workspace.outputs[j]
            for k in range(count):
                row[k] = max(np.int64(-32768), min(np.int64(32767), row[k] + bias))
    else:
        evaluate(expert.network, workspace, place, count)
    mixtures(tables, workspace, about, last, count)


@kernel(inner=True)
def _masses(expert: Any, k: int, value: Any, logistic: Any) -> float:
    """Masses of a value under each logistic of a block's mixture, and their derivatives, into ``expert.masses``;
    returns the sum of the masses."""
    n, below, total = COMPONENTS, (value << 8) - 128, 0.0
    mixture, outputs, out = expert.workspace.mixture[k, 0], expert.workspace.outputs, expert.masses
    for j in range(n):
        inverse = np.int64(mixture[2 * n + j])
        low = (below - mixture[n + j]) * inverse >> 16
        high = (below + 256 - mixture[n + j]) * inverse >> 16
        a, b = logistic_of(low, logistic), logistic_of(high, logistic)
        w = float(mixture[j]) * (1.0 / 65536.0)
        da, db = steepness(a, low), steepness(b, high)
        out[0, j] = w * (b - a)
        out[1, j] = w * (db - da) * (float(inverse) * (1.0 / 65536.0))
        moves = SCALES[0] < outputs[n + j, k] < SCALES[1]  # where no limit holds the scale
        out[2, j] = w * (db * float(high) - da * float(low)) * (1.0 / 256.0) if moves else 0.0
        total += out[0, j]
    return total


@kernel(inner=True)
def _slopes(expert: Any, about: Any, k: int, value: int, last: int, logistic: Any) -> None:
    """Derivatives of the code length of a value, -ln of its mass (as a part of what is not 0, of the last that is not),
    by the outputs, into ``heads.slope``."""
    n, masses, out = COMPONENTS, expert.masses, expert.heads.slope
    mixture = expert.workspace.mixture[k, 0]
    zero = float(expert.workspace.zero[k]) * (1.0 / 65536.0)
    total = _masses(expert, k, value, logistic)
    if value == 0:
        total += zero
    by = 1.0 / (total + _FLOOR)
    for j in range(n):
        out[j] = (float(mixture[j]) * (1.0 / 65536.0) * total - masses[0, j]) * by
        out[n + j] = masses[2, j] * by
        out[2 * n + j] = masses[1, j] * by
    out[OUTPUTS - 1] = (zero * total - (zero if value == 0 else 0.0)) * by
    if last:
        none = _masses(expert, k, np.int64(0), logistic)
        by = 1.0 / max(_LEAST_REST, 1.0 - none)
        for j in range(n):
            w = float(mixture[j]) * (1.0 / 65536.0)
            out[j] -= (masses[0, j] - w * none) * by
            out[n + j] -= masses[2, j] * by
            out[2 * n + j] -= masses[1, j] * by
    centre = 0.0
    for j in range(n):
        centre += out[2 * n + j]
    for g in range(PREDICTIONS):
        out[3 * n + g] = centre * (float(about[k, g]) * (1.0 / 64.0))


@kernel(inner=True)
def learn(tables: Any, expert: Any, about: Any, last: Any, kind: int, values: Any, count: int) -> None:
    """The coefficients of the active blocks are known, int64 [>= count], less their anchors; after :func:`say`."""
    if expert.learns:
        for k in range(count):
            _slopes(expert, about, k, values[k], last[k], tables.logistic)
            keep_slope(expert.heads, k)
        gather(expert.heads, kind, count)
        last_layers.step(expert.heads, count)
