"""A network's evaluation front by front as one compiled loop over instructions.

What :class:`arcomp.network.interpreter.Interpreter` does layer by layer from Python, many times as fast where
fronts are small: the network is joined once with names in place of features, every layer says by which instruction
(:mod:`arcomp.kernels.instructions`) it is computed, and a front is a call or two. A network with a layer that has no
instruction is left to ``Interpreter``; that both give the same integers is one of the laws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arcomp.exact import tables
from arcomp.exact.arrays import Ints
from arcomp.kernels import machine
from arcomp.kernels.instructions import OPCODES, Header, Instruction, Operand
from arcomp.kernels.memory import Code, Positions, Sets, Tables
from arcomp.kernels.records import written
from arcomp.kernels.workspace import Workspace
from arcomp.layers.elu import elu_table
from arcomp.layers.layer import ExactLayer
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
    """Whether a network of these layers can be a program: all of them must have an instruction."""
    return all(type(layer).instruction is not ExactLayer.instruction for layer in layers)


class Program:
    """The compiled evaluation; the same calls as :class:`arcomp.network.interpreter.Interpreter`.

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
        self._tables = Tables(tables.fine_logistic(), elu_table().astype(np.int16), tables.exponential())

    def start(self, batch: Batch, open_rows: int) -> None:
        """Empty all caches, for a batch that is to be decoded.

        Args:
            open_rows: of a picture, that fronts may be in at a time; of other rows no more will be known.
        """
        self.batch = batch
        coarse = {int(scale): batch.coarser(int(scale)) for scale in self.scales}
        widths = np.array([int(b.widths.max()) for b in coarse.values()] + [0], np.int64)
        self._place_values(len(batch), coarse)
        workspace = Workspace(open_rows)
        numbers: list[int] = []
        starts: dict[str, int] = {}
        readers: list[int] = []
        for step in self.steps:
            instruction = self.layers[step.name].instruction(workspace, coarse[self.specs[step.name].scale])
            starts[step.name] = len(numbers)
            numbers += self._beginning(step, instruction)
            if self.specs[step.name].samples and hasattr(instruction, "cache"):  # not the features of places
                readers.append(len(numbers))
            numbers += written(instruction)
        self._code = Code(np.array(numbers, np.int64), widths)

        def chosen(wanted: Callable[[Spec], bool]) -> Int64:
            return np.array([starts[s.name] for s in self.steps if wanted(self.specs[s.name])], np.int64)

        self._of_rows = chosen(lambda spec: spec.row_level)
        self._first = chosen(lambda spec: not spec.row_level)
        self._later = chosen(lambda spec: not spec.row_level and spec.groups > 1)
        self._readers = np.array(readers, np.int64)
        self._memory = workspace.memory(np.empty(0, np.int16))
        self._scratch = workspace.scratch()
        self._reserve(1)

    def _place_values(self, images: int, coarse: Mapping[int, Batch]) -> None:
        """Lay out the outputs of all layers: first of row-level layers, then, position after position, of a front."""
        self.row_features, self.front_features, self.at = 0, 0, dict[str, int]()
        for step in self.steps:
            spec, features = self.specs[step.name], self.features[step.name]
            if spec.row_level:
                self.at[step.name] = self.row_features
                self.row_features += images * int(coarse[spec.scale * spec.stride].widths.max()) * features
        for step in self.steps:
            if not self.specs[step.name].row_level:
                self.at[step.name] = self.row_features + self.front_features
                self.front_features += self.features[step.name]

    def _beginning(self, step: _Step, instruction: Instruction) -> list[int]:
        """The fields of an instruction that all layers have."""
        spec = self.specs[step.name]
        names = [step.name, *(() if spec.samples else step.given)]
        scale = int(np.searchsorted(self.scales, spec.scale))
        found = written(Header(OPCODES[type(instruction)], scale, 2 * scale + spec.row_level, len(names)))
        for name in names:
            row_level, features = self.specs[name].row_level, self.features[name]
            distance = features if row_level else self.front_features
            found += written(Operand(self.at[name], distance, int(row_level), features // spec.groups))
        return found

    def _reserve(self, front: int) -> None:
        """Make room for fronts of up to ``front`` positions."""
        longest = max(front, len(self.batch) * int(self._code.widths[0]) if self.any_row_level else 0)
        self._capacity = front
        count = 2 * len(self.scales)
        self._sets = Sets(np.empty((count, 3, longest), np.int32), np.zeros(count, np.int64))
        values = np.zeros(self.row_features + front * self.front_features, np.int16)
        kept = self._memory.values[: self.row_features]
        values[: len(kept)] = kept
        self._memory = self._memory._replace(values=values)

    def begin(self, front: Front) -> None:
        """Go to the next front."""
        self._front = Positions(len(front), front.image, front.y, front.x)
        if len(front) > self._capacity:
            self._reserve(2 * len(front))
        machine.gather_sets(self._front, self.scales, self.batch.widths, self.any_row_level, self._sets)
        if self.any_row_level:
            self._execute(self._of_rows, 0)

    def _execute(self, chosen: Int64, group: int) -> None:
        machine.execute(self._code, chosen, group, self._sets, self._memory, self._tables, self._scratch)

    def outputs(self, group: int) -> Ints:
        """The outputs of a group over the front: int16 [n, outputs]. Call it once for each group in turn."""
        self._execute(self._later if group else self._first, group)
        last = self.steps[-1].name
        share = self.features[last] // self.channels
        values = self._memory.values[self.row_features :].reshape(-1, self.front_features)
        begin = self.at[last] - self.row_features + group * share
        return np.ascontiguousarray(values[: self._front.size, begin : begin + share])

    def push(self, group: int, samples: Ints) -> None:
        """Take a group's samples over the front, which have become known: int8 [n]."""
        machine.push(self._code, self._readers, group, self._front, samples, self._memory)
