"""The interface to training: each model that can be trained brings its own trainer (:meth:`Model.trainer`)."""

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
    """Makes the networks of a model to train, and freezes them when they are trained.

    A configuration is a recipe's ``[config]``, in plain types.

    Attributes:
        settings: dataclass of a configuration, with the range of each setting (:mod:`arcomp.contract.settings`).
        sequences: whether the model also takes sequences of samples, such as text and other bytes.
        whole_crops: whether an example is a whole crop, all of one size, rather than a single position.
    """

    settings: type[Any]
    sequences: bool = False
    whole_crops: bool = False

    def check(self, config: Mapping[str, Any]) -> None:
        """Refuse a configuration that is not one of the model.

        Raises:
            ModelError: it is not.
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
        """The weights of float networks (by number of channels) as integers, without digests of layers.

        Raises:
            ValueError: a network has numbers that no integer stands for.
        """

    def complete(self, weights: Weights, channels: int, pictures: Callable[[], Crops]) -> Weights:
        """For models with parts that are learnt after freezing: learn them from training pictures, for the network of
        that many channels. The pictures are read only if ``pictures`` is called."""
        return weights

    def measured(self, model: Any, pictures: Crops) -> tuple[float, float] | None:
        """For models that code something else than pictures, which they make of pictures: bits of a sample of it under
        the frozen model, and coded. None: files of the pictures say it."""
        return None

    def frame(self, config: Mapping[str, Any]) -> tuple[int, int] | None:
        """Rows and columns of the largest crops that a network takes; None if it takes any size."""
        return None

    def mismatch(self, weights: Weights, config: Mapping[str, Any]) -> str:
        """What keeps a network from joining a file of weights, such as "order", which all its networks must share; ""
        if nothing does. A network of the same channels and depth is not compared: the new one replaces it."""
        return ""
