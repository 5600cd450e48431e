"""Networks: layers by name and how they are joined, said once; three evaluations of that.

=====================  ==========================================  ============================================
:class:`FloatNetwork`  float, all positions, differentiable        training
:class:`ExactNetwork`  integers, all positions (``whole``)         encoding
\\                      integers, front by front (``outputs``)      decoding: each position once, from caches
=====================  ==========================================  ============================================
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from arcomp.errors import ModelError
from arcomp.layers.conv import CausalConv2d
from arcomp.layers.frozen import Arrays
from arcomp.layers.linear import Linear
from arcomp.layers.spatial import ExactLayer, Ints
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front, coarser


class Run(Protocol):
    """Evaluates a layer by its name: ``run("up.3", x)``. What flows is a tensor or an array, by the evaluation."""

    def __call__(self, name: str, *x: Any) -> Any:
        """The layer's outputs for these inputs."""


class Wiring(ABC):
    """A network, not yet evaluated in any way.

    Args:
        config: its sizes; ``channels``: samples of a position, groups of its features.
    """

    def __init__(self, config: Any) -> None:
        self.config = config
        self.channels: int = config.channels

    @abstractmethod
    def layers(self) -> dict[str, Spec]:
        """The layers by name."""

    @abstractmethod
    def join(self, run: Run, samples: Any) -> Any:
        """The outputs, [.., channels * outputs], from the samples: the network itself, written once."""


def _key(name: str) -> str:
    """Torch takes no dots in names of modules."""
    return name.replace(".", "_")


