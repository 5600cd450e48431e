"""What each sample costs: the exact model's bits, without coding, for ``arcomp eval``, ``score`` and heat maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arcomp.codec import Pixels, laid_out, plan
from arcomp.contract import learning
from arcomp.contract.fronts import CHUNK, shared
from arcomp.contract.model import BatchSpec, Canvas, ExactModel, LearningModel, Model, coded
from arcomp.contract.tiling import Tiling
from arcomp.orders import grouped

Float32 = npt.NDArray[np.float32]
Progress = Callable[[float], None]
"""Is told the part done, 0 to 1."""


@dataclass(frozen=True, eq=False)
class Bits:
    """What pictures cost under a model.

    Attributes:
        samples: bits of each sample, float32 [N, H, W, C], channels as stored. A model that learns while it codes has
            learnt by then what it has when the sample is coded. Those of a view are shared out among a position's
            samples.
        side: bits of what a file must carry for the model besides (the histogram's counts).
        static: for a model that learns, bits of all samples before what was counted is mixed in; None for others.
    """

    samples: Float32
    side: int = 0
    static: float | None = None

    @property
    def total(self) -> float:
        """Of everything: :attr:`arcomp.codec.Encoded.nll_bits` of the same pictures, but for rounding to float32."""
        return float(self.samples.sum(dtype=np.float64)) + self.side


def measure(
    pixels: Pixels,
    depth: int,
    model: Model,
    *,
    tile: tuple[int, int] | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress = lambda part: None,
) -> Bits:
    """Negative log-likelihood of each sample under the exact model, as :func:`arcomp.codec.encode` would code it.

    Args:
        pixels: uint8 (depth up to 8) or uint16 [N, H, W, C].
        depth: bits of a sample.
        model: see :mod:`arcomp.contract.registry`.
        tile: (height, width) of tiles; (0, 0) for whole pictures; None for what suits the model.
        device: where the whole evaluation runs; models that learn are evaluated on the processor.
        threads: tiles that a learning model evaluates at a time; as many as there are processors if None.
        progress: told the part done now and then.

    Raises:
        ModelError, ArcompError: as :func:`arcomp.codec.encode`.
    """
    tiling, kind = plan(pixels, depth, model, tile, threads)
    found = np.zeros(pixels.shape, np.float32)
    if isinstance(model, LearningModel):
        return Bits(found, static=learning.bits(pixels, found, tiling, kind, model, threads, progress))
    assert isinstance(model, ExactModel)
    canvas, kind = laid_out(pixels, tiling, kind, model)
    parts = coded(model, canvas, kind)
    for i, (own, samples, part) in enumerate(parts):
        share = np.zeros((*pixels.shape[:3], part.channels), np.float32)
        _whole(samples, part, own, device, tiling, share, shared(progress, i, len(parts)))
        found += share if own is model else share.sum(3, keepdims=True) / kind.channels
    return Bits(found, 8 * len(kind.side))


def _whole(
    canvas: Canvas, kind: BatchSpec, model: ExactModel, device: str, tiling: Tiling, found: Float32, progress: Progress
) -> None:
    """Fill bits [N, H, W, C] from a canvas of tiles, channels in coding order."""
    corners = np.array(tiling.corners, np.int64)
    order = model.coding_order(kind.channels)
    whole, done = model.parallel(canvas, kind, device), 0
    for front, _ in grouped(model.order.fronts(kind.batch), CHUNK):
        values = canvas[front.image, front.y, front.x].astype(np.int32)
        image, y, x = corners[front.image].T + np.stack([np.zeros_like(front.y), front.y, front.x])
        for c, distribution in enumerate(whole.distributions(front)):
            found[image, y, x, order[c]] = distribution.bits(np.ascontiguousarray(values[:, c]))
        done += len(front)
        progress(done / kind.batch.positions)
