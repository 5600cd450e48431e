"""Drawing new pictures or texts from a model: values are drawn from its distributions instead of decoded."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.codec import plan
from arcomp.contract.model import Model, Progress
from arcomp.errors import ArcompError
from arcomp.samples import Pixels, Samples
from arcomp.transforms import joined
from arcomp.transforms.node import Kind
from arcomp.transforms.sounds import expected, in_bytes

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
) -> Samples:
    """New pictures, all drawn side by side.

    A draw is a function of all arguments; with temperature 1 it is the same on every machine.

    Args:
        model: to draw from. One that learns while it codes draws by decoding random bytes.
        shape: [N, H, W, C].
        depth: bits of a sample.
        seed: of the generator.
        temperature: see :func:`arcomp.coding.sample`.
        given: pictures of that shape whose first ``kept`` positions, row by row, stay as they are.
        kept: how many.
        progress: callback given the part done, 0 to 1, now and then.

    Raises:
        ModelError: the model does not take such pictures, has nothing to draw from, or cannot complete pictures.
        ArcompError: the given pictures are not of that shape.
    """
    model.check_sampling(temperature, kept)
    dtype = np.uint8 if depth <= 8 else np.uint16
    if given is not None and given.shape != shape:
        raise ArcompError(f"the pictures given are of shape {list(given.shape)}, not {list(shape)}")
    pixels = np.zeros(shape, dtype) if given is None else given.astype(dtype)
    _, spec = plan(pixels, depth, model, (0, 0), None)
    model.sample(pixels, spec, np.random.default_rng(seed), temperature, kept, progress)
    return Samples.of(pixels, depth)


def as_sound(drawn: Samples) -> Samples:
    """What a model of sounds draws, high and low bytes [N, 1, L, 2], as sounds of one channel: uint16 [N, 1, L, 1]."""
    count, _, length, _ = drawn.pixels.shape
    shape = (count, 1, length, 1)
    tree = expected(np.full(shape, 1 << 15, np.uint16), Kind(shape, 16), in_bytes)
    return Samples.of(joined(tree, [drawn.pixels.copy()], shape, 16), 16)


def grid(samples: Samples, scale: int = 1) -> Samples:
    """Pictures of up to 8 bits side by side in rows, as nearly square as they go, gray between them: one picture of 8
    bits. One picture is itself.

    Args:
        scale: each pixel becomes a square of that side.
    """
    shown = np.rint(samples.pixels * (255 / ((1 << samples.depth) - 1))).astype(np.uint8)
    shown = shown.repeat(scale, 1).repeat(scale, 2)
    count, height, width, channels = shown.shape
    columns = min(count, max(1, round(math.sqrt(count * height / width))))
    rows = -(-count // columns)
    out: npt.NDArray[Any] = np.full(
        (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, channels), 128, np.uint8
    )
    for i, picture in enumerate(shown):
        y, x = i // columns * (height + GAP), i % columns * (width + GAP)
        out[y : y + height, x : x + width] = picture
    return Samples.of(out[None])
