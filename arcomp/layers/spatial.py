"""Exact layers over pictures, each with two evaluations that agree bit for bit.

* ``whole``: all positions of a batch at once.
* ``push`` and ``pull``: front by front. Features come in one group for each channel of a pixel; within a front,
  group after group, a layer is given its new inputs (push) and asked for its new outputs (pull). What later
  fronts need of the past lies in the layer's cache.

Beyond a picture's edges every feature is the real number 0, that is the zero point of its grid.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from arcomp.errors import ModelError
from arcomp.exact.kernels import kernel
from arcomp.layers.conv import causal_taps, tap_mask
from arcomp.layers.frozen import FrozenLinear
from arcomp.layers.grid import Grid
from arcomp.orders import Batch, Front

Ints = npt.NDArray[Any]
ROWS = 1 << 15
"""Positions whose neighbours are gathered at a time."""


def outside(batch: Batch, device: torch.device | str = "cpu") -> torch.Tensor:
    """bool [N, H, W, 1]: where the canvas of a batch is beyond a picture's edge."""
    y = torch.arange(int(batch.heights.max()))[None, :, None]
    x = torch.arange(int(batch.widths.max()))[None, None, :]
    heights, widths = (torch.from_numpy(a)[:, None, None] for a in (batch.heights, batch.widths))
    return ((y >= heights) | (x >= widths))[..., None].to(device)


class ExactLayer(ABC):
    """Integers in, integers out.

    Attributes:
        grid: of the outputs.
    """

    grid: Grid

    @abstractmethod
    def whole(self, x: torch.Tensor, batch: Batch) -> torch.Tensor:
        """int8 or int16 [N, H, W, groups * inputs] -> [N, H, W, groups * outputs]."""

    @abstractmethod
    def start(self, batch: Batch) -> None:
        """Empty the cache, for a batch that is to be decoded."""

    @abstractmethod
    def push(self, front: Front, group: int, x: Ints) -> None:
        """Take a group's inputs at the front: [n, inputs]."""

    @abstractmethod
    def pull(self, front: Front, group: int) -> Ints:
        """Give a group's outputs at the front: [n, outputs]."""


@kernel()
def _gather(cache: Any, image: Any, ys: Any, xs: Any, taps: Any, reach: int, out: Any) -> None:
    features = cache.shape[3]
    for i in range(ys.shape[0]):
        for t in range(taps.shape[0]):
            y = ys[i] + reach + taps[t, 0]
            x = xs[i] + reach + taps[t, 1]
            for f in range(features):
                out[i, t * features + f] = cache[image[i], y, x, f]


