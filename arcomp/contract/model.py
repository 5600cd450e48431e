"""The one interface of a model: what the codec, the measures, sampling and the doctor ask of it.

Three kinds of models implement it once each: those that give distributions, which one coder then codes with
(:mod:`arcomp.contract.distributions`), those that learn from each decision while they code
(:mod:`arcomp.contract.learning`), and those of JPEG coefficients (:mod:`arcomp.contract.coefficients`), which refuse
pictures. The code outside never asks which kind a model is. It asks what the model declares of itself: what it takes
(:meth:`Model.check`, `takes_bytes`, `takes_coefficients`), whether it learns, whether its tiles have streams of their
own, and whether it is best given many pictures at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.coefficients import Coefficients
from arcomp.coefficients import Shape as CoefficientsShape
from arcomp.contract.tiling import Tiling
from arcomp.contract.trainer import Trainer
from arcomp.contract.weights_file import Weights
from arcomp.errors import ModelError
from arcomp.limits import USUAL_LIMITS, Limits
from arcomp.orders import Batch
from arcomp.samples import Pixels

Padded = npt.NDArray[Any]
"""A padded batch, uint8 or uint16 [N, H, W, C]: tiles of several sizes; those smaller than the largest lie in the upper
left corner. Channels are in coding order, except where a function says that they are as stored."""
Watch = Callable[[str, npt.NDArray[Any]], None]
"""Callback that is given every layer's name and output (integers), for digests."""
Progress = Callable[[float], None]
"""Callback that is given the part done, 0 to 1."""


@dataclass(frozen=True)
class BatchSpec:
    """What a padded batch holds: pictures (or tiles) of one number of channels and one depth.

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
    view: Padded | None = None

    def part(self, pictures: slice) -> BatchSpec:
        """Some consecutive pictures."""
        batch = self.batch.part(pictures)
        view = None if self.view is None else self.view[pictures, : batch.heights.max(), : batch.widths.max()]
        return replace(self, batch=batch, view=view)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples: uint8 or uint16."""
        return np.dtype(np.uint8 if self.depth <= 8 else np.uint16)


@dataclass(frozen=True)
class Execution:
    """How a model is evaluated. What is coded does not depend on it.

    Attributes:
        device: "cpu" or "cuda": where known pictures are evaluated. Decoding from caches is always done on the CPU.
        threads: how many tiles a model that learns codes at a time; None: one for each processor.
        naive: decode without caches, by a parallel evaluation for every front (slow; a test of the caches).
        progress: callback that is given the part done, 0 to 1, now and then.
        limits: what decoding may take.
    """

    device: str = "cpu"
    threads: int | None = None
    naive: bool = False
    progress: Progress = lambda part: None
    limits: Limits = USUAL_LIMITS


USUAL = Execution()
"""On the processor, by as many threads as it has."""


@dataclass(frozen=True)
class Payload:
    """The result of encoding, and the input of decoding.

    Attributes:
        streams: the coded bytes: a stream for each tile, or one (see :attr:`Model.tile_streams`).
        side: the model's side information: what it must know before it can decode.
        binary_samples: whether samples of 1 bit are coded as binary decisions (:mod:`arcomp.coding.decided`) rather
            than as digits. False for models that learn, which always code binary decisions.
        nll_bits: bits of the samples under the model, and of the side information; 0 when decoding.
        network_bits: for a model that learns while it codes, bits under its network alone; compare with nll_bits. None
            for other models.
    """

    streams: tuple[bytes | memoryview, ...]
    side: bytes | memoryview = b""
    binary_samples: bool = False
    nll_bits: float = 0.0
    network_bits: float | None = None


@dataclass(frozen=True)
class CoefficientPayload:
    """Coded coefficients.

    Attributes:
        streams: a strip each, from the top down.
        nll_bits: bits of the coefficients under the model as it learnt.
    """

    streams: tuple[bytes, ...]
    nll_bits: float


@dataclass(frozen=True, eq=False)
class Bits:
    """What pictures cost under a model.

    Attributes:
        samples: bits of each sample, float32 [N, H, W, C], channels as stored. For a model that learns while it codes,
            each sample's cost is under the state just before it is coded. The cost of a view is shared out equally
            among the samples of a position.
        side: bits of the side information (the histogram's counts).
        network: for a model that learns, bits of all samples under its network alone; None for other models.
    """

    samples: npt.NDArray[np.float32]
    side: int = 0
    network: float | None = None

    @property
    def total(self) -> float:
        """Bits of everything: :attr:`Payload.nll_bits` of the same pictures, but for rounding to float32."""
        return float(self.samples.sum(dtype=np.float64)) + self.side


