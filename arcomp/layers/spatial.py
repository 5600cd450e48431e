"""Exact layers over pictures, each with two evaluations that agree bit for bit.

* ``parallel``: all positions of a batch at once.
* ``step``: front by front, and within a front group after group: given a group's inputs there, the group's outputs.
  What later fronts need of the past lies in the layer's cache.

Beyond a picture's edges every feature is the real number 0, that is the zero point of its grid.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.errors import ModelError
from arcomp.exact import products
from arcomp.exact.arrays import CPU, Array, Ints
from arcomp.exact.compiled import kernel
from arcomp.exact.devices import backend_of, on_host
from arcomp.kernels import instructions
from arcomp.kernels.spatial import runs_of
from arcomp.kernels.workspace import Workspace
from arcomp.layers.conv import Tap, margins, reach_down, tap_mask
from arcomp.layers.frozen import FrozenLinear
from arcomp.layers.quantisation import Quantisation
from arcomp.orders import Batch, Front, coarser

ROWS = 1 << 15
"""Positions whose neighbours are gathered at a time."""


def outside(batch: Batch) -> npt.NDArray[np.bool_]:
    """bool [N, H, W, 1]: where a padded batch is beyond a picture's edge."""
    y = np.arange(int(batch.heights.max()))[None, :, None]
    x = np.arange(int(batch.widths.max()))[None, None, :]
    beyond = (y >= batch.heights[:, None, None]) | (x >= batch.widths[:, None, None])
    return np.asarray(beyond[..., None])


def filled_outside(x: Array, batch: Batch, value: int) -> Array:
    """A padded batch [N, H, W, F] with a value beyond the pictures' edges; itself where there is nothing beyond."""
    beyond = outside(batch)[..., 0]
    if not beyond.any():
        return x
    backend = backend_of(x)
    filled = backend.full(x.shape, value, x)
    inside = backend.constant(~beyond)
    filled[inside] = x[inside]
    return filled


def check_size(batch: Batch, height: int, width: int) -> None:
    """Refuse pictures that are larger than what a layer has weights for.

    Raises:
        ModelError: one is.
    """
    if int(batch.heights.max()) > height or int(batch.widths.max()) > width:
        raise ModelError(
            f"these weights take pictures of up to {width} x {height}",
            remedy="choose pictures, or tiles, of that size, or another model with -m",
        )


class ExactLayer(ABC):
    """Integers in, integers out.

    Attributes:
        grid: of the outputs.
    """

    grid: Quantisation

    @abstractmethod
    def parallel(self, batch: Batch, *x: Array) -> Array:
        """int8 or int16 [N, H, W, groups * inputs] (for each input) -> [N, H, W, groups * outputs]."""

    def start(self, batch: Batch) -> None:
        """Empty the cache, for a batch that is to be decoded; nothing, where there is none."""
        return

    def push(self, front: Front, first: int, x: Ints) -> None:
        """Keep inputs of the front, [n, some], features ``first`` and on, where there is a cache."""
        raise NotImplementedError

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        """What it is in a compiled program; only layers that say so can be in one.

        Args:
            workspace: takes weights, tables and caches. batch: of the pictures, at the layer's scale.
        """
        raise NotImplementedError

    @abstractmethod
    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        """A group's outputs at the front, [n, outputs], given its inputs there, [n, inputs]."""


@kernel()
def gather(cache: Any, image: Any, ys: Any, xs: Any, taps: Any, top: int, left: int, out: Any) -> None:
    """What the taps of positions see of a cache: [N, top + H, left + W + right, F] -> [n, taps * F]."""
    features = cache.shape[3]
    for i in range(ys.shape[0]):
        for t in range(taps.shape[0]):
            y = ys[i] + top + taps[t, 0]
            x = xs[i] + left + taps[t, 1]
            for f in range(features):
                out[i, t * features + f] = cache[image[i], y, x, f]


