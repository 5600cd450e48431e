"""The contract: what the codec, and nothing but the codec, asks of a model's exact evaluation.

Two evaluations of one function, equal bit for bit: :class:`Parallel` for pictures that are known (encoding) and
:class:`Incremental` for pictures that become known front by front (decoding, sampling). The third, in float, is
for training only and stays inside the model's file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.coding import Distribution
from arcomp.errors import ModelError
from arcomp.orders import Batch, Front, Order

Int32 = npt.NDArray[np.int32]
Canvas = npt.NDArray[Any]
"""uint8 or uint16 [N, H, W, C]: a batch's samples, channels in coding order; pictures smaller than the largest lie
in the upper left corner."""
Watch = Callable[[str, npt.NDArray[Any]], None]
"""Is told every layer's name and output (integers), for digests."""
Progress = Callable[[int], None]
"""Is told how many positions have been done since it was last told."""


@dataclass(frozen=True)
class BatchSpec:
    """What is coded: a batch of pictures (or tiles) of one number of channels and one depth.

    Attributes:
        batch: their sizes.
        channels: samples of a position.
        depth: bits of a sample.
        side: the model's side information, as sent in the file.
        view: the view of the pictures that was coded before them, if the model has one: known to both sides.
    """

    batch: Batch
    channels: int
    depth: int
    side: bytes = b""
    view: Canvas | None = None

    def part(self, pictures: slice) -> BatchSpec:
        """Some consecutive pictures."""
        batch = self.batch.part(pictures)
        view = None if self.view is None else self.view[pictures, : batch.heights.max(), : batch.widths.max()]
        return replace(self, batch=batch, view=view)


class Parallel(ABC):
    """Exact evaluation over pictures that are known."""

    @abstractmethod
    def distributions(self, front: Front) -> list[Distribution]:
        """One distribution for each channel over the given positions.

        Called with all positions of the order, in the order's sequence, any number of fronts at a time. The
        distribution of channel c may depend on the canvas's channels before c at the same position, and on all
        channels of positions in earlier fronts.
        """


class Incremental(ABC):
    """Exact evaluation front by front, each position once."""

    @abstractmethod
    def begin(self, front: Front) -> None:
        """Go to the next front."""

    @abstractmethod
    def distribution(self, channel: int) -> Distribution:
        """That channel's distribution over the front; the channels before it have been filled."""

    @abstractmethod
    def fill(self, channel: int, values: Int32) -> None:
        """Enter the front's values of a channel: int32 [n]."""


@dataclass(frozen=True)
class Stream:
    """What a learning model made of a tile.

    Attributes:
        data: the coded bytes.
        nll_bits: bits of the samples under the model as it learnt.
        static_bits: bits before what was counted is mixed in: how much mixing gave.
    """

    data: bytes
    nll_bits: float
    static_bits: float


class Model(ABC):
    """A frozen model.

    Attributes:
        name: by which files ask for it.
        digest: 32 bytes, of its frozen weights.
        parameters: numbers that training chose: weights that may differ from zero, and biases.
    """

    name: ClassVar[str]
    digest: bytes
    parameters: int

    @abstractmethod
    def check(self, channels: int, depth: int) -> None:
        """Refuse what it does not take.

        Raises:
            ModelError: pictures of that many channels or that depth.
        """

    @property
    def takes_bytes(self) -> bool:
        """Whether it is a model of sequences of bytes, so that any file is something to code."""
        return False

    def tile(self, height: int, width: int, channels: int, depth: int) -> tuple[int, int]:
        """(height, width) of the tiles that a picture of a size and of a kind that the model takes is best cut into;
        (0, 0): not at all."""
        return 0, 0

    def coding_order(self, channels: int) -> tuple[int, ...]:
        """The picture's channels in the order they are coded; the model sees them in this order only."""
        return tuple(range(channels))

    def float_bits(self, pixels: Canvas, depth: int, device: str = "cpu") -> float | None:
        """Bits of pictures under the float evaluation with these weights: the real numbers that the frozen integers
        stand for, nothing rounded between them and the probabilities. Of a model that learns while it codes, bits
        under its network alone. With what the model itself sends.

        Args:
            pixels: uint8 or uint16 [n, H, W, C], pictures (or tiles) of one size, channels as stored.
            depth: bits of a sample.
            device: where it runs.

        Returns:
            None if the model has no such evaluation.
        """
        return None


