"""Models whose order is one of passes (:mod:`arcomp.orders.passes`): what those that break the raster order share.

A pass's distributions come from one or two networks: one that looks around, at what earlier passes made known, and is
evaluated once, before the pass; and one that is causal within the pass, and is given what the first one made.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from arcomp.contract.model import BatchSpec, Padded, Watch
from arcomp.exact.arrays import Array
from arcomp.exact.devices import backend
from arcomp.layers.layer import outside
from arcomp.layers.quantisation import SIGNED8
from arcomp.layers.samples import carried
from arcomp.network.configuration import LayeredConfig
from arcomp.network.definition import ExactNetwork
from arcomp.network.layered import Decoding, Ints, Layered
from arcomp.orders import Front, Pass, Passes

AROUND, CAUSAL = "around", "causal"
"""Names of the networks of a pass, after the pass's name."""
VIEW = "view."
"""Prefix of the layers of a view's network."""
REAL_ONE = 1 << SIGNED8.bits


class Staged(Layered):
    """A frozen model; :meth:`wirings` names the networks "pass.around." and "pass.causal.", one of them or both."""

    sequence: Passes
    float_twin: ClassVar[str] = "arcomp.network.float.staged.StagedFloat"

    @classmethod
    @abstractmethod
    def known(cls, one: Pass, samples: Array, view: Array | None) -> Array:
        """What the network that looks around is shown: [m, h, w, planes], h and w of the lattice's squares.

        Args:
            samples: [N, H, W, C + 1], quantised as SIGNED8 or in float; 0 outside the pictures, the last feature 1
                inside of them. view: [N, H, W, channels of the view], if there is one, in the same way.
        """

    @classmethod
    def view_of(cls, values: Array) -> Array | None:
        """The view of pictures, uint8 [N, H, W, C] -> uint8 [N, H, W, channels of the view]; None if the model has no
        view."""
        return None

    @classmethod
    def view_config(cls, config: Any) -> LayeredConfig:
        """Where there is a view, the configuration of its network, whose layers' names begin with VIEW."""
        raise NotImplementedError

    def evaluate(self, padded: Padded, spec: BatchSpec, device: str, watch: Watch | None) -> Ints:
        networks, numpy = self.networks(spec.channels, spec.depth, device), backend(device).numpy
        samples = _samples(padded, spec)
        made: Ints | None = None
        for one in self.sequence.passes(spec.batch):
            part = self._around(networks, one, samples, spec, watch)
            name = f"{one.name}.{CAUSAL}."
            if name in networks:
                own = one.lattice.taken(samples[..., : spec.channels])
                part = networks[name].parallel(own, one.lattice.batch, _watching(watch, name), part)
            assert part is not None
            outputs = numpy(part)
            if made is None:
                made = np.zeros((*padded.shape[:3], outputs.shape[3]), outputs.dtype)
            one.lattice.put(made, outputs)
        assert made is not None
        return made

    def _around(
        self,
        networks: Mapping[str, ExactNetwork],
        one: Pass,
        samples: Ints,
        spec: BatchSpec,
        watch: Watch | None,
    ) -> Array | None:
        """Outputs, at the lattice, of the network that looks around: [m, h, w, outputs]; None if there is no such
        network."""
        name = f"{one.name}.{AROUND}."
        if name not in networks:
            return None
        view = None
        if spec.view is not None:
            viewer = self.viewer(spec)
            assert viewer is not None
            view = _samples(spec.view, viewer[1])[..., :-1]
        planes = self.known(one, samples, view)
        made = networks[name].parallel(planes, one.lattice.squares, _watching(watch, name))
        sizes = one.lattice.batch
        return made[:, : int(sizes.heights.max()), : int(sizes.widths.max())]

    def decoding(self, networks: Mapping[str, ExactNetwork], spec: BatchSpec) -> Decoding:
        return _PassByPass(self, networks, spec)


def _watching(watch: Watch | None, name: str) -> Watch | None:
    return None if watch is None else lambda layer, values: watch(name + layer, values)


def _samples(padded: Padded, spec: BatchSpec) -> Ints:
    """Samples as :meth:`Staged.known` takes them: int8 [N, H, W, C + 1]."""
    inside = ~outside(spec.batch)
    return np.concatenate([carried(padded, spec.depth) * inside, REAL_ONE * inside.astype(np.int8)], 3)


class _PassByPass:
    """Evaluates a group of pictures front by front. When a pass begins, the network that looks around is evaluated."""

    def __init__(self, model: Staged, networks: Mapping[str, ExactNetwork], spec: BatchSpec) -> None:
        self.model, self.networks, self.spec = model, networks, spec
        shape = len(spec.batch), int(spec.batch.heights.max()), int(spec.batch.widths.max())
        self.samples = _samples(np.zeros((*shape, spec.channels), np.uint8), spec)
        self.samples[..., :-1] = 0
        self.passes = iter(model.sequence.passes(spec.batch))
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
        around = self.model._around(self.networks, self.one, self.samples, self.spec, None)
        made = None if around is None else np.asarray(around)
        causal, batch = self.networks.get(f"{self.one.name}.{CAUSAL}."), self.one.lattice.batch
        self.steps = None if causal is None else causal.start(batch, self.one.order.open_rows(batch), made)
        self.made = made

    def outputs(self, group: int) -> Ints:
        if self.steps is not None:
            return self.steps.outputs(group)
        assert self.made is not None
        share = self.made.shape[3] // self.spec.channels
        own = self.made[self.here.image, self.here.y, self.here.x]
        return np.ascontiguousarray(own[:, group * share : (group + 1) * share])

    def push(self, group: int, samples: Ints) -> None:
        self.samples[self.front.image, self.front.y, self.front.x, group] = samples
        if self.steps is not None:
            self.steps.push(group, samples)
