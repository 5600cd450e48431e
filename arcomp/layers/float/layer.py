"""What float layers share, and the float twin of a layer's description."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from torch import nn

from arcomp.exact.arrays import Ints
from arcomp.layers.frozen import Arrays
from arcomp.layers.spec import Spec


class FloatLayer(nn.Module):
    """A layer that is trained: float [N, H, W, features] for each input, and ``rounding`` -> float [N, H, W, features].

    With ``rounding``, weights and outputs are quantised, as they will be when frozen.
    """

    def freeze(self) -> Arrays:
        """Its integers; none if it has no weights."""
        return {}

    def dequantize(self, arrays: Mapping[str, Ints]) -> None:
        """Take the real numbers that integers stand for: the inverse of :meth:`freeze`.

        Raises:
            NotImplementedError: a layer with weights that does not say how.
        """
        if arrays:
            raise NotImplementedError(f"{type(self).__name__} cannot be dequantized")


def float_layer(spec: Spec) -> FloatLayer:
    """A fresh float layer of a description."""
    module, _, name = spec.float_twin.rpartition(".")
    made: FloatLayer = getattr(import_module(module), name)(spec)
    return made
