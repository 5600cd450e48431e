"""Dense layers over all positions of a picture of one size, with weights of their own for each: nothing is shared.

Features belong to positions, and to channels within them, in the order of coding. An output sees the samples before its
own, or (``local``) the inputs of its own position, of its own sample and those before. The weights are one matrix,
triangular in blocks, and stored without what is zero in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.exact.arrays import CPU, Array, Ints
from arcomp.exact.devices import backend_of
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.frozen import FrozenLinear
from arcomp.layers.layer import ExactLayer, check_size, filled_outside
from arcomp.layers.packed import unpacked
from arcomp.layers.quantisation import Quantisation
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front


@dataclass(frozen=True)
class Dense(Spec):
    """A layer with weights of its own for each position.

    Attributes:
        height, width: of the pictures; smaller ones lie in the upper left corner, with real 0 around them.
        groups: channels. inputs, outputs: features of each.
        source: quantisation of the inputs.
        local: of the position's own inputs; else it reads the samples.
    """

    float_twin: ClassVar[str] = "arcomp.layers.float.dense.FloatDense"
    has_weights: ClassVar[bool] = True

    height: int
    width: int
    groups: int
    inputs: int
    outputs: int
    source: Quantisation
    quantisation: Quantisation
    local: bool = False

    @property
    def samples(self) -> bool:  # type: ignore[override]
        return not self.local

    @property
    def parameters(self) -> int:
        return self.weights + self.height * self.width * self.groups * self.outputs

    @property
    def weights(self) -> int:
        """How many may differ from zero."""
        positions = self.height * self.width
        count = positions * self.groups
        pairs = positions * self.groups * (self.groups + 1) // 2 if self.local else count * (count - 1) // 2
        return pairs * self.inputs * self.outputs

    @property
    def fixed(self) -> int:
        """All positions have their cache, and their part of a product."""
        return self.height * self.width * self.groups * (2 * self.inputs + 12 * max(self.inputs, self.outputs))

    def total(self, *inputs: int) -> int:
        return self.groups * self.outputs

    def free(self) -> npt.NDArray[np.bool_]:
        """Which weights may differ from zero: bool [H W groups outputs, H W groups inputs]."""
        count = self.height * self.width * self.groups
        before = np.tri(count, count, 0 if self.local else -1, dtype=bool)
        if self.local:
            before &= np.kron(np.eye(self.height * self.width, dtype=bool), np.ones((self.groups,) * 2, bool))
        return before.repeat(self.outputs, 0).repeat(self.inputs, 1)

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactDense:
        return ExactDense(self, arrays, device)


def placed(x: Array, height: int, width: int, zero: int) -> Array:
    """[N, h, w, F] in the corner of [N, height, width, F], the rest being zero, as rows [N, height width F]."""
    n, own_height, own_width, features = x.shape
    padded = backend_of(x).full((n, height, width, features), zero, x)
    padded[:, :own_height, :own_width] = x
    return padded.reshape(n, -1)


class ExactDense(ExactLayer):
    """The exact evaluations.

    Raises:
        ModelError: arrays of the wrong shape or beyond the bounds.
    """

    def __init__(self, spec: Dense, arrays: Mapping[str, Ints], device: str = CPU) -> None:
        self.spec, self.quantisation, self.arrays = spec, spec.quantisation, unpacked(arrays, spec.weights, spec.free)
        self.all_groups = FrozenLinear(self.arrays, spec.quantisation, spec.source.largest, device)
        self.own: dict[int, tuple[slice, FrozenLinear]] = {}

    def parallel(self, batch: Batch, *x: Array) -> Array:
        (known,) = x
        spec = self.spec
        check_size(batch, spec.height, spec.width)
        inside = filled_outside(known, batch, spec.source.zero)
        y = self.all_groups(placed(inside, spec.height, spec.width, spec.source.zero))
        return y.reshape(len(known), spec.height, spec.width, -1)[:, : known.shape[1], : known.shape[2]]

    def start(self, batch: Batch) -> None:
        spec = self.spec
        check_size(batch, spec.height, spec.width)
        features = spec.height * spec.width * spec.groups * spec.inputs
        self.cache = np.full((len(batch), features), spec.source.zero, spec.source.dtype)

    def push(self, front: Front, first: int, x: Ints) -> None:
        spec = self.spec
        begin = (front.y.astype(np.int64) * spec.width + front.x) * (spec.groups * spec.inputs) + first
        self.cache[front.image[:, None], begin[:, None] + np.arange(x.shape[1])] = x

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        spec = self.spec
        check_size(batch, spec.height, spec.width)
        column = spec.groups * spec.inputs
        row = spec.width * column
        begin = workspace.cache(len(batch) * spec.height * row, spec.source.zero)
        return instructions.Dense(
            instructions.Cache(begin, spec.height * row, spec.height, row, column, spec.inputs),
            local=int(spec.local),
            groups=spec.groups,
            inputs=spec.inputs,
            outputs=spec.outputs,
            width=spec.width,
            product=self.all_groups.product(workspace),
        )

    def _rows(self, sample: int) -> tuple[slice, FrozenLinear]:
        """What of the inputs a sample's outputs may see, and its rows of the layer on those."""
        if sample not in self.own:
            spec = self.spec
            end = max(1, sample + int(spec.local)) * spec.inputs
            begin = sample // spec.groups * spec.groups * spec.inputs if spec.local else 0
            rows = slice(sample * spec.outputs, (sample + 1) * spec.outputs)
            arrays = {key: a[rows] for key, a in self.arrays.items()}
            seen = slice(begin, max(begin + 1, end))
            arrays["weight"] = np.ascontiguousarray(arrays["weight"][:, seen])
            self.own[sample] = seen, FrozenLinear(arrays, spec.quantisation, spec.source.largest)
        return self.own[sample]

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        spec = self.spec
        for known in x:
            self.push(front, group * spec.inputs, known)
        samples = (front.y.astype(np.int64) * spec.width + front.x) * spec.groups + group
        out = np.empty((len(front), spec.outputs), spec.quantisation.dtype)
        for sample in np.unique(samples).tolist():
            here = samples == sample
            seen, rows = self._rows(sample)
            inputs = np.ascontiguousarray(self.cache[front.image[here], seen])
            out[here] = rows(inputs)
        return out
