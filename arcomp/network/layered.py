"""Models that are networks over samples: what the ladder's models share.

A model's file states its network (:class:`arcomp.network.wiring.Wiring`) and which distributions its outputs stand
for. This file makes of that an exact model of the contract, and something to train.

Samples enter a network as :mod:`arcomp.layers.samples` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from arcomp.coding import Distribution
from arcomp.contract.distributions import DistributionModel, Incremental, Int32, Parallel
from arcomp.contract.model import BatchSpec, Padded, Watch, refuse
from arcomp.contract.settings import checked
from arcomp.contract.trainer import Trainer
from arcomp.contract.weights_file import Weights, channels_and_depth, network_name, networks
from arcomp.errors import ModelError, needs_torch
from arcomp.exact.arrays import CPU
from arcomp.exact.devices import backend
from arcomp.layers.samples import carried
from arcomp.layers.spec import Spec
from arcomp.network.configuration import LayeredConfig
from arcomp.network.definition import ExactNetwork
from arcomp.network.wiring import Wiring
from arcomp.orders import GROUP, Batch, Front, InGroups, Order, Raster, Wavefront, split

UInt8 = npt.NDArray[np.uint8]
Ints = npt.NDArray[Any]

FLOAT_POSITIONS = 1 << 14
"""Positions that are evaluated at a time in float, at least a picture."""
CHUNK = 1 << 13
"""Length of the chunks that a sequence (one row) is cut into. They are coded independently; eight fill a group."""


class Decoding(Protocol):
    """An evaluation of a group of pictures front by front, such as an
    :class:`arcomp.network.interpreter.Interpreter`."""

    def begin(self, front: Front) -> None:
        """Go to the next front."""

    def outputs(self, group: int) -> Ints:
        """A channel's outputs over the front: integers [n, outputs], once for each channel in turn."""

    def push(self, group: int, samples: Ints) -> None:
        """Take a channel's samples over the front, which have become known: int8 [n]."""


