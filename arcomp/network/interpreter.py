"""A network's evaluation front by front, layer after layer, from the layers' own caches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from arcomp.exact.arrays import Ints
from arcomp.layers.layer import ExactLayer
from arcomp.layers.spec import Spec
from arcomp.network.wiring import Wiring
from arcomp.orders import Batch, Front, coarser


class Interpreter:
    """Any network of layers.

    Args:
        wiring: the network. specs, layers: of it, by name.
    """

    def __init__(self, wiring: Wiring, specs: Mapping[str, Spec], layers: Mapping[str, ExactLayer]) -> None:
        self.wiring, self.specs, self.layers = wiring, specs, layers
        self._scales = {s for spec in specs.values() for s in (spec.scale, spec.scale * spec.stride)} | {1}
        self._any_row_level = any(spec.row_level for spec in specs.values())
        self._readers = [layers[name] for name, spec in specs.items() if spec.samples]

    def start(self, batch: Batch, open_rows: int) -> None:
        """Empty all caches, for a batch that is to be decoded, in whatever order."""
        self._batch = batch
        self._rows_of: dict[str, Ints] = {}
        for name, layer in self.layers.items():
            layer.start(batch.coarser(self.specs[name].scale))

    def begin(self, front: Front) -> None:
        """Go to the next front."""
        self._once = dict[str, _Known]()
        self._fronts = {scale: coarser(front, scale) if scale > 1 else front for scale in self._scales}
        if self._any_row_level:
            self._rows = {scale: _begun(at, self._batch.coarser(scale)) for scale, at in self._fronts.items()}

    def outputs(self, group: int) -> Ints:
        """The outputs of a group over the front: integers [n, outputs]. Call it once for each group in turn."""

        def run(name: str, *x: Any) -> Any:
            spec, layer = self.specs[name], self.layers[name]
            if name in self._once:
                return self._once[name]
            given = () if spec.samples else x
            if spec.row_level:
                self._once[name] = self._row_level(name, layer, given)
                return self._once[name]
            front = self._fronts[spec.scale]
            inputs = [self._here(value, group if spec.groups > 1 else None) for value in given]
            if spec.groups > 1:
                return layer.step(front, group, *inputs)
            self._once[name] = _Known(layer.step(front, 0, *inputs) if len(front) else _NOTHING)
            return self._once[name]

        return self._here(self.wiring.forward(run, None), group)

    def _row_level(self, name: str, layer: ExactLayer, given: Any) -> _Known:
        """Outputs of a row-level layer. They are computed for rows that begin, and kept until a row ends."""
        spec, new = self.specs[name], _NOTHING
        if len(self._rows[spec.scale]):
            new = layer.step(self._rows[spec.scale], 0, *[value.new for value in given])
        scale = spec.scale * spec.stride
        rows, front = self._rows[scale], self._fronts[scale]
        if len(rows):
            if name not in self._rows_of:
                shape = (len(self._batch), int(self._batch.coarser(scale).widths.max()), new.shape[1])
                self._rows_of[name] = np.zeros(shape, new.dtype)
            self._rows_of[name][rows.image, rows.x] = new
        return _Known(self._rows_of[name][front.image, front.x], new)

    def _here(self, value: Any, group: int | None) -> Ints:
        """A value's features at the front: all of them, or, of a value that is one group, a group's share."""
        if not isinstance(value, _Known):
            return np.asarray(value)
        if group is None:
            return value.here
        share = value.here.shape[1] // self.wiring.channels
        return np.ascontiguousarray(value.here[:, group * share : (group + 1) * share])

    def push(self, group: int, samples: Ints) -> None:
        """Take a group's samples over the front, which have become known: int8 [n]."""
        for layer in self._readers:
            layer.push(self._fronts[1], group, samples[:, None])


_NOTHING: Ints = np.empty((0, 0), np.int8)
"""Features of no position."""


@dataclass(frozen=True)
class _Known:
    """Features that are known before the front's first sample: at the front, and of rows that begin."""

    here: Ints
    new: Ints = field(default_factory=lambda: _NOTHING)


def _begun(front: Front, batch: Batch) -> Front:
    """All positions of the rows whose first one is in a front."""
    first = front.x == 0
    image, y = front.image[first], front.y[first]
    widths = batch.widths[image]
    x = np.arange(int(widths.sum()), dtype=np.int32) - np.repeat(np.cumsum(widths) - widths, widths)
    return Front(np.repeat(image, widths), np.repeat(y, widths), x.astype(np.int32))
