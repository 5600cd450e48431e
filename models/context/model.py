"""``context`` as the codec sees it: frozen weights for gray and for colour, and both evaluations."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import numpy.typing as npt

from arcomp.container.tensors import part
from arcomp.contract.distributions import DistributionModel, Incremental, Parallel
from arcomp.contract.model import BatchSpec, Padded, Watch, check_kind
from arcomp.contract.registry import register
from arcomp.contract.settings import checked
from arcomp.contract.trainer import Trainer
from arcomp.contract.weights_file import Weights, by_channels
from arcomp.errors import ModelError, needs_torch
from arcomp.models.context import inputs as context_inputs
from arcomp.models.context.config import CODING_ORDER, ContextConfig
from arcomp.orders import GROUP, InGroups, Order, Wavefront, split


@register
class ContextModel(DistributionModel):
    """A network for gray pictures and one for colour, 8 bits.

    Args:
        weights: of one network at least.

    Raises:
        ModelError: the configuration is not one of this model.
    """

    name: ClassVar[str] = "context"

    def __init__(self, weights: Weights) -> None:
        self.weights, self.digest, self.parameters = weights, weights.digest, weights.count
        self.configs: dict[int, ContextConfig] = by_channels(weights, partial(checked, ContextConfig))
        self._networks: dict[tuple[int, str], Any] = {}

    @classmethod
    def trainer(cls) -> Trainer:
        from arcomp.models.context.training import ContextTrainer

        return ContextTrainer()

    def check(self, channels: int, depth: int) -> None:
        check_kind(self.name, self.configs, channels, depth)

    def memory(self, spec: BatchSpec, threads: int | None = None) -> int:
        """Bytes of the planes of the largest group of tiles."""
        parts = [spec.batch.part(group) for group in split(spec.batch, GROUP)]
        return max(
            context_inputs.plane_bytes(len(part), int(part.heights.max()), int(part.widths.max()), spec.channels)
            for part in parts
        )

    def _refuse_side(self, spec: BatchSpec) -> None:
        if spec.side:
            raise ModelError(
                "model context has no side information, the file has", remedy="get a fresh copy of the file"
            )

    @property
    def order(self) -> Order:
        return InGroups(Wavefront(max(c.skew for c in self.configs.values())), GROUP)

    def coding_order(self, channels: int) -> tuple[int, ...]:
        return CODING_ORDER[channels]

    def network(self, channels: int, device: str = "cpu") -> Any:
        """The network for that many channels, ready on a device (an :class:`arcomp.models.context.exact.Network`)."""
        from arcomp.models.context.exact import Network

        if (channels, device) not in self._networks:
            with self.weights.with_path():
                self._networks[channels, device] = Network(self.configs[channels], self._arrays(channels), device)
        return self._networks[channels, device]

    def _arrays(self, channels: int) -> dict[str, npt.NDArray[Any]]:
        return part(self.weights.arrays, str(channels))

    def dequantized(self, channels: int, depth: int) -> Any:
        with needs_torch("a network in float"):
            from arcomp.models.context.net import Context
            from arcomp.network.float.perceptron import dequantize_layers

        network = Context(self.configs[channels])
        dequantize_layers(network, self._arrays(channels))
        return network

    def float_bits(self, pixels: Padded, depth: int, device: str = "cpu") -> float:
        network = self.dequantized(pixels.shape[3], depth)
        from arcomp.network.float.perceptron import total_bits

        return total_bits(network, pixels, device)

    def parallel(self, padded: Padded, spec: BatchSpec, device: str = "cpu", watch: Watch | None = None) -> Parallel:
        from arcomp.models.context.exact import ContextParallel

        self._refuse_side(spec)
        return ContextParallel(self.network(spec.channels, device), padded, spec, watch)

    def incremental(self, spec: BatchSpec) -> Incremental:
        from arcomp.models.context.exact import ContextIncremental

        self._refuse_side(spec)
        return ContextIncremental(self.network(spec.channels), spec)
