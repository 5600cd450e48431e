"""``jpeg`` as the codec sees it: frozen networks, strips of rows of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from arcomp.coefficients import Component, ComponentShape, Shape
from arcomp.contract.coefficients import CoefficientModel
from arcomp.contract.learning import Stream
from arcomp.contract.registry import register
from arcomp.contract.settings import checked
from arcomp.contract.side_by_side import Positions
from arcomp.contract.trainer import Trainer
from arcomp.contract.weights_file import Weights, by_channels
from arcomp.models.jpeg.config import JpegConfig

STRIP_COEFFICIENTS = 1 << 24
"""Coefficients of a strip in large pictures."""
SPLIT_COEFFICIENTS = 1 << 21
"""JPEGs of more coefficients than this are cut into two strips at least, for two cores."""


@register
class JpegModel(CoefficientModel):
    """The networks of coefficients and of ends of blocks, for JPEGs of any components.

    Args:
        weights: as :class:`arcomp.models.jpeg.training.JpegTrainer` makes them.

    Raises:
        ModelError: the configuration or the arrays are not this model's.
    """

    name: ClassVar[str] = "jpeg"
    preset: ClassVar[str] = "balanced"

    def __init__(self, weights: Weights) -> None:
        self.weights, self.digest, self.parameters = weights, weights.digest, weights.count
        self.config = next(iter(by_channels(weights, partial(checked, JpegConfig)).values()))
        self._frozen: Any = None

    @classmethod
    def trainer(cls) -> Trainer:
        from arcomp.models.jpeg.training import JpegTrainer

        return JpegTrainer()

    def strips(self, shape: Shape) -> int:
        if shape.coefficients <= SPLIT_COEFFICIENTS:
            return 1
        strips = -(-shape.coefficients // STRIP_COEFFICIENTS)
        return strips + strips % 2

    def strip_memory(self, shapes: Sequence[ComponentShape]) -> int:
        from arcomp.models.jpeg.strip import memory

        return memory(self.config, shapes)

    def frozen(self) -> Any:
        """What strips are made of (an :class:`arcomp.models.jpeg.strip.Frozen`)."""
        from arcomp.models.jpeg.strip import frozen

        if self._frozen is None:
            with self.weights.with_path():
                self._frozen = frozen(self.weights)
        return self._frozen

    def encode_strip(self, components: Sequence[Component], progress: Positions) -> Stream:
        from arcomp.models.jpeg.strip import Strip

        strip = Strip(self.frozen(), [c.shape for c in components])
        return strip.encode([c.blocks for c in components], progress)

    def decode_strip(self, data: bytes | memoryview, components: Sequence[Component], progress: Positions) -> None:
        from arcomp.models.jpeg.strip import Strip

        Strip(self.frozen(), [c.shape for c in components]).decode(data, [c.blocks for c in components], progress)
