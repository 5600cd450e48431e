"""The exact network of ``photo``: whole chunks as matrix products by torch, and front by front inside kernels.

Both take the same integers through the same re-scaling; a front's products are float32 products of integers small enough
to be exact (BLAS in whatever order it likes), a chunk's are int8 on the CPU or CUDA (:mod:`arcomp.exact.matmul`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.errors import ModelError
from arcomp.exact import tables
from arcomp.exact.kernels import kernel
from arcomp.layers.frozen import check_linear
from arcomp.layers.grid import LOGITS, RECTIFIED8, SIGNED8, Grid
from arcomp.models.base import Watch
from arcomp.models.photo.config import PhotoConfig
from arcomp.models.photo.least_squares import layout
from arcomp.models.photo.planes import Int8, Int32

Arrays = Mapping[str, npt.NDArray[Any]]
Float32 = npt.NDArray[np.float32]
_EXACT = 1 << 24
"""Below it float32 holds every integer."""


class Net(NamedTuple):
    """A frozen network as the kernels take it: all layers' arrays one after the other.

    Layers in this order: the trunk's; the trunk's part of all hidden layers, as one; each channel's own part of its hidden
    layer; the heads.
    """

    weights: Float32
    shapes: Int32
    """[layers, 3]: outputs, inputs, where its weights begin."""
    bias: npt.NDArray[np.int64]
    """Of the trunk's, the hidden and the heads' outputs, one after the other; multiplier and shift the same."""
    multiplier: npt.NDArray[np.int64]
    shift: npt.NDArray[np.int64]
    exponential: npt.NDArray[np.int64]
    inverse_scale: npt.NDArray[np.int64]
    logs: Int32
    trunk: int
    components: int
    gates: int
    inputs: int


class Room(NamedTuple):
    """Activations of one front."""

    inputs: Int8
    """Flat; as many rows of n columns as are used."""
    extras: Int8
    activations: Float32
    """[3, largest width * n]: of two layers, and of all heads' shared part."""
    sums: Float32
    outputs: Int32
    """[outputs, n]: of one head."""
    mixture: Int32
    """[n, 3 K + 2]."""


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
        own = {k[len(name) + 1 :]: a for k, a in arrays.items() if k.startswith(name + ".")}
        check_linear(own, SIGNED8.largest)
        if own["weight"].shape != shape:
            raise ModelError(f"layer {name} is not {shape[0]} x {shape[1]}", remedy="install the model's weights again")
        largest = int(np.abs(own["weight"].astype(np.int64)).sum(1).max()) * SIGNED8.largest
        if largest >= _EXACT:
            raise ModelError(f"layer {name} is too wide to be exact", remedy="install the model's weights again")
        made[name] = own
    prior = arrays.get("prior")
    if prior is None or prior.dtype != np.int32 or prior.shape != (layout(config.windows, config.channels)[3],):
        raise ModelError("the prior is missing or of the wrong kind", remedy="install the model's weights again")
    return made


def net(config: PhotoConfig, layers: dict[str, dict[str, npt.NDArray[Any]]]) -> Net:
    """What the kernels need of checked arrays."""
    from arcomp.models.photo.inputs import log2_table

    width = config.trunk[-1]
    channels = range(config.channels)
    trunk = [layers[f"trunk.{i}"] for i in range(len(config.trunk))]
    hidden = [layers[f"hidden.{c}"] for c in channels]
    heads = [layers[f"heads.{c}"] for c in channels]
    matrices = [t["weight"] for t in trunk]
    matrices.append(np.concatenate([h["weight"][:, :width] for h in hidden]))
    matrices += [h["weight"][:, width:] for h in hidden] + [h["weight"] for h in heads]
    starts = np.cumsum([0] + [m.size for m in matrices])

    def joined(name: str) -> npt.NDArray[np.int64]:
        return np.concatenate([layer[name] for layer in (*trunk, *hidden, *heads)]).astype(np.int64)

    return Net(
        np.concatenate([m.ravel() for m in matrices]).astype(np.float32),
        np.array([(*m.shape, s) for m, s in zip(matrices, starts, strict=False)], np.int32),
        joined("bias"),
        joined("multiplier"),
        joined("shift"),
        tables.exponential(),
        tables.inverse_scale(),
        log2_table(),
        len(trunk),
        config.mixture,
        config.gates,
        config.inputs,
    )


