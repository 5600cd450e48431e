"""A network's evaluation front by front as one compiled loop over instructions.

What :class:`arcomp.network.interpreter.Interpreter` does layer by layer from Python, many times as fast where
fronts are small: the network is joined once with names in place of features, every layer says by which instruction
(:mod:`arcomp.kernels.instructions`) it is computed, and a front is a call or two. A network with a layer that has no
instruction is left to ``Interpreter``; that both give the same integers is one of the laws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.exact import tables
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.elu import elu_table
from arcomp.layers.spatial import ExactLayer, Ints
from arcomp.layers.spec import Spec
from arcomp.network.wiring import Wiring
from arcomp.orders import Batch, Front

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Step:
    """A layer, and the layers its inputs come from; "" for the samples."""

    name: str
    given: tuple[str, ...]


def joined(wiring: Wiring) -> list[_Step]:
    """The layers that outputs need, in a sequence they can be computed in; the last gives the outputs."""
    steps: dict[str, _Step] = {}

    def run(name: str, *given: str) -> str:
        steps.setdefault(name, _Step(name, given))
        return name

    last = wiring.forward(run, "")
    return [*(step for step in steps.values() if step.name != last), steps[last]]


def has_instructions(layers: Iterable[ExactLayer]) -> bool:
    """Whether a network of these can be a program."""
    return all(type(layer).instruction is not ExactLayer.instruction for layer in layers)


class Program:
    """See the top of this file; the same calls as :class:`arcomp.network.interpreter.Interpreter`.

    Args:
        wiring: the network. specs, layers: of it, by name.
    """

    def __init__(self, wiring: Wiring, specs: Mapping[str, Spec], layers: Mapping[str, ExactLayer]) -> None:
        self.specs, self.layers, self.channels = specs, layers, wiring.channels
        self.steps = joined(wiring)
        self.features = {"": wiring.channels}
        for step in self.steps:
            self.features[step.name] = specs[step.name].total(*(self.features[name] for name in step.given))
        scales = {1} | {s for spec in specs.values() for s in (spec.scale, spec.scale * spec.stride)}
        self.scales = np.array(sorted(scales), np.int64)
        self.any_row_level = any(spec.row_level for spec in specs.values())
        self._tables = tables.fine_logistic(), elu_table().astype(np.int16), tables.exponential()

    def start(self, batch: Batch, open_rows: int) -> None:
        """Empty all caches, for a batch that is to be decoded.

        Args:
            open_rows: of a picture, that fronts may be in at a time; of other rows no more will be known.
        """
        self.batch = batch
        coarse = {int(scale): batch.coarser(int(scale)) for scale in self.scales}
        self.widths = np.array([int(b.widths.max()) for b in coarse.values()] + [0], np.int64)
        self.workspace = Workspace(open_rows)
        self._place_values(len(batch), coarse)
        code: list[int] = []
        starts: dict[str, int] = {}
        for step in self.steps:
            starts[step.name] = len(code)
            code += self._instruction(step, coarse[self.specs[step.name].scale])
        self.code = np.array(code, np.int64)
        self.pools = self.workspace.pools()

        def chosen(wanted: Any) -> Int64:
            return np.array([starts[s.name] for s in self.steps if wanted(self.specs[s.name])], np.int64)

        self.rows_first = chosen(lambda spec: spec.row_level)
        self.first = chosen(lambda spec: not spec.row_level)
        self.later = chosen(lambda spec: not spec.row_level and spec.groups > 1)
        self.readers = chosen(lambda spec: spec.samples)
        self.values = np.empty(0, np.int16)
        self._make_room(1)

    def _place_values(self, images: int, coarse: Mapping[int, Batch]) -> None:
        """Where each layer's outputs are: those of rows first, then position after position those of a front."""
        self.of_rows, self.of_front, self.at = 0, 0, dict[str, int]()
        for step in self.steps:
            spec, features = self.specs[step.name], self.features[step.name]
            if spec.row_level:
                self.at[step.name] = self.of_rows
                self.of_rows += images * int(coarse[spec.scale * spec.stride].widths.max()) * features
        for step in self.steps:
            if not self.specs[step.name].row_level:
                self.at[step.name] = self.of_rows + self.of_front
                self.of_front += self.features[step.name]

    def _instruction(self, step: _Step, batch: Batch) -> list[int]:
        spec = self.specs[step.name]
        kind, parameters = self.layers[step.name].instruction(self.workspace, batch)
        names = [step.name, *(() if spec.samples else step.given)]
        code = [kind, int(np.searchsorted(self.scales, spec.scale)), 0, len(names)]
        code[2] = 2 * code[1] + spec.row_level
        for name in names:
            row_level, features = self.specs[name].row_level, self.features[name]
            code += [self.at[name], features if row_level else self.of_front, int(row_level), features // spec.groups]
        return code + parameters

    def _make_room(self, front: int) -> None:
        """Make room for fronts of so many positions."""
        longest = max(front, len(self.batch) * int(self.widths[0]) if self.any_row_level else 0)
        self.capacity = front
        self.positions = np.empty((2 * len(self.scales), 3, longest), np.int32)
        self.counts = np.zeros(2 * len(self.scales), np.int64)
        before, self.values = self.values, np.zeros(self.of_rows + front * self.of_front, np.int16)
        self.values[: min(self.of_rows, len(before))] = before[: self.of_rows]

    def begin(self, front: Front) -> None:
        """Go to the next front."""
        self.front = front
        if len(front) > self.capacity:
            self._make_room(2 * len(front))
        instructions.gather_sets(
            front.image,
            front.y,
            front.x,
            self.scales,
            self.batch.widths,
            self.any_row_level,
            self.positions,
            self.counts,
        )
        if self.any_row_level:
            self._run(self.rows_first, 0)

    def _run(self, starts: Int64, group: int) -> None:
        instructions.run(
            self.code, starts, group, self.positions, self.counts, self.widths, self.values, *self.pools, *self._tables,
            *self.workspace.scratch,
        )  # fmt: skip

    def outputs(self, group: int) -> Ints:
        """A sample's outputs over the front: int16 [n, outputs], once for each group in turn."""
        self._run(self.later if group else self.first, group)
        last = self.steps[-1].name
        share = self.features[last] // self.channels
        values = self.values[self.of_rows :].reshape(-1, self.of_front)
        begin = self.at[last] - self.of_rows + group * share
        return np.ascontiguousarray(values[: len(self.front), begin : begin + share])

    def push(self, group: int, samples: Ints) -> None:
        """A sample has become known over the front: int8 [n]."""
        front = self.front
        instructions.push(
            self.code, self.readers, group, front.image, front.y, front.x, len(front), samples, self.pools[0],
            self.pools[2],
        )  # fmt: skip
