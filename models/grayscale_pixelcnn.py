"""``grayscale_pixelcnn``: a gray view of 4 bits first, then the colours given all of it.

Paper: Kolesnikov and Lampert 2017, "PixelCNN models with auxiliary variables for natural image modeling", sections 2
and 3.1: a picture's view, a function of its samples, is modelled on its own, and the picture given the view, which a
network without causality looks at: p(X) = p(V) p(X | V). What is large in a picture is settled by V; the colours are
then mostly texture.

What it adds to ``pixelcnnpp``: the auxiliary variable, so that a pixel sees, coarsely, what comes after it. Where it
differs: all three networks are small stacks of the same blocks; the view is luma, cut to 4 bits.

Train it with ``arcomp train --recipe grayscale_pixelcnn-colour DATA``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from arcomp.contract.distributions import DistributionModel
from arcomp.contract.model import BatchSpec, Padded
from arcomp.contract.registry import register
from arcomp.contract.settings import setting
from arcomp.contract.weights_file import Weights, network_name
from arcomp.errors import ModelError
from arcomp.exact.arrays import Array
from arcomp.exact.devices import backend_of
from arcomp.network.configuration import LayeredConfig
from arcomp.network.layered import Layered
from arcomp.network.stacks import Around, Causal, StackConfig
from arcomp.network.staged import AROUND, CAUSAL, VIEW, Staged
from arcomp.network.wiring import Wiring
from arcomp.orders import Once, Order, Pass, Passes, Raster

CHANNELS, DEPTH, VIEW_DEPTH = 3, 8, 4


def gray(values: Array) -> Array:
    """The view: uint8 [.., 3], red, green and blue -> uint8 [.., 1], luma in 4 bits."""
    backend = backend_of(values)
    red, green, blue = (backend.cast(values[..., c : c + 1], np.int32) for c in range(CHANNELS))
    luma = 77 * red + 150 * green + 29 * blue
    return backend.cast(luma >> (8 + DEPTH - VIEW_DEPTH), np.uint8)


@dataclass(frozen=True)
class ViewConfig(LayeredConfig):
    """Shape of the view's network.

    Attributes:
        width: features. blocks: of the stack.
    """

    width: int = setting(1, 512)
    blocks: int = setting(1, 64)


class ViewWiring(Causal):
    """The view's network."""

    def __init__(self, config: ViewConfig) -> None:
        super().__init__(config, config.width, config.blocks, config.head.outputs, conditioned=False)


class View(Layered):
    """The model of the view, part of the whole one."""

    name: ClassVar[str] = "grayscale_pixelcnn"
    config_type = ViewConfig
    wiring_type = ViewWiring
    sequence: Order = Raster()


@dataclass(frozen=True)
class GrayscalePixelCNNConfig(StackConfig):
    """Shape of the stacks; pictures are of 3 channels of 8 bits."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.channels, self.depth) != (CHANNELS, DEPTH):
            raise ModelError(f"the gray view is of {CHANNELS} channels of {DEPTH} bits")

    @property
    def view(self) -> ViewConfig:
        """Of the view's network."""
        return ViewConfig(1, VIEW_DEPTH, self.width, self.blocks)


@register
class GrayscalePixelCNN(Staged):
    """The model; see the top of this file."""

    name: ClassVar[str] = "grayscale_pixelcnn"
    config_type = GrayscalePixelCNNConfig
    sequence: Passes = Once(Raster())

    @classmethod
    def wirings(cls, config: GrayscalePixelCNNConfig) -> dict[str, Wiring]:
        size = config, config.width, config.blocks
        return {
            VIEW: ViewWiring(config.view),
            f"all.{AROUND}.": Around(*size, outputs=config.width, planes=1),
            f"all.{CAUSAL}.": Causal(*size, CHANNELS * config.head.outputs, conditioned=True),
        }

    @classmethod
    def known(cls, one: Pass, samples: Array, view: Array | None) -> Array:
        """The view."""
        assert view is not None
        return view

    @classmethod
    def view_of(cls, values: Array) -> Array:
        return gray(values)

    @classmethod
    def view_config(cls, config: GrayscalePixelCNNConfig) -> ViewConfig:
        return config.view

    def viewer(self, spec: BatchSpec) -> tuple[DistributionModel, BatchSpec]:
        return self._viewer, BatchSpec(spec.batch, 1, VIEW_DEPTH)

    @cached_property
    def _viewer(self) -> View:
        config = next(iter(self.configs.values()))
        assert isinstance(config, GrayscalePixelCNNConfig)
        name, own = network_name(1, VIEW_DEPTH), f"{network_name(CHANNELS, DEPTH)}.{VIEW}"
        arrays = {f"{name}.{k[len(own) :]}": a for k, a in self.weights.arrays.items() if k.startswith(own)}
        return View(Weights(self.name, {"networks": {name: asdict(config.view)}}, arrays))

    def view(self, padded: Padded) -> Padded:
        found: Padded = gray(padded)
        return found

    def memory(self, spec: BatchSpec, threads: int | None = None) -> int:
        model, of_view = self.viewer(spec)
        return super().memory(spec) + model.memory(of_view) + spec.batch.positions