def room(config: PhotoConfig, longest: int) -> Room:
    """Room for fronts of at most ``longest`` pixels."""
    n = longest + 16
    widest = max(config.inputs, *config.trunk, config.channels * config.head)
    return Room(
        np.zeros(config.inputs * n, np.int8),
        np.zeros(max(config.extras(c) for c in range(config.channels)) * n, np.int8),
        np.zeros((3, widest * n), np.float32),
        np.zeros(widest * n, np.float32),
        np.zeros((config.outputs, n), np.int32),
        np.zeros((n, 3 * config.mixture + 2), np.int32),
    )


@kernel()
def _product(net: Any, layer: int, x: Any, count: int, sums: Any) -> Any:
    """Layer's weights times x float32 [inputs * count]: float32 [outputs, count] within ``sums``."""
    outputs, inputs, start = net.shapes[layer, 0], net.shapes[layer, 1], net.shapes[layer, 2]
    weights = net.weights[start : start + outputs * inputs].reshape(outputs, inputs)
    out = sums[: outputs * count].reshape(outputs, count)
    np.dot(weights, x[: inputs * count].reshape(inputs, count), out)
    return out


@kernel()
def _rectify(net: Any, first: int, sums: Any, out: Any) -> None:
    """Re-scale sums float32 [m, n] to RECTIFIED8 (integers in float32), with the constants from ``first`` on."""
    for j in range(sums.shape[0]):
        bias, multiplier, shift = net.bias[first + j], net.multiplier[first + j], net.shift[first + j]
        half = np.int64(1) << (shift - 1)
        row, made = sums[j], out[j]
        for k in range(row.shape[0]):
            v = ((np.int64(np.int32(row[k])) + bias) * multiplier + half) >> shift
            made[k] = np.float32(max(np.int64(-128), min(np.int64(127), v - 128)))


@kernel()
def trunk(net: Any, room: Any, count: int) -> None:
    """From ``room.inputs`` int8 [inputs, count] to the heads' shared sums, ``room.activations[2]``."""
    x = room.activations[0]
    inputs = room.inputs
    for i in range(net.inputs * count):
        x[i] = np.float32(inputs[i])
    first = 0
    for layer in range(net.trunk):
        out = _product(net, layer, room.activations[layer % 2], count, room.sums)
        m = out.shape[0]
        _rectify(net, first, out, room.activations[(layer + 1) % 2][: m * count].reshape(m, count))
        first += m
    _product(net, net.trunk, room.activations[net.trunk % 2], count, room.activations[2])


@kernel()
def head(net: Any, room: Any, channel: int, channels: int, count: int) -> None:
    """From the shared sums and ``room.extras`` int8 [extras, count] to ``room.outputs`` int32 [outputs, count]."""
    own = net.trunk + 1 + channel
    width = net.shapes[own, 0]
    more = net.shapes[own, 1]
    x = room.activations[0]
    for i in range(more * count):
        x[i] = np.float32(room.extras[i])
    sums = _product(net, own, x, count, room.sums)
    shared = room.activations[2][channel * width * count : (channel + 1) * width * count].reshape(width, count)
    for j in range(width):
        for k in range(count):
            sums[j, k] += shared[j, k]
    first = 0
    for layer in range(net.trunk):
        first += net.shapes[layer, 0]
    hidden = room.activations[0][: width * count].reshape(width, count)
    _rectify(net, first + channel * width, sums, hidden)
    last = net.trunk + 1 + channels + channel
    out = _product(net, last, room.activations[0], count, room.sums)
    first += channels * width + channel * out.shape[0]
    for j in range(out.shape[0]):
        bias, multiplier, shift = net.bias[first + j], net.multiplier[first + j], net.shift[first + j]
        half = np.int64(1) << (shift - 1)
        for k in range(count):
            v = ((np.int64(np.int32(out[j, k])) + bias) * multiplier + half) >> shift
            room.outputs[j, k] = max(np.int64(-32768), min(np.int64(32767), v))


