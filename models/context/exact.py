"""The exact evaluations of :mod:`arcomp.models.context.net`: in parallel, and front by front.

Both look at the neighbourhood with the same kernels and send the same integers through the same layers; they
differ in how many positions they do at once. The pictures decoded so far are the only cache that is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.coding import Distribution, LogisticMixture
from arcomp.container.tensors import part
from arcomp.contract.distributions import Incremental, Int32, Parallel
from arcomp.contract.model import BatchSpec, Padded, Watch
from arcomp.errors import ModelError
from arcomp.exact.compiled import kernel
from arcomp.exact.devices import backend as device_backend
from arcomp.exact.matmul import Matrix, choose
from arcomp.exact.records import record
from arcomp.layers.frozen import FrozenLinear
from arcomp.layers.mixture import mixture_of
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8, Quantisation
from arcomp.models.context import inputs as context_inputs
from arcomp.models.context.config import ContextConfig
from arcomp.orders import GROUP, Front, split

Arrays = Mapping[str, npt.NDArray[Any]]


@kernel()
def _add_products(sums: Any, x: Any, weight: Any) -> None:
    """sums += x weight^T, in integers: a head's few further inputs."""
    for i in range(sums.shape[0]):
        for j in range(sums.shape[1]):
            s = sums[i, j]
            for k in range(x.shape[1]):
                s += np.int32(x[i, k]) * np.int32(weight[j, k])
            sums[i, j] = s


class Network:
    """A frozen network of one number of channels, on one device.

    Args:
        config: its shape.
        arrays: integers by layer, ``trunk.0.weight`` and so on.
        device: where the trunk is computed; heads are small and stay on the CPU.

    Raises:
        ModelError: arrays missing, of the wrong shape or type, or beyond the bounds exactness needs.
    """

    def __init__(self, config: ContextConfig, arrays: Arrays, device: str) -> None:
        self.config, self.device = config, device
        widths = (context_inputs.inputs(config.channels), *config.trunk)
        self.trunk = [
            self._layer(arrays, f"trunk.{i}", (widths[i + 1], widths[i]), RECTIFIED8, device)
            for i in range(len(config.trunk))
        ]
        channels = range(config.channels)
        self.hidden = [
            self._layer(arrays, f"hidden.{c}", (config.head, widths[-1] + 2 * c), RECTIFIED8, "cpu") for c in channels
        ]
        self.heads = [
            self._layer(arrays, f"heads.{c}", (config.outputs(c), config.head), LOGITS, "cpu") for c in channels
        ]
        # What all heads need of the trunk is one product; their own inputs are added later.
        shared = np.concatenate([h.weight[:, : widths[-1]] for h in self.hidden])
        self.shared = Matrix(shared, RECTIFIED8.largest, choose(device)[0], device)
        self.own = [np.ascontiguousarray(h.weight[:, widths[-1] :]) for h in self.hidden]

    @staticmethod
    def _layer(
        arrays: Arrays, name: str, shape: tuple[int, int], quantisation: Quantisation, device: str
    ) -> FrozenLinear:
        own = part(arrays, name)
        if "weight" in own and own["weight"].shape != shape:
            raise ModelError(f"layer {name} is not {shape[0]} x {shape[1]}", remedy="install the model's weights again")
        return FrozenLinear(own, quantisation, SIGNED8.largest, device)

    def sums(self, inputs: npt.NDArray[np.int8], watch: Watch | None = None) -> npt.NDArray[np.int32]:
        """The heads' shared part: int8 [n, inputs] -> int32 [n, channels * head]."""
        backend = device_backend(self.device)
        x = backend.constant(inputs)
        for i, layer in enumerate(self.trunk):
            x = layer(x)
            if watch:
                watch(f"trunk.{i}", backend.numpy(x))
        return np.asarray(backend.numpy(self.shared(x)), np.int32)

    def mixture(
        self,
        sums: npt.NDArray[np.int32],
        seen: context_inputs.Features,
        values: Int32,
        channel: int,
        depth: int,
        watch: Watch | None = None,
    ) -> LogisticMixture:
        """A channel's mixture, given :meth:`sums` and the values int32 [n, C] of the channels before it."""
        head = self.config.head
        own = np.ascontiguousarray(sums[:, channel * head : (channel + 1) * head])
        if channel:
            extras = np.empty((len(own), 2 * channel), np.int8)
            context_inputs.head_extras(values, seen.base, seen.scale, channel, extras)
            _add_products(own, extras, self.own[channel])
        h = self.hidden[channel].rescale(own)
        z = self.heads[channel](h)
        if watch:
            watch(f"hidden.{channel}", h)
            watch(f"heads.{channel}", z)
        return mixture_of(z, self.config.mixture, seen.base, seen.scale, values, channel, depth)


