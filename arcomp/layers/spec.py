"""Layers as descriptions, from which their float and their exact evaluations are made.

A network (:mod:`arcomp.network.definition`) names its layers by such descriptions and says once how they are joined, so
that training, encoding and decoding are three evaluations of one function.

Features of a position come in *groups*, one for each sample (channel) of a pixel, where later samples see earlier ones.
A layer that looks only at positions before has one group, which is known before the first sample is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from arcomp.exact.arrays import Ints
from arcomp.layers.conv import ExactConv, Tap, free_weights
from arcomp.layers.layer import ExactLayer
from arcomp.layers.pointwise import ExactAdd, ExactGate, ExactRequantize
from arcomp.layers.quantisation import UNIT8, Quantisation


class Spec(ABC):
    """A layer.

    Attributes:
        groups: of its outputs.
        quantisation: of its outputs.
        row_level: whether it looks at rows above only, so that a whole row of its outputs is known before the row's
            first sample; it then has one group.
        samples: whether it reads the samples themselves; they are then pushed to it as they become known (``push``).
        scale: of its positions: one for each square of so many pixels' side.
        stride: its outputs are at so many times that scale.
        float_twin: dotted name of its float layer's class, which takes the description; it is imported when training,
            or a float likelihood, asks (:func:`arcomp.layers.float.layer.float_layer`).
        has_weights: whether it has arrays in a file of weights.
    """

    float_twin: ClassVar[str]
    has_weights: ClassVar[bool] = False
    groups: int
    quantisation: Quantisation
    row_level: bool = False
    samples: bool = False
    scale: int = 1
    stride: int = 1

    @property
    def parameters(self) -> int:
        """How many numbers training chooses: weights that may differ from zero, and biases."""
        return 0

    @property
    def cached(self) -> int:
        """Numbers that its cache holds for each position."""
        return 0

    @property
    def working(self) -> int:
        """Bytes for each position that parallel evaluation takes, about; 0 if it is little beside that of others."""
        return 0

    @property
    def fixed(self) -> int:
        """Bytes for each picture, however small, that its evaluations take."""
        return 0

    @abstractmethod
    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactLayer:
        """Its twin in integers.

        Raises:
            ModelError: the arrays are not this layer's.
        """

    def total(self, *inputs: int) -> int:
        """Features of a position's outputs, all groups together, given those of its inputs."""
        return inputs[0]


@dataclass(frozen=True)
class Conv(Spec):
    """A causal convolution; see :mod:`arcomp.layers.conv`.

    Attributes:
        taps: what a position looks at. mask: "A" or "B", over groups at the position itself.
        inputs, outputs: features of each group.
        source: quantisation of the inputs.
        samples: whether it reads the samples themselves.
        init_scale: training begins with weights so many times as large as He et al. 2015 have them ("Delving deep into
            rectifiers", section 2.2); less than 1 where a branch ends in a sum, which grows with each otherwise
            (Zhang et al. 2019, "Fixup initialization", section 2).
        data_dependent_init: training begins with outputs of mean 0 and deviation ``init_scale`` instead, on the first
            data (:func:`arcomp.network.float.network.data_dependent_init`).
        fine: weights have 13 bits, not 7.
    """

    float_twin: ClassVar[str] = "arcomp.layers.float.conv.FloatConv"
    has_weights: ClassVar[bool] = True

    taps: tuple[Tap, ...]
    mask: str
    groups: int
    inputs: int
    outputs: int
    source: Quantisation
    quantisation: Quantisation
    samples: bool = False
    row_level: bool = False
    scale: int = 1
    stride: int = 1
    init_scale: float = 1.0
    data_dependent_init: bool = False
    fine: bool = False

    def total(self, *inputs: int) -> int:
        return self.groups * self.outputs

    @property
    def parameters(self) -> int:
        own = free_weights(self.taps, self.mask, self.groups, self.inputs, self.outputs)
        return own + self.groups * self.outputs

    @property
    def cached(self) -> int:
        return self.groups * self.inputs

    @property
    def working(self) -> int:
        return 12 * self.groups * max(self.inputs, self.outputs)

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactConv:
        return ExactConv(
            arrays, self.taps, self.mask, self.groups, self.inputs, self.outputs,
            source=self.source, quantisation=self.quantisation, device=device, stride=self.stride,
            samples=self.samples, fine=self.fine,
        )  # fmt: skip


def linear(
    groups: int, inputs: int, outputs: int, source: Quantisation, quantisation: Quantisation, *,
    row_level: bool = False, scale: int = 1, init_scale: float = 1.0, data_dependent_init: bool = False,
) -> Conv:  # fmt: skip
    """A linear layer at each position (a convolution of side 1)."""
    return Conv(
        ((0, 0),),
        "B",
        groups,
        inputs,
        outputs,
        source,
        quantisation,
        row_level=row_level,
        scale=scale,
        init_scale=init_scale,
        data_dependent_init=data_dependent_init,
    )


@dataclass(frozen=True)
class Gate(Spec):
    """tanh(a) sigmoid(b) of two inputs quantised as LOGITS."""

    float_twin: ClassVar[str] = "arcomp.layers.float.pointwise.FloatGate"

    groups: int
    quantisation: Quantisation = UNIT8
    row_level: bool = False
    scale: int = 1

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactGate:
        return ExactGate()


@dataclass(frozen=True)
class Requantize(Spec):
    """The same real numbers in another quantisation; a rectifier, if that one starts at 0."""

    float_twin: ClassVar[str] = "arcomp.layers.float.pointwise.FloatSum"

    groups: int
    source: Quantisation
    quantisation: Quantisation
    row_level: bool = False
    scale: int = 1

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactRequantize:
        return ExactRequantize(self.source, self.quantisation)


@dataclass(frozen=True)
class Add(Spec):
    """A sum of inputs."""

    float_twin: ClassVar[str] = "arcomp.layers.float.pointwise.FloatSum"

    groups: int
    sources: tuple[Quantisation, ...]
    quantisation: Quantisation
    row_level: bool = False
    scale: int = 1

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactAdd:
        return ExactAdd(self.sources, self.quantisation)
