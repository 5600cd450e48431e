"""What training asks of a model: each that can be trained brings its own trainer (:meth:`Model.trainer`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.contract.settings import checked
from arcomp.contract.weights_file import Weights

Crops = list[npt.NDArray[np.uint8]]
"""uint8 [H, W, C] each: training pictures, or crops of them."""


class Trainer(ABC):
    """How networks of a model are begun, and frozen when they are trained.

    A configuration is a recipe's ``[config]``, in plain types.

    Attributes:
        settings: dataclass of a configuration, with the range of each setting (:mod:`arcomp.contract.settings`).
        sequences: whether the model takes sequences of samples as well as pictures, and so text and other bytes.
        whole_crops: whether its examples are whole crops, which must be of one size, and not single positions.
    """

    settings: type[Any]
    sequences: bool = False
    whole_crops: bool = False

    def check(self, config: Mapping[str, Any]) -> None:
        """Refuse a configuration.

        Raises:
            ModelError: it is not one of the model.
        """
        checked(self.settings, config)

    @abstractmethod
    def start(self, config: Mapping[str, Any]) -> Any:
        """A fresh network in float, an :class:`arcomp.training.trainable.Trainable`.

        Raises:
            ModelError: the configuration is not one of the model.
        """

    @abstractmethod
    def freeze(self, networks: Mapping[int, Any]) -> Weights:
        """Integers of float networks by number of channels, without digests of layers.

        Raises:
            ValueError: a network has numbers that no integer stands for.
        """

    def complete(self, weights: Weights, channels: int, pictures: Callable[[], Crops]) -> Weights:
        """Learn what is learnt after freezing, of the network for so many channels, from training pictures, which are
        only read if they are asked for."""
        return weights

    def frame(self, config: Mapping[str, Any]) -> tuple[int, int] | None:
        """Rows and columns of the largest crops that a network takes; None if of any size."""
        return None

    def mismatch(self, weights: Weights, config: Mapping[str, Any]) -> str:
        """What a network would have to share with the others in a file of weights and does not, such as "order"; ""
        if nothing. Those of the same channels and depth do not count, since it takes their place."""
        return ""
