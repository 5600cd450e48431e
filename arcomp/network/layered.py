"""Models that are networks over samples: what the ladder's models share.

A model's file says what its network is (:class:`arcomp.network.definition.Wiring`) and how its outputs stand for
distributions; this is how such a network becomes an exact model of the contract and something to train.

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
from arcomp.contract.weights_file import Weights, kind_of, network_name, networks
from arcomp.errors import ModelError, needs_torch
from arcomp.exact.arrays import CPU
from arcomp.exact.devices import backend
from arcomp.layers.samples import carried
from arcomp.layers.spec import Spec
from arcomp.network.configuration import LayeredConfig, frame
from arcomp.network.definition import ExactNetwork
from arcomp.network.wiring import Wiring
from arcomp.orders import Batch, Front, InGroups, Order, Raster, Wavefront, split

UInt8 = npt.NDArray[np.uint8]
Ints = npt.NDArray[Any]

GROUP = 1 << 16
"""Positions of tiles that are decoded together, at most (or one tile): what is kept at a time is bounded by them."""
FLOAT_POSITIONS = 1 << 14
"""Positions that are evaluated at a time in float, at least a picture."""
STRETCH = 1 << 13
"""Samples of a sequence (one row) that are coded on their own, each without what came before; eight fill a group."""


class Decoding(Protocol):
    """An evaluation of a group of pictures front by front, as of :class:`arcomp.network.interpreter.Interpreter`."""

    def begin(self, front: Front) -> None:
        """Go to the next front."""

    def outputs(self, group: int) -> Ints:
        """A channel's outputs over the front: integers [n, outputs], once for each channel in turn."""

    def push(self, group: int, samples: Ints) -> None:
        """A channel's samples have become known over the front: int8 [n]."""


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
    """The order of a group of pictures; configurations that choose one, all the same, come first."""
    float_twin: ClassVar[str] = "arcomp.network.float.model.Float"
    """Dotted name of the class of its float evaluation, imported when training, or a float likelihood, asks: an
    :class:`arcomp.network.float.model.FloatModel`, which takes the model's class and a configuration."""
    flat: ClassVar[bool] = False
    """Whether the network sees a picture as a sequence of pixels, row after row, not as rows."""
    side: ClassVar[int] = 32
    """Of tiles, which are decoded together: where each takes as many steps as it has positions, many are needed."""

    @property
    def order(self) -> Order:
        return InGroups(self.sequence, GROUP)

    def __init__(self, weights: Weights) -> None:
        self.weights, self.digest = weights, weights.digest
        found = networks(weights, lambda plain: checked(self.config_type, plain))
        self.configs = {kind_of(name): config for name, config in found.items()}
        orders = {config.sequence for config in found.values()}
        if len(orders) > 1:
            raise ModelError("networks of several orders in one file", remedy="install the model's weights again")
        self.sequence = orders.pop() or type(self).sequence
        self._made: dict[tuple[int, int, str], dict[str, ExactNetwork]] = {}

    @classmethod
    def wirings(cls, config: Any) -> dict[str, Wiring]:
        """The networks, by what their layers' names begin with."""
        return {"": cls.wiring_type(config)}

    @cached_property
    def parameters(self) -> int:  # type: ignore[override]  # to count those of many masks takes long
        """See :class:`Model`."""
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
        """Pictures' sizes, if the network takes no others; stretches of sequences."""
        if self.flat and height == 1:
            return 1, STRETCH
        return frame(self.configs[channels, depth]) or (self.side, self.side)

    def memory(self, kind: BatchSpec, threads: int | None = None) -> int:
        """Caches of the largest group of tiles, and what the largest layer takes."""
        specs = self._specs(self.configs[kind.channels, kind.depth])
        cached = sum(spec.cached for spec in specs)
        working = max(spec.working for spec in specs)
        fixed = sum(spec.fixed for spec in specs)
        batch = self.seen(kind.batch)
        heights, widths = (a.astype(np.int64) for a in (batch.heights, batch.widths))
        return max(
            int((g.stop - g.start) * (int(heights[g].max()) * int(widths[g].max()) * (2 * cached + working) + fixed))
            for g in split(kind.batch, GROUP)
        )

    def seen(self, batch: Batch) -> Batch:
        """Sizes of pictures as the network sees them."""
        return Batch(np.ones_like(batch.heights), batch.heights * batch.widths) if self.flat else batch

    def place(self, front: Front, batch: Batch, first: int) -> Front:
        """Where positions are in what the network sees of a batch, given the number of its first picture."""
        image = front.image - np.int32(first)
        if not self.flat:
            return Front(image, front.y, front.x)
        return Front(image, np.zeros_like(front.y), front.y * batch.widths[image] + front.x)

    def _arrays(self, channels: int, depth: int) -> dict[str, dict[str, Ints]]:
        """The arrays of each network, by what its layers' names begin with.

        Raises:
            ModelError: there are others.
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
        """The exact networks, by what their layers' names begin with, with caches of their own."""
        with self.weights.with_path():
            arrays, wirings = self._arrays(channels, depth), self.wirings(self.configs[channels, depth])
            return {prefix: ExactNetwork(wiring, arrays[prefix], device) for prefix, wiring in wirings.items()}

    def networks(self, channels: int, depth: int, device: str = "cpu") -> dict[str, ExactNetwork]:
        """The exact networks for whole pictures."""
        key = channels, depth, device
        if key not in self._made:
            self._made[key] = self.fresh(*key)
        return self._made[key]

    def evaluate(self, padded: Padded, kind: BatchSpec, device: str, watch: Watch | None) -> Ints:
        """All outputs for a group of known pictures: [N, H, W, C * outputs], at the positions :meth:`place` says."""
        seen = self.seen(kind.batch)
        if self.flat:
            sequences = np.zeros((len(seen), 1, int(seen.widths.max()), padded.shape[3]), padded.dtype)
            for i, (h, w) in enumerate(zip(kind.batch.heights, kind.batch.widths, strict=True)):
                sequences[i, 0, : h * w] = padded[i, :h, :w].reshape(h * w, -1)
            padded = sequences
        net = self.networks(kind.channels, kind.depth, device)[""]
        return backend(device).numpy(net.parallel(carried(padded, kind.depth), seen, watch))

    def decoding(self, networks: Mapping[str, ExactNetwork], kind: BatchSpec) -> Decoding:
        """Begin to decode a group of pictures, of positions as :meth:`place` says."""
        seen = self.seen(kind.batch)
        return networks[""].start(seen, self.sequence.open_rows(seen))

    def dequantized(self, channels: int, depth: int) -> Any:
        """The float networks that the integers stand for (an :class:`arcomp.network.float.model.FloatModel`): what
        :meth:`freeze` would make them of again.

        Raises:
            NotImplementedError: one of its layers cannot be dequantized.
        """
        made = self.float_model(asdict(self.configs[channels, depth]))
        arrays = self._arrays(channels, depth)
        for prefix, network in made.networks().items():
            network.dequantize(arrays[prefix])
        return made.eval()  # all of it: no dropout, every mask

    def float_bits(self, pixels: Padded, depth: int, device: str = CPU) -> float | None:
        """The same of pictures, a few at a time (:meth:`Model.float_bits`)."""
        count, height, width, channels = pixels.shape
        try:
            network = self.dequantized(channels, depth)
        except NotImplementedError:
            return None
        step = max(1, FLOAT_POSITIONS // (height * width))
        parts = (np.ascontiguousarray(pixels[i : i + step]) for i in range(0, count, step))
        return float(network.total_bits(parts, device))

    def parallel(self, padded: Padded, kind: BatchSpec, device: str = "cpu", watch: Watch | None = None) -> Parallel:
        return _Parallel(self, padded, kind, device, watch)

    def incremental(self, kind: BatchSpec) -> Incremental:
        return _Incremental(self, kind)


class _Parallel(Parallel):
    """Group after group of pictures, as they are asked for."""

    def __init__(self, model: Layered, padded: Padded, kind: BatchSpec, device: str, watch: Watch | None) -> None:
        self.model, self.padded, self.kind, self.device, self.watch = model, padded, kind, device, watch
        self.head = model.configs[kind.channels, kind.depth].head
        self.groups = split(kind.batch, GROUP)
        self.of_image = np.repeat(np.arange(len(self.groups)), [g.stop - g.start for g in self.groups])
        self.outputs: dict[int, Ints] = {}

    def _evaluate(self, group: slice) -> Ints:
        kind = self.kind.part(group)
        padded = self.padded[group, : kind.batch.heights.max(), : kind.batch.widths.max()]
        return self.model.evaluate(padded, kind, self.device, self.watch)

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
            at = self.model.place(here, self.kind.batch.part(group), group.start)
            parts.append(self.outputs[g][at.image, at.y, at.x])
        found = np.concatenate(parts).reshape(len(front), self.kind.channels, -1)
        values = self.padded[front.image, front.y, front.x].astype(np.int32)
        return [
            self.head.distribution(np.ascontiguousarray(a), values[:, :c]) for c, a in enumerate(found.swapaxes(0, 1))
        ]


class _Incremental(Incremental):
    def __init__(self, model: Layered, kind: BatchSpec) -> None:
        self.model, self.kind = model, kind
        self.networks = model.fresh(kind.channels, kind.depth)
        self.head = model.configs[kind.channels, kind.depth].head
        self.groups = split(kind.batch, GROUP)
        self.group = slice(0, 0)

    def begin(self, front: Front) -> None:
        if front.image[0] >= self.group.stop:
            self.group = next(g for g in self.groups if g.stop > front.image[0])
            kind = self.kind.part(self.group)
            self.batch, self.steps = kind.batch, self.model.decoding(self.networks, kind)
        self.steps.begin(self.model.place(front, self.batch, self.group.start))
        self.values = np.zeros((len(front), self.kind.channels), np.int32)

    def distribution(self, channel: int) -> Distribution:
        return self.head.distribution(self.steps.outputs(channel), self.values[:, :channel])

    def fill(self, channel: int, values: Int32) -> None:
        self.values[:, channel] = values
        self.steps.push(channel, carried(values, self.kind.depth))


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
        return frame(checked(self.model.config_type, config))

    def mismatch(self, weights: Weights, config: Mapping[str, Any]) -> str:
        own = checked(self.model.config_type, config)
        for kind, other in self.model(weights).configs.items():
            if kind != (own.channels, own.depth):
                if other.sequence != own.sequence:
                    return "order"
                if frame(other) != frame(own):
                    return "size of pictures"
        return ""