class ExactModel(Model):
    """A model that gives distributions; the codec codes with them."""

    @property
    @abstractmethod
    def order(self) -> Order:
        """The order it is decoded in."""

    @property
    def row_by_row(self) -> bool:
        """Whether all that a position depends on is before it row by row, whatever the order: what is below known rows
        can then be drawn given them."""
        return True

    def side_information(self, canvas: Canvas, kind: BatchSpec) -> bytes:
        """What a file must carry besides the coded pixels for this model to decode it; nothing for most."""
        return b""

    def viewer(self, kind: BatchSpec) -> tuple[ExactModel, BatchSpec] | None:
        """Where a view of the pictures is coded before them, as a picture of its own: the model that codes it, and of
        what kind the view is. None for most."""
        return None

    def view(self, canvas: Canvas) -> Canvas:
        """The view, a function of the samples: [N, H, W, channels of the view]; asked for where there is a viewer."""
        raise NotImplementedError

    def memory(self, kind: BatchSpec) -> int:
        """Bytes that an evaluation keeps for a batch besides its samples, so that hostile headers can be refused."""
        return 0

    @abstractmethod
    def parallel(self, canvas: Canvas, kind: BatchSpec, device: str = "cpu", watch: Watch | None = None) -> Parallel:
        """Evaluation of known pictures; ``watch`` is told every layer's output.

        Raises:
            ModelError: the side information is damaged.
        """

    @abstractmethod
    def incremental(self, kind: BatchSpec) -> Incremental:
        """Evaluation of pictures that are to be decoded.

        Raises:
            ModelError: the side information is damaged.
        """


def coded(model: ExactModel, canvas: Canvas, kind: BatchSpec) -> list[tuple[ExactModel, Canvas, BatchSpec]]:
    """What is coded, one after the other, by which model: the view, if there is one, and the pictures given it."""
    viewer = model.viewer(kind)
    if viewer is None:
        return [(model, canvas, kind)]
    view = model.view(canvas)
    return [(viewer[0], view, viewer[1]), (model, canvas, replace(kind, view=view))]


class LearningModel(Model):
    """A model whose state learns from each decision while it is coded, so that coder and model run in one loop.

    Tiles are coded each on its own, several at a time.
    """

    @abstractmethod
    def memory(self, channels: int, height: int, width: int) -> int:
        """Bytes that a tile of that size takes while it is coded, besides its samples."""

    @abstractmethod
    def encode(
        self,
        pixels: npt.NDArray[np.uint8],
        device: str = "cpu",
        progress: Progress = lambda positions: None,
        watch: Watch | None = None,
    ) -> Stream:
        """Code a tile, uint8 [height, width, C], channels in coding order; ``watch`` is told every layer's output."""

    @abstractmethod
    def bits(
        self, pixels: npt.NDArray[np.uint8], progress: Progress = lambda positions: None
    ) -> tuple[npt.NDArray[np.float32], float]:
        """Bits of each sample of a tile as :meth:`encode` codes it: float32 [height, width, C]; and the sum of those
        before what was counted is mixed in."""

    @abstractmethod
    def sample(
        self,
        pixels: npt.NDArray[np.uint8],
        rng: np.random.Generator,
        progress: Progress = lambda positions: None,
    ) -> None:
        """Fill a tile, uint8 [height, width, C], with a draw from the model."""

    @abstractmethod
    def decode(
        self,
        data: bytes | memoryview,
        pixels: npt.NDArray[np.uint8],
        progress: Progress = lambda positions: None,
        naive: bool = False,
    ) -> None:
        """Fill a tile, uint8 [height, width, C], from coded bytes; ``naive``: without caches, to test them."""


def refuse(name: str, takes: str, channels: int, depth: int) -> ModelError:
    """The error for a picture that a model does not take."""
    kind = f"{channels} channel{'s' if channels > 1 else ''} of {depth} bit{'s' if depth > 1 else ''}"
    return ModelError(
        f"model {name} takes {takes}, not {kind}",
        remedy="choose another model with -m (see arcomp models)",
    )
