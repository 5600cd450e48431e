"""Models whose order is one of passes (:mod:`arcomp.orders.passes`): what those that break the raster order share.

A pass's distributions come from one or two networks: one that looks around, at what earlier passes made known, and is
evaluated once, before the pass; and one that is causal within the pass, and is given what the first one made.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from arcomp.contract.model import BatchSpec, Padded, Watch
from arcomp.contract.settings import checked
from arcomp.layers.quantisation import SIGNED8
from arcomp.layers.samples import carried
from arcomp.layers.shift import whole_batch
from arcomp.layers.spatial import outside
from arcomp.network.definition import ExactNetwork, FloatNetwork, Wiring
from arcomp.network.layered import Decoding, Ints, Layered
from arcomp.network.layered_float import FloatModel, shown
from arcomp.network.stacks import StackConfig
from arcomp.orders import Batch, Front, Pass, Passes

AROUND, CAUSAL = "around", "causal"
"""The networks of a pass are called so, after the pass's name."""
REAL_ONE = 1 << SIGNED8.bits


class Staged(Layered):
    """A frozen model; :meth:`wirings` names the networks "pass.around." and "pass.causal.", one of them or both."""

    sequence: Passes

    @classmethod
    @abstractmethod
    def wirings(cls, config: Any) -> dict[str, Wiring]:
        """The networks, by "pass.around." and "pass.causal."."""

    @classmethod
    @abstractmethod
    def known(cls, one: Pass, samples: torch.Tensor, view: torch.Tensor | None) -> torch.Tensor:
        """What the network that looks around is shown: [m, h, w, planes], h and w of the lattice's squares.

        Args:
            samples: [N, H, W, C + 1], on the grid SIGNED8 or in float; 0 outside the pictures, the last feature 1
                inside of them. view: [N, H, W, channels of the view], if there is one, in the same way.
        """

    @classmethod
    def float_model(cls, config: Mapping[str, Any]) -> FloatModel:
        return StagedFloat(cls, checked(cls.config_type, config))

    def evaluate(self, padded: Padded, kind: BatchSpec, device: str, watch: Watch | None) -> Ints:
        networks = self.networks(kind.channels, kind.depth, device)
        samples = _samples(padded, kind)
        made: torch.Tensor | None = None
        for one in self.sequence.passes(kind.batch):
            part = self._around(networks, one, samples, kind, watch)
            name = f"{one.name}.{CAUSAL}."
            if name in networks:
                own = one.lattice.taken(samples[..., : kind.channels]).numpy()
                part = networks[name].parallel(own, one.lattice.batch, _watching(watch, name), part)
            assert part is not None
            if made is None:
                made = torch.zeros((*padded.shape[:3], part.shape[3]), dtype=part.dtype)
            one.lattice.put(made, part.cpu())
        assert made is not None
        return np.asarray(made.numpy())

    def _around(
        self,
        networks: Mapping[str, ExactNetwork],
        one: Pass,
        samples: torch.Tensor,
        kind: BatchSpec,
        watch: Watch | None,
    ) -> torch.Tensor | None:
        """Outputs of the network that looks around, if there is one, at the lattice: [m, h, w, outputs]."""
        name = f"{one.name}.{AROUND}."
        if name not in networks:
            return None
        view = None
        if kind.view is not None:
            viewer = self.viewer(kind)
            assert viewer is not None
            view = _samples(kind.view, viewer[1])[..., :-1]
        planes = self.known(one, samples, view)
        made = networks[name].parallel(planes.numpy(), one.lattice.squares, _watching(watch, name))
        sizes = one.lattice.batch
        return made[:, : int(sizes.heights.max()), : int(sizes.widths.max())].contiguous()

    def decoding(self, networks: Mapping[str, ExactNetwork], kind: BatchSpec) -> Decoding:
        return _PassByPass(self, networks, kind)


def _watching(watch: Watch | None, name: str) -> Watch | None:
    return None if watch is None else lambda layer, values: watch(name + layer, values)


