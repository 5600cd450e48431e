"""A network's definition, written once: its layers by name, and how they are joined.

Weights are stored under the layers' names, so those stay, also where the code has another word since: "near" is the
linear skip, "place" the position embedding, "before" a shift.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from arcomp.layers.spec import Spec

Floats = npt.NDArray[np.float32]


class Run(Protocol):
    """Evaluates a layer by its name: ``run("up.3", x)``. The evaluation chooses whether x is a tensor or an array."""

    def __call__(self, name: str, *x: Any) -> Any:
        """The layer's outputs for these inputs."""


class Wiring(ABC):
    """A network, not yet evaluated in any way.

    Args:
        config: its sizes; ``channels``: samples of a position, groups of its features.
    """

    def __init__(self, config: Any) -> None:
        self.config = config
        self.channels: int = config.channels

    @abstractmethod
    def layers(self) -> dict[str, Spec]:
        """The layers by name."""

    def init(self, weights: Callable[[str], Floats]) -> None:
        """Change the initial weights for training, in place. ``weights`` gives those of a linear layer, float32
        [outputs, inputs], by the layer's name."""
        return

    @abstractmethod
    def forward(self, run: Run, samples: Any) -> Any:
        """The outputs, [.., channels * outputs], from the samples: the network itself, written once."""
