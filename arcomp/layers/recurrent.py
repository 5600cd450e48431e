"""LSTM layers: a state that goes along the row, position after position, or down, row after row.

=========  =====================================================  ==================================================
memory     paper                                                  state-to-state product
=========  =====================================================  ==================================================
(0, -1)    Hochreiter and Schmidhuber 1997, "Long short-term      with h of the position before (``kernel`` 1)
\\          memory"; Graves 2013, "Generating sequences with
\\          recurrent neural networks", equations 7 to 11
(-1, 0)    Row LSTM: van den Oord et al. 2016, "Pixel recurrent   a convolution over ``kernel`` positions of h in the
\\          neural networks", section 3.1 and equation 3           row above, all channels of them
=========  =====================================================  ==================================================

What inputs give to the gates is another layer's output (a convolution's, or an embedding's): 4 x features of each
group, i, f, o and g, on the grid LOGITS. State and outputs are 0 beyond the picture's edges. The exact cell is
:mod:`arcomp.exact.cell`, the float recurrence :mod:`arcomp.layers.scan`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from arcomp.errors import ModelError
from arcomp.exact.cell import GATES, cell
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.conv import Tap, margins
from arcomp.layers.frozen import Arrays, FrozenLinear, dequantize_linear, freeze_linear
from arcomp.layers.linear import Linear, rounded
from arcomp.layers.quantisation import LOGITS, UNIT8, Quantisation
from arcomp.layers.scan import neighbours, scan
from arcomp.layers.spatial import ExactLayer, Ints, gather, outside
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front

ALONG, DOWN = (0, -1), (-1, 0)
"""Where a position's state comes from."""


@dataclass(frozen=True)
class LSTM(Spec):
    """A recurrent layer.

    Attributes:
        memory: ALONG or DOWN. kernel: positions of the row above that the gates see, odd; 1 if ALONG.
        groups: channels. features: outputs of each.
    """

    memory: Tap
    kernel: int
    groups: int
    features: int
    grid: Quantisation = UNIT8

    def __post_init__(self) -> None:
        if self.memory not in (ALONG, DOWN) or self.kernel % 2 == 0 or (self.memory == ALONG and self.kernel > 1):
            raise ValueError(f"an LSTM with its memory at {self.memory} and a kernel of {self.kernel}")

    @property
    def taps(self) -> tuple[Tap, ...]:
        """Where the outputs are that the gates see."""
        reach = self.kernel // 2
        return tuple((self.memory[0], self.memory[1] + dx) for dx in range(-reach, reach + 1))

    @property
    def axis(self) -> int:
        """Of [N, H, W, features]: the one that steps go along."""
        return 2 if self.memory == ALONG else 1

    @property
    def parameters(self) -> int:
        """See :attr:`Spec.parameters`."""
        features = self.groups * self.features
        return GATES * features * (self.kernel * features + 1)

    @property
    def cached(self) -> int:
        """See :attr:`Spec.cached`."""
        return 2 * self.groups * self.features

    @property
    def working(self) -> int:
        """See :attr:`Spec.working`."""
        return 12 * self.groups * self.features

    def total(self, *inputs: int) -> int:
        """See :meth:`Spec.total`."""
        return self.groups * self.features

    def float_layer(self) -> FloatLSTM:
        """See :meth:`Spec.float_layer`."""
        return FloatLSTM(self)

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactLSTM:
        """See :meth:`Spec.exact_layer`."""
        return ExactLSTM(self, arrays, device)

    def freeze(self, layer: nn.Module) -> Arrays:
        """See :meth:`Spec.freeze`."""
        assert isinstance(layer, FloatLSTM)
        return freeze_linear(layer.linear, UNIT8.bits, np.zeros(layer.linear.in_features, np.int64))

    def dequantize(self, layer: nn.Module, arrays: Mapping[str, Ints]) -> None:
        """See :meth:`Spec.dequantize`."""
        assert isinstance(layer, FloatLSTM)
        dequantize_linear(layer.linear, arrays, UNIT8.bits, np.zeros(layer.linear.in_features, np.int64))


