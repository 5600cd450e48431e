"""The exact network of ``photo``: whole chunks as matrix products, and front by front inside kernels.

Both take the same integers through the same re-scaling; a front's products are :mod:`arcomp.exact.dense`'s, a chunk's
:mod:`arcomp.exact.matmul`'s, on the CPU or CUDA.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.container.tensors import part
from arcomp.contract.model import Watch
from arcomp.errors import ModelError
from arcomp.exact import dense, tables
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import aligned
from arcomp.layers.checks import check_linear
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8, Quantisation
from arcomp.models.photo.config import PhotoConfig
from arcomp.models.photo.planes import Int8, Int32
from arcomp.models.photo.windows import layout, split_prior
from arcomp.models.photo.workspace import log2_table

Arrays = Mapping[str, npt.NDArray[Any]]


class PackedNet(NamedTuple):
    """A frozen network as the kernels take it: all layers' arrays one after the other.

    Layers in this order: the trunk's; the trunk's part of all hidden layers, as one; each channel's own part of its
    hidden layer; the heads.
    """

    weights: Int32
    """Packed, see :mod:`arcomp.exact.dense`."""
    shapes: Int32
    """[layers, 3]: outputs, words of inputs, where its weights begin."""
    bias: npt.NDArray[np.int64]
    """Of the trunk's, the hidden and the heads' outputs, one after the other, less what packing adds to the sums;
    multiplier and shift the same."""
    multiplier: npt.NDArray[np.int64]
    shift: npt.NDArray[np.int64]
    exponential: npt.NDArray[np.int64]
    """[4096]: 2**16 exp(-i / 256)."""
    inverse_scale: npt.NDArray[np.int64]
    """[2561]: 2**16 times the inverse of a scale by its logarithm, in 1/256 from -6 on."""
    logs: Int32
    """[4096]: 16 log2 i, rounded down."""
    trunk: int
    """Layers of the trunk."""
    components: int
    gates: int
    """Residuals of which a head may add a part to the means."""


class Workspace(NamedTuple):
    """Activations of one front of n pixels; columns are n rounded up to whole vectors."""

    inputs: Int8
    """[inputs, columns]."""
    extras: Int8
    """[most extras, columns]."""
    packed: Int32
    """[2, most words, columns]: activations of two layers."""
    sums: Int32
    """[most outputs, columns]."""
    shared: Int32
    """[channels * head, columns]: what all heads need of the trunk."""
    outputs: Int32
    """[outputs, columns]: of one head."""
    units: npt.NDArray[np.uint8]
    """[head, n]: hidden units of heads that learn; no rows if they do not."""
    residuals: Int32
    """[residuals, n], Q6: as :class:`arcomp.models.photo.chunks.Seen` has them."""


def check_arrays(config: PhotoConfig, arrays: Arrays) -> dict[str, dict[str, npt.NDArray[Any]]]:
    """A network's arrays by layer, if shapes, types and bounds are right.

    Raises:
        ModelError: they are not.
    """
    widths = (config.inputs, *config.trunk)
    channels = range(config.channels)
    shapes = {f"trunk.{i}": (widths[i + 1], widths[i]) for i in range(len(config.trunk))}
    shapes |= {f"hidden.{c}": (config.head, widths[-1] + config.extras(c)) for c in channels}
    shapes |= {f"heads.{c}": (config.outputs, config.head) for c in channels}
    made: dict[str, dict[str, npt.NDArray[Any]]] = {}
    for name, shape in shapes.items():
        own = part(arrays, name)
        check_linear(own, SIGNED8.largest)
        if own["weight"].shape != shape:
            raise ModelError(f"layer {name} is not {shape[0]} x {shape[1]}", remedy="install the model's weights again")
        made[name] = own
    if config.plain:
        return made
    prior = arrays.get("prior")
    if prior is None or prior.dtype != np.int32 or prior.shape != (layout(config.windows, config.channels)[3],):
        raise ModelError("the prior is missing or of the wrong kind", remedy="install the model's weights again")
    if not all(_positive(p) for p in split_prior(config.windows, config.channels, prior)):
        raise ModelError("the prior is no covariance", remedy="install the model's weights again")
    return made


def _positive(prior: npt.NDArray[np.int32]) -> bool:
    """Whether a prior is positive definite and of trace one: every pivot of the factorisation is then positive."""
    size = int((2 * len(prior)) ** 0.5)
    matrix = np.zeros((size, size))
    matrix[np.tril_indices(size)] = prior / 2.0**24
    matrix += np.tril(matrix, -1).T
    return 0.9 < float(np.trace(matrix)) < 1.1 and float(np.linalg.eigvalsh(matrix)[0]) > 2.0**-20


def pack_net(config: PhotoConfig, layers: dict[str, dict[str, npt.NDArray[Any]]]) -> PackedNet:
    """What the kernels need of checked arrays."""
    width = config.trunk[-1]
    channels = range(config.channels)
    trunk = [layers[f"trunk.{i}"] for i in range(len(config.trunk))]
    hidden = [layers[f"hidden.{c}"] for c in channels]
    heads = [layers[f"heads.{c}"] for c in channels]
    matrices = [t["weight"] for t in trunk]
    matrices.append(np.concatenate([h["weight"][:, :width] for h in hidden]))
    matrices += [h["weight"][:, width:] for h in hidden] + [h["weight"] for h in heads]
    packed = [dense.pack_weights(m) for m in matrices]
    starts = np.cumsum([0] + [m.size for m in packed])
    layers_in_turn = (*trunk, *hidden, *heads)

    def joined(name: str) -> npt.NDArray[np.int64]:
        return np.concatenate([layer[name] for layer in layers_in_turn]).astype(np.int64)

    added = np.concatenate([dense.offset(layer["weight"]) for layer in layers_in_turn])
    return PackedNet(
        np.concatenate([m.ravel() for m in packed]),
        np.array([(*m.shape, s) for m, s in zip(packed, starts, strict=False)], np.int32),
        joined("bias") - added,
        joined("multiplier"),
        joined("shift"),
        tables.exponential(),
        tables.inverse_scale(),
        log2_table(),
        len(trunk),
        config.mixture,
        config.gates,
    )


def new_workspace(config: PhotoConfig, longest: int) -> Workspace:
    """For fronts of at most ``longest`` pixels."""
    n = -(-longest // dense.LANES) * dense.LANES
    shared = config.channels * config.head
    widest = max(config.inputs, *config.trunk, config.head, config.outputs)
    words = -(-dense.words(widest) // dense.LANES) * dense.LANES
    return Workspace(
        aligned((config.inputs, n), np.int8),
        aligned((max(config.extras(c) for c in range(config.channels)), n), np.int8),
        aligned((2, words, n), np.int32),
        aligned((widest, n), np.int32),
        aligned((shared, n), np.int32),
        aligned((config.outputs, n), np.int32),
        np.zeros((config.head if config.online else 0, n), np.uint8),
        aligned((config.residuals, n), np.int32),
    )


@kernel(inner=True)
def rectified(net: Any, layer: Any, x: Any, begin: Any, count: Any, first: Any, out: Any) -> None:
    """A layer, re-scaled to RECTIFIED8 and packed; constants from ``first`` on. Sums begin with those of ``begin``."""
    outputs, inputs, start = net.shapes[layer, 0], net.shapes[layer, 1], net.shapes[layer, 2]
    weights = net.weights[start : start + outputs * inputs].reshape(outputs, inputs)
    dense.multiply_rectified(weights, x, begin, count, (net.bias, net.multiplier, net.shift), first, out)


@kernel(inner=True)
def trunk(net: Any, workspace: Any, count: int) -> None:
    """From ``workspace.inputs`` to ``workspace.shared``."""
    dense.pack(workspace.inputs, count, workspace.packed[0])
    first = np.int64(0)
    for layer in range(net.trunk):
        rectified(net, layer, workspace.packed[layer % 2], None, count, first, workspace.packed[(layer + 1) % 2])
        first += net.shapes[layer, 0]
    dense.multiply_layer(net, net.trunk, workspace.packed[net.trunk % 2], count, workspace.shared)


@kernel(inner=True)
def head(net: Any, workspace: Any, channel: int, channels: int, more: int, count: int) -> None:
    """From ``workspace.shared`` and the first ``more`` of ``workspace.extras`` to ``workspace.outputs``."""
    dense.pack(workspace.extras[:more], count, workspace.packed[1])
    first, width, x = 0, net.shapes[net.trunk + 1 + channel, 0], workspace.packed[0]
    for layer in range(net.trunk):
        first += net.shapes[layer, 0]
    shared = workspace.shared[channel * width : (channel + 1) * width]
    rectified(net, net.trunk + 1 + channel, workspace.packed[1], shared, count, first + channel * width, x)
    outputs = dense.multiply_layer(net, net.trunk + 1 + channels + channel, x, count, workspace.sums)
    first += channels * width + channel * outputs
    for j in range(outputs):
        bias, multiplier, shift = net.bias[first + j], net.multiplier[first + j], net.shift[first + j]
        half = np.int64(1) << (shift - 1)
        row, made = workspace.sums[j], workspace.outputs[j]
        for k in range(count):
            v = ((np.int64(row[k]) + bias) * multiplier + half) >> shift
            made[k] = max(np.int64(-32768), min(np.int64(32767), v))


@kernel(inner=True)
def mixtures(net: Any, activations: Any, base: Any, scale: Any, depth: Any, count: int, out: Any) -> None:
    """What the mixing stage codes with, from a head's outputs.

    Quotients are taken in float64: of integers below 2**33 and 2**20, which cannot come so near to a whole number that
    they would be rounded to it.

    Args:
        activations: record of a :class:`Workspace`; ``outputs`` and ``residuals`` are read, ``sums`` is overwritten.
        base: int32 [count], Q6. scale: int32 [count], Q8. depth: of the samples.
        out: int32 [count, 3 K + 2], written: weights (2**16 in all), means (Q8), inverse scales (Q16), the
            mean rounded to a sample (1 .. the highest), class of the scale.
    """
    n, outputs, made = net.components, activations.outputs, activations.sums
    places = 8 - depth.shift
    limit = np.int64(depth.highest + 1) << places
    _weights(net, outputs, count, made)
    centre = made[3 * n]
    for k in range(count):
        centre[k] = base[k] << 2
    for g in range(net.gates):
        gate, residual = outputs[3 * n + g], activations.residuals[g]
        for k in range(count):
            centre[k] += (np.int64(gate[k]) * residual[k]) >> 6
    for j in range(n):
        offset, mean = outputs[n + j], made[n + j]
        for k in range(count):
            m = centre[k] + ((np.int64(scale[k]) * offset[k]) >> 8)
            mean[k] = max(-limit, min(2 * limit, m))
    units = made[3 * n]
    for k in range(count):
        units[k] = np.int32(float(1 << 28) / float(scale[k]))
    for j in range(n):
        logarithm, inverse = outputs[2 * n + j], made[2 * n + j]
        for k in range(count):
            at = max(np.int64(0), min(np.int64(2560), np.int64(logarithm[k]) + 1536))
            inverse[k] = max(np.int64(16), min(np.int64(1 << 21), (units[k] * net.inverse_scale[at]) >> 20))
    for k in range(count):
        mean, width = np.int64(0), np.int64(0)
        own = out[k]
        for j in range(n):
            w, m, v = np.int64(made[j, k]), made[n + j, k], made[2 * n + j, k]
            own[j], own[n + j], own[2 * n + j] = w, m, v
            mean += w * m
            width += w * v
        own[3 * n] = max(1, min(depth.highest, ((mean >> 16) + (128 >> depth.shift)) >> places))
        w = min(np.int64(4095), (width >> 26) + 3)  # inverse scale, Q6
        own[3 * n + 1] = max(0, min(15, ((net.logs[w] - 96) >> 3) + 6))


@kernel(inner=True)
def _weights(net: Any, logits: Any, count: int, made: Any) -> None:
    """Weights of the components: int32 [K, count], 2**16 in all; what rounding leaves is the first likeliest one's."""
    n = net.components
    best, total = made[n], made[n + 1]
    best[:count] = -(1 << 16)
    for j in range(n):
        own = logits[j]
        for k in range(count):
            best[k] = max(best[k], own[k])
    total[:count] = 0
    for j in range(n):
        own, row = made[j], logits[j]
        for k in range(count):
            own[k] = net.exponential[min(4095, best[k] - row[k])]
            total[k] += own[k]
    rest = made[n + 2]
    rest[:count] = 1 << 16
    for j in range(n):
        own = made[j]
        for k in range(count):
            own[k] = np.int32(float(np.int64(own[k]) << 16) / float(total[k]))
            rest[k] -= own[k]
    for j in range(n):
        own, row = made[j], logits[j]
        for k in range(count):
            first = row[k] == best[k]
            own[k] += rest[k] if first else 0
            rest[k] = 0 if first else rest[k]


