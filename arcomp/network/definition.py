"""Networks: layers by name and how they are joined, said once; three evaluations of that.

=====================  ==========================================  ============================================
:class:`FloatNetwork`  float, all positions, differentiable        training
:class:`ExactNetwork`  integers, all positions (``whole``)         encoding
\\                      integers, front by front (``start``)        decoding: each position once, from caches
=====================  ==========================================  ============================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from arcomp.errors import ModelError
from arcomp.layers.conditioning import Conditioning, ExactConditioning
from arcomp.layers.conv import CausalConv2d
from arcomp.layers.frozen import Arrays
from arcomp.layers.linear import Linear
from arcomp.layers.spatial import ExactLayer, Ints
from arcomp.layers.spec import Conv, Spec
from arcomp.network.interpreter import Interpreter
from arcomp.network.program import Program, has_instructions
from arcomp.network.wiring import Run as Run
from arcomp.network.wiring import Wiring as Wiring
from arcomp.orders import Batch


def _key(name: str) -> str:
    """Torch takes no dots in names of modules."""
    return name.replace(".", "_")


class FloatNetwork(nn.Module):
    """The float evaluation."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__()
        self.wiring, self.specs = wiring, wiring.layers()
        self.by_name = nn.ModuleDict({_key(name): spec.float_layer() for name, spec in self.specs.items()})
        with torch.no_grad():
            wiring.prepare(lambda name: self.by_name[_key(name)])

    def forward(self, samples: torch.Tensor, rounding: bool = False, given: torch.Tensor | None = None) -> torch.Tensor:
        """float [N, H, W, channels], as the network takes samples, and what it is given beforehand, if it is ->
        [N, H, W, channels * outputs]."""

        def run(name: str, *x: torch.Tensor) -> torch.Tensor:
            if given is not None and isinstance(self.specs[name], Conditioning):
                x = (given,)
            made: torch.Tensor = self.by_name[_key(name)](*x, rounding=rounding)
            return made

        made: torch.Tensor = self.wiring.forward(run, samples)
        return made

    @property
    def last(self) -> Linear | None:
        """What makes the outputs, if a linear layer does."""
        layer = self.by_name[_key(list(self.specs)[-1])]
        return layer.linear if isinstance(layer, CausalConv2d) else None

    def evened(self) -> list[tuple[CausalConv2d, float]]:
        """The convolutions that begin with even outputs, and their deviations."""
        found = []
        for name, spec in self.specs.items():
            layer = self.by_name[_key(name)]
            if isinstance(spec, Conv) and spec.evened:
                assert isinstance(layer, CausalConv2d)
                found.append((layer, spec.begin))
        return found

    def freeze(self) -> Arrays:
        """The integers of all layers, by "name.array"."""
        arrays: Arrays = {}
        for name, spec in self.specs.items():
            own = spec.freeze(self.by_name[_key(name)])
            arrays |= {f"{name}.{key}": a for key, a in own.items()}
        return arrays

    def dequantize(self, arrays: Mapping[str, Ints]) -> None:
        """Take the real numbers that integers stand for: the inverse of :meth:`freeze`.

        Raises:
            NotImplementedError: a layer cannot.
        """
        own = owned(self.specs, arrays)
        for name, spec in self.specs.items():
            spec.dequantize(self.by_name[_key(name)], own[name])


@torch.no_grad()
def data_dependent_init(networks: Iterable[FloatNetwork], evaluate: Callable[[], object]) -> None:
    """Scale and shift weights so that layers begin with outputs of mean 0 and the deviation they name.

    Salimans and Kingma 2016, "Weight normalization: a simple reparameterization to accelerate training of deep neural
    networks", section 3: each layer in turn, on what those before it, evened out already, make of some data.

    Args:
        evaluate: computes the networks of some data, each layer at least once; the first time counts.
    """

    def hooked(layer: CausalConv2d, deviation: float) -> None:
        def even(_: nn.Module, x: tuple[torch.Tensor, ...], made: torch.Tensor) -> torch.Tensor:
            handle.remove()
            layer.data_dependent_init(made, deviation)
            again: torch.Tensor = layer(*x)
            return again

        handle = layer.register_forward_hook(even)

    layers = [one for network in networks for one in network.evened()]
    for layer, deviation in layers:
        hooked(layer, deviation)
    if layers:
        evaluate()


def owned(specs: Mapping[str, Spec], arrays: Mapping[str, Ints]) -> dict[str, Arrays]:
    """Each layer's own arrays, by their names within it.

    Raises:
        ModelError: an array of no layer, or of one that has no weights.
    """
    own: dict[str, Arrays] = {name: {} for name in specs}
    for key, a in arrays.items():
        name = key
        while name and name not in own:
            name = name.rpartition(".")[0]
        if not name or type(specs[name]).freeze is Spec.freeze:  # none has weights
            raise ModelError("the weights have arrays of no layer", remedy="install the model's weights again")
        own[name][key[len(name) + 1 :]] = a
    return own


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
        own = owned(self.specs, arrays)
        self.layers: dict[str, ExactLayer] = {
            name: spec.exact_layer(own[name], device) for name, spec in self.specs.items()
        }
        self._scales = {s for spec in self.specs.values() for s in (spec.scale, spec.scale * spec.stride)} | {1}
        self._steps: Interpreter | Program | None = None

    def parallel(
        self, samples: Ints, batch: Batch, watch: Any = None, given: torch.Tensor | None = None
    ) -> torch.Tensor:
        """All positions: int8 [N, H, W, channels] -> integers [N, H, W, channels * outputs]; ``watch`` is told every
        layer's name and output; ``given``: what the network is given beforehand, on its device."""

        batches = {scale: batch.coarser(scale) for scale in self._scales}

        def run(name: str, *x: torch.Tensor) -> torch.Tensor:
            if given is not None and isinstance(self.specs[name], Conditioning):
                x = (given,)
            made = self.layers[name].parallel(batches[self.specs[name].scale], *x)
            if watch:
                watch(name, made.cpu().numpy())
            return made

        made: torch.Tensor = self.wiring.forward(run, torch.from_numpy(np.ascontiguousarray(samples)).to(self.device))
        return made

    def start(self, batch: Batch, open_rows: int, given: Ints | None = None) -> Interpreter | Program:
        """Begin an evaluation front by front.

        Args:
            batch: that is to be decoded. open_rows: see :meth:`arcomp.orders.Order.open_rows`.
            given: integers [N, H, W, F], what the network is given beforehand.
        """
        if given is not None:
            for layer in self.layers.values():
                if isinstance(layer, ExactConditioning):
                    layer.features = given
        if self._steps is None:
            kind = Program if has_instructions(self.layers.values()) else Interpreter
            self._steps = kind(self.wiring, self.specs, self.layers)
        self._steps.start(batch, open_rows)
        return self._steps
