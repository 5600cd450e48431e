"""What the training loop asks of a float model, and the models it knows by name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from arcomp.contract import registry
from arcomp.contract.weights_file import Weights
from arcomp.models.context import model as context_model
from arcomp.models.context.net import Context
from arcomp.models.photo import model as photo_model
from arcomp.models.photo.config import checked
from arcomp.models.photo.net import Photo
from arcomp.network.configuration import checked as checked_layered
from arcomp.network.configuration import frame
from arcomp.network.layered import Layered

Crops = list[npt.NDArray[np.uint8]]


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


@dataclass(frozen=True)
class Kind:
    """A model that can be trained.

    Attributes:
        make: a fresh float model (a :class:`Trainable`) of a recipe's ``[config]``. Raises ModelError.
        check: refuses a configuration by a ModelError.
        freeze: float models by number of channels to integers. Raises ValueError.
        complete: what is learnt after freezing from training pictures, which it calls for, for one number of channels.
        sequences: whether it takes a sequence of samples as well as pictures, and so text and other bytes.
        alike: whether its examples are whole crops, which must be of one size.
        frame: of a configuration, rows and columns of the largest crops that it takes; None if of any size.
    """

    make: Callable[[Mapping[str, Any]], Any]
    check: Callable[[Mapping[str, Any]], Any]
    freeze: Callable[[Mapping[int, Any]], Weights]
    complete: Callable[[Weights, int, Callable[[], Crops]], Weights]
    sequences: bool = False
    alike: bool = False
    frame: Callable[[Mapping[str, Any]], tuple[int, int] | None] = lambda config: None


def _ladder(kind: type[Layered]) -> Kind:
    """A model of layers."""
    return Kind(
        kind.float_model,
        lambda config: checked_layered(kind.config_type, config),
        kind.freeze,
        lambda weights, channels, pictures: weights,
        kind.flat,
        True,
        lambda config: frame(checked_layered(kind.config_type, config)),
    )


LADDER: tuple[type[Layered], ...] = tuple(registry.layered_class(name) for name in registry.LADDER)
"""The models of layers, in the ladder's order."""

KINDS = {
    "context": Kind(
        lambda config: Context(context_model.checked_config(config)),
        context_model.checked_config,
        context_model.freeze,
        lambda weights, channels, pictures: weights,
    ),
    "photo": Kind(
        lambda config: Photo(checked(config)),
        checked,
        photo_model.freeze,
        lambda weights, channels, pictures: photo_model.learn_mixer(weights, channels, pictures()),
    ),
    **{kind.name: _ladder(kind) for kind in LADDER},
}
