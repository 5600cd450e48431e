"""Models that are networks over samples: what the ladder's models share.

A model's file says what its network is (:class:`arcomp.layers.network.Wiring`) and how its outputs stand for
distributions; this is how such a network becomes an exact model of the contract and something to train.

Samples enter a network as :mod:`arcomp.layers.samples` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from arcomp.coding import Distribution
from arcomp.errors import ModelError, TrainingError
from arcomp.layers.grid import SIGNED8
from arcomp.layers.network import ExactNetwork, FloatNetwork, Wiring
from arcomp.layers.samples import carried
from arcomp.models.base import Canvas, ExactModel, Int32, Kind, Stepwise, Watch, Whole, refuse
from arcomp.models.heads import Head, Mixture, Softmax
from arcomp.models.weights_file import Weights, kind_of, network_name, networks
from arcomp.orders import Batch, Front, InGroups, Order, split

UInt8 = npt.NDArray[np.uint8]
Ints = npt.NDArray[Any]
C = TypeVar("C", bound="LayeredConfig")


@dataclass(frozen=True)
class LayeredConfig:
    """What every network says of itself; each model's adds its own sizes.

    Attributes:
        channels: samples of a position, 1 to 4.
        depth: bits of a sample, 1 to 8.
    """

    channels: int
    depth: int

    @property
    def head(self) -> Head:
        """What its outputs mean."""
        return Softmax(self.depth)


@dataclass(frozen=True)
class MixtureConfig(LayeredConfig):
    """Of networks that give all channels of a position at once: a mixture says how they depend on each other.

    Attributes:
        mixture: components of each channel's mixture of logistics; 0, for one channel only: a softmax over all levels.
    """

    mixture: int

    def __post_init__(self) -> None:
        if not self.mixture and self.channels > 1:
            raise ModelError("a softmax for each of several channels would not know the others", remedy="set mixture")

    @property
    def head(self) -> Head:
        """See :meth:`LayeredConfig.head`."""
        return Mixture(self.channels, self.depth, self.mixture) if self.mixture else Softmax(self.depth)


GROUP = 1 << 16
"""Positions of tiles that are decoded together, at most (or one tile): what is kept at a time is bounded by them."""
LIMITS: dict[str, tuple[int, int]] = {
    "channels": (1, 4),
    "depth": (1, 8),
    "width": (1, 512),
    "blocks": (1, 64),
    "kernel": (2, 64),
    "cycle": (1, 12),
    "rows": (1, 64),
    "columns": (1, 64),
    "mixture": (0, 16),
    "heads": (1, 16),
    "resnets": (1, 8),
    "dropout": (0, 90),
    "zigzag": (0, 1),
    "masks": (1, 32),
    "degrees": (0, 65535),
    "direct": (0, 1),
    "order": (0, 65535),
}
"""Least and most of settings, by name."""


def checked(kind: type[C], plain: Mapping[str, Any]) -> C:
    """A configuration from plain types.

    Raises:
        ModelError: unknown or missing settings, or values out of their LIMITS.
    """
    names = {f.name for f in fields(kind)}
    if not isinstance(plain, Mapping) or set(plain) != names:
        raise ModelError(f"this configuration is not one of {kind.__name__}: {str(plain)[:80]}")
    for name, value in plain.items():
        least, most = LIMITS[name]
        if type(value) is not int or not least <= value <= most:
            raise ModelError(f"a configuration's {name} is {str(value)[:20]}, not within {least} .. {most}")
    return kind(**plain)


class Float(nn.Module):
    """The float evaluation of a model, ready to be trained."""

    def __init__(self, config: LayeredConfig, wiring: Wiring, flat: bool) -> None:
        super().__init__()
        self.config, self.net, self.flat = config, FloatNetwork(wiring), flat
        last = self.net.last
        if last is not None:
            config.head.prepare(last)

    def bits(self, values: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """Bits of each sample: uint8 [n, H, W, C], whole crops -> float [n, H, W, C]."""
        shown = torch.from_numpy(carried(np.arange(1 << self.config.depth), self.config.depth))
        samples = shown.float()[values.long()] * SIGNED8.step
        if self.flat:
            samples = samples.flatten(1, 2)[:, None]
        head, channels = self.config.head, self.config.channels
        own = values.reshape(-1, channels)
        outputs = self.net(samples, rounding).reshape(*own.shape, -1)
        return head.bits(outputs, own).reshape(values.shape)

    def prepare(self, crops: list[UInt8]) -> None:
        """Nothing is taken from pictures before training."""

    def adopt(self, other: Any) -> None:
        """Not offered."""
        raise ValueError("this model cannot grow")

    def examples(self, pixels: UInt8) -> dict[str, npt.NDArray[Any]]:
        """A crop as it is.

        Raises:
            TrainingError: its samples have more bits than the network takes.
        """
        if int(pixels.max()) >> self.config.depth:
            raise TrainingError(
                f"samples of {int(pixels.max()).bit_length()} bits, the recipe's network takes {self.config.depth}",
                remedy="give other pictures, or another recipe",
            )
        return {"values": pixels[None]}


class Layered(ExactModel):
    """A frozen network.

    Args:
        weights: as :meth:`freeze` makes them.

    Raises:
        ModelError: the configuration or the arrays are not this model's.
    """

    config_type: ClassVar[type[LayeredConfig]]
    wiring_type: ClassVar[type[Wiring]]
    sequence: Order
    """The order of a group of pictures."""
    flat: ClassVar[bool] = False
    """Whether the network sees a picture as a sequence of pixels, row after row, not as rows."""
    side: ClassVar[int] = 32
    """Of tiles, which are decoded together: where each takes as many steps as it has positions, many are needed."""

    @property
    def order(self) -> Order:
        """See :meth:`ExactModel.order`."""
        return InGroups(self.sequence, GROUP)

    def __init__(self, weights: Weights) -> None:
        self.weights, self.digest, self.parameters = weights, weights.digest, weights.count
        found = networks(weights, lambda plain: checked(self.config_type, plain))
        self.configs = {kind_of(name): config for name, config in found.items()}
        self._made: dict[tuple[int, int, str], ExactNetwork] = {}

    @classmethod
    def float_model(cls, config: Mapping[str, Any]) -> Float:
        """A fresh network to train."""
        made = checked(cls.config_type, config)
        return Float(made, cls.wiring_type(made), cls.flat)

    @classmethod
    def freeze(cls, trained: Mapping[int, Float]) -> Weights:
        """Integers of float networks, by number of channels."""
        configs: dict[str, Any] = {}
        arrays: dict[str, Ints] = {}
        for network in trained.values():
            name = network_name(network.config.channels, network.config.depth)
            configs[name] = asdict(network.config)
            arrays |= {f"{name}.{key}": a for key, a in network.net.freeze().items()}
        return Weights(cls.name, {"networks": configs}, arrays)

    def check(self, channels: int, depth: int) -> None:
        """See :meth:`Model.check`."""
        if (channels, depth) not in self.configs:
            takes = " and ".join(f"{c} channel{'s' if c > 1 else ''} of {d} bits" for c, d in sorted(self.configs))
            raise refuse(self.name, f"{takes} (with these weights)", channels, depth)

    def tile(self, height: int, width: int) -> tuple[int, int]:
        """See :meth:`Model.tile`; pictures' sizes, if the network takes no others."""
        config: Any = next(iter(self.configs.values()))
        return getattr(config, "rows", self.side), getattr(config, "columns", self.side)

    def memory(self, kind: Kind) -> int:
        """See :meth:`ExactModel.memory`: caches of the largest group of tiles, and what the largest layer takes."""
        specs = self.wiring_type(self.configs[kind.channels, kind.depth]).layers().values()
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

    def fresh(self, channels: int, depth: int, device: str = "cpu") -> ExactNetwork:
        """An exact network with caches of its own."""
        prefix = network_name(channels, depth) + "."
        arrays = {key[len(prefix) :]: a for key, a in self.weights.arrays.items() if key.startswith(prefix)}
        return ExactNetwork(self.wiring_type(self.configs[channels, depth]), arrays, device)

    def network(self, channels: int, depth: int, device: str = "cpu") -> ExactNetwork:
        """The exact network for whole pictures."""
        key = channels, depth, device
        if key not in self._made:
            self._made[key] = self.fresh(*key)
        return self._made[key]

    def whole(self, canvas: Canvas, kind: Kind, device: str = "cpu", watch: Watch | None = None) -> Whole:
        """See :meth:`ExactModel.whole`."""
        return _Whole(self, canvas, kind, device, watch)

    def stepwise(self, kind: Kind) -> Stepwise:
        """See :meth:`ExactModel.stepwise`."""
        return _Stepwise(self, kind)