@kernel()
def mixtures(net: Any, outputs: Any, base: Any, scale: Any, gates: Any, count: int, out: Any) -> None:
    """What the mixing stage codes with, from a head's outputs.

    Args:
        outputs: integers [3 K + gates, count] on the grid LOGITS. base: int32 [count], Q6. scale: int32 [count], Q8.
        gates: int32 [windows, count], Q6: the windows' predictions less the base.
        out: int32 [count, 3 K + 2], written: weights (2**16 in all), means (Q8), inverse scales (Q16), the
            mean rounded to a level (1 .. 255), class of the scale.
    """
    n = net.components
    for k in range(count):
        best = 0
        for j in range(1, n):
            if outputs[j, k] > outputs[best, k]:
                best = j
        total = np.int64(0)
        for j in range(n):
            total += net.exponential[min(4095, outputs[best, k] - outputs[j, k])]
        rest = np.int64(1 << 16)
        centre = np.int64(base[k]) << 2
        for g in range(net.gates):
            centre += (np.int64(outputs[3 * n + g, k]) * gates[g, k]) >> 6
        s = np.int64(scale[k])
        unit = (np.int64(1) << 28) // s
        mean = np.int64(0)
        width = np.int64(0)
        for j in range(n):
            w = net.exponential[min(4095, outputs[best, k] - outputs[j, k])] * (1 << 16) // total
            rest -= w
            m = centre + ((s * outputs[n + j, k]) >> 8)
            m = max(np.int64(-(1 << 16)), min(np.int64(1 << 17), m))
            at = max(np.int64(0), min(np.int64(2560), np.int64(outputs[2 * n + j, k]) + 1536))
            v = max(np.int64(16), min(np.int64(1 << 21), (unit * net.inverse_scale[at]) >> 20))
            out[k, j], out[k, n + j], out[k, 2 * n + j] = w, m, v
            mean += w * m
            width += w * v
        out[k, best] += rest
        mean += rest * out[k, n + best]
        width += rest * out[k, 2 * n + best]
        out[k, 3 * n] = max(1, min(255, ((mean >> 16) + 128) >> 8))
        w = min(4095, (width >> 26) + 3)  # inverse scale, Q6
        out[k, 3 * n + 1] = max(0, min(15, ((net.logs[w] - 96) >> 3) + 6))


class Network:
    """A network over known positions, as matrix products on one device.

    Args:
        config, layers: of checked arrays. device: where all of it is computed.
    """

    def __init__(self, config: PhotoConfig, layers: dict[str, dict[str, npt.NDArray[Any]]], device: str) -> None:
        from arcomp.layers.frozen import FrozenLinear

        def made(name: str, grid: Grid) -> FrozenLinear:
            return FrozenLinear(layers[name], grid, SIGNED8.largest, device)

        channels = range(config.channels)
        self.config, self.device = config, device
        self.trunk = [made(f"trunk.{i}", RECTIFIED8) for i in range(len(config.trunk))]
        self.hidden = [made(f"hidden.{c}", RECTIFIED8) for c in channels]
        self.heads = [made(f"heads.{c}", LOGITS) for c in channels]

    def outputs(self, inputs: Int8, extras: Int8, watch: Watch | None = None) -> list[Int32]:
        """Every head's outputs: int8 [inputs, n], int8 [all extras, n] -> int32 [outputs, n] for each channel."""
        import torch

        x = torch.from_numpy(np.ascontiguousarray(inputs.T)).to(self.device)
        e = torch.from_numpy(np.ascontiguousarray(extras.T)).to(self.device)
        for i, layer in enumerate(self.trunk):
            x = layer(x)
            if watch:
                watch(f"trunk.{i}", x.cpu().numpy())
        made, at = [], 0
        for c in range(self.config.channels):
            more = self.config.extras(c)
            h = self.hidden[c](torch.cat([x, e[:, at : at + more]], 1))
            z = self.heads[c](h).cpu().numpy()
            at += more
            if watch:
                watch(f"hidden.{c}", h.cpu().numpy())
                watch(f"heads.{c}", z)
            made.append(np.ascontiguousarray(z.T.astype(np.int32)))
        return made
