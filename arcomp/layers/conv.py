"""Masked convolution: its taps, its mask over space and channels, and its exact evaluation.

It is causal, except in networks over what is known beforehand, where taps may look anywhere.

van den Oord et al. 2016, "Pixel recurrent neural networks", section 3.4 and figure 2 (right): features are split into
one group for each channel of a pixel. At the position itself, outputs of group g see the inputs of groups before g
(mask A, first layer) or up to g (mask B); of other positions, those that the taps name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from arcomp.errors import ModelError
from arcomp.exact import products
from arcomp.exact.arrays import CPU, Array, Ints
from arcomp.exact.devices import backend_of, on_host
from arcomp.kernels import instructions
from arcomp.kernels.spatial import runs_of
from arcomp.kernels.workspace import Workspace
from arcomp.layers.frozen import FrozenLinear
from arcomp.layers.layer import ROWS, ExactLayer, filled_outside, gather
from arcomp.layers.quantisation import Quantisation
from arcomp.orders import Batch, Front, coarser

Tap = tuple[int, int]
"""Offset (dy, dx) from a position to one that its output looks at: before it in raster order, or itself; in layers that
are a row ahead also after it in its row; in those of networks over what is known beforehand, anywhere."""


def square(kernel: int) -> tuple[Tap, ...]:
    """The causal half of a square of odd side: rows above, then the left part of the position's own row, itself last.

    Under a wavefront all of them are known if the skew is at least ``kernel // 2 + 1``.
    """
    r = kernel // 2
    return tuple((dy, dx) for dy in range(-r, 1) for dx in range(-r, r + 1) if (dy, dx) <= (0, 0))


def above(kernel: int) -> tuple[Tap, ...]:
    """The rows above of a square of odd side: what a vertical stack sees (Gated PixelCNN, section 2.3)."""
    r = kernel // 2
    return tuple((dy, dx) for dy in range(-r, 0) for dx in range(-r, r + 1))


def around(kernel: int) -> tuple[Tap, ...]:
    """The rows above of a square of odd side and all of the position's own row: for layers that are a row ahead."""
    r = kernel // 2
    return tuple((dy, dx) for dy in range(-r, 1) for dx in range(-r, r + 1))


def full(kernel: int) -> tuple[Tap, ...]:
    """All of a square of odd side: for networks over what is known beforehand, which are evaluated in parallel only."""
    r = kernel // 2
    return tuple((dy, dx) for dy in range(-r, r + 1) for dx in range(-r, r + 1))


def line(kernel: int, dilation: int = 1) -> tuple[Tap, ...]:
    """So many positions along the row, ``dilation`` apart, the position itself last."""
    return tuple((0, -dilation * i) for i in range(kernel - 1, -1, -1))


def nearest(channels: int) -> tuple[Tap, ...]:
    """The positions above and to the left; where there are earlier channels, also the position itself, last."""
    return ((-1, 0), (0, -1), (0, 0))[: 3 if channels > 1 else 2]


def tap_mask(taps: tuple[Tap, ...], mask: str, groups: int, inputs: int, outputs: int) -> npt.NDArray[np.bool_]:
    """Which weights may differ from zero: bool [groups * outputs, taps * groups * inputs].

    Args:
        mask: "A" or "B". inputs, outputs: features of each group.
    """
    free = np.ones((groups, outputs, len(taps), groups, inputs), bool)
    for g in range(groups):
        for t, tap in enumerate(taps):
            if tap == (0, 0):
                free[g, :, t, (g if mask == "A" else g + 1) :] = False
    return free.reshape(groups * outputs, len(taps) * groups * inputs)


def free_weights(taps: tuple[Tap, ...], mask: str, groups: int, inputs: int, outputs: int) -> int:
    """How many weights :func:`tap_mask` lets differ from zero."""
    here = taps.count((0, 0))
    seen = sum(g if mask == "A" else g + 1 for g in range(groups))  # groups that outputs see at the position itself
    return outputs * inputs * (groups * groups * (len(taps) - here) + here * seen)


def margins(taps: Iterable[Tap]) -> tuple[int, int, int]:
    """How far taps reach up, left and right."""
    up, across = zip(*taps, strict=True)
    return max(0, -min(up)), max(0, -min(across)), max(0, *across)


def reach_down(taps: Iterable[Tap]) -> int:
    """How far taps reach down: 0 for those of causal layers."""
    return max(0, *(dy for dy, _ in taps))


class ExactConv(ExactLayer):
    """Convolution. With no tap but the position itself, and mask B, it is a linear layer at each position. With taps to
    rows below it are evaluated in parallel only.

    A convolution that reads samples gets them through :meth:`push`, as they become known, not as an argument of
    :meth:`step`.

    Args:
        arrays: as its float twin gives them when it is frozen.
        taps, mask, groups, inputs, outputs: as of :func:`tap_mask`.
        source: quantisation of the inputs. quantisation: of the outputs.
        device: of parallel evaluation.
        stride: outputs are made only at rows and columns that are multiples of it.
        samples: whether it reads the samples.
        fine: whether weights have 13 bits.

    Raises:
        ModelError: arrays of the wrong shape or beyond the bounds, or a weight that would break causality.
    """

    def __init__(
        self, arrays: Mapping[str, Ints], taps: tuple[Tap, ...], mask: str, groups: int, inputs: int, outputs: int,
        *, source: Quantisation, quantisation: Quantisation, device: str = CPU, stride: int = 1, samples: bool = False,
        fine: bool = False,
    ) -> None:  # fmt: skip
        weight, shape = arrays.get("weight"), (groups * outputs, len(taps) * groups * inputs)
        right = weight is not None and weight.shape == shape  # check the shape before allocating the mask
        if weight is None or not right or bool(weight[~tap_mask(taps, mask, groups, inputs, outputs)].any()):
            raise ModelError("a convolution's weights do not fit its mask", remedy="install the model's weights again")
        self.taps = np.array(taps, np.int64)
        self.top, self.left, self.right = margins(taps)
        self.bottom = reach_down(taps)
        self.groups, self.inputs = groups, inputs
        self.source, self.quantisation, self.stride, self.samples = source, quantisation, stride, samples
        self.all_groups = FrozenLinear(arrays, quantisation, source.largest, device, fine)
        rows = [slice(g * outputs, (g + 1) * outputs) for g in range(groups)]
        self.by_group = [
            FrozenLinear({k: a[r] for k, a in arrays.items()}, quantisation, source.largest, fine=fine) for r in rows
        ]

    def parallel(self, batch: Batch, *x: Array) -> Array:
        (known,) = x
        if on_host(known) and known.dtype == np.int8 and self.all_groups.matrix.packed is not None:
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
            parts.append(self.all_groups(gathered.reshape(-1, gathered.shape[3])).reshape(*gathered.shape[:3], -1))
        return backend.concat(parts, 1)

    def _compiled(self, batch: Batch, known: Ints) -> Ints:
        """As :meth:`parallel`, by a kernel that gathers neighbours and multiplies them in one pass."""
        (_, height, width, features), stride = known.shape, self.stride
        packed, rescale = self.all_groups.matrix.packed, self.all_groups.rescale
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
        return np.asarray(self.by_group[group](gathered))

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
            outputs=len(self.by_group[0].bias),
            later=self.inputs if taps[-1] == (0, 0) else 0,
            stride=self.stride,
            product=self.all_groups.product(workspace),
            runs=runs_of(taps),
        )