class _Whole(Whole):
    """Group after group of pictures, as they are asked for."""

    def __init__(self, model: Layered, canvas: Canvas, kind: Kind, device: str, watch: Watch | None) -> None:
        self.model, self.canvas, self.kind, self.watch = model, canvas, kind, watch
        self.net = model.network(kind.channels, kind.depth, device)
        self.head = model.configs[kind.channels, kind.depth].head
        self.groups = split(kind.batch, GROUP)
        self.of_image = np.repeat(np.arange(len(self.groups)), [g.stop - g.start for g in self.groups])
        self.outputs: dict[int, Ints] = {}

    def _evaluate(self, group: slice) -> Ints:
        batch = self.kind.batch.part(group)
        canvas = self.canvas[group, : batch.heights.max(), : batch.widths.max()]
        seen = self.model.seen(batch)
        if self.model.flat:
            sequences = np.zeros((len(seen), 1, int(seen.widths.max()), canvas.shape[3]), canvas.dtype)
            for i, (h, w) in enumerate(zip(batch.heights, batch.widths, strict=True)):
                sequences[i, 0, : h * w] = canvas[i, :h, :w].reshape(h * w, -1)
            canvas = sequences
        return np.asarray(self.net.whole(carried(canvas, self.kind.depth), seen, self.watch).cpu().numpy())

    def distributions(self, front: Front) -> list[Distribution]:
        """See :meth:`Whole.distributions`."""
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
        values = self.canvas[front.image, front.y, front.x].astype(np.int32)
        return [
            self.head.distribution(np.ascontiguousarray(a), values[:, :c]) for c, a in enumerate(found.swapaxes(0, 1))
        ]


class _Stepwise(Stepwise):
    def __init__(self, model: Layered, kind: Kind) -> None:
        self.model, self.kind = model, kind
        self.net = model.fresh(kind.channels, kind.depth)
        self.head = model.configs[kind.channels, kind.depth].head
        self.groups = split(kind.batch, GROUP)
        self.group = slice(0, 0)

    def begin(self, front: Front) -> None:
        """See :meth:`Stepwise.begin`."""
        if front.image[0] >= self.group.stop:
            self.group = next(g for g in self.groups if g.stop > front.image[0])
            self.batch = self.kind.batch.part(self.group)
            seen = self.model.seen(self.batch)
            self.steps = self.net.start(seen, self.model.sequence.open_rows(seen))
        self.steps.begin(self.model.place(front, self.batch, self.group.start))
        self.values = np.zeros((len(front), self.kind.channels), np.int32)

    def distribution(self, channel: int) -> Distribution:
        """See :meth:`Stepwise.distribution`."""
        return self.head.distribution(self.steps.outputs(channel), self.values[:, :channel])

    def fill(self, channel: int, values: Int32) -> None:
        """See :meth:`Stepwise.fill`."""
        self.values[:, channel] = values
        self.steps.enter(channel, carried(values, self.kind.depth))