class ExactConv(ExactLayer):
    """Convolution; see :mod:`arcomp.layers.conv`. With no tap but the position itself and mask B it is a linear
    layer at each position. One that looks at rows below has the whole evaluation only.

    One that reads samples is given none by ``step``: they are pushed by :meth:`push` as they become known.

    Args:
        arrays: as its float twin gives them when it is frozen.
        taps, mask, groups, inputs, outputs: of the convolution.
        source: grid of the inputs. grid: of the outputs.
        device: where whole pictures are computed.
        stride: outputs are made for positions that are multiples of it only.
        samples: whether it reads the samples.
        fine: whether weights have 13 bits.

    Raises:
        ModelError: arrays of the wrong shape or beyond the bounds, or a weight that would break causality.
    """

    def __init__(
        self, arrays: Mapping[str, Ints], taps: tuple[Tap, ...], mask: str, groups: int, inputs: int, outputs: int,
        *, source: Quantisation, grid: Quantisation, device: str = CPU, stride: int = 1, samples: bool = False,
        fine: bool = False,
    ) -> None:  # fmt: skip
        weight, shape = arrays.get("weight"), (groups * outputs, len(taps) * groups * inputs)
        right = weight is not None and weight.shape == shape  # before a mask as large is made
        if weight is None or not right or bool(weight[~tap_mask(taps, mask, groups, inputs, outputs)].any()):
            raise ModelError("a convolution's weights do not fit its mask", remedy="install the model's weights again")
        self.taps = np.array(taps, np.int64)
        self.top, self.left, self.right = margins(taps)
        self.bottom = reach_down(taps)
        self.groups, self.inputs = groups, inputs
        self.source, self.grid, self.stride, self.samples = source, grid, stride, samples
        self.all = FrozenLinear(arrays, grid, source.largest, device, fine)
        rows = [slice(g * outputs, (g + 1) * outputs) for g in range(groups)]
        self.group = [FrozenLinear({k: a[r] for k, a in arrays.items()}, grid, source.largest, fine=fine) for r in rows]

    def parallel(self, batch: Batch, *x: Array) -> Array:
        (known,) = x
        if on_host(known) and known.dtype == np.int8 and self.all.matrix.packed is not None:
            return self._compiled(batch, known)
        n, height, width, features = known.shape
        backend, top, left, stride = backend_of(known), self.top, self.left, self.stride
        shape = (n, height + top + self.bottom, width + left + self.right, features)
        padded = backend.full(shape, self.source.zero, known)
        padded[:, top : top + height, left : left + width] = filled_outside(known, batch, self.source.zero)
        parts = []
        rows = max(1, ROWS // (n * width)) * stride
        for y in range(0, height, rows):
            high = min(rows, height - y)
            taps = [
                padded[:, y + top + dy : y + top + dy + high : stride, left + dx : left + dx + width : stride]
                for dy, dx in self.taps.tolist()
            ]
            gathered = backend.concat(taps, 3)
            parts.append(self.all(gathered.reshape(-1, gathered.shape[3])).reshape(*gathered.shape[:3], -1))
        return backend.concat(parts, 1)

    def _compiled(self, batch: Batch, known: Ints) -> Ints:
        """Neighbours gathered and multiplied in one pass, where kernels are compiled for it."""
        (_, height, width, features), stride = known.shape, self.stride
        packed, rescale = self.all.matrix.packed, self.all.rescale
        assert packed is not None
        shape = [-(-height // stride), -(-width // stride), stride, self.source.zero, features]
        around = products.Around(self.taps, batch.heights, batch.widths, np.array(shape, np.int64))
        return products.convolve(packed, rescale.scale, known, around, rescale.dtype)

    def _check_causal(self) -> None:
        if self.bottom:
            raise ValueError("a convolution that looks at rows below cannot be evaluated front by front")

    def start(self, batch: Batch) -> None:
        self._check_causal()
        height, width = int(batch.heights.max()), int(batch.widths.max())
        shape = (len(batch), height + self.top, width + self.left + self.right, self.groups * self.inputs)
        self.cache = np.full(shape, self.source.zero, self.source.dtype)

    def push(self, front: Front, first: int, x: Ints) -> None:
        self.cache[front.image, front.y + self.top, front.x + self.left, first : first + x.shape[1]] = x

    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        for known in x:
            self.push(front, group * self.inputs, known)
        if self.stride > 1:
            front = coarser(front, self.stride)
            front = Front(front.image, front.y * np.int32(self.stride), front.x * np.int32(self.stride))
        gathered = np.empty((len(front), len(self.taps) * self.cache.shape[3]), self.cache.dtype)
        gather(self.cache, front.image, front.y, front.x, self.taps, self.top, self.left, gathered)
        return np.asarray(self.group[group](gathered))

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        self._check_causal()
        features, taps = self.groups * self.inputs, [(int(dy), int(dx)) for dy, dx in self.taps]
        cached = self.samples or bool(self.taps.any())
        cache = instructions.NO_CACHE
        if cached:
            cache = workspace.rows(batch, (self.top, self.left, self.right), features, fill=self.source.zero)
        return instructions.Convolution(
            cache._replace(group=1 if self.samples else self.inputs),
            cached=int(cached),
            samples=int(self.samples),
            groups=self.groups,
            inputs=self.inputs,
            outputs=len(self.group[0].bias),
            later=self.inputs if taps[-1] == (0, 0) else 0,
            stride=self.stride,
            product=self.all.product(workspace),
            runs=runs_of(taps),
        )
