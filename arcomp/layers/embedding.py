"""Symbols to features: a linear layer on samples taken as symbols, one of 2**depth each, evaluated by look-up.

Graves 2013, "Generating sequences with recurrent neural networks", section 3 ("one-hot" inputs); Bengio et al. 2003, "A
neural probabilistic language model", section 2 (the table C). Of what a position sees, every sample has a column of
weights for each symbol; a position's features are the sum of the columns of the symbols there, and a bias. Taps, groups
and masks are those of :mod:`arcomp.layers.conv`; what is beyond the picture's edges adds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from arcomp.errors import ModelError
from arcomp.exact.arrays import CPU, Array, Ints
from arcomp.exact.compiled import kernel
from arcomp.exact.devices import backend, backend_of, on_host
from arcomp.exact.products import Around
from arcomp.exact.rescale import Rescale
from arcomp.exact.threads import in_parts
from arcomp.kernels import instructions
from arcomp.kernels.spatial import runs_of
from arcomp.kernels.workspace import Workspace
from arcomp.layers.checks import check_linear
from arcomp.layers.conv import Tap, free_weights, margins, tap_mask
from arcomp.layers.layer import ROWS, ExactLayer, filled_outside, gather
from arcomp.layers.quantisation import Quantisation
from arcomp.layers.samples import symbols
from arcomp.layers.spec import Spec
from arcomp.orders import Batch, Front

ONE_BITS = 6
"""A hot input is 2**6, which stands for the real number 1: biases have so many bits more than weights."""
LEAST = 1 << 12
"""Positions of a thread's part, at least."""


@dataclass(frozen=True)
class Embedding(Spec):
    """A layer that reads the samples as symbols.

    Attributes:
        taps, mask, groups: as of a convolution.
        depth: bits of a sample.
        outputs: features of each group.
        levels: symbols are levels, as of brightness: training begins with similar columns for similar ones.
    """

    float_twin: ClassVar[str] = "arcomp.layers.float.embedding.FloatEmbedding"
    has_weights: ClassVar[bool] = True

    taps: tuple[Tap, ...]
    mask: str
    groups: int
    depth: int
    outputs: int
    quantisation: Quantisation
    samples: bool = True
    levels: bool = False

    def free(self) -> npt.NDArray[np.bool_]:
        """Which weights may differ from zero: bool [groups * outputs, taps * groups * 2**depth]."""
        return tap_mask(self.taps, self.mask, self.groups, 1 << self.depth, self.outputs)

    @property
    def parameters(self) -> int:
        own = free_weights(self.taps, self.mask, self.groups, 1 << self.depth, self.outputs)
        return own + self.groups * self.outputs

    @property
    def cached(self) -> int:
        return self.groups

    @property
    def working(self) -> int:
        return 4 * self.groups * self.outputs

    def total(self, *inputs: int) -> int:
        return self.groups * self.outputs

    def exact_layer(self, arrays: Mapping[str, Ints], device: str) -> ExactEmbedding:
        return ExactEmbedding(self, arrays, device)


def symbols_seen(read: Array, spec: Embedding) -> Array:
    """The symbols that positions see: int64 [N, H, W, groups] -> [N, H, W, taps * groups]; beyond the edges 2**depth,
    which is none."""
    (n, height, width, groups), arrays = read.shape, backend_of(read)
    top, left, right = margins(spec.taps)
    padded = arrays.full((n, height + top, width + left + right, groups), 1 << spec.depth, read)
    padded[:, top:, left : left + width] = read
    return arrays.concat(
        [padded[:, top + dy : top + dy + height, left + dx : left + dx + width] for dy, dx in spec.taps], 3
    )


@kernel(allocates=True)
def _look_up(levels: Any, around: Any, symbols: Any, table: Any, first: int, end: int, out: Any) -> None:
    """Sums of the columns of what positions first .. end see: int8 [N, H, W, groups] -> int32 [end - first, outputs].

    symbols: int16 [256]. table: int16 [taps * groups, symbols and none, outputs]; what is beyond adds nothing.
    """
    height, width, groups, outputs = levels.shape[1], levels.shape[2], levels.shape[3], table.shape[2]
    for at in range(first, end):
        image, top, left = at // (height * width), at % (height * width) // width, at % width
        own = out[at - first]
        for j in range(outputs):
            own[j] = 0
        for t in range(around.taps.shape[0]):
            y, x = top + around.taps[t, 0], left + around.taps[t, 1]
            if 0 <= y < around.heights[image] and 0 <= x < around.widths[image]:
                for g in range(groups):
                    column = table[t * groups + g, symbols[np.int64(levels[image, y, x, g]) + 128]]
                    for j in range(outputs):
                        own[j] += column[j]


