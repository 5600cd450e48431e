"""How ``context`` is trained, and its networks are frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy.typing as npt

from arcomp.contract.settings import checked
from arcomp.contract.trainer import Trainer
from arcomp.contract.weights_file import Weights
from arcomp.models.context.config import ContextConfig
from arcomp.models.context.net import Context
from arcomp.network.float.perceptron import freeze_layers


class ContextTrainer(Trainer):
    """Examples are positions."""

    settings = ContextConfig

    def start(self, config: Mapping[str, Any]) -> Context:
        return Context(checked(ContextConfig, config))

    def freeze(self, networks: Mapping[int, Any]) -> Weights:
        return freeze(networks)


def freeze(networks: Mapping[int, Context]) -> Weights:
    """Integers of float networks.

    Args:
        networks: by number of channels.

    Returns:
        The weights of one model; without digests of layers, which need a run.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    for channels, net in networks.items():
        arrays |= {f"{channels}.{name}": a for name, a in freeze_layers(net).items()}
    configs = {str(c): {**asdict(n.config), "trunk": list(n.config.trunk)} for c, n in networks.items()}
    return Weights("context", {"networks": configs}, arrays)
