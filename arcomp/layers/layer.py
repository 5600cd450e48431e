"""What an exact layer is: two evaluations that agree bit for bit.

* ``parallel``: all positions of a batch at once.
* ``step``: front by front, and within a front group after group: given a group's inputs there, the group's outputs.
  What later fronts need of the past lies in the layer's cache.

Beyond a picture's edges every feature is the real number 0, that is the zero point of its quantisation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.errors import ModelError
from arcomp.exact.arrays import Array, Ints
from arcomp.exact.compiled import kernel
from arcomp.exact.devices import backend_of
from arcomp.kernels import instructions
from arcomp.kernels.workspace import Workspace
from arcomp.layers.quantisation import Quantisation
from arcomp.orders import Batch, Front

ROWS = 1 << 15
"""Positions whose neighbours are gathered at a time."""


class ExactLayer(ABC):
    """A layer of integers in, integers out.

    Attributes:
        quantisation: of the outputs.
    """

    quantisation: Quantisation

    @abstractmethod
    def parallel(self, batch: Batch, *x: Array) -> Array:
        """int8 or int16 [N, H, W, groups * inputs] (for each input) -> [N, H, W, groups * outputs]."""

    def start(self, batch: Batch) -> None:
        """Make an empty cache for a batch to decode. Layers without a cache do nothing."""
        return

    def push(self, front: Front, first: int, x: Ints) -> None:
        """Write inputs of the front to the cache: [n, k], features first .. first + k - 1."""
        raise NotImplementedError

    def instruction(self, workspace: Workspace, batch: Batch) -> instructions.Instruction:
        """This layer's instruction in a compiled program. Layers without one run in the interpreter.

        Args:
            workspace: the layer's weights, tables and caches are added to it.
            batch: sizes of the pictures, at the layer's scale.
        """
        raise NotImplementedError

    @abstractmethod
    def step(self, front: Front, group: int, *x: Ints) -> Ints:
        """A group's outputs at the front, [n, outputs], given its inputs there, [n, inputs]."""


def outside(batch: Batch) -> npt.NDArray[np.bool_]:
    """bool [N, H, W, 1]: true where a padded batch is beyond a picture's edge."""
    y = np.arange(int(batch.heights.max()))[None, :, None]
    x = np.arange(int(batch.widths.max()))[None, None, :]
    beyond = (y >= batch.heights[:, None, None]) | (x >= batch.widths[:, None, None])
    return np.asarray(beyond[..., None])


def filled_outside(x: Array, batch: Batch, value: int) -> Array:
    """A padded batch [N, H, W, F] with ``value`` beyond the pictures' edges; x itself if nothing is beyond them."""
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
        ModelError: a picture is larger.
    """
    if int(batch.heights.max()) > height or int(batch.widths.max()) > width:
        raise ModelError(
            f"these weights take pictures of up to {width} x {height}",
            remedy="choose pictures, or tiles, of that size, or another model with -m",
        )


@kernel()
def gather(cache: Any, image: Any, ys: Any, xs: Any, taps: Any, top: int, left: int, out: Any) -> None:
    """Gather what taps see from a cache [N, top + H, left + W + right, F] into ``out`` [n, taps * F]."""
    features = cache.shape[3]
    for i in range(ys.shape[0]):
        for t in range(taps.shape[0]):
            y = ys[i] + top + taps[t, 0]
            x = xs[i] + left + taps[t, 1]
            for f in range(features):
                out[i, t * features + f] = cache[image[i], y, x, f]
