"""What the training loop asks of a float model, and the trainers that models bring."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from arcomp.contract import library, registry
from arcomp.contract.trainer import Crops, Trainer
from arcomp.errors import ModelError, TrainingError


class Trainable(nn.Module):
    """A float model whose examples are positions of pictures, or whole crops. Models satisfy it by having these
    methods."""

    @abstractmethod
    def prepare(self, crops: Crops) -> None:
        """Take from the first round's crops what is not trained."""

    @abstractmethod
    def adopt(self, other: Any) -> None:
        """Take over the function of a smaller network of the same kind. Raises ValueError where it cannot."""

    @abstractmethod
    def examples(self, pixels: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
        """A picture (uint8 [H, W, C]) as arguments of :meth:`bits`, among them ``values``, [n, C] or [n, H, W, C]; the
        first axis of each array counts positions, or crops.

        Raises:
            TrainingError: a picture that the model does not take.
        """

    @abstractmethod
    def bits(self, rounding: bool = False, **examples: torch.Tensor) -> torch.Tensor:
        """Bits of each sample: float [n, C] or [n, H, W, C].

        In training it is the same operations whatever the examples, none of which waits for the processor: on a GPU
        they are recorded once and replayed.
        """


def trainer_of(model: str) -> Trainer:
    """The trainer of a model, by the model's name.

    Raises:
        TrainingError: there is no such model, or nothing to train.
    """
    try:
        found = registry.find(model).trainer()
    except ModelError:
        found = None
    if found is None:
        raise TrainingError(
            f"there is nothing to train for model {model!r}", remedy=f"use model {' or '.join(trained())}"
        )
    return found


def trained() -> dict[str, Trainer]:
    """The trainers of all models that have one, by the model's name."""
    found = {name: registry.find(name).trainer() for name in library.modules()}
    return {name: trainer for name, trainer in found.items() if trainer is not None}
