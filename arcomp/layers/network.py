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
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from arcomp.errors import ModelError
from arcomp.layers.frozen import Arrays
from arcomp.layers.spatial import ExactLayer, Ints
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front


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

    def freeze(self) -> Arrays:
        """The integers of all layers, by "name.array"."""
        arrays: Arrays = {}
        for name, spec in self.specs.items():
            own = spec.freeze(self.by_name[_key(name)])
            arrays |= {f"{name}.{key}": a for key, a in own.items()}
        return arrays

    def thaw(self, arrays: Mapping[str, Ints]) -> None:
        """Take the real numbers that integers stand for: the inverse of :meth:`freeze`.

        Raises:
            NotImplementedError: a layer cannot.
        """
        for name, spec in self.specs.items():
            spec.thaw(self.by_name[_key(name)], arrays_of(name, arrays))


def arrays_of(name: str, arrays: Mapping[str, Ints]) -> Arrays:
    """A layer's own arrays, by their names within it."""
    return {key[len(name) + 1 :]: a for key, a in arrays.items() if key.rpartition(".")[0] == name}


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
            own = arrays_of(name, arrays)
            self.layers[name] = spec.exact_layer(own, device)
            used += len(own)
        if used != len(arrays):
            raise ModelError("the weights have arrays of no layer", remedy="install the model's weights again")
        self._any_ahead = any(spec.ahead for spec in self.specs.values())
        self._readers = [self.layers[name] for name, spec in self.specs.items() if spec.samples]

    def whole(self, samples: Ints, batch: Batch, watch: Any = None) -> torch.Tensor:
        """All positions: int8 [N, H, W, channels] -> integers [N, H, W, channels * outputs]; ``watch`` is told every
        layer's name and output."""

        def run(name: str, *x: torch.Tensor) -> torch.Tensor:
            made = self.layers[name].whole(batch, *x)
            if watch:
                watch(name, made.cpu().numpy())
            return made

        made: torch.Tensor = self.wiring.join(run, torch.from_numpy(np.ascontiguousarray(samples)).to(self.device))
        return made

    def start(self, batch: Batch) -> None:
        """Empty all caches, for a batch that is to be decoded."""
        self._batch = batch
        self._rows_of: dict[str, Ints] = {}
        for layer in self.layers.values():
            layer.start(batch)

    def begin(self, front: Front) -> None:
        """Go to the next front."""
        self._front, self._once = front, dict[str, _Known]()
        if not self._any_ahead:
            return
        begun = front.x == 0
        image, y = front.image[begun], front.y[begun]
        widths = self._batch.widths[image]
        x = np.arange(int(widths.sum()), dtype=np.int32) - np.repeat(np.cumsum(widths) - widths, widths)
        self._rows = Front(np.repeat(image, widths), np.repeat(y, widths), x.astype(np.int32))

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
            inputs = [self._here(value, group if spec.groups > 1 else None) for value in given]
            if spec.groups > 1:
                return layer.step(self._front, group, *inputs)
            self._once[name] = _Known(layer.step(self._front, 0, *inputs))
            return self._once[name]

        return self._here(self.wiring.join(run, None), group)

    def _ahead(self, name: str, layer: ExactLayer, given: Any) -> _Known:
        """Outputs of a layer that is a row ahead: those of rows that begin are computed, others were."""
        new = None
        if len(self._rows):
            new = layer.step(self._rows, 0, *[value.new for value in given])
            if name not in self._rows_of:
                shape = (len(self._batch), int(self._batch.widths.max()), new.shape[1])
                self._rows_of[name] = np.zeros(shape, new.dtype)
            self._rows_of[name][self._rows.image, self._rows.x] = new
        return _Known(self._rows_of[name][self._front.image, self._front.x], new)

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
            layer.enter(self._front, group, samples[:, None])


@dataclass(frozen=True)
class _Known:
    """Features that are known before the front's first sample: at the front, and of rows that begin."""

    here: Ints
    new: Ints | None = None