class FloatLSTM(nn.Module):
    """The float evaluation."""

    def __init__(self, spec: LSTM) -> None:
        super().__init__()
        self.spec = spec
        gates = (spec.groups, GATES, spec.features)
        self.linear = Linear(spec.kernel * spec.groups * spec.features, spec.groups * GATES * spec.features, LOGITS)
        nn.init.xavier_uniform_(self.linear.weight)
        with torch.no_grad():  # it remembers at first (Jozefowicz et al. 2015, section 5)
            self.linear.bias.view(gates)[:, 1] = 1

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """float [N, H, W, groups * 4 * features] -> [N, H, W, groups * features]."""
        spec = self.spec
        weight = rounded(self.linear.weight) if rounding else self.linear.weight
        with torch.autocast(x.device.type, enabled=False):  # errors would add up from step to step
            return scan(x.float(), weight, self.linear.bias, spec.features, spec.kernel, spec.axis, rounding)


class ExactLSTM(ExactLayer):
    """The exact evaluations.

    Raises:
        ModelError: arrays of the wrong shape or beyond the bounds.
    """

    def __init__(self, spec: LSTM, arrays: Mapping[str, Ints], device: str = "cpu") -> None:
        features, weight = spec.features, arrays.get("weight")
        if weight is None or weight.shape != (spec.groups * GATES * features, spec.kernel * spec.groups * features):
            raise ModelError("a recurrent layer's weights do not fit it", remedy="install the model's weights again")
        self.spec, self.grid = spec, spec.grid
        self.taps, self.margins = np.array(spec.taps, np.int64), margins(spec.taps)
        self.all = FrozenLinear(arrays, LOGITS, UNIT8.largest, device)
        rows = [slice(g * GATES * features, (g + 1) * GATES * features) for g in range(spec.groups)]
        self.group = [FrozenLinear({k: a[r] for k, a in arrays.items()}, LOGITS, UNIT8.largest) for r in rows]

    def parallel(self, batch: Batch, *x: torch.Tensor) -> torch.Tensor:
        """See :meth:`ExactLayer.parallel`."""
        (given,) = x
        spec, axis = self.spec, self.spec.axis
        n, height, width, _ = given.shape
        out = torch.empty((n, height, width, spec.groups * spec.features), dtype=torch.int8, device=given.device)
        beyond = outside(batch, given.device)
        h = torch.zeros_like(out.select(axis, 0))
        c = torch.zeros((h.numel() // spec.features, spec.features), dtype=torch.int16, device=given.device)
        for t in range(given.shape[axis]):
            recurrent = self.all(neighbours(h, spec.kernel)).reshape(len(c), -1)
            c, made = cell(given.select(axis, t).reshape(len(c), -1), recurrent, c)
            h = made.reshape(h.shape).masked_fill_(beyond.select(axis, t), 0)
            out.select(axis, t).copy_(h)
        return out

    def start(self, batch: Batch) -> None:
        """See :meth:`ExactLayer.start`."""
        top, left, right = self.margins
        height, width = int(batch.heights.max()) + top, int(batch.widths.max()) + left + right
        shape = (len(batch), height, width, self.spec.groups * self.spec.features)
        self.h, self.c = np.zeros(shape, np.int8), np.zeros(shape, np.int16)

    def instruction(self, workspace: Workspace, batch: Batch) -> tuple[int, list[int]]:
        """See :meth:`ExactLayer.instruction`."""
        spec, (top, left, right) = self.spec, self.margins
        rows, width = min(int(batch.heights.max()), workspace.open_rows) + top, int(batch.widths.max()) + left + right
        features = spec.groups * spec.features
        outputs, states = (workspace.cache(len(batch) * rows * width * features, 0) for _ in range(2))
        product = workspace.product(self.all)
        workspace.reserve(product[0] + GATES * spec.features)
        layout = [spec.features, features, len(self.taps), *spec.memory, outputs, states, rows, width, left]
        return instructions.LSTM, [*layout, *product]

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        """See :meth:`ExactLayer.step`."""
        (given,) = x
        features, (dy, dx), (top, left, _) = self.spec.features, self.spec.memory, self.margins
        own = slice(group * features, (group + 1) * features)
        seen = np.empty((len(front), len(self.taps) * self.h.shape[3]), np.int8)
        gather(self.h, front.image, front.y, front.x, self.taps, top, left, seen)
        at = front.image, front.y + top, front.x + left
        before = self.c[front.image, at[1] + dy, at[2] + dx, own]
        recurrent = self.group[group](torch.from_numpy(seen))
        c, h = cell(torch.from_numpy(given), recurrent, torch.from_numpy(before))
        self.c[(*at, own)], self.h[(*at, own)] = c.numpy(), h.numpy()
        return np.asarray(h.numpy())
