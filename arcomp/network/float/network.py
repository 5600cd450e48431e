"""A network in float: all positions at once, differentiable; and what training begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn

from arcomp.exact.arrays import Ints
from arcomp.layers.conditioning import Conditioning
from arcomp.layers.float.conv import FloatConv
from arcomp.layers.float.layer import FloatLayer, float_layer
from arcomp.layers.float.linear import Linear
from arcomp.layers.frozen import Arrays
from arcomp.layers.spec import Conv
from arcomp.network.definition import owned
from arcomp.network.wiring import Floats, Wiring


def _key(name: str) -> str:
    """Torch takes no dots in names of modules."""
    return name.replace(".", "_")


class FloatNetwork(nn.Module):
    """The float evaluation."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__()
        self.wiring, self.specs = wiring, wiring.layers()
        self.by_name = nn.ModuleDict({_key(name): float_layer(spec) for name, spec in self.specs.items()})
        wiring.init(self._weights)

    def _weights(self, name: str) -> Floats:
        """Of a linear layer: changes are seen by the layer."""
        layer: Any = self.by_name[_key(name)]
        shared: Floats = layer.linear.weight.detach().numpy()
        return shared

    def forward(
        self, samples: torch.Tensor, rounding: bool = False, conditioning: torch.Tensor | None = None
    ) -> torch.Tensor:
        """float [N, H, W, channels], as the network takes samples -> [N, H, W, channels * outputs].

        Args:
            conditioning: float [N, H, W, F], features that are known beforehand, if there are any.
        """

        def run(name: str, *x: torch.Tensor) -> torch.Tensor:
            if conditioning is not None and isinstance(self.specs[name], Conditioning):
                x = (conditioning,)
            made: torch.Tensor = self.by_name[_key(name)](*x, rounding=rounding)
            return made

        made: torch.Tensor = self.wiring.forward(run, samples)
        return made

    @property
    def last(self) -> Linear | None:
        """What makes the outputs, if a linear layer does."""
        layer = self.by_name[_key(list(self.specs)[-1])]
        return layer.linear if isinstance(layer, FloatConv) else None

    def data_dependent(self) -> list[tuple[FloatConv, float]]:
        """The convolutions whose first weights depend on the data, and the deviations of their outputs."""
        found = []
        for name, spec in self.specs.items():
            layer = self.by_name[_key(name)]
            if isinstance(spec, Conv) and spec.data_dependent_init:
                assert isinstance(layer, FloatConv)
                found.append((layer, spec.init_scale))
        return found

    def _layer(self, name: str) -> FloatLayer:
        layer = self.by_name[_key(name)]
        assert isinstance(layer, FloatLayer)
        return layer

    def freeze(self) -> Arrays:
        """The integers of all layers, by "name.array"."""
        arrays: Arrays = {}
        for name in self.specs:
            own = self._layer(name).freeze()
            arrays |= {f"{name}.{key}": a for key, a in own.items()}
        return arrays

    def dequantize(self, arrays: Mapping[str, Ints]) -> None:
        """Take the real numbers that integers stand for: the inverse of :meth:`freeze`.

        Raises:
            NotImplementedError: a layer cannot.
        """
        own = owned(self.specs, arrays)
        for name in self.specs:
            self._layer(name).dequantize(own[name])


@torch.no_grad()
def data_dependent_init(networks: Iterable[FloatNetwork], evaluate: Callable[[], object]) -> None:
    """Scale and shift weights so that layers begin with outputs of mean 0 and the deviation they name.

    Salimans and Kingma 2016, "Weight normalization: a simple reparameterization to accelerate training of deep neural
    networks", section 3: each layer in turn, on what those before it, with their new weights, make of some data.

    Args:
        evaluate: computes the networks of some data, each layer at least once; the first time counts.
    """

    def hooked(layer: FloatConv, deviation: float) -> None:
        def even(_: nn.Module, x: tuple[torch.Tensor, ...], made: torch.Tensor) -> torch.Tensor:
            handle.remove()
            layer.data_dependent_init(made, deviation)
            again: torch.Tensor = layer(*x)
            return again

        handle = layer.register_forward_hook(even)

    layers = [one for network in networks for one in network.data_dependent()]
    for layer, deviation in layers:
        hooked(layer, deviation)
    if layers:
        evaluate()
