"""Drawing new pictures or texts from a model: the stepwise evaluation, its integers drawn from instead of decoded."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.codec import Pixels, plan
from arcomp.coding import Distribution, sample
from arcomp.contract import fronts
from arcomp.contract.model import BatchSpec, ExactModel, LearningModel, Model
from arcomp.errors import ArcompError, ModelError
from arcomp.orders import Batch, Front

Progress = Callable[[float], None]
"""Is told the part done, 0 to 1."""
GAP = 2
"""Pixels between the pictures of a grid."""


def draw(
    model: Model,
    shape: tuple[int, int, int, int],
    depth: int,
    *,
    seed: int = 0,
    temperature: float = 1.0,
    given: Pixels | None = None,
    kept: int = 0,
    progress: Progress = lambda part: None,
) -> Pixels:
    """New pictures, uint8 (depth up to 8) or uint16 [N, H, W, C], all drawn side by side.

    A draw is a function of all arguments; with temperature 1 it is the same on every machine.

    Args:
        model: to draw from. One that learns while it codes draws by decoding random bytes.
        shape: [N, H, W, C].
        depth: bits of a sample.
        seed: of the generator.
        temperature: see :func:`arcomp.coding.sample`.
        given: pictures of that shape whose first ``kept`` positions, row by row, stay as they are.
        kept: how many.
        progress: told the part done now and then.

    Raises:
        ModelError: the model does not take such pictures, has nothing to draw from, or cannot complete pictures.
        ArcompError: the given pictures are not of that shape.
    """
    check(model, temperature, kept)
    dtype = np.uint8 if depth <= 8 else np.uint16
    if given is not None and given.shape != shape:
        raise ArcompError(f"the pictures given are of shape {list(given.shape)}, not {list(shape)}")
    pixels = np.zeros(shape, dtype) if given is None else given.astype(dtype)
    _, kind = plan(pixels, depth, model, (0, 0), None)
    rng = np.random.default_rng(seed)
    if isinstance(model, LearningModel):
        _draw_by_decoding(model, pixels, rng, progress)
        return pixels
    assert isinstance(model, ExactModel)
    kind = replace(kind, side=_side(model, pixels, kind, kept))
    known = pixels[..., list(model.coding_order(kind.channels))]

    def source(front: Front, channel: int, distribution: Distribution) -> npt.NDArray[np.int32]:
        values = sample(distribution, rng, temperature)
        if not kept:
            return values
        there = known[front.image, front.y, front.x, channel]
        return np.where(front.y.astype(np.int64) * shape[2] + front.x < kept, there, values).astype(np.int32)

    fronts.fill(pixels, kind, model, source, progress)
    return pixels


def _side(model: ExactModel, pixels: Pixels, kind: BatchSpec, kept: int) -> bytes:
    """Side information, of models that have it made of what is kept.

    Raises:
        ModelError: there is nothing to make it of.
    """
    flat = pixels.reshape(len(pixels), 1, -1, kind.channels)[:, :, : max(1, kept)]
    sizes = np.ones(len(flat), np.int32)
    canvas = np.ascontiguousarray(flat[..., list(model.coding_order(kind.channels))])
    side = model.side_information(canvas, replace(kind, batch=Batch(sizes, sizes * flat.shape[2])))
    if side and not kept:
        raise ModelError(
            f"model {model.name} knows only what it counts in a picture", remedy="give one with --complete"
        )
    return side


def check(model: Model, temperature: float, kept: int) -> None:
    """Refuse what a model cannot do. One that learns while it codes only decodes; and where samples do not depend on
    those in rows above alone, drawing the others one after the other is no draw given what is kept.

    Raises:
        ModelError: something is to be kept, or the temperature is not 1.
    """
    if isinstance(model, LearningModel) and (temperature != 1 or kept):
        what = "complete pictures" if kept else "draw at another temperature than 1"
        raise ModelError(
            f"model {model.name} learns from each decision and cannot {what}",
            remedy="choose context or a model of the ladder with -m",
        )
    if kept and isinstance(model, ExactModel) and not model.row_by_row:
        raise ModelError(
            f"model {model.name} with these weights does not go row by row and cannot complete pictures",
            remedy="choose context, or a model of the ladder that does, with -m",
        )


def _draw_by_decoding(model: LearningModel, pixels: Pixels, rng: np.random.Generator, progress: Progress) -> None:
    """Fill pictures one after the other."""
    order, done = list(model.coding_order(pixels.shape[3])), 0

    def tell(positions: int) -> None:
        nonlocal done
        done += positions
        progress(done / math.prod(pixels.shape[:3]))

    for picture in pixels:
        tile = np.zeros_like(picture)
        model.sample(tile, rng, tell)
        picture[..., order] = tile


def grid(pixels: Pixels, depth: int) -> npt.NDArray[np.uint8]:
    """Pictures [N, H, W, C] of up to 8 bits side by side in rows, as nearly square as they go, gray between them:
    uint8 [H', W', C] of 8 bits. One picture is itself."""
    shown = np.rint(pixels * (255 / ((1 << depth) - 1))).astype(np.uint8)
    count, height, width, channels = shown.shape
    columns = min(count, max(1, round(math.sqrt(count * height / width))))
    rows = -(-count // columns)
    out: npt.NDArray[Any] = np.full(
        (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, channels), 128, np.uint8
    )
    for i, picture in enumerate(shown):
        y, x = i // columns * (height + GAP), i % columns * (width + GAP)
        out[y : y + height, x : x + width] = picture
    return out
