"""The float evaluation of models of layers: what is trained."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from arcomp.errors import TrainingError
from arcomp.exact.arrays import Ints
from arcomp.exact.devices import backend_of
from arcomp.layers.quantisation import SIGNED8
from arcomp.layers.samples import carried
from arcomp.network.configuration import LayeredConfig
from arcomp.network.float import likelihoods
from arcomp.network.float.network import FloatNetwork, data_dependent_init
from arcomp.network.layered import Layered

UInt8 = npt.NDArray[np.uint8]
SHOWN = 32
"""Crops that training begins with even outputs on."""


class FloatModel(nn.Module):
    """The float evaluation of a model, ready to be trained."""

    def __init__(self, config: LayeredConfig) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def networks(self) -> dict[str, FloatNetwork]:
        """Its networks by their names' beginnings, as :meth:`Layered.wirings` has them."""

    @abstractmethod
    def bits(self, values: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """Bits of each sample: uint8 [n, H, W, C], whole crops -> float [n, H, W, C]."""

    def bits_of(self, outputs: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Bits of samples [.., C], given a network's outputs for them: float [.., C * outputs]."""
        own = values.reshape(-1, self.config.channels)
        return likelihoods.bits(self.config.head, outputs.reshape(*own.shape, -1), own).reshape(values.shape)

    @torch.inference_mode()
    def total_bits(self, pictures: Iterable[Ints], device: str) -> float:
        """Bits of pictures, uint8 [n, H, W, C] each, nothing rounded, on a device."""
        self.to("cpu" if device == "torch" else device)
        place = next(self.parameters()).device
        return sum(float(self.bits(torch.from_numpy(part).to(place)).double().sum()) for part in pictures)

    def prepare(self, crops: list[UInt8]) -> None:
        """Layers begin with even outputs on some of the crops."""
        device = next(self.parameters()).device
        first = crops[:SHOWN]
        data_dependent_init(self.networks().values(), lambda: self.bits(torch.from_numpy(np.stack(first)).to(device)))

    def adopt(self, other: Any) -> None:
        """Not offered."""
        raise ValueError("its network has another shape, and this model cannot grow")

    def examples(self, pixels: UInt8) -> dict[str, npt.NDArray[Any]]:
        """A crop as it is.

        Raises:
            TrainingError: its samples have more bits than the network takes.
        """
        if int(pixels.max()) >> self.config.depth:
            raise TrainingError(
                f"samples of {int(pixels.max()).bit_length()} bits, the recipe's network takes {self.config.depth}",
                remedy="give other pictures, or another recipe",
            )
        return {"values": pixels[None]}


def shown(values: torch.Tensor, depth: int) -> torch.Tensor:
    """Samples as networks take them, in float."""
    levels: torch.Tensor = backend_of(values).constant(carried(np.arange(1 << depth), depth).astype(np.float32))
    return levels[values.long()] * SIGNED8.step


class Float(FloatModel):
    """Of a single network."""

    def __init__(self, model: type[Layered], config: LayeredConfig) -> None:
        super().__init__(config)
        self.net, self.flat = FloatNetwork(model.wiring_type(config)), model.flat
        last = self.net.last
        if last is not None:
            likelihoods.init(config.head, last)

    def networks(self) -> dict[str, FloatNetwork]:
        return {"": self.net}

    def bits(self, values: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        samples = shown(values, self.config.depth)
        if self.flat:
            samples = samples.flatten(1, 2)[:, None]
        return self.bits_of(self.net(samples, rounding), values)
