"""Models of several passes in float: all passes over known crops."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from arcomp.layers.shift import whole_batch
from arcomp.network.float import likelihoods
from arcomp.network.float.model import FloatModel, shown
from arcomp.network.float.network import FloatNetwork
from arcomp.network.stacks import StackConfig
from arcomp.network.staged import AROUND, CAUSAL, VIEW, Staged
from arcomp.orders import Batch


class StagedFloat(FloatModel):
    """The float evaluation: all passes over known crops.

    Args:
        model: whose. config: of the networks.
    """

    config: StackConfig

    def __init__(self, model: type[Staged], config: Any) -> None:
        super().__init__(config)
        self.model = model
        wirings = model.wirings(config)
        self.prefixes = list(wirings)
        self.nets = nn.ModuleDict({_key(name): FloatNetwork(wiring) for name, wiring in wirings.items()})
        for name in self.prefixes:
            one, _, kind = name[:-1].partition(".")
            last = self.networks()[name].last
            if last is not None and (kind == CAUSAL or (kind == AROUND and f"{one}.{CAUSAL}." not in wirings)):
                likelihoods.init(config.head, last)

    def networks(self) -> dict[str, FloatNetwork]:
        found: dict[str, Any] = {name: self.nets[_key(name)] for name in self.prefixes}
        return found

    def bits(self, values: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        samples, networks = shown(values, self.config.depth), self.networks()
        batch: Batch = whole_batch(samples.shape)
        seen, bits = torch.cat([samples, torch.ones_like(samples[..., :1])], 3), torch.zeros_like(samples)
        view, view_bits = self._view(values, rounding)
        for one in self.model.sequence.passes(batch):
            around, causal = (networks.get(f"{one.name}.{kind}.") for kind in (AROUND, CAUSAL))
            own = one.lattice.taken(values)
            made = None
            if around is not None:
                made = around(self.model.known(one, seen, view), rounding)[:, : own.shape[1], : own.shape[2]]
            if causal is not None:
                made = causal(one.lattice.taken(samples), rounding, made)
            assert made is not None
            one.lattice.put(bits, self.bits_of(made, own))
        return bits if view_bits is None else bits + view_bits / bits.shape[3]

    def _view(self, values: torch.Tensor, rounding: bool) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """The view of crops as the model's network takes it, and its bits, [n, H, W, 1]; None where there is none."""
        view = self.model.view_of(values)
        if view is None:
            return None, None
        config = self.model.view_config(self.config)
        given, head = shown(view, config.depth), config.head
        outputs = self.networks()[VIEW](given, rounding)
        own = view.reshape(-1, config.channels)
        bits = likelihoods.bits(head, outputs.reshape(*own.shape, -1), own).reshape(view.shape)
        return given, bits.sum(3, keepdim=True)


def _key(name: str) -> str:
    """Torch takes no dots in names of modules."""
    return name.replace(".", "_")
