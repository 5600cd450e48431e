"""Symbols to features: a linear layer on samples taken as symbols, one of 2**depth each, evaluated by look-up.

Graves 2013, "Generating sequences with recurrent neural networks", section 3 ("one-hot" inputs); Bengio et al. 2003, "A
neural probabilistic language model", section 2 (the table C). Of what a position sees, every sample has a column of
weights for each symbol; a position's features are the sum of the columns of the symbols there, and a bias. Taps, groups
and masks are those of :mod:`arcomp.layers.conv`; what is beyond the picture's edges adds nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from arcomp.errors import ModelError
from arcomp.exact.constants import constant
from arcomp.exact.rescale import Rescale
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.checks import check_linear
from arcomp.layers.conv import Tap, free_weights, margins, tap_mask
from arcomp.layers.frozen import Arrays, dequantize_linear, freeze_linear
from arcomp.layers.linear import Linear, rounded
from arcomp.layers.quantisation import SIGNED8, Quantisation
from arcomp.layers.samples import symbols
from arcomp.layers.spatial import ROWS, ExactLayer, Ints, gather, outside
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front

ONE_BITS = 6
"""A hot input is 2**6, which stands for the real number 1: biases have so many bits more than weights."""
WAVES = (1, 2, 4, 8)
"""Half waves over all levels, of the functions that training begins with."""


@dataclass(frozen=True)
class Embedding(Spec):
    """A layer that reads the samples as symbols.

    Attributes:
        taps, mask, groups: as of a convolution.
        depth: bits of a sample.
        outputs: features of each group.
        levels: symbols are levels, as of brightness: training begins with similar columns for similar ones.
    """

    taps: tuple[Tap, ...]
    mask: str
    groups: int
    depth: int
    outputs: int
    grid: Quantisation
    samples: bool = True
    levels: bool = False

    def free(self) -> npt.NDArray[np.bool_]:
        """Which weights may differ from zero: bool [groups * outputs, taps * groups * 2**depth]."""
        return tap_mask(self.taps, self.mask, self.groups, 1 << self.depth, self.outputs)

    @property
    def parameters(self) -> int:
        """See :attr:`Spec.parameters`."""
        own = free_weights(self.taps, self.mask, self.groups, 1 << self.depth, self.outputs)
        return own + self.groups * self.outputs

    @property
    def cached(self) -> int:
        """See :attr:`Spec.cached`."""
        return self.groups

    @property
    def working(self) -> int:
        """See :attr:`Spec.working`."""
        return 4 * self.groups * self.outputs

    def total(self, *inputs: int) -> int:
        """See :meth:`Spec.total`."""
        return self.groups * self.outputs

    def float_layer(self) -> FloatEmbedding:
        """See :meth:`Spec.float_layer`."""
        return FloatEmbedding(self)

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactEmbedding:
        """See :meth:`Spec.exact_layer`."""
        return ExactEmbedding(self, arrays, device)

    def freeze(self, layer: nn.Module) -> Arrays:
        """See :meth:`Spec.freeze`."""
        assert isinstance(layer, FloatEmbedding)
        with torch.no_grad():
            layer.linear.weight *= layer.free
        return freeze_linear(layer.linear, ONE_BITS, np.zeros(layer.linear.in_features, np.int64))

    def dequantize(self, layer: nn.Module, arrays: Mapping[str, Ints]) -> None:
        """See :meth:`Spec.dequantize`."""
        assert isinstance(layer, FloatEmbedding)
        dequantize_linear(layer.linear, arrays, ONE_BITS, np.zeros(layer.linear.in_features, np.int64))


def _seen(read: torch.Tensor, spec: Embedding) -> torch.Tensor:
    """The symbols that positions see: int64 [N, H, W, groups] -> [N, H, W, taps * groups]; beyond the edges 2**depth,
    which is none."""
    _, height, width, _ = read.shape
    top, left, right = margins(spec.taps)
    workspace = functional.pad(read, (0, 0, left, right, top, 0), value=1 << spec.depth)
    parts = [workspace[:, top + dy : top + dy + height, left + dx : left + dx + width] for dy, dx in spec.taps]
    return torch.cat(parts, 3)


def smooth(rows: int, inputs: int, levels: int) -> torch.Tensor:
    """Random functions of a level of about mean 0 and deviation 1: a line, and waves, the shorter the weaker.

    [rows, inputs, levels].
    """
    level = torch.linspace(-1, 1, levels)
    functions = [math.sqrt(3) * level]
    strengths = [1.0]
    for k in WAVES:
        functions += [math.sqrt(2) * torch.sin(math.pi * k * level), math.sqrt(2) * torch.cos(math.pi * k * level)]
        strengths += [0.5 / math.sqrt(k)] * 2
    strength = torch.tensor(strengths)
    parts = torch.randn(rows, inputs, len(functions)) * strength / strength.norm()
    made: torch.Tensor = parts @ torch.stack(functions)
    return made


class FloatEmbedding(nn.Module):
    """The float evaluation. Weights are one matrix over one-hot inputs, as the exact evaluation uses them."""

    def __init__(self, spec: Embedding) -> None:
        super().__init__()
        self.spec = spec
        seen = len(spec.taps) * spec.groups
        self.linear = Linear(seen << spec.depth, spec.groups * spec.outputs, spec.grid)
        nn.init.normal_(self.linear.weight, std=seen**-0.5)  # of the inputs, so many are 1
        if spec.levels:
            columns = smooth(spec.groups * spec.outputs, seen, 1 << spec.depth) * seen**-0.5
            self.linear.weight.data = columns.flatten(1)
        self.free: torch.Tensor
        self.register_buffer("free", torch.from_numpy(spec.free()))

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """float [N, H, W, groups], samples on the grid SIGNED8 -> [N, H, W, groups * outputs]."""
        spec, (n, height, width, _) = self.spec, x.shape
        weight = self.linear.weight * self.free
        if rounding:
            weight = rounded(weight)
        table = constant(symbols(spec.depth).astype(np.int64), x.device)
        seen = _seen(table[(x / SIGNED8.step).round().long() + 128], spec).reshape(n * height * width, -1)
        # a row for each symbol of each input, and after each input's a row of zeros for none
        rows = functional.pad(weight.t().reshape(seen.shape[1], 1 << spec.depth, -1), (0, 0, 0, 1)).flatten(0, 1)
        if seen.shape[1] == 1:  # outputs are rows
            y = functional.embedding(seen[:, 0], spec.grid.carry(rows + self.linear.bias, rounding))
        else:
            first = torch.arange(seen.shape[1], device=x.device) * ((1 << spec.depth) + 1)
            sums = functional.embedding_bag(seen + first, rows, mode="sum")
            y = spec.grid.carry(sums + self.linear.bias, rounding)
        return y.reshape(n, height, width, -1)


class _Lookup:
    """A linear layer on one-hot inputs.

    Args:
        arrays: as :func:`arcomp.layers.frozen.freeze_linear` gives them. depth: of the symbols. grid: of the outputs.

    Raises:
        ModelError: shapes, types or bounds are not what exactness needs.
    """

    def __init__(self, arrays: Mapping[str, Ints], depth: int, grid: Quantisation, device: str = "cpu") -> None:
        weight, *constants = check_linear(arrays, 1 << ONE_BITS)
        bias, multiplier, shift = (a.astype(np.int64) for a in constants)
        self.rescale = Rescale(bias, multiplier, shift, grid.zero, grid.low, grid.high)
        table = weight.T.reshape(-1, 1 << depth, len(weight)).astype(np.int16) << ONE_BITS
        # int16 [inputs, symbols and none, outputs]
        self.table = torch.from_numpy(np.pad(table, ((0, 0), (0, 1), (0, 0)))).to(device)
        self.ready = self.rescale(self.table[0].to(torch.int32)) if len(self.table) == 1 else None

    def __call__(self, seen: torch.Tensor) -> torch.Tensor:
        """Symbols, int64 [n, inputs] -> int8 or int16 [n, outputs], by the grid."""
        if self.ready is not None:
            return self.ready[seen[:, 0]]
        parts = []
        for part in torch.split(seen, ROWS):
            total = self.table[0][part[:, 0]].to(torch.int32)
            for i in range(1, len(self.table)):
                total += self.table[i][part[:, i]]
            parts.append(self.rescale(total))
        return torch.cat(parts)


class ExactEmbedding(ExactLayer):
    """The exact evaluations.

    Raises:
        ModelError: arrays of the wrong shape or beyond the bounds, or a weight that would break causality.
    """

    def __init__(self, spec: Embedding, arrays: Mapping[str, Ints], device: str = "cpu") -> None:
        seen, weight = len(spec.taps) * spec.groups, arrays.get("weight")
        right = weight is not None and weight.shape == (spec.groups * spec.outputs, seen << spec.depth)
        if weight is None or not right or bool(weight[~spec.free()].any()):  # the mask is as large: not made unseen
            raise ModelError("an embedding's weights do not fit its mask", remedy="install the model's weights again")
        self.spec, self.grid = spec, spec.grid
        self.taps, self.margins = np.array(spec.taps, np.int64), margins(spec.taps)
        self.symbols = torch.from_numpy(symbols(spec.depth)).to(device, torch.int64)
        self.all = _Lookup(arrays, spec.depth, spec.grid, device)
        rows = [slice(g * spec.outputs, (g + 1) * spec.outputs) for g in range(spec.groups)]
        self.group = [_Lookup({k: a[r] for k, a in arrays.items()}, spec.depth, spec.grid) for r in rows]

    def parallel(self, batch: Batch, *x: torch.Tensor) -> torch.Tensor:
        """See :meth:`ExactLayer.parallel`."""
        (levels,) = x
        read = self.symbols[levels.to(torch.int64) + 128]
        read = read.masked_fill(outside(batch, levels.device), 1 << self.spec.depth)
        seen = _seen(read, self.spec).flatten(0, 2)
        return self.all(seen).reshape(*levels.shape[:3], -1)

    def start(self, batch: Batch) -> None:
        """See :meth:`ExactLayer.start`."""
        top, left, right = self.margins
        shape = (len(batch), int(batch.heights.max()) + top, int(batch.widths.max()) + left + right, self.spec.groups)
        self.cache = np.full(shape, 1 << self.spec.depth, np.int16)

    def push(self, front: Front, first: int, x: Ints) -> None:
        """See :meth:`ExactLayer.push`."""
        top, left, _ = self.margins
        read = symbols(self.spec.depth)[x.astype(np.int64) + 128]
        self.cache[front.image, front.y + top, front.x + left, first : first + x.shape[1]] = read

    def instruction(self, workspace: Workspace, batch: Batch) -> tuple[int, list[int]]:
        """See :meth:`ExactLayer.instruction`."""
        spec, (top, left, right) = self.spec, self.margins
        rows, width = min(int(batch.heights.max()), workspace.open_rows) + top, int(batch.widths.max()) + left + right
        levels = 1 << spec.depth
        kept = workspace.cache(len(batch) * rows * width * spec.groups, levels)
        tables = [workspace.table(self.all.table.cpu().numpy()), workspace.table(symbols(spec.depth))]
        layout = [
            spec.groups,
            spec.outputs,
            kept,
            rows,
            width,
            left,
            levels,
            *tables,
            *workspace.rescaled(self.all.rescale),
        ]
        return instructions.EMBEDDING, [*layout, len(self.taps), *self.taps.reshape(-1).tolist()]

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        """See :meth:`ExactLayer.step`."""
        for levels in x:
            self.push(front, group, levels)
        seen = np.empty((len(front), len(self.taps) * self.spec.groups), np.int16)
        gather(self.cache, front.image, front.y, front.x, self.taps, *self.margins[:2], seen)
        return np.asarray(self.group[group](torch.from_numpy(seen.astype(np.int64))).numpy())