class ExactConv(ExactLayer):
    """Causal convolution; see :mod:`arcomp.layers.conv`. A kernel of side 1 with mask B is a linear layer at each
    position.

    Args:
        arrays: as :meth:`arcomp.layers.conv.CausalConv2d.freeze` gives them.
        kernel, mask, groups, inputs, outputs: of the convolution.
        source: grid of the inputs. grid: of the outputs.
        device: where whole pictures are computed.

    Raises:
        ModelError: arrays of the wrong shape or beyond the bounds, or a weight that would break causality.
    """

    def __init__(
        self, arrays: Mapping[str, Ints], kernel: int, mask: str, groups: int, inputs: int, outputs: int,
        source: Grid, grid: Grid, device: str = "cpu",
    ) -> None:  # fmt: skip
        free = tap_mask(kernel, mask, groups, inputs, outputs)
        weight = arrays.get("weight")
        if weight is None or weight.shape != free.shape or bool(weight[~free].any()):
            raise ModelError("a convolution's weights do not fit its mask", remedy="install the model's weights again")
        self.taps = np.array(causal_taps(kernel), np.int64)
        self.reach, self.groups, self.inputs = kernel // 2, groups, inputs
        self.source, self.grid, self.device = source, grid, device
        self.all = FrozenLinear(arrays, grid, source.largest, device)
        rows = [slice(g * outputs, (g + 1) * outputs) for g in range(groups)]
        self.group = [FrozenLinear({k: a[r] for k, a in arrays.items()}, grid, source.largest) for r in rows]

    def whole(self, x: torch.Tensor, batch: Batch) -> torch.Tensor:
        """See :meth:`ExactLayer.whole`."""
        n, height, width, features = x.shape
        r = self.reach
        canvas = torch.full((n, height + r, width + 2 * r, features), self.source.zero, dtype=x.dtype, device=x.device)
        canvas[:, r:, r : r + width] = x.masked_fill(outside(batch, x.device), self.source.zero)
        parts = []
        step = max(1, ROWS // (n * width))
        for y in range(0, height, step):
            rows = min(step, height - y)
            taps = [canvas[:, y + r + dy : y + r + dy + rows, r + dx : r + dx + width] for dy, dx in self.taps.tolist()]
            gathered = torch.cat(taps, 3).reshape(n * rows * width, -1)
            parts.append(self.all(gathered).reshape(n, rows, width, -1))
        return torch.cat(parts, 1)

    def start(self, batch: Batch) -> None:
        """See :meth:`ExactLayer.start`."""
        height, width = int(batch.heights.max()), int(batch.widths.max())
        shape = (len(batch), height + self.reach, width + 2 * self.reach, self.groups * self.inputs)
        self.cache = np.full(shape, self.source.zero, np.int8 if self.source.largest <= 128 else np.int16)

    def push(self, front: Front, group: int, x: Ints) -> None:
        """See :meth:`ExactLayer.push`."""
        own = slice(group * self.inputs, (group + 1) * self.inputs)
        self.cache[front.image, front.y + self.reach, front.x + self.reach, own] = x

    def pull(self, front: Front, group: int) -> Ints:
        """See :meth:`ExactLayer.pull`."""
        gathered = np.empty((len(front), len(self.taps) * self.cache.shape[3]), self.cache.dtype)
        _gather(self.cache, front.image, front.y, front.x, self.taps, self.reach, gathered)
        return np.asarray(self.group[group](torch.from_numpy(gathered)).numpy())


class ExactTable(ExactLayer):
    """A non-linearity at each feature, as a table over the 256 values of an int8.

    Args:
        table: int8 [256], the output for input value i - 128.
        grid: of the outputs.
    """

    def __init__(self, table: npt.NDArray[np.int8], grid: Grid) -> None:
        if table.shape != (256,) or table.dtype != np.int8:
            raise ModelError("a non-linearity's table is not 256 int8", remedy="install the model's weights again")
        self.table, self.grid = table, grid
        self._tensor = torch.from_numpy(table)

    def whole(self, x: torch.Tensor, batch: Batch) -> torch.Tensor:
        """See :meth:`ExactLayer.whole`."""
        return self._tensor.to(x.device)[x.to(torch.int64) + 128]

    def start(self, batch: Batch) -> None:
        """See :meth:`ExactLayer.start`."""

    def push(self, front: Front, group: int, x: Ints) -> None:
        """See :meth:`ExactLayer.push`."""
        self._new = x

    def pull(self, front: Front, group: int) -> Ints:
        """See :meth:`ExactLayer.pull`."""
        return np.asarray(self.table[self._new.astype(np.int64) + 128])


class Stack(ExactLayer):
    """Layers one after the other."""

    def __init__(self, layers: Sequence[ExactLayer]) -> None:
        self.layers = list(layers)
        self.grid = self.layers[-1].grid

    def whole(self, x: torch.Tensor, batch: Batch) -> torch.Tensor:
        """See :meth:`ExactLayer.whole`."""
        for layer in self.layers:
            x = layer.whole(x, batch)
        return x

    def start(self, batch: Batch) -> None:
        """See :meth:`ExactLayer.start`."""
        for layer in self.layers:
            layer.start(batch)

    def push(self, front: Front, group: int, x: Ints) -> None:
        """See :meth:`ExactLayer.push`. Only the first layer is fed here; the others when outputs are asked for."""
        self.layers[0].push(front, group, x)

    def pull(self, front: Front, group: int) -> Ints:
        """See :meth:`ExactLayer.pull`."""
        x = self.layers[0].pull(front, group)
        for layer in self.layers[1:]:
            layer.push(front, group, x)
            x = layer.pull(front, group)
        return x


class Residual(ExactLayer):
    """x + body(x), clamped to the outputs' grid (He et al. 2016, "Deep residual learning for image recognition").

    Args:
        body: layers whose outputs are as many as their inputs, none of mask A.
        source: grid of x, with as many fractional bits as the body's outputs and the sum.
        grid: of the sum.
    """

    def __init__(self, body: ExactLayer, source: Grid, grid: Grid) -> None:
        if not source.bits == body.grid.bits == grid.bits:
            raise ModelError("the two sides of a residual sum are on different grids")
        self.body, self.source, self.grid = body, source, grid
        self._offset = grid.zero - source.zero - body.grid.zero

    def _add(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        kind = torch.int8 if self.grid.largest <= 128 else torch.int16
        total = x.to(torch.int32) + y.to(torch.int32) + self._offset
        return total.clamp(self.grid.low, self.grid.high).to(kind)

    def whole(self, x: torch.Tensor, batch: Batch) -> torch.Tensor:
        """See :meth:`ExactLayer.whole`."""
        return self._add(x, self.body.whole(x, batch))

    def start(self, batch: Batch) -> None:
        """See :meth:`ExactLayer.start`."""
        self.body.start(batch)

    def push(self, front: Front, group: int, x: Ints) -> None:
        """See :meth:`ExactLayer.push`."""
        self._new = x
        self.body.push(front, group, x)

    def pull(self, front: Front, group: int) -> Ints:
        """See :meth:`ExactLayer.pull`."""
        y = self.body.pull(front, group)
        return np.asarray(self._add(torch.from_numpy(self._new), torch.from_numpy(y)).numpy())