class _Lookup:
    """A linear layer on one-hot inputs.

    Args:
        arrays: as its float twin gives them when it is frozen. depth: of the symbols. quantisation: of the outputs.

    Raises:
        ModelError: shapes, types or bounds are not what exactness needs.
    """

    def __init__(self, arrays: Mapping[str, Ints], depth: int, quantisation: Quantisation, device: str = CPU) -> None:
        weight, *constants = check_linear(arrays, 1 << ONE_BITS)
        bias, multiplier, shift = (a.astype(np.int64) for a in constants)
        self.rescale = Rescale(bias, multiplier, shift, quantisation.zero, quantisation.low, quantisation.high)
        table = weight.T.reshape(-1, 1 << depth, len(weight)).astype(np.int16) << ONE_BITS
        # int16 [inputs, symbols and none, outputs]
        self.table = np.pad(table, ((0, 0), (0, 1), (0, 0)))
        self.on_device = backend(device).constant(self.table)
        ready = self.rescale(self.table[0].astype(np.int32)) if len(table) == 1 else None
        self.ready = None if ready is None else backend(device).constant(ready)

    def __call__(self, seen: Array) -> Array:
        """Symbols, int64 [n, inputs] -> int8 or int16 [n, outputs], quantised."""
        if self.ready is not None:
            return self.ready[seen[:, 0]]
        arrays, parts = backend_of(seen), []
        for at in range(0, len(seen), ROWS):
            part = seen[at : at + ROWS]
            total = arrays.cast(self.on_device[0][part[:, 0]], np.int32)
            for i in range(1, len(self.table)):
                total += self.on_device[i][part[:, i]]
            parts.append(self.rescale(total))
        return arrays.concat(parts, 0)

    def whole(self, levels: Ints, around: Around, known: Ints) -> Ints:
        """int8 [N, H, W, groups] -> int8 or int16 [N, H, W, outputs], compiled; ``known``: int16 [256], symbols."""
        out: Ints = np.empty((levels[..., 0].size, self.table.shape[2]), self.rescale.dtype)
        own = np.ascontiguousarray(levels)

        def work(first: int, end: int) -> None:
            for begin in range(first, end, ROWS):
                last = min(end, begin + ROWS)
                sums = np.empty((last - begin, out.shape[1]), np.int32)
                _look_up(own, around, known, self.table, begin, last, sums)
                out[begin:last] = self.rescale(sums)

        in_parts(len(out), LEAST, work)
        return out.reshape(*levels.shape[:3], -1)


class ExactEmbedding(ExactLayer):
    """The exact evaluations.

    Raises:
        ModelError: arrays of the wrong shape or beyond the bounds, or a weight that would break causality.
    """

    def __init__(self, spec: Embedding, arrays: Mapping[str, Ints], device: str = CPU) -> None:
        seen, weight = len(spec.taps) * spec.groups, arrays.get("weight")
        right = weight is not None and weight.shape == (spec.groups * spec.outputs, seen << spec.depth)
        if weight is None or not right or bool(weight[~spec.free()].any()):  # the mask is as large: not made unseen
            raise ModelError("an embedding's weights do not fit its mask", remedy="install the model's weights again")
        self.spec, self.quantisation = spec, spec.quantisation
        self.taps, self.margins = np.array(spec.taps, np.int64), margins(spec.taps)
        self.symbols = symbols(spec.depth)
        self.all_groups = _Lookup(arrays, spec.depth, spec.quantisation, device)
        rows = [slice(g * spec.outputs, (g + 1) * spec.outputs) for g in range(spec.groups)]
        self.by_group = [_Lookup({k: a[r] for k, a in arrays.items()}, spec.depth, spec.quantisation) for r in rows]

    def parallel(self, batch: Batch, *x: Array) -> Array:
        (levels,) = x
        if on_host(levels):
            shape = np.zeros(5, np.int64)  # of no use to a look-up
            return self.all_groups.whole(levels, Around(self.taps, batch.heights, batch.widths, shape), self.symbols)
        arrays = backend_of(levels)
        read = arrays.constant(self.symbols.astype(np.int64))[arrays.cast(levels, np.int64) + 128]
        seen = symbols_seen(filled_outside(read, batch, 1 << self.spec.depth), self.spec)
        return self.all_groups(seen.reshape(-1, seen.shape[3])).reshape(*levels.shape[:3], -1)

    def start(self, batch: Batch) -> None:
        top, left, right = self.margins
        shape = (len(batch), int(batch.heights.max()) + top, int(batch.widths.max()) + left + right, self.spec.groups)
        self.cache = np.full(shape, 1 << self.spec.depth, np.int16)

    def push(self, front: Front, first: int, x: Ints) -> None:
        top, left, _ = self.margins
        read = symbols(self.spec.depth)[x.astype(np.int64) + 128]
        self.cache[front.image, front.y + top, front.x + left, first : first + x.shape[1]] = read

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        spec, symbol_count = self.spec, (1 << self.spec.depth) + 1
        none = symbol_count - 1
        cache = workspace.rows(batch, self.margins, spec.groups, spec.groups, none)
        workspace.reserve(features=len(self.taps) * spec.groups, totals=spec.outputs)
        return instructions.Embedding(
            cache._replace(symbols=workspace.table(symbols(spec.depth))),
            groups=spec.groups,
            outputs=spec.outputs,
            symbols=symbol_count,
            table=workspace.table(self.all_groups.table),
            rescaling=workspace.rescaling(self.all_groups.rescale),
            runs=runs_of(spec.taps),
        )

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        for levels in x:
            self.push(front, group, levels)
        seen = np.empty((len(front), len(self.taps) * self.spec.groups), np.int16)
        gather(self.cache, front.image, front.y, front.x, self.taps, *self.margins[:2], seen)
        return np.asarray(self.by_group[group](seen.astype(np.int64)))
