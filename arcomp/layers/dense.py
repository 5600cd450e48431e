"""Dense layers over all positions of a picture of one size, with weights of their own for each: nothing is shared.

Features belong to positions, and to channels within them, in the order of coding. An output sees the samples before its
own, or (``local``) the inputs of its own position, of its own sample and those before. The weights are one matrix,
triangular in blocks, and stored without what is zero in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.frozen import Arrays, FrozenLinear, dequantize_linear, freeze_linear
from arcomp.layers.linear import Linear, rounded
from arcomp.layers.packed import packed, unpacked
from arcomp.layers.quantisation import Quantisation
from arcomp.layers.samples import LARGEST
from arcomp.layers.spatial import ExactLayer, Ints, check_size, outside
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front


@dataclass(frozen=True)
class Dense(Spec):
    """A layer with weights of its own for each position.

    Attributes:
        height, width: of the pictures; smaller ones lie in the upper left corner, with real 0 around them.
        groups: channels. inputs, outputs: features of each.
        source: grid of the inputs.
        local: of the position's own inputs; else it reads the samples.
    """

    height: int
    width: int
    groups: int
    inputs: int
    outputs: int
    source: Quantisation
    grid: Quantisation
    local: bool = False

    @property
    def samples(self) -> bool:  # type: ignore[override]
        """See :class:`Spec`."""
        return not self.local

    @property
    def parameters(self) -> int:
        """See :attr:`Spec.parameters`."""
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
        """See :attr:`Spec.fixed`: all positions have their cache, and their part of a product."""
        return self.height * self.width * self.groups * (2 * self.inputs + 12 * max(self.inputs, self.outputs))

    def total(self, *inputs: int) -> int:
        """See :meth:`Spec.total`."""
        return self.groups * self.outputs

    def free(self) -> npt.NDArray[np.bool_]:
        """Which weights may differ from zero: bool [H W groups outputs, H W groups inputs]."""
        count = self.height * self.width * self.groups
        before = np.tri(count, count, 0 if self.local else -1, dtype=bool)
        if self.local:
            before &= np.kron(np.eye(self.height * self.width, dtype=bool), np.ones((self.groups,) * 2, bool))
        return before.repeat(self.outputs, 0).repeat(self.inputs, 1)

    def float_layer(self) -> MaskedDense:
        """See :meth:`Spec.float_layer`."""
        return MaskedDense(self)

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactDense:
        """See :meth:`Spec.exact_layer`."""
        return ExactDense(self, arrays, device)

    def freeze(self, layer: nn.Module) -> Arrays:
        """See :meth:`Spec.freeze`."""
        assert isinstance(layer, MaskedDense)
        with torch.no_grad():
            layer.linear.weight *= layer.free
        return packed(freeze_linear(layer.linear, self.source.bits, self._zeros(layer)), self.free())

    def dequantize(self, layer: nn.Module, arrays: Mapping[str, Ints]) -> None:
        """See :meth:`Spec.dequantize`."""
        assert isinstance(layer, MaskedDense)
        dequantize_linear(layer.linear, unpacked(arrays, self.weights, self.free), self.source.bits, self._zeros(layer))

    def _zeros(self, layer: MaskedDense) -> npt.NDArray[np.int64]:
        return np.full(layer.linear.in_features, self.source.zero, np.int64)


def placed(x: torch.Tensor, height: int, width: int, zero: int) -> torch.Tensor:
    """[N, h, w, F] in the corner of [N, height, width, F], the rest being zero, as rows [N, height width F]."""
    n, own_height, own_width, _ = x.shape
    workspace = functional.pad(x, (0, 0, 0, width - own_width, 0, height - own_height), value=zero)
    return workspace.reshape(n, -1)


class MaskedDense(nn.Module):
    """The float evaluation."""

    def __init__(self, spec: Dense) -> None:
        super().__init__()
        self.spec = spec
        positions = spec.height * spec.width
        self.linear = Linear(positions * spec.groups * spec.inputs, positions * spec.groups * spec.outputs, spec.grid)
        self.free: torch.Tensor
        self.register_buffer("free", torch.from_numpy(spec.free()))
        with torch.no_grad():  # as if each row had no more inputs than it sees
            seen = self.free.sum(1, keepdim=True).clamp_min(1)
            self.linear.weight *= (self.linear.in_features / seen).sqrt() * self.free
            if spec.samples:
                self.linear.weight /= LARGEST

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """float [N, h, w, groups * inputs] -> [N, h, w, groups * outputs]."""
        spec = self.spec
        weight = self.linear.weight * self.free
        if rounding:
            weight = rounded(weight)
        inside = placed(x, spec.height, spec.width, 0)
        y = spec.grid.carry(functional.linear(inside, weight, self.linear.bias), rounding)
        return y.reshape(len(x), spec.height, spec.width, -1)[:, : x.shape[1], : x.shape[2]]


class ExactDense(ExactLayer):
    """The exact evaluations.

    Raises:
        ModelError: arrays of the wrong shape or beyond the bounds.
    """

    def __init__(self, spec: Dense, arrays: Mapping[str, Ints], device: str = "cpu") -> None:
        self.spec, self.grid, self.arrays = spec, spec.grid, unpacked(arrays, spec.weights, spec.free)
        self.all = FrozenLinear(self.arrays, spec.grid, spec.source.largest, device)
        self.own: dict[int, tuple[slice, FrozenLinear]] = {}

    def parallel(self, batch: Batch, *x: torch.Tensor) -> torch.Tensor:
        """See :meth:`ExactLayer.parallel`."""
        (known,) = x
        spec = self.spec
        check_size(batch, spec.height, spec.width)
        inside = known.masked_fill(outside(batch, known.device), spec.source.zero)
        y = self.all(placed(inside, spec.height, spec.width, spec.source.zero))
        return y.reshape(len(known), spec.height, spec.width, -1)[:, : known.shape[1], : known.shape[2]]

    def start(self, batch: Batch) -> None:
        """See :meth:`ExactLayer.start`."""
        spec = self.spec
        check_size(batch, spec.height, spec.width)
        features = spec.height * spec.width * spec.groups * spec.inputs
        self.cache = np.full((len(batch), features), spec.source.zero, spec.source.dtype)

    def push(self, front: Front, first: int, x: Ints) -> None:
        """See :meth:`ExactLayer.push`."""
        spec = self.spec
        begin = (front.y.astype(np.int64) * spec.width + front.x) * (spec.groups * spec.inputs) + first
        self.cache[front.image[:, None], begin[:, None] + np.arange(x.shape[1])] = x

    def instruction(self, workspace: Workspace, batch: Batch) -> tuple[int, list[int]]:
        """See :meth:`ExactLayer.instruction`."""
        spec = self.spec
        check_size(batch, spec.height, spec.width)
        features = spec.height * spec.width * spec.groups * spec.inputs
        kept = workspace.cache(len(batch) * features, spec.source.zero)
        sizes = [spec.inputs, spec.outputs, spec.groups, spec.width]
        return instructions.DENSE, [*sizes, int(spec.local), kept, *workspace.product(self.all)]

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
            self.own[sample] = seen, FrozenLinear(arrays, spec.grid, spec.source.largest)
        return self.own[sample]

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        """See :meth:`ExactLayer.step`."""
        spec = self.spec
        for known in x:
            self.push(front, group * spec.inputs, known)
        samples = (front.y.astype(np.int64) * spec.width + front.x) * spec.groups + group
        out = np.empty((len(front), spec.outputs), spec.grid.dtype)
        for sample in np.unique(samples).tolist():
            here = samples == sample
            seen, rows = self._rows(sample)
            inputs = np.ascontiguousarray(self.cache[front.image[here], seen])
            out[here] = rows(torch.from_numpy(inputs)).numpy()
        return out