class FloatNetwork(nn.Module):
    """The float evaluation."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__()
        self.wiring, self.specs = wiring, wiring.layers()
        self.by_name = nn.ModuleDict({_key(name): spec.float_layer() for name, spec in self.specs.items()})

    def forward(self, samples: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """float [N, H, W, channels], as the network takes samples -> [N, H, W, channels * outputs]."""

        def run(name: str, *x: torch.Tensor) -> torch.Tensor:
            made: torch.Tensor = self.by_name[_key(name)](*x, rounding=rounding)
            return made

        made: torch.Tensor = self.wiring.join(run, samples)
        return made

    @property
    def last(self) -> Linear | None:
        """What makes the outputs, if a linear layer does."""
        layer = self.by_name[_key(list(self.specs)[-1])]
        return layer.linear if isinstance(layer, CausalConv2d) else None

    def freeze(self) -> Arrays:
        """The integers of all layers, by "name.array"."""
        arrays: Arrays = {}
        for name, spec in self.specs.items():
            own = spec.freeze(self.by_name[_key(name)])
            arrays |= {f"{name}.{key}": a for key, a in own.items()}
        return arrays


class ExactNetwork:
    """Both exact evaluations.

    Args:
        arrays: as :meth:`FloatNetwork.freeze` gives them.
        device: where whole pictures are computed.

    Raises:
        ModelError: arrays that are missing, too many, or not those of a layer.
    """

    def __init__(self, wiring: Wiring, arrays: Mapping[str, Ints], device: str = "cpu") -> None:
        self.wiring, self.device = wiring, device
        self.specs = wiring.layers()
        self.layers: dict[str, ExactLayer] = {}
        used = 0
        for name, spec in self.specs.items():
            own = {key[len(name) + 1 :]: a for key, a in arrays.items() if key.rpartition(".")[0] == name}
            self.layers[name] = spec.exact_layer(own, device)
            used += len(own)
        if used != len(arrays):
            raise ModelError("the weights have arrays of no layer", remedy="install the model's weights again")
        self._scales = {s for spec in self.specs.values() for s in (spec.scale, spec.scale * spec.stride)} | {1}
        self._any_ahead = any(spec.ahead for spec in self.specs.values())
        self._readers = [self.layers[name] for name, spec in self.specs.items() if spec.samples]

    def whole(self, samples: Ints, batch: Batch, watch: Any = None) -> torch.Tensor:
        """All positions: int8 [N, H, W, channels] -> integers [N, H, W, channels * outputs]; ``watch`` is told every
        layer's name and output."""

        batches = {scale: batch.coarser(scale) for scale in self._scales}

        def run(name: str, *x: torch.Tensor) -> torch.Tensor:
            made = self.layers[name].whole(batches[self.specs[name].scale], *x)
            if watch:
                watch(name, made.cpu().numpy())
            return made

        made: torch.Tensor = self.wiring.join(run, torch.from_numpy(np.ascontiguousarray(samples)).to(self.device))
        return made

    def start(self, batch: Batch) -> None:
        """Empty all caches, for a batch that is to be decoded."""
        self._batch = batch
        self._rows_of: dict[str, Ints] = {}
        for name, layer in self.layers.items():
            layer.start(batch.coarser(self.specs[name].scale))

    def begin(self, front: Front) -> None:
        """Go to the next front."""
        self._once = dict[str, _Known]()
        self._fronts = {scale: coarser(front, scale) if scale > 1 else front for scale in self._scales}
        if self._any_ahead:
            self._rows = {scale: _begun(at, self._batch.coarser(scale)) for scale, at in self._fronts.items()}

    def outputs(self, group: int) -> Ints:
        """A sample's outputs over the front: integers [n, outputs], once for each group in turn."""

        def run(name: str, *x: Any) -> Any:
            spec, layer = self.specs[name], self.layers[name]
            if name in self._once:
                return self._once[name]
            given = () if spec.samples else x
            if spec.ahead:
                self._once[name] = self._ahead(name, layer, given)
                return self._once[name]
            front = self._fronts[spec.scale]
            inputs = [self._here(value, group if spec.groups > 1 else None) for value in given]
            if spec.groups > 1:
                return layer.step(front, group, *inputs)
            self._once[name] = _Known(layer.step(front, 0, *inputs) if len(front) else _NOTHING)
            return self._once[name]

        return self._here(self.wiring.join(run, None), group)

    def _ahead(self, name: str, layer: ExactLayer, given: Any) -> _Known:
        """Outputs of a layer that is a row ahead: those of rows that begin are computed, others were."""
        spec, new = self.specs[name], _NOTHING
        if len(self._rows[spec.scale]):
            new = layer.step(self._rows[spec.scale], 0, *[value.new for value in given])
        scale = spec.scale * spec.stride
        rows, front = self._rows[scale], self._fronts[scale]
        if len(rows):
            if name not in self._rows_of:
                shape = (len(self._batch), int(self._batch.coarser(scale).widths.max()), new.shape[1])
                self._rows_of[name] = np.zeros(shape, new.dtype)
            self._rows_of[name][rows.image, rows.x] = new
        return _Known(self._rows_of[name][front.image, front.x], new)

    def _here(self, value: Any, group: int | None) -> Ints:
        """A value's features at the front: all of them, or of what has one group a group's share."""
        if not isinstance(value, _Known):
            return np.asarray(value)
        if group is None:
            return value.here
        share = value.here.shape[1] // self.wiring.channels
        return np.ascontiguousarray(value.here[:, group * share : (group + 1) * share])

    def enter(self, group: int, samples: Ints) -> None:
        """A sample has become known over the front: int8 [n]."""
        for layer in self._readers:
            layer.enter(self._fronts[1], group, samples[:, None])


_NOTHING: Ints = np.empty((0, 0), np.int8)
"""Features of no position."""


@dataclass(frozen=True)
class _Known:
    """Features that are known before the front's first sample: at the front, and of rows that begin."""

    here: Ints
    new: Ints = field(default_factory=lambda: _NOTHING)


def _begun(front: Front, batch: Batch) -> Front:
    """All positions of the rows whose first one is in a front."""
    first = front.x == 0
    image, y = front.image[first], front.y[first]
    widths = batch.widths[image]
    x = np.arange(int(widths.sum()), dtype=np.int32) - np.repeat(np.cumsum(widths) - widths, widths)
    return Front(np.repeat(image, widths), np.repeat(y, widths), x.astype(np.int32))