def _samples(padded: Padded, kind: BatchSpec) -> torch.Tensor:
    """Samples as :meth:`Staged.known` takes them: int8 [N, H, W, C + 1]."""
    inside = ~outside(kind.batch)
    samples = torch.from_numpy(carried(padded, kind.depth)) * inside
    return torch.cat([samples, REAL_ONE * inside.to(torch.int8)], 3)


class _PassByPass:
    """The evaluation front by front of a group of pictures; what a pass is given is computed when it begins."""

    def __init__(self, model: Staged, networks: Mapping[str, ExactNetwork], kind: BatchSpec) -> None:
        self.model, self.networks, self.kind = model, networks, kind
        shape = len(kind.batch), int(kind.batch.heights.max()), int(kind.batch.widths.max())
        self.samples = _samples(np.zeros((*shape, kind.channels), np.uint8), kind)
        self.samples[..., :-1] = 0
        self.passes = iter(model.sequence.passes(kind.batch))
        self.left = 0

    def begin(self, front: Front) -> None:
        if not self.left:
            self._next()
        self.left -= len(front)
        self.front, self.here = front, self.one.lattice.within(front)
        if self.steps is not None:
            self.steps.begin(self.here)

    def _next(self) -> None:
        self.one = next(self.passes)
        self.left = self.one.lattice.batch.positions
        around = self.model._around(self.networks, self.one, self.samples, self.kind, None)
        made = None if around is None else around.numpy()
        causal, batch = self.networks.get(f"{self.one.name}.{CAUSAL}."), self.one.lattice.batch
        self.steps = None if causal is None else causal.start(batch, self.one.order.open_rows(batch), made)
        self.made = made

    def outputs(self, group: int) -> Ints:
        if self.steps is not None:
            return self.steps.outputs(group)
        assert self.made is not None
        share = self.made.shape[3] // self.kind.channels
        own = self.made[self.here.image, self.here.y, self.here.x]
        return np.ascontiguousarray(own[:, group * share : (group + 1) * share])

    def push(self, group: int, samples: Ints) -> None:
        self.samples.numpy()[self.front.image, self.front.y, self.front.x, group] = samples
        if self.steps is not None:
            self.steps.push(group, samples)


class StagedFloat(FloatModel):
    """The float evaluation: all passes over known crops.

    Args:
        model: whose. config: of the networks.
    """

    config: StackConfig

    def __init__(self, model: type[Staged], config: Any) -> None:
        super().__init__(config)
        self.model = model
        wirings = model.wirings(config)
        self.prefixes = list(wirings)
        self.nets = nn.ModuleDict({_key(name): FloatNetwork(wiring) for name, wiring in wirings.items()})
        for name in self.prefixes:
            one, _, kind = name[:-1].partition(".")
            last = self.networks()[name].last
            if last is not None and (kind == CAUSAL or (kind == AROUND and f"{one}.{CAUSAL}." not in wirings)):
                config.head.prepare(last)

    def networks(self) -> dict[str, FloatNetwork]:
        found: dict[str, Any] = {name: self.nets[_key(name)] for name in self.prefixes}
        return found

    def view(self, values: torch.Tensor) -> torch.Tensor | None:
        """The view of crops, as :meth:`Staged.known` takes it, where there is one."""
        return None

    def bits(self, values: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        samples, networks = shown(values, self.config.depth), self.networks()
        batch: Batch = whole_batch(samples)
        seen, view = torch.cat([samples, torch.ones_like(samples[..., :1])], 3), self.view(values)
        bits = torch.zeros_like(samples)
        for one in self.model.sequence.passes(batch):
            around, causal = (networks.get(f"{one.name}.{kind}.") for kind in (AROUND, CAUSAL))
            own = one.lattice.taken(values)
            made = None
            if around is not None:
                made = around(self.model.known(one, seen, view), rounding)[:, : own.shape[1], : own.shape[2]]
            if causal is not None:
                made = causal(one.lattice.taken(samples), rounding, made)
            assert made is not None
            one.lattice.put(bits, self.bits_of(made, own))
        return bits


def _key(name: str) -> str:
    """Torch takes no dots in names of modules."""
    return name.replace(".", "_")