class Layered(DistributionModel):
    """A frozen network.

    Args:
        weights: as :meth:`freeze` makes them.

    Raises:
        ModelError: the configuration or the arrays are not this model's.
    """

    config_type: ClassVar[type[LayeredConfig]]
    wiring_type: ClassVar[type[Wiring]]
    sequence: Order
    """Default order; a configuration may override it, but all of a file's must agree."""
    float_twin: ClassVar[str] = "arcomp.network.float.model.Float"
    """Dotted name of the class of the float evaluation, an :class:`arcomp.network.float.model.FloatModel`. It takes the
    model's class and a configuration. It is imported only for training and for float NLL."""
    flat: ClassVar[bool] = False
    """Whether the network sees a picture as a sequence of pixels, row after row, not as rows."""
    side: ClassVar[int] = 32
    """Side of a tile in pixels. Small, so that many tiles are decoded in parallel."""

    @property
    def order(self) -> Order:
        return InGroups(self.sequence, GROUP)

    def __init__(self, weights: Weights) -> None:
        self.weights, self.digest = weights, weights.digest
        found = networks(weights, lambda plain: checked(self.config_type, plain))
        self.configs = {channels_and_depth(name): config for name, config in found.items()}
        orders = {config.sequence for config in found.values()}
        if len(orders) > 1:
            raise ModelError("networks of several orders in one file", remedy="install the model's weights again")
        self.sequence = orders.pop() or type(self).sequence
        self._made: dict[tuple[int, int, str], dict[str, ExactNetwork]] = {}

    @classmethod
    def wirings(cls, config: Any) -> dict[str, Wiring]:
        """The networks, by the prefix of their layers' names."""
        return {"": cls.wiring_type(config)}

    @cached_property
    def parameters(self) -> int:  # type: ignore[override]  # to count those of many masks takes long
        """How many numbers training chose: weights that may differ from zero, and biases."""
        return sum(spec.parameters for config in self.configs.values() for spec in self._specs(config))

    @classmethod
    def _specs(cls, config: Any) -> list[Spec]:
        """All layers of all networks."""
        return [spec for wiring in cls.wirings(config).values() for spec in wiring.layers().values()]

    @classmethod
    def trainer(cls) -> Trainer:
        return LayeredTrainer(cls)

    @classmethod
    def float_model(cls, config: Mapping[str, Any]) -> Any:
        """Fresh networks to train: a :class:`arcomp.network.float.model.FloatModel`.

        Raises:
            ArcompError: torch is not installed.
        """
        module, _, name = cls.float_twin.rpartition(".")
        with needs_torch("a network in float"):
            made = getattr(import_module(module), name)
        return made(cls, checked(cls.config_type, config))

    @classmethod
    def freeze(cls, trained: Mapping[int, Any]) -> Weights:
        """Integers of float networks, by number of channels."""
        configs: dict[str, Any] = {}
        arrays: dict[str, Ints] = {}
        for model in trained.values():
            name = network_name(model.config.channels, model.config.depth)
            configs[name] = asdict(model.config)
            for prefix, network in model.networks().items():
                arrays |= {f"{name}.{prefix}{key}": a for key, a in network.freeze().items()}
        return Weights(cls.name, {"networks": configs}, arrays)

    def check(self, channels: int, depth: int) -> None:
        if (channels, depth) not in self.configs:
            takes = " and ".join(
                f"{c} channel{'s' if c > 1 else ''} of {d} bit{'s' if d > 1 else ''}" for c, d in sorted(self.configs)
            )
            raise refuse(self.name, f"{takes} (with these weights)", channels, depth)

    @property
    def row_by_row(self) -> bool:
        return isinstance(self.sequence, Raster | Wavefront)

    @property
    def takes_bytes(self) -> bool:
        return self.flat and (1, 8) in self.configs

    def tile(self, height: int, width: int, channels: int, depth: int) -> tuple[int, int]:
        """The network's fixed size, if it has one; for bytes, a chunk; else a square."""
        if self.flat and height == 1:
            return 1, CHUNK
        return self.configs[channels, depth].frame or (self.side, self.side)

    def memory(self, spec: BatchSpec, threads: int | None = None) -> int:
        """Bytes of the caches of the largest group of tiles, and of the largest layer's working memory."""
        layers = self._specs(self.configs[spec.channels, spec.depth])
        cached = sum(layer.cached for layer in layers)
        working = max(layer.working for layer in layers)
        fixed = sum(layer.fixed for layer in layers)
        batch = self.seen(spec.batch)
        heights, widths = (a.astype(np.int64) for a in (batch.heights, batch.widths))
        return max(
            int((g.stop - g.start) * (int(heights[g].max()) * int(widths[g].max()) * (2 * cached + working) + fixed))
            for g in split(spec.batch, GROUP)
        )

    def seen(self, batch: Batch) -> Batch:
        """Sizes of pictures as the network sees them."""
        return Batch(np.ones_like(batch.heights), batch.heights * batch.widths) if self.flat else batch

    def positions(self, front: Front, batch: Batch, first: int) -> Front:
        """Map positions of the batch to positions in the network's input; ``first`` is the batch's first picture."""
        image = front.image - np.int32(first)
        if not self.flat:
            return Front(image, front.y, front.x)
        return Front(image, np.zeros_like(front.y), front.y * batch.widths[image] + front.x)

    def _arrays(self, channels: int, depth: int) -> dict[str, dict[str, Ints]]:
        """The arrays of each network, by the prefix of its layers' names.

        Raises:
            ModelError: there are arrays of no network.
        """
        name = network_name(channels, depth) + "."
        found, left = {}, {key[len(name) :]: a for key, a in self.weights.arrays.items() if key.startswith(name)}
        for prefix in self.wirings(self.configs[channels, depth]):
            found[prefix] = {key[len(prefix) :]: a for key, a in left.items() if key.startswith(prefix)}
            left = {key: a for key, a in left.items() if not key.startswith(prefix)}
        if left:
            raise ModelError("the weights have arrays of no layer", remedy="install the model's weights again")
        return found

    def fresh(self, channels: int, depth: int, device: str = "cpu") -> dict[str, ExactNetwork]:
        """New exact networks, by the prefix of their layers' names, each with caches of its own."""
        with self.weights.with_path():
            arrays, wirings = self._arrays(channels, depth), self.wirings(self.configs[channels, depth])
            return {prefix: ExactNetwork(wiring, arrays[prefix], device) for prefix, wiring in wirings.items()}

    def networks(self, channels: int, depth: int, device: str = "cpu") -> dict[str, ExactNetwork]:
        """The exact networks for known pictures, which need no caches: made once."""
        key = channels, depth, device
        if key not in self._made:
            self._made[key] = self.fresh(*key)
        return self._made[key]

    def evaluate(self, padded: Padded, spec: BatchSpec, device: str, watch: Watch | None) -> Ints:
        """All outputs for a group of known pictures: [N, H, W, C * outputs], where :meth:`positions` says."""
        seen = self.seen(spec.batch)
        if self.flat:
            sequences = np.zeros((len(seen), 1, int(seen.widths.max()), padded.shape[3]), padded.dtype)
            for i, (h, w) in enumerate(zip(spec.batch.heights, spec.batch.widths, strict=True)):
                sequences[i, 0, : h * w] = padded[i, :h, :w].reshape(h * w, -1)
            padded = sequences
        net = self.networks(spec.channels, spec.depth, device)[""]
        return backend(device).numpy(net.parallel(carried(padded, spec.depth), seen, watch))

    def decoding(self, networks: Mapping[str, ExactNetwork], spec: BatchSpec) -> Decoding:
        """Begin to decode a group of pictures; positions are in the network's input (:meth:`positions`)."""
        seen = self.seen(spec.batch)
        return networks[""].start(seen, self.sequence.open_rows(seen))

    def dequantized(self, channels: int, depth: int) -> Any:
        """The float networks that the integers stand for, an :class:`arcomp.network.float.model.FloatModel`: freezing
        them gives the same integers back.

        Raises:
            NotImplementedError: one of its layers cannot be dequantized.
        """
        made = self.float_model(asdict(self.configs[channels, depth]))
        arrays = self._arrays(channels, depth)
        for prefix, network in made.networks().items():
            network.dequantize(arrays[prefix])
        return made.eval()  # without dropout, and with all masks of a MADE

    def float_bits(self, pixels: Padded, depth: int, device: str = CPU) -> float | None:
        """As :meth:`Model.float_bits` says, a few pictures at a time."""
        count, height, width, channels = pixels.shape
        try:
            network = self.dequantized(channels, depth)
        except NotImplementedError:
            return None
        step = max(1, FLOAT_POSITIONS // (height * width))
        parts = (np.ascontiguousarray(pixels[i : i + step]) for i in range(0, count, step))
        return float(network.total_bits(parts, device))

    def parallel(self, padded: Padded, spec: BatchSpec, device: str = "cpu", watch: Watch | None = None) -> Parallel:
        return _Parallel(self, padded, spec, device, watch)

    def incremental(self, spec: BatchSpec) -> Incremental:
        return _Incremental(self, spec)


class _Parallel(Parallel):
    """Evaluates a group of pictures when the first of its positions is asked for."""

    def __init__(self, model: Layered, padded: Padded, spec: BatchSpec, device: str, watch: Watch | None) -> None:
        self.model, self.padded, self.spec, self.device, self.watch = model, padded, spec, device, watch
        self.head = model.configs[spec.channels, spec.depth].head
        self.groups = split(spec.batch, GROUP)
        self.of_image = np.repeat(np.arange(len(self.groups)), [g.stop - g.start for g in self.groups])
        self.outputs: dict[int, Ints] = {}

    def _evaluate(self, group: slice) -> Ints:
        spec = self.spec.part(group)
        padded = self.padded[group, : spec.batch.heights.max(), : spec.batch.widths.max()]
        return self.model.evaluate(padded, spec, self.device, self.watch)

    def distributions(self, front: Front) -> list[Distribution]:
        groups = self.of_image[front.image]
        wanted = np.unique(groups).tolist()
        self.outputs = {g: a for g, a in self.outputs.items() if g in wanted}  # others are not asked for again
        parts = []
        for g in wanted:
            if g not in self.outputs:
                self.outputs[g] = self._evaluate(self.groups[g])
            own, group = groups == g, self.groups[g]
            here = Front(front.image[own], front.y[own], front.x[own])
            at = self.model.positions(here, self.spec.batch.part(group), group.start)
            parts.append(self.outputs[g][at.image, at.y, at.x])
        found = np.concatenate(parts).reshape(len(front), self.spec.channels, -1)
        values = self.padded[front.image, front.y, front.x].astype(np.int32)
        return [
            self.head.distribution(np.ascontiguousarray(a), values[:, :c]) for c, a in enumerate(found.swapaxes(0, 1))
        ]


class _Incremental(Incremental):
    def __init__(self, model: Layered, spec: BatchSpec) -> None:
        self.model, self.spec = model, spec
        self.networks = model.fresh(spec.channels, spec.depth)
        self.head = model.configs[spec.channels, spec.depth].head
        self.groups = split(spec.batch, GROUP)
        self.group = slice(0, 0)

    def begin(self, front: Front) -> None:
        if front.image[0] >= self.group.stop:
            self.group = next(g for g in self.groups if g.stop > front.image[0])
            spec = self.spec.part(self.group)
            self.batch, self.steps = spec.batch, self.model.decoding(self.networks, spec)
        self.steps.begin(self.model.positions(front, self.batch, self.group.start))
        self.values = np.zeros((len(front), self.spec.channels), np.int32)

    def distribution(self, channel: int) -> Distribution:
        return self.head.distribution(self.steps.outputs(channel), self.values[:, :channel])

    def fill(self, channel: int, values: Int32) -> None:
        self.values[:, channel] = values
        self.steps.push(channel, carried(values, self.spec.depth))


class LayeredTrainer(Trainer):
    """How models of layers are trained."""

    whole_crops = True

    def __init__(self, model: type[Layered]) -> None:
        self.model, self.settings, self.sequences = model, model.config_type, model.flat

    def start(self, config: Mapping[str, Any]) -> Any:
        return self.model.float_model(config)

    def freeze(self, networks: Mapping[int, Any]) -> Weights:
        return self.model.freeze(networks)

    def frame(self, config: Mapping[str, Any]) -> tuple[int, int] | None:
        return checked(self.model.config_type, config).frame

    def mismatch(self, weights: Weights, config: Mapping[str, Any]) -> str:
        own = checked(self.model.config_type, config)
        for kind, other in self.model(weights).configs.items():
            if kind != (own.channels, own.depth):
                if other.sequence != own.sequence:
                    return "order"
                if other.frame != own.frame:
                    return "size of pictures"
        return ""
