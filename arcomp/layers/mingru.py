"""minGRU layers: a state that goes along the row, position after position, or down, row after row.

Feng et al. 2024, "Were RNNs all we needed?", section 3.1: a gated recurrent unit whose gate and candidate do not depend
on the state before,

    z = sigmoid(linear(x)),    c = linear(x),    h = (1 - z) h' + z c

so that the recurrence is linear in the state, and training computes all steps at once by a scan
(:mod:`arcomp.layers.float.mingru`).

Both linear functions are another layer's outputs: for each group z and c, ``features`` each, quantised as LOGITS. State
and outputs are 0 beyond the picture's edges. The exact cell is :mod:`arcomp.exact.gru_cell`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from arcomp.exact import tables
from arcomp.exact.arrays import Array, Ints
from arcomp.exact.compiled import kernel
from arcomp.exact.devices import backend_of, on_host
from arcomp.exact.gru_cell import PARTS, by_formula, next_state, shown
from arcomp.exact.threads import in_parts
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.conv import Tap, margins
from arcomp.layers.layer import ExactLayer, filled_outside
from arcomp.layers.quantisation import SIGNED8, Quantisation
from arcomp.layers.recurrent import ALONG, DOWN
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front


@dataclass(frozen=True)
class MinGRU(Spec):
    """A recurrent layer without weights of its own.

    Attributes:
        memory: ALONG or DOWN. groups: channels. features: outputs of each.
    """

    float_twin: ClassVar[str] = "arcomp.layers.float.mingru.FloatMinGRU"

    memory: Tap
    groups: int
    features: int
    quantisation: Quantisation = SIGNED8

    def __post_init__(self) -> None:
        if self.memory not in (ALONG, DOWN):
            raise ValueError(f"a minGRU with its memory at {self.memory}")

    @property
    def axis(self) -> int:
        """Of [N, H, W, features]: the one that steps go along."""
        return 2 if self.memory == ALONG else 1

    @property
    def cached(self) -> int:
        return self.groups * self.features

    @property
    def working(self) -> int:
        return 8 * self.groups * self.features

    def total(self, *inputs: int) -> int:
        return self.groups * self.features

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactMinGRU:
        return ExactMinGRU(self)


@kernel(allocates=True)
def _recur(given: Any, groups: int, table: Any, out: Any) -> None:
    """All steps of some lines: int16 [lines, steps, across, groups * 2 * features] -> int8 [lines, steps, across,
    groups * features]."""
    lines, steps, across, total = out.shape
    features = total // groups
    state = np.empty((across, total), np.int16)
    for line in range(lines):
        state[:] = 0
        for t in range(steps):
            for x in range(across):
                for g in range(groups):
                    for f in range(features):
                        z = given[line, t, x, PARTS * g * features + f]
                        candidate = given[line, t, x, (PARTS * g + 1) * features + f]
                        own = g * features + f
                        state[x, own] = next_state(np.int32(z), np.int32(candidate), np.int32(state[x, own]), table)
                        out[line, t, x, own] = shown(np.int32(state[x, own]))


class ExactMinGRU(ExactLayer):
    """The exact evaluations."""

    def __init__(self, spec: MinGRU) -> None:
        self.spec, self.quantisation, self.margins = spec, spec.quantisation, margins((spec.memory,))

    def parallel(self, batch: Batch, *x: Array) -> Array:
        (given,) = x
        made = self._compiled(given) if on_host(given) else self._by_formula(given)
        return filled_outside(made, batch, self.quantisation.zero)

    def _compiled(self, given: Ints) -> Ints:
        """All steps in one kernel, pictures (of layers along the row: rows) shared out among threads."""
        spec, (n, height, width, _) = self.spec, given.shape
        shape = (n * height, width, 1) if spec.memory == ALONG else (n, height, width)
        own = np.ascontiguousarray(given).reshape(*shape, -1)
        out: Ints = np.empty((*shape, spec.groups * spec.features), np.int8)
        table = tables.fine_logistic()
        in_parts(shape[0], 4, lambda first, end: _recur(own[first:end], spec.groups, table, out[first:end]))
        return out.reshape(n, height, width, -1)

    def _by_formula(self, given: Array) -> Array:
        spec, arrays, (n, height, width, _) = self.spec, backend_of(given), given.shape
        parts = given.reshape(n, height, width, spec.groups, PARTS, spec.features)
        out = arrays.zeros((n, height, width, spec.groups, spec.features), np.int8)
        across = height if spec.memory == ALONG else width
        state = arrays.zeros((n, across, spec.groups, spec.features), np.int16)
        for t in range(given.shape[spec.axis]):
            at = (slice(None), slice(None), t) if spec.memory == ALONG else (slice(None), t)
            state, out[at] = by_formula(parts[at], state)
        return out.reshape(n, height, width, -1)

    def start(self, batch: Batch) -> None:
        top, left, right = self.margins
        height, width = int(batch.heights.max()) + top, int(batch.widths.max()) + left + right
        self.states = np.zeros((len(batch), height, width, self.spec.groups, self.spec.features), np.int16)

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        spec, (dy, dx) = self.spec, self.spec.memory
        states = workspace.rows(batch, self.margins, spec.groups * spec.features, spec.groups)
        return instructions.MinGRU(states, dy, dx, spec.features)

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        (given,) = x
        (dy, dx), (top, left, _) = self.spec.memory, self.margins
        y, column = front.y + top, front.x + left
        before = self.states[front.image, y + dy, column + dx, group]
        state, output = by_formula(given.reshape(len(front), PARTS, -1), before)
        self.states[front.image, y, column, group] = state
        return np.asarray(output)