class Model(ABC):
    """A frozen model, made from its weights. Raises ModelError for another model's weights.

    Attributes:
        name: the name that files store.
        weightless: whether it needs no weights file.
        preset: the default preset, as "balanced": the name `photo` means `photo-balanced`. Empty if the weights carry
            the model's own name.
        for_jpegs: name of the model that codes the coefficients of JPEGs where this one was asked for, which takes
            pictures, in the same preset; empty if there is none.
        learns: whether it learns from each decision while it codes. Then ways to code pictures are compared by coding
            samples of them (:mod:`arcomp.planning`), drawings may be handed to another model, and comparisons have a
            footnote: float NLL, and bits under the network alone, leave out what such a model learns.
        tile_streams: whether each tile has a stream of its own, which is decoded without the others.
        batches: whether pictures of one size are best evaluated together. Costs are independent of the batch.
        digest: 32 bytes, digest of its frozen weights.
        parameters: how many numbers training chose: weights that may differ from zero, and biases.
        weights: what it was made of, unless it is weightless.
        answers: digests of what its layers and its coder make of a fixed picture (:mod:`arcomp.contract.fixed_input`),
            as they were when it was frozen; empty if nobody kept them.
    """

    answers: Mapping[str, str] = MappingProxyType({})
    name: ClassVar[str]
    weightless: ClassVar[bool] = False
    preset: ClassVar[str] = ""
    for_jpegs: ClassVar[str] = ""
    learns: ClassVar[bool]
    tile_streams: ClassVar[bool] = False
    batches: ClassVar[bool]
    digest: bytes
    parameters: int
    weights: Weights

    @abstractmethod
    def __init__(self, weights: Weights) -> None: ...

    @classmethod
    def trainer(cls) -> Trainer | None:
        """How it is trained; None if there is nothing to train."""
        return None

    @abstractmethod
    def check(self, channels: int, depth: int) -> None:
        """Refuse pictures that the model does not take.

        Raises:
            ModelError: it does not take that many channels, or that depth.
        """

    @property
    def takes_bytes(self) -> bool:
        """Whether it is a model of sequences of bytes, which can code any file."""
        return False

    @property
    def takes_coefficients(self) -> bool:
        """Whether it codes the coefficients of JPEGs; such a model takes no pictures."""
        return False

    def tile(self, height: int, width: int, channels: int, depth: int) -> tuple[int, int]:
        """(height, width) of the tiles that a picture of this size is best cut into; (0, 0): do not cut it."""
        return 0, 0

    def coding_order(self, channels: int) -> tuple[int, ...]:
        """The picture's channels in the order they are coded; the model sees them in this order only."""
        return tuple(range(channels))

    def memory(self, spec: BatchSpec, threads: int | None = None) -> int:
        """Bytes of memory that coding a batch takes besides its samples. Hostile headers are refused by it.

        Args:
            threads: see :class:`Execution`.
        """
        return 0

    def seconds(self, pixels: int) -> float:
        """Seconds of a processor that so many pixels take at least, about, as of pictures that cost next to no bytes.
        Hostile headers are refused by it; 0 if it is not known."""
        return 0.0

    @abstractmethod
    def encode(self, pixels: Pixels, tiling: Tiling, spec: BatchSpec, how: Execution) -> Payload:
        """Code pictures.

        Args:
            pixels: [N, H, W, C], channels as stored.
            tiling: how they are cut. spec: what the tiles are.
        """

    def known_streams(
        self, pixels: Pixels, tiling: Tiling, spec: BatchSpec, how: Execution
    ) -> tuple[bytes | memoryview, ...]:
        """The streams that pictures are coded to; of a model that takes none, those of what it makes of them."""
        return self.encode(pixels, tiling, spec, how).streams

    @abstractmethod
    def decode(self, payload: Payload, tiling: Tiling, spec: BatchSpec, how: Execution) -> Pixels:
        """The pictures that were encoded to a payload.

        Raises:
            FormatError, ModelError: the payload, or its side information, is damaged.
        """

    def encode_coefficients(self, coefficients: Coefficients, how: Execution = USUAL) -> CoefficientPayload:
        """Code the coefficients of a JPEG.

        Raises:
            ModelError: it takes none.
        """
        raise ModelError(f"model {self.name} takes no coefficients of JPEG files", remedy="choose a model that does")

    def decode_coefficients(
        self, shape: CoefficientsShape, streams: Sequence[bytes | memoryview | None], how: Execution = USUAL
    ) -> Coefficients:
        """The coefficients that were encoded to streams; some, if the streams are others; zeros where one is None.

        Raises:
            FormatError: the streams end too soon, or are not as many as the shape's strips.
            ModelError: it takes no coefficients.
        """
        raise ModelError(f"model {self.name} takes no coefficients of JPEG files", remedy="choose a model that does")

    def coefficient_memory(self, shape: CoefficientsShape, threads: int | None = None) -> int:
        """Bytes of memory that coding takes besides the coefficients (2 bytes each).

        Args:
            threads: see :class:`Execution`.
        """
        return 0

    @abstractmethod
    def bits(self, pixels: Pixels, tiling: Tiling, spec: BatchSpec, how: Execution) -> Bits:
        """What each sample costs when :meth:`encode` codes it, without coding; the arguments are the same."""

    @abstractmethod
    def check_sampling(self, temperature: float, kept: int) -> None:
        """Refuse to sample in a way that the model cannot.

        Args:
            temperature, kept: see :meth:`sample`.

        Raises:
            ModelError: it cannot draw at that temperature, or cannot complete pictures.
        """

    @abstractmethod
    def sample(
        self,
        pixels: Pixels,
        spec: BatchSpec,
        rng: np.random.Generator,
        temperature: float = 1.0,
        kept: int = 0,
        progress: Progress = lambda part: None,
    ) -> None:
        """Fill pictures [N, H, W, C] with draws from the model, all side by side.

        Args:
            spec: of the untiled pictures.
            rng: what is drawn depends on it and on the other arguments alone.
            temperature: see :func:`arcomp.coding.sample`.
            kept: positions of each picture, row by row, that stay as they are.

        Raises:
            ModelError: there is nothing to draw from.
        """

    @abstractmethod
    def watch(self, pixels: Pixels, tiling: Tiling, spec: BatchSpec, callback: Watch, device: str = "cpu") -> None:
        """Evaluate pictures, and give a callback every layer's outputs; then the distributions' masses, as "masses.c"
        for channel c, or, for a model that learns, the coded bytes, as "stream"."""

    def dequantized(self, channels: int, depth: int) -> Any:
        """The float network that the integers for a kind of pictures stand for, to measure and to train on.

        Raises:
            NotImplementedError: there is none, or one of its layers cannot be made so.
            ArcompError: torch is not installed.
        """
        raise NotImplementedError(f"model {self.name} has no network in float")

    def float_bits(self, pixels: Pixels, depth: int, device: str = "cpu") -> float | None:
        """Bits of pictures, side information included, under the float evaluation. Its weights are the real numbers
        that the frozen integers stand for, and nothing is rounded between them and the probabilities. For a model that
        learns while it codes: bits under its network alone.

        Args:
            pixels: uint8 or uint16 [n, H, W, C], pictures (or tiles) of one size, channels as stored.
            depth: bits of a sample.
            device: where it runs.

        Returns:
            None if the model has no such evaluation.
        """
        return None


def check_kind(name: str, networks: Container[int], channels: int, depth: int) -> None:
    """For models with a network of 8 bits for gray, for RGB, or for each.

    Raises:
        ModelError: there is none for pictures of that kind.
    """
    if channels not in networks or depth != 8:
        raise refuse(name, "8-bit gray and RGB", channels, depth)


def surplus_side() -> ModelError:
    """The error to raise for side information that a model does not take."""
    return ModelError("the file has side information, and its model takes none", remedy="get a fresh copy of the file")


def refuse(name: str, takes: str, channels: int, depth: int) -> ModelError:
    """The error to raise for a picture that a model does not take."""
    found = f"{channels} channel{'s' if channels > 1 else ''} of {depth} bit{'s' if depth > 1 else ''}"
    return ModelError(
        f"model {name} takes {takes}, not {found}",
        remedy="choose another model (`arcomp models` lists them)",
    )
