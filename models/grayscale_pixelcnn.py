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

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch

from arcomp.contract.distributions import DistributionModel
from arcomp.contract.model import BatchSpec, Padded
from arcomp.contract.registry import register
from arcomp.contract.settings import checked, setting
from arcomp.contract.weights_file import Weights, network_name
from arcomp.errors import ModelError
from arcomp.network.configuration import LayeredConfig
from arcomp.network.definition import Wiring
from arcomp.network.layered import Layered
from arcomp.network.layered_float import FloatModel, shown
from arcomp.network.stacks import Around, Causal, StackConfig
from arcomp.network.staged import AROUND, CAUSAL, Staged, StagedFloat
from arcomp.orders import Once, Order, Pass, Passes, Raster

CHANNELS, DEPTH, VIEW_DEPTH = 3, 8, 4
VIEW = "view."
"""Names of the layers of the view's network begin so."""


def gray(padded: Padded) -> Padded:
    """The view: uint8 [.., 3], red, green and blue -> uint8 [.., 1], luma in 4 bits."""
    return gray_of(torch.from_numpy(padded)).numpy()


def gray_of(values: torch.Tensor) -> torch.Tensor:
    """The same of tensors."""
    red, green, blue = (values[..., c : c + 1].to(torch.int32) for c in range(CHANNELS))
    luma = 77 * red + 150 * green + 29 * blue
    return (luma >> (8 + DEPTH - VIEW_DEPTH)).to(torch.uint8)


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
        super().__init__(config, config.width, config.blocks, config.head.outputs, given=False)


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
        """See :meth:`Layered.wirings`."""
        size = config, config.width, config.blocks
        return {
            VIEW: ViewWiring(config.view),
            f"all.{AROUND}.": Around(*size, outputs=config.width, planes=1),
            f"all.{CAUSAL}.": Causal(*size, CHANNELS * config.head.outputs, given=True),
        }

    @classmethod
    def known(cls, one: Pass, samples: torch.Tensor, view: torch.Tensor | None) -> torch.Tensor:
        """The view. See :meth:`Staged.known`."""
        assert view is not None
        return view

    @classmethod
    def float_model(cls, config: Mapping[str, Any]) -> FloatModel:
        """See :meth:`Layered.float_model`."""
        return GrayscaleFloat(cls, checked(cls.config_type, config))

    def viewer(self, kind: BatchSpec) -> tuple[DistributionModel, BatchSpec]:
        """See :meth:`DistributionModel.viewer`."""
        return self._viewer, BatchSpec(kind.batch, 1, VIEW_DEPTH)

    @cached_property
    def _viewer(self) -> View:
        config = next(iter(self.configs.values()))
        assert isinstance(config, GrayscalePixelCNNConfig)
        name, own = network_name(1, VIEW_DEPTH), f"{network_name(CHANNELS, DEPTH)}.{VIEW}"
        arrays = {f"{name}.{k[len(own) :]}": a for k, a in self.weights.arrays.items() if k.startswith(own)}
        return View(Weights(self.name, {"networks": {name: asdict(config.view)}}, arrays))

    def view(self, padded: Padded) -> Padded:
        """See :meth:`DistributionModel.view`."""
        return gray(padded)

    def memory(self, kind: BatchSpec, threads: int | None = None) -> int:
        """See :meth:`DistributionModel.memory`."""
        model, of_view = self.viewer(kind)
        return super().memory(kind) + model.memory(of_view) + kind.batch.positions


class GrayscaleFloat(StagedFloat):
    """The float evaluation: bits of the view are shared out among the channels."""

    def view(self, values: torch.Tensor) -> torch.Tensor:
        """See :meth:`StagedFloat.view`."""
        return shown(gray_of(values), VIEW_DEPTH)

    def bits(self, values: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """See :meth:`FloatModel.bits`."""
        assert isinstance(self.config, GrayscalePixelCNNConfig)
        head, view = self.config.view.head, gray_of(values)
        outputs = self.networks()[VIEW](shown(view, VIEW_DEPTH), rounding)
        of_view = head.bits(outputs.reshape(-1, 1, head.outputs), view.reshape(-1, 1)).reshape(view.shape)
        return super().bits(values, rounding) + of_view / CHANNELS