class ChunkNetwork:
    """A network over known positions, as matrix products on one device.

    Args:
        config, layers: of checked arrays. device: where all of it is computed.
    """

    def __init__(self, config: PhotoConfig, layers: dict[str, dict[str, npt.NDArray[Any]]], device: str) -> None:
        from arcomp.layers.frozen import FrozenLinear

        def made(name: str, quantisation: Quantisation) -> FrozenLinear:
            return FrozenLinear(layers[name], quantisation, SIGNED8.largest, device)

        channels = range(config.channels)
        self.config, self.device = config, device
        self.trunk = [made(f"trunk.{i}", RECTIFIED8) for i in range(len(config.trunk))]
        self.hidden = [made(f"hidden.{c}", RECTIFIED8) for c in channels]
        self.heads = [made(f"heads.{c}", LOGITS) for c in channels]

    def outputs(self, inputs: Int8, extras: Int8, watch: Watch | None = None) -> tuple[Int32, npt.NDArray[np.uint8]]:
        """Every head's outputs: int8 [inputs, n], int8 [all extras, n] -> int32 [channels, outputs, n]; and the hidden
        units they are made of, uint8 [channels, head, n] (no columns unless heads go on learning)."""
        from arcomp.exact.devices import backend as device_backend

        backend = device_backend(self.device)
        x, e = (backend.constant(np.ascontiguousarray(a.T)) for a in (inputs, extras))
        for i, layer in enumerate(self.trunk):
            x = layer(x)
            if watch:
                watch(f"trunk.{i}", backend.numpy(x))
        config = self.config
        units = np.empty((config.channels, config.head, inputs.shape[1] if config.online else 0), np.uint8)
        made = np.empty((config.channels, config.outputs, inputs.shape[1]), np.int32)
        at = 0
        for c in range(config.channels):
            more = config.extras(c)
            h = self.hidden[c](backend.concat([x, e[:, at : at + more]], 1))
            z = backend.numpy(self.heads[c](h))
            at += more
            if watch:
                watch(f"hidden.{c}", backend.numpy(h))
                watch(f"heads.{c}", z)
            if config.online:
                units[c] = (backend.numpy(h).astype(np.int16) + 128).T
            made[c] = z.T
        return made, units
