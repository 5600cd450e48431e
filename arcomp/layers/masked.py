"""A masked network over all samples of a picture: linear layers with hidden units that all predictions share.

Germain et al. 2015, "MADE: masked autoencoder for distribution estimation", sections 3 and 4.2. Several masks
(:mod:`arcomp.layers.degrees`) may be laid over the same weights; each then has hidden units and outputs of its own.

* Float, in training: under one mask, the next one in every step. Else, and exactly: under all masks.
* Parallel: for each mask, products with the weights that it shows.
* Front by front: a unit is computed once, when all samples that it sees are known. What is not known yet is real 0, so
  that products with all weights are those under the mask.

Samples enter from 0 up, quantised as RECTIFIED8: what a mask hides is like a sample of level 0, so that black ground
does not move units whose degree differs from mask to mask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from arcomp.errors import ModelError
from arcomp.exact.arrays import CPU, Array, Ints
from arcomp.exact.devices import backend_of
from arcomp.exact.matmul import Matrix, choose
from arcomp.exact.rescale import Rescale
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.checks import KINDS
from arcomp.layers.degrees import Bools, Int64, degrees, visible
from arcomp.layers.dense import placed
from arcomp.layers.frozen import Arrays, FrozenLinear, multiply_and_scale
from arcomp.layers.layer import ExactLayer, check_size, filled_outside
from arcomp.layers.packed import unpacked
from arcomp.layers.pointwise import clamped, wide
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, Quantisation
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front, Order, sequences


@dataclass(frozen=True)
class Masked(Spec):
    """The network as one layer.

    Attributes:
        order: of the positions; it takes one of a picture at a time.
        height, width: of the pictures; smaller ones lie in the upper left corner, with real 0 around them.
        groups: channels.
        units, blocks: hidden units of a layer, hidden layers.
        each: outputs of each sample under each mask. masks: how many.
        seed: of the degrees.
        direct: whether samples also go to the outputs directly, the same under all masks.
    """

    float_twin: ClassVar[str] = "arcomp.layers.float.masked.FloatMasked"
    has_weights: ClassVar[bool] = True

    order: Order
    height: int
    width: int
    groups: int
    units: int
    blocks: int
    each: int
    masks: int
    seed: int
    direct: bool
    quantisation: Quantisation = LOGITS
    samples: bool = True

    @property
    def count(self) -> int:
        """Samples of a picture."""
        return self.height * self.width * self.groups

    @property
    def parameters(self) -> int:
        """Weights that one of the masks shows, and biases."""
        return sum(self.counts) + sum(rows for rows, _, _, _ in self.layers.values())

    @cached_property
    def counts(self) -> list[int]:
        """Of each layer, how many weights one of the masks shows."""
        own = self.degrees
        found = [int(np.minimum(own[0].max(0), self.count).sum())]
        found += [int(self.free(block).sum()) for block in range(1, self.blocks)]
        found.append(self.each * int(np.maximum(self.count - own[-1].min(0), 0).sum()))
        return [*found, self.each * self.count * (self.count - 1) // 2] if self.direct else found

    def free(self, layer: int) -> Bools:
        """The weights of a layer that one of the masks shows: bool [outputs, inputs]."""
        if layer > self.blocks:
            return self._before
        own, number = self.degrees, np.arange(self.count)
        if layer == self.blocks:
            return np.asarray((own[-1].min(0) <= number[:, None]).repeat(self.each, 0))
        if layer:
            return np.asarray((own[layer - 1][:, None] <= own[layer][:, :, None]).any(0))
        return np.asarray(number < own[0].max(0)[:, None])

    @property
    def fixed(self) -> int:
        """Units and samples that are kept, one product, and all outputs."""
        rows = self.count * self.each
        return 2 * (self.masks * self.blocks * self.units + self.count) + 8 * rows + 4 * self.masks * rows

    def total(self, *inputs: int) -> int:
        return self.groups * self.masks * self.each

    @property
    def layers(self) -> dict[str, tuple[int, int, Quantisation, Quantisation]]:
        """Of each linear layer: outputs, inputs, the quantisations of the inputs and of the outputs."""
        found = {"hidden.0": (self.units, self.count, RECTIFIED8, RECTIFIED8)}
        for i in range(1, self.blocks):
            found[f"hidden.{i}"] = (self.units, self.units, RECTIFIED8, RECTIFIED8)
        found["out"] = (self.count * self.each, self.units, RECTIFIED8, LOGITS)
        if self.direct:
            found["direct"] = (self.count * self.each, self.count, RECTIFIED8, LOGITS)
        return found

    @cached_property
    def degrees(self) -> list[Int64]:
        return degrees(self.count, self.units, self.blocks, self.masks, self.seed)

    def visible(self, mask: int) -> list[Bools]:
        """The weights of each layer that a mask shows."""
        found = visible(self.count, self.each, [own[mask] for own in self.degrees])
        return [*found, self._before] if self.direct else found

    @cached_property
    def _before(self) -> Bools:
        return np.tri(self.count, k=-1, dtype=bool).repeat(self.each, 0)

    def of_layer(self, i: int, name: str, arrays: Mapping[str, Ints]) -> Arrays:
        """One layer's arrays, its weights [outputs, inputs].

        Raises:
            ModelError: they are others than it needs.
        """
        own = {key[len(name) + 1 :]: a for key, a in arrays.items() if key.startswith(name + ".")}
        return unpacked(own, self.counts[i], lambda: self.free(i))

    @cached_property
    def places(self) -> tuple[Int64, Int64]:
        """Positions by number, and numbers of positions (row by row): int64 [height * width] each."""
        frame = Batch(np.array([self.height], np.int32), np.array([self.width], np.int32))
        positions = sequences(self.order, frame).at[0]
        return positions, np.argsort(positions)

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactMasked:
        return ExactMasked(self, arrays, device)


class _Shown:
    """A linear layer under a mask: other inputs are as if they were real 0.

    Args:
        linear: the layer. mask: bool [rows, inputs]. zero: of the inputs' quantisation.
    """

    def __init__(self, linear: FrozenLinear, mask: Bools, zero: int, device: str) -> None:
        hidden = np.where(mask, 0, linear.weight).sum(1, dtype=np.int64)
        shown, to = np.where(mask, linear.weight, 0).astype(np.int8), linear.quantisation
        self.matrix = Matrix(shown, linear.largest, choose(device)[0], device)
        self.rescale = Rescale(linear.bias + zero * hidden, linear.multiplier, linear.shift, to.zero, to.low, to.high)

    def __call__(self, x: Array) -> Array:
        return multiply_and_scale(self.matrix, self.rescale, x)


class ExactMasked(ExactLayer):
    """The exact evaluations.

    Raises:
        ModelError: arrays of the wrong shape or beyond the bounds.
    """

    def __init__(self, spec: Masked, arrays: Mapping[str, Ints], device: str = CPU) -> None:
        self.spec, self.quantisation, self.order, self.device = spec, spec.quantisation, spec.order, device
        self.linears: list[FrozenLinear] = []
        for i, (name, (_, _, source, quantisation)) in enumerate(spec.layers.items()):
            self.linears.append(FrozenLinear(spec.of_layer(i, name, arrays), quantisation, source.largest))
        if len(arrays) != len(KINDS) * len(self.linears):
            raise ModelError(
                "a masked network's arrays are not those it needs", remedy="install the model's weights again"
            )

    @cached_property
    def shown(self) -> list[list[_Shown]]:
        """The layers under each mask."""
        zeros = [source.zero for _, _, source, _ in self.spec.layers.values()]
        return [
            [_Shown(*each, self.device) for each in zip(self.linears, self.spec.visible(mask), zeros, strict=True)]
            for mask in range(self.spec.masks)
        ]

    def parallel(self, batch: Batch, *x: Array) -> Array:
        (known,) = x
        spec, n = self.spec, len(known)
        check_size(batch, spec.height, spec.width)
        backend = backend_of(known)
        positions, numbers = (backend.constant(a) for a in spec.places)
        inside = placed(filled_outside(known, batch, RECTIFIED8.zero), spec.height, spec.width, RECTIFIED8.zero)
        given = inside.reshape(n, len(positions), -1)[:, positions].reshape(n, -1)
        shape = (n, len(positions), spec.groups, spec.masks, spec.each)
        out = backend.zeros(shape, np.int16)
        beside = self.shown[0][-1](given) if spec.direct else None
        for mask, layers in enumerate(self.shown):
            made = given
            for layer in layers[: spec.blocks + 1]:
                made = layer(made)
            if beside is not None:
                made = clamped(wide(made) + beside, spec.quantisation)
            out[:, :, :, mask] = made.reshape(n, len(positions), spec.groups, -1)[:, numbers]
        return out.reshape(n, spec.height, spec.width, -1)[:, : known.shape[1], : known.shape[2]]

    def start(self, batch: Batch) -> None:
        spec, n = self.spec, len(batch)
        check_size(batch, spec.height, spec.width)
        self.known = np.full((n, spec.count), RECTIFIED8.zero, np.int8)
        self.units = np.full((spec.blocks, n, spec.masks, spec.units), RECTIFIED8.zero, np.int8)
        self.done = np.zeros(n, np.int64)

    def _samples(self, front: Front, group: int) -> Int64:
        position = front.y.astype(np.int64) * self.spec.width + front.x
        return np.asarray(self.spec.places[1][position] * self.spec.groups + group, np.int64)

    def push(self, front: Front, first: int, x: Ints) -> None:
        for i in range(x.shape[1]):
            self.known[front.image, self._samples(front, first + i)] = x[:, i]

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        spec, samples = self.spec, self._samples(front, group)
        out = np.empty((len(front), spec.masks, spec.each), np.int16)
        for sample in np.unique(samples).tolist():
            here = np.flatnonzero(samples == sample)
            images = front.image[here]
            for degree in range(int(self.done[images].min()) + 1, sample + 1):
                self._compute(images[self.done[images] < degree], degree)
            self.done[images] = sample
            for mask in range(spec.masks):
                made = self.linears[spec.blocks](self.units[-1][images, mask]).astype(np.int32)
                if spec.direct:
                    made += self.linears[-1](self.known[images])
                out[here, mask] = clamped(made, spec.quantisation)[:, sample * spec.each : (sample + 1) * spec.each]
        return out.reshape(len(front), -1)

    def _compute(self, images: Ints, degree: int) -> None:
        """The units of a degree, once all of lower ones are known and none of higher ones is."""
        for mask in range(self.spec.masks):
            given = self.known[images]
            for block, own in enumerate(self.spec.degrees):
                new = np.flatnonzero(own[mask] == degree)
                if len(new):
                    made = self.linears[block](given)
                    self.units[block][images[:, None], mask, new] = made[:, new]
                given = self.units[block][images, mask]

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        spec, n = self.spec, len(batch)
        check_size(batch, spec.height, spec.width)
        cells = spec.height * spec.width
        known = workspace.cache(n * spec.count, RECTIFIED8.zero)
        cache = instructions.Cache(known, spec.count, spec.height, spec.width * spec.groups, spec.groups, 1)
        # Samples are cached row by row, whatever the order: so are the columns of what reads them.
        columns = (spec.places[1][:, None] * spec.groups + np.arange(spec.groups)).reshape(cells * spec.groups)
        products = [
            workspace.product(
                linear.weight[:, columns] if i in (0, spec.blocks + 1) else linear.weight,
                linear.rescale,
                linear.matrix.bound,
            )
            for i, linear in enumerate(self.linears)
        ]
        hidden = []
        for product, own in zip(products, spec.degrees, strict=False):
            first = np.searchsorted(np.sort(own, axis=None), np.arange(spec.count + 2))
            units = workspace.table(np.argsort(own, axis=None, kind="stable"))
            hidden.append(instructions.Hidden(units, workspace.table(first), product))
        workspace.reserve(features=spec.each)
        return instructions.Masked(
            cache,
            groups=spec.groups,
            outputs=spec.each,
            masks=spec.masks,
            units=spec.units,
            width=spec.width,
            order=workspace.table(spec.places[1]),
            done=workspace.counters(n),
            held=workspace.cache(n * spec.blocks * spec.masks * spec.units, RECTIFIED8.zero),
            last=products[spec.blocks],
            direct=products[spec.blocks + 1] if spec.direct else instructions.NO_PRODUCT,
            hidden=tuple(hidden),
        )