class _Group:
    """The neighbourhood of a group of tiles; that of the next one is made when its first position is reached."""

    def __init__(self, spec: BatchSpec) -> None:
        self.spec, self.groups, self.now = spec, split(spec.batch, GROUP), slice(0, 0)

    def reach(self, image: int) -> slice:
        """Go to the group of a tile; which tiles are in it."""
        if image >= self.now.stop:
            self.now = next(group for group in self.groups if group.stop > image)
            batch = self.spec.batch.part(self.now)
            height, width = int(batch.heights.max()), int(batch.widths.max())
            self.around = record(
                context_inputs.neighbourhood(len(batch), height, width, batch.widths, self.spec.channels)
            )
        return self.now

    def part(self, front: Front, seen: context_inputs.Features, own: slice = slice(None)) -> context_inputs.FrontPart:
        """Some positions of a front, all in the group."""
        image = front.image[own] - np.int32(self.now.start)
        at = context_inputs.positions(image, front.y[own], front.x[own])
        return context_inputs.FrontPart(self.around, at, seen.part(own))


class ContextParallel(Parallel):
    """Evaluation of known pictures."""

    def __init__(self, network: Network, padded: Padded, spec: BatchSpec, watch: Watch | None) -> None:
        self.network, self.padded, self.spec, self.watch = network, padded, spec, watch
        self.group = _Group(spec)

    def distributions(self, front: Front) -> list[Distribution]:
        channels = self.spec.channels
        values = self.padded[front.image, front.y, front.x].astype(np.int32)
        seen = context_inputs.unwritten(len(front), channels)
        begin = 0
        while begin < len(front):  # group after group, as the order has them
            stop = self.group.reach(int(front.image[begin])).stop
            beyond = front.image[begin:] >= stop
            own = slice(begin, begin + int(beyond.argmax()) if beyond.any() else len(front))
            self.group.part(front, seen, own).sequential(values[own])
            begin = own.stop
        if self.watch:
            for name in ("inputs", "base", "scale"):
                self.watch(name, getattr(seen, name))
        sums = self.network.sums(seen.inputs, self.watch)
        return [self.network.mixture(sums, seen, values, c, self.spec.depth, self.watch) for c in range(channels)]


class ContextIncremental(Incremental):
    """Evaluation front by front."""

    def __init__(self, network: Network, spec: BatchSpec) -> None:
        self.network, self.spec = network, spec
        self.group = _Group(spec)

    def begin(self, front: Front) -> None:
        self.group.reach(int(front.image[0]))
        self.values = np.zeros((len(front), self.spec.channels), np.int32)
        self.seen = context_inputs.unwritten(len(front), self.spec.channels)
        self.part = self.group.part(front, self.seen)
        self.part.features()
        self.sums = self.network.sums(self.seen.inputs)

    def distribution(self, channel: int) -> Distribution:
        return self.network.mixture(self.sums, self.seen, self.values, channel, self.spec.depth)

    def fill(self, channel: int, values: Int32) -> None:
        self.values[:, channel] = values
        self.part.update_errors(channel, values)
