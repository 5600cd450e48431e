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
group, i, f, o and g, quantised as LOGITS. State and outputs are 0 beyond the picture's edges. The exact cell is
:mod:`arcomp.exact.cell`, the float recurrence :mod:`arcomp.layers.float.scan`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from arcomp.errors import ModelError
from arcomp.exact import tables
from arcomp.exact.arrays import CPU, Array, Ints
from arcomp.exact.cell import GATES, cell, step
from arcomp.exact.compiled import kernel
from arcomp.exact.devices import backend_of, on_host
from arcomp.exact.products import all_planes, rescaled
from arcomp.exact.threads import in_parts
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.conv import Tap, margins
from arcomp.layers.frozen import FrozenLinear
from arcomp.layers.layer import ExactLayer, gather, outside
from arcomp.layers.quantisation import LOGITS, UNIT8, Quantisation
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

    float_twin: ClassVar[str] = "arcomp.layers.float.recurrent.FloatLSTM"
    has_weights: ClassVar[bool] = True

    memory: Tap
    kernel: int
    groups: int
    features: int
    quantisation: Quantisation = UNIT8

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
        features = self.groups * self.features
        return GATES * features * (self.kernel * features + 1)

    @property
    def cached(self) -> int:
        return 2 * self.groups * self.features

    @property
    def working(self) -> int:
        return 12 * self.groups * self.features

    def total(self, *inputs: int) -> int:
        return self.groups * self.features

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactLSTM:
        return ExactLSTM(self, arrays, device)


def neighbours(h: Array, kernel: int) -> Array:
    """[N, L, F] -> [N L, kernel F]: at each of L positions the features of those around it, 0 beyond the ends."""
    n, length, features = h.shape
    if kernel > 1:
        arrays, reach = backend_of(h), kernel // 2
        padded = arrays.full((n, length + 2 * reach, features), 0, h)
        padded[:, reach : reach + length] = h
        h = arrays.concat([padded[:, k : k + length] for k in range(kernel)], 2)
    return h.reshape(n * length, kernel * features)


@kernel(allocates=True)
def _recur(given: Any, inside: Any, packed: Any, scale: Any, shape: Any, table: Any, out: Any) -> None:
    """All steps of some lines: int16 [lines, steps, across, groups * 4 * features] -> int8 [lines, steps, across,
    groups * features].

    inside: bool [lines, steps, across], of the pictures. shape: kernel and groups.
    """
    lines, steps, across, features = out.shape
    reach, groups, gates = shape[0] // 2, shape[1], given.shape[3]
    c = np.zeros((lines, across, features), np.int16)
    planes, words, columns = packed.words.shape
    rows = np.empty((8, 4 * words), np.uint8)
    sums, recurrent = np.empty((planes, 8, columns), np.int32), np.empty(gates, np.int16)
    own, share = features // groups, gates // groups
    for t in range(steps):
        for begin in range(0, lines * across, 8):
            count = min(8, lines * across - begin)
            rows[:] = 128
            for r in range(count):
                line, x = (begin + r) // across, (begin + r) % across
                for k in range(shape[0]):
                    if t and 0 <= x + k - reach < across:
                        for f in range(features):
                            rows[r, k * features + f] = np.uint8(np.int64(out[line, t - 1, x + k - reach, f]) + 128)
            all_planes(packed, rows.view(np.int32), sums)
            for r in range(count):
                line, x = (begin + r) // across, (begin + r) % across
                rescaled(packed, scale, sums, r, recurrent)
                for g in range(groups):
                    a, b = g * own, (g + 1) * own
                    step(
                        given[line, t, x, g * share : (g + 1) * share], recurrent[g * share : (g + 1) * share],
                        c[line, x, a:b], table, c[line, x, a:b], out[line, t, x, a:b],
                    )  # fmt: skip
                if not inside[line, t, x]:
                    for f in range(features):
                        out[line, t, x, f] = 0


