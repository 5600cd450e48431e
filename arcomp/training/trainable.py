"""What the training loop asks of a float model, and the models it knows by name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from arcomp.models.context import Context
from arcomp.models.context_model import checked_config
from arcomp.models.photo.config import checked
from arcomp.models.photo.net import Photo


class Trainable(nn.Module):
    """A float model whose examples are positions of pictures. Models satisfy it by having these methods."""

    @abstractmethod
    def prepare(self, crops: list[npt.NDArray[np.uint8]]) -> None:
        """Take from the first round's crops what is not trained."""

    @abstractmethod
    def examples(self, pixels: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
        """All positions of a picture (uint8 [H, W, C]) as arguments of :meth:`bits`; the first axis of each array
        counts them."""

    @abstractmethod
    def bits(self, rounding: bool = False, **examples: torch.Tensor) -> torch.Tensor:
        """Bits of each channel: float [n, C]."""


def make(model: str, config: Mapping[str, Any]) -> Any:
    """A fresh float model of a recipe's ``model`` and ``[config]``; a :class:`Trainable`.

    Raises:
        ModelError: the configuration is not one of that model.
        KeyError: there is nothing to train for a model of that name.
    """
    return MAKERS[model](config)


MAKERS = {
    "context": lambda config: Context(checked_config(config)),
    "photo": lambda config: Photo(checked(config)),
}
CHECKS = {"context": checked_config, "photo": checked}
"""What refuses a configuration, by model."""