class ExactLSTM(ExactLayer):
    """The exact evaluations.

    Raises:
        ModelError: arrays of the wrong shape or beyond the bounds.
    """

    def __init__(self, spec: LSTM, arrays: Mapping[str, Ints], device: str = CPU) -> None:
        features, weight = spec.features, arrays.get("weight")
        if weight is None or weight.shape != (spec.groups * GATES * features, spec.kernel * spec.groups * features):
            raise ModelError("a recurrent layer's weights do not fit it", remedy="install the model's weights again")
        self.spec, self.quantisation = spec, spec.quantisation
        self.taps, self.margins = np.array(spec.taps, np.int64), margins(spec.taps)
        self.all_groups = FrozenLinear(arrays, LOGITS, UNIT8.largest, device)
        rows = [slice(g * GATES * features, (g + 1) * GATES * features) for g in range(spec.groups)]
        self.by_group = [FrozenLinear({k: a[r] for k, a in arrays.items()}, LOGITS, UNIT8.largest) for r in rows]

    def parallel(self, batch: Batch, *x: Array) -> Array:
        (given,) = x
        if on_host(given) and self.all_groups.matrix.packed is not None:
            return self._compiled(batch, given)
        spec, axis, arrays = self.spec, self.spec.axis, backend_of(given)
        n, height, width, _ = given.shape
        features = spec.groups * spec.features
        out = arrays.zeros((n, height, width, features), np.int8)
        inside = arrays.constant((~outside(batch)).astype(np.int8))
        across = height if axis == 2 else width
        h = arrays.zeros((n, across, features), np.int8)
        c = arrays.zeros((n * across * spec.groups, spec.features), np.int16)
        for t in range(given.shape[axis]):
            at = (slice(None), slice(None), t) if axis == 2 else (slice(None), t)
            recurrent = self.all_groups(neighbours(h, spec.kernel)).reshape(len(c), -1)
            c, made = cell(given[at].reshape(len(c), -1), recurrent, c)
            h = made.reshape(h.shape) * inside[at]
            out[at] = h
        return out

    def _compiled(self, batch: Batch, given: Ints) -> Ints:
        """All steps in one kernel, pictures (of layers along the row: rows) shared out among threads."""
        spec, (n, height, width, _) = self.spec, given.shape
        lines = n * height if spec.memory == ALONG else n
        steps, across = (width, 1) if spec.memory == ALONG else (height, width)
        own = np.ascontiguousarray(given).reshape(lines, steps, across, -1)
        inside = np.ascontiguousarray(~outside(batch)).reshape(lines, steps, across)
        out: Ints = np.zeros((lines, steps, across, spec.groups * spec.features), np.int8)
        packed, scale = self.all_groups.matrix.packed, self.all_groups.rescale.scale
        shape, table = np.array([spec.kernel, spec.groups], np.int64), tables.fine_logistic()

        def work(first: int, end: int) -> None:
            _recur(own[first:end], inside[first:end], packed, scale, shape, table, out[first:end])

        in_parts(lines, 4, work)
        return out.reshape(n, height, width, -1)

    def start(self, batch: Batch) -> None:
        top, left, right = self.margins
        height, width = int(batch.heights.max()) + top, int(batch.widths.max()) + left + right
        shape = (len(batch), height, width, self.spec.groups * self.spec.features)
        self.h, self.c = np.zeros(shape, np.int8), np.zeros(shape, np.int16)

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        spec = self.spec
        features, (dy, dx) = spec.groups * spec.features, spec.memory
        outputs, states = (workspace.rows(batch, self.margins, features, spec.groups) for _ in range(2))
        workspace.reserve(features=GATES * spec.features)
        return instructions.Recurrent(
            outputs, states, dy, dx, first=dx - len(self.taps) // 2, features=spec.features,
            product=self.all_groups.product(workspace),
        )  # fmt: skip

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        (given,) = x
        features, (dy, dx), (top, left, _) = self.spec.features, self.spec.memory, self.margins
        own = slice(group * features, (group + 1) * features)
        seen = np.empty((len(front), len(self.taps) * self.h.shape[3]), np.int8)
        gather(self.h, front.image, front.y, front.x, self.taps, top, left, seen)
        at = front.image, front.y + top, front.x + left
        before = self.c[front.image, at[1] + dy, at[2] + dx, own]
        recurrent = self.by_group[group](seen)
        c, h = cell(given, recurrent, before)
        self.c[(*at, own)], self.h[(*at, own)] = c, h
        return np.asarray(h)
